/*
 * The family against its model: puppets that do what a controller tells them, several at a time on
 * several CPUs. After each batch, when all is quiet again, the answers and the family as the kernel
 * has it must agree with the model in some order of the calls.
 */
#include "lib/errno.h"
#include "linearize.h"
#include "proc/check.h"
#include "proc/exit.h"
#include "proc/job.h"
#include "proc/pgrp.h"
#include "scenarios.h"
#include "sched/wait.h"
#include "system.h"

#define BATCHES    150
#define BATCH_SIZE 3
#define LIVE_MAX   12
#define PIDS       4096
/* Of so many deaths at once the search for their order is still quick. */
#define MASSACRE_MAX 5

struct puppet {
    int pid;
    struct wait_queue queue; /* it waits for commands */
    bool has_command;
    bool is_busy;
    bool has_answered;
    struct model_operation operation;
    struct model_result result;
};

static struct puppet puppets[MODEL_SLOTS];
static int8_t slot_of_pid[PIDS];
static struct model model;
static bool finishing;
static struct job *jobs[MODEL_JOBS]; /* references, but for the root job */

/* --- Puppets --- */

static int slot_of(int pid)
{
    return pid > 0 && pid < PIDS ? slot_of_pid[pid] - 1 : MODEL_NOBODY;
}

static int pid_of(int slot)
{
    return slot == MODEL_NOBODY ? 0 : puppets[slot].pid;
}

static bool has_command(void *argument)
{
    struct puppet *self = argument;

    return self->has_command || finishing;
}

static int64_t do_await_command(const uint64_t a[6])
{
    struct puppet *self = (struct puppet *)a[0];
    int error =
        wait_queue_sleep(&self->queue, has_command, self, SLEEP_INTERRUPTIBLE, DEADLINE_NEVER);

    self->has_command = false;
    return error;
}

/* In the kernel, so that it is known even if the parent is killed on its way back. */
static int64_t do_puppet_fork(const uint64_t a[6])
{
    int64_t pid = do_fork(a);

    if (pid > 0) {
        puppets[a[3]].pid = (int)pid;
        slot_of_pid[pid] = (int8_t)a[3] + 1;
    }
    return pid;
}

static void puppet_program(uintptr_t slot);

static int puppet_fork(const struct model_operation *o)
{
    const uint64_t a[6] = {o->clone_parent ? CLONE_PARENT : 0, o->clone_child ? 0 : SIGCHLD,
                           (uintptr_t)puppet_program, (uintptr_t)o->target,
                           o->job == MODEL_NOBODY ? 0 : (uintptr_t)jobs[o->job]};

    return (int)sim_call(do_puppet_fork, a);
}

/* wait4's encoding in the model's byte. */
static uint8_t status_of(int status)
{
    return (status & 0x7f) ? 0x80 | status : status >> 8;
}

static void puppet_wait(const struct model_operation *o, struct model_result *r)
{
    const int selectors[] = {[SELECT_ANY] = -1,
                             [SELECT_PROCESS] = pid_of(o->target),
                             [SELECT_OWN_GROUP] = 0,
                             [SELECT_GROUP] = -pid_of(o->group)};
    struct waited waited;
    int options = WEXITED | (o->no_hang ? WNOHANG : 0) | (o->no_wait ? WNOWAIT : 0) |
                  (o->all ? (int)__WALL : 0) | (o->clone_only ? (int)__WCLONE : 0);

    r->error = call_wait(selectors[o->selector], options, &waited);
    if (r->error || !waited.pid)
        return;
    r->slot = slot_of(waited.pid);
    SIM_CHECK(waited.code == ((waited.status & 0x7f) ? CLD_KILLED : CLD_EXITED));
    r->status = status_of(waited.status);
}

static int64_t do_getsid(const uint64_t a[6])
{
    return process_get_session((pid_number)a[0]);
}

static int puppet_getsid(int pid)
{
    const uint64_t a[6] = {(uint64_t)pid};

    return (int)sim_call(do_getsid, a);
}

/* The job's slot is filled in the kernel, as a child's pid is. */
static int64_t do_job_create(const uint64_t a[6])
{
    const struct job_create_args args = {.flags = 0};

    return job_create(jobs[a[0]], &args, &jobs[a[1]]);
}

static int64_t do_job_adopt(const uint64_t a[6])
{
    struct process *process = process_find((pid_number)a[0]);
    int64_t error = -ESRCH;

    if (!process)
        return error;
    error = job_adopt(jobs[a[1]], process, a[2] ? JOB_ADOPT_TREE : 0);
    process_put(process);
    return error;
}

static int64_t do_job_kill(const uint64_t a[6])
{
    return job_kill(jobs[a[0]], false, JOB_CAUSE_KILL);
}

static int call(int64_t (*function)(const uint64_t a[6]), int first, int second, int third)
{
    const uint64_t a[6] = {(uint64_t)first, (uint64_t)second, (uint64_t)third};

    return (int)sim_call(function, a);
}

static void take_pid(struct model_result *r, int pid)
{
    r->error = pid < 0 ? pid : 0;
    r->slot = slot_of(pid);
}

static void carry_out(const struct model_operation *o, struct model_result *r)
{
    *r = (struct model_result){.slot = MODEL_NOBODY};
    switch (o->kind) {
    case MODEL_FORK:
        take_pid(r, puppet_fork(o));
        break;
    case MODEL_EXIT:
        call_exit(o->value);
    case MODEL_WAIT:
        puppet_wait(o, r);
        break;
    case MODEL_SETPGID:
        r->error = call_setpgid(pid_of(o->target), pid_of(o->group));
        break;
    case MODEL_SETSID:
        r->error = call_setsid();
        if (r->error > 0)
            r->error = 0;
        break;
    case MODEL_GETPPID:
        take_pid(r, call_getppid());
        break;
    case MODEL_GETPGID:
        take_pid(r, call_getpgid(pid_of(o->target)));
        break;
    case MODEL_GETSID:
        take_pid(r, puppet_getsid(pid_of(o->target)));
        break;
    case MODEL_SUBREAPER:
        r->error = call_set_subreaper(o->value);
        break;
    case MODEL_IGNORE_CHILDREN:
        r->error = call_sigaction(SIGCHLD, o->value ? HANDLER_IGNORE : HANDLER_DEFAULT, 0);
        break;
    case MODEL_KILL:
        r->error = call_kill(pid_of(o->target), o->value);
        break;
    case MODEL_KILL_GROUP:
        r->error = call_kill(-pid_of(o->group), o->value);
        break;
    case MODEL_JOB_CREATE:
        r->error = call(do_job_create, o->group, o->target, 0);
        break;
    case MODEL_JOB_ADOPT:
        r->error = call(do_job_adopt, pid_of(o->target), o->group, o->all);
        break;
    case MODEL_JOB_KILL:
        r->error = call(do_job_kill, o->group, 0, 0);
        break;
    default:
        sim_fail("no such operation");
    }
}

static void puppet_program(uintptr_t slot)
{
    struct puppet *self = &puppets[slot];
    const uint64_t a[6] = {(uintptr_t)self};

    while (!finishing) {
        sim_call(do_await_command, a);
        if (!self->is_busy)
            continue;
        carry_out(&self->operation, &self->result);
        self->has_answered = true;
    }
}

/* --- What to do next --- */

static int any_slot(bool (*is_eligible)(int slot))
{
    int start = (int)sim_random(MODEL_SLOTS);

    for (int i = 0; i < MODEL_SLOTS; i++) {
        int slot = (start + i) % MODEL_SLOTS;

        if (is_eligible(slot))
            return slot;
    }
    return MODEL_NOBODY;
}

static bool is_idle(int slot)
{
    return model.processes[slot].state == MODEL_ALIVE && !puppets[slot].is_busy;
}

static bool is_free(int slot)
{
    for (int i = 0; i < MODEL_SLOTS; i++)
        if (puppets[i].is_busy &&
            (puppets[i].operation.target == slot || puppets[i].operation.group == slot))
            return false;
    return model_is_unused(&model, slot);
}

static bool was_used(int slot)
{
    return puppets[slot].pid != 0;
}

static unsigned live_count(void)
{
    unsigned live = 0;

    for (int i = 0; i < MODEL_SLOTS; i++)
        live += model.processes[i].state == MODEL_ALIVE;
    return live;
}

static unsigned living_members(int group)
{
    unsigned count = 0;

    for (int i = 0; i < MODEL_SLOTS; i++)
        count += model.processes[i].state == MODEL_ALIVE && model.processes[i].group == group;
    return count;
}

static int any_job(void)
{
    int slot = (int)sim_random(MODEL_JOBS);

    while (!jobs[slot])
        slot = (slot + 1) % MODEL_JOBS;
    return slot;
}

/* Gives up what has nobody left to keep it alive but us. */
static int free_job(void)
{
    for (int i = 0; i < MODEL_JOBS; i++) {
        if (jobs[i] && model_job_is_over(&model, i)) {
            job_put(jobs[i]);
            jobs[i] = NULL;
            model.jobs[i] = (struct model_job){.state = MODEL_JOB_FREE};
        }
        if (!jobs[i])
            return i;
    }
    return MODEL_NOBODY;
}

static unsigned living_job_members(int job)
{
    return model.jobs[job].entered - model.jobs[job].exited;
}

/* Weights of 100; a crowded family turns to dying and reaping. */
static enum model_operation_kind choose_kind(int issuer)
{
    static const uint8_t weights[][MODEL_OPERATION_COUNT] = {
        {28, 7, 22, 8, 3, 1, 2, 1, 4, 3, 6, 2, 5, 6, 2},
        {4, 18, 36, 6, 2, 1, 2, 1, 3, 2, 9, 4, 3, 6, 3},
    };
    const uint8_t *row = weights[live_count() > LIVE_MAX || any_slot(is_free) == MODEL_NOBODY];
    uint64_t dice = sim_random(100);
    enum model_operation_kind kind = MODEL_FORK;

    while (dice >= row[kind])
        dice -= row[kind++];
    if (issuer == MODEL_INIT && (kind == MODEL_EXIT || kind == MODEL_IGNORE_CHILDREN))
        return MODEL_WAIT;
    return kind;
}

/* A wait for the caller's own group first finds out which that is, and then looks: two steps, which
 * the model takes as one. So it is done alone, and without sleeping. */
static void choose_wait(struct model_operation *o, bool is_alone)
{
    o->selector = sim_random(2) ? SELECT_ANY : sim_random(4);
    if (o->selector == SELECT_OWN_GROUP && !is_alone)
        o->selector = SELECT_ANY;
    o->target = any_slot(was_used);
    o->group = any_slot(was_used);
    if (o->selector == SELECT_GROUP && o->group == MODEL_INIT)
        o->selector = SELECT_ANY; /* -1 is no group */
    o->no_hang = o->selector == SELECT_OWN_GROUP || sim_random(3) > 0;
    o->no_wait = sim_random(8) == 0;
    o->all = sim_random(3) > 0;
    o->clone_only = !o->all && sim_random(4) == 0;
}

/* False if this kind cannot be done now. */
static bool choose_operation(int issuer, bool is_alone, struct model_operation *o)
{
    *o = (struct model_operation){
        .kind = choose_kind(issuer), .issuer = issuer, .job = MODEL_NOBODY};
    o->target = sim_random(4) ? any_slot(was_used) : MODEL_NOBODY;
    o->group = sim_random(4) ? any_slot(was_used) : MODEL_NOBODY;
    o->value = sim_random(2);
    switch (o->kind) {
    case MODEL_FORK:
        o->group = MODEL_NOBODY;
        o->clone_parent = issuer != MODEL_INIT && sim_random(8) == 0;
        o->clone_child = sim_random(6) == 0;
        o->target = any_slot(is_free);
        if (sim_random(3) == 0)
            o->job = any_job();
        return o->target != MODEL_NOBODY;
    case MODEL_EXIT:
        o->value = sim_random(100);
        return true;
    case MODEL_WAIT:
        choose_wait(o, is_alone);
        return true;
    case MODEL_IGNORE_CHILDREN:
        /* A death that inherits zombies looks at it more than once, which the model does not. */
        return is_alone;
    case MODEL_JOB_CREATE:
        o->group = any_job();
        o->target = is_alone ? free_job() : MODEL_NOBODY;
        return o->target != MODEL_NOBODY && jobs[o->group];
    case MODEL_JOB_ADOPT:
        o->group = any_job();
        o->target = any_slot(was_used);
        o->all = sim_random(2);
        return o->target != MODEL_INIT;
    case MODEL_JOB_KILL:
        o->group = any_job();
        return living_job_members(o->group) <= MASSACRE_MAX;
    case MODEL_KILL:
    case MODEL_KILL_GROUP:
        o->value *= SIGKILL;
        o->target = any_slot(was_used);
        o->group = any_slot(was_used);
        if (living_members(o->group) > MASSACRE_MAX)
            o->value = 0;
        /* init's own group holds init, who takes no SIGKILL. */
        return o->target != MODEL_INIT && o->group != MODEL_INIT;
    default:
        return true;
    }
}

static void command(int slot, const struct model_operation *operation)
{
    struct puppet *puppet = &puppets[slot];

    if (operation->kind == MODEL_FORK) {
        if (puppets[operation->target].pid)
            slot_of_pid[puppets[operation->target].pid] = 0;
        puppets[operation->target] = (struct puppet){.pid = 0};
        wait_queue_init(&puppets[operation->target].queue);
    }
    puppet->operation = *operation;
    puppet->is_busy = true;
    puppet->has_answered = false;
    puppet->has_command = true;
    sim_note("%d: operation %d on %d, group %d, value %d", slot, operation->kind, operation->target,
             operation->group, operation->value);
    wait_queue_wake_all(&puppet->queue, 0);
}

/* --- What has become of it --- */

static int8_t slot_of_job(const struct job *job)
{
    for (int i = 0; i < MODEL_JOBS; i++)
        if (job && jobs[i] == job)
            return (int8_t)i;
    return MODEL_NOBODY;
}

static void take_place(struct snapshot *snapshot, int slot, const struct process *process)
{
    const struct process *zombie;
    unsigned place = 0;

    snapshot->processes[slot].exists = true;
    snapshot->processes[slot].is_zombie = process->state == PROCESS_ZOMBIE;
    snapshot->processes[slot].parent =
        process->parent ? slot_of(process_number(process->parent)) : MODEL_NOBODY;
    snapshot->processes[slot].group = slot_of(pid_number_of(process->group->pid));
    snapshot->processes[slot].session = slot_of(pid_number_of(process->group->session->pid));
    snapshot->processes[slot].job = slot_of_job(process->job);
    if (process->state != PROCESS_ZOMBIE)
        return;
    snapshot->processes[slot].status = status_of(process->exit_status);
    list_for_each (zombie, &process->parent->zombies, sibling) {
        if (zombie == process)
            snapshot->processes[slot].place = place;
        place++;
    }
}

static void take_jobs(struct snapshot *snapshot)
{
    static const uint8_t states[] = {[JOB_OPEN] = MODEL_JOB_OPEN,
                                     [JOB_KILLING] = MODEL_JOB_KILLING,
                                     [JOB_DEAD] = MODEL_JOB_DEAD};

    for (int i = 0; i < MODEL_JOBS; i++) {
        if (!jobs[i])
            continue;
        SIM_CHECK_EQUAL(jobs[i]->entered, jobs[i]->active + jobs[i]->exited);
        snapshot->jobs[i].state = states[jobs[i]->state];
        snapshot->jobs[i].entered = (uint16_t)jobs[i]->entered;
        snapshot->jobs[i].exited = (uint16_t)jobs[i]->exited;
    }
}

static void take_snapshot(struct snapshot *snapshot)
{
    *snapshot = (struct snapshot){0};
    spin_lock(&family_lock);
    take_jobs(snapshot);
    for (int i = 0; i < MODEL_SLOTS; i++) {
        struct process *process = puppets[i].pid ? process_find_locked(puppets[i].pid) : NULL;

        if (process)
            take_place(snapshot, i, process);
    }
    spin_unlock(&family_lock);
}

static bool take_step(struct puppet *puppet, const struct snapshot *after, struct step *step)
{
    int slot = (int)(puppet - puppets);
    const struct model_operation *o = &puppet->operation;
    bool is_dead = !after->processes[slot].exists || after->processes[slot].is_zombie;

    if (!puppet->is_busy)
        return false;
    step->operation = *o;
    step->result = puppet->result;
    step->outcome = puppet->has_answered ? STEP_ANSWERED : is_dead ? STEP_UNKNOWN : STEP_SLEEPS;
    puppet->is_busy = step->outcome == STEP_SLEEPS;
    if (step->outcome == STEP_SLEEPS && o->kind != MODEL_WAIT)
        sim_fail("operation %d of %d does not end", o->kind, slot);
    if (step->outcome == STEP_UNKNOWN && o->kind == MODEL_JOB_CREATE) {
        if (!jobs[o->target])
            return false;
        step->outcome = STEP_ANSWERED;
        step->result = (struct model_result){.slot = MODEL_NOBODY};
    }
    if (step->outcome == STEP_UNKNOWN && o->kind == MODEL_FORK) {
        if (!puppets[o->target].pid)
            return false;
        step->outcome = STEP_ANSWERED;
        step->result = (struct model_result){.slot = o->target};
    }
    return true;
}

static void explain(const struct step *steps, unsigned count, const struct snapshot *after)
{
    for (int i = 0; i < MODEL_JOBS; i++)
        sim_note("job %d: state %d in %d out %d parent %d, after: %d in %d out %d", i,
                 model.jobs[i].state, model.jobs[i].entered, model.jobs[i].exited,
                 model.jobs[i].parent, after->jobs[i].state, after->jobs[i].entered,
                 after->jobs[i].exited);
    for (int i = 0; i < MODEL_SLOTS; i++) {
        const struct model_process *p = &model.processes[i];

        if (p->state != MODEL_FREE)
            sim_note("%d before: state %d parent %d group %d session %d job %d %s%s%s", i, p->state,
                     p->parent, p->group, p->session, p->job, p->subreaper ? "reaper " : "",
                     p->ignores_children ? "ignores " : "", p->is_clone ? "clone" : "");
        if (after->processes[i].exists)
            sim_note("%d after: zombie %d parent %d group %d session %d place %d job %d", i,
                     after->processes[i].is_zombie, after->processes[i].parent,
                     after->processes[i].group, after->processes[i].session,
                     after->processes[i].place, after->processes[i].job);
    }
    for (unsigned i = 0; i < count; i++) {
        const struct model_operation *o = &steps[i].operation;

        sim_note("%d: op %d target %d group %d value %d selector %d%s%s%s%s%s%s", o->issuer,
                 o->kind, o->target, o->group, o->value, o->selector, o->no_hang ? " nohang" : "",
                 o->no_wait ? " nowait" : "", o->all ? " all" : "", o->clone_only ? " clone" : "",
                 o->clone_parent ? " sibling" : "", o->clone_child ? " silent" : "");
        sim_note("   -> job %d outcome %d error %d slot %d status %d", o->job, steps[i].outcome,
                 steps[i].result.error, steps[i].result.slot, steps[i].result.status);
    }
    sim_fail("no order of these calls explains what the kernel answered");
}

static void judge(void)
{
    struct step steps[STEPS_MAX];
    struct snapshot after;
    unsigned count = 0;

    take_snapshot(&after);
    for (int i = 0; i < MODEL_SLOTS; i++)
        if (take_step(&puppets[i], &after, &steps[count]))
            count++;
    if (!linearize(&model, steps, count, &after))
        explain(steps, count, &after);
    proc_check();
}

/* --- The controller --- */

static void run_batch(void)
{
    unsigned size = 1 + sim_random(BATCH_SIZE);
    struct model_operation operation;

    for (unsigned i = 0; i < size; i++) {
        int slot = any_slot(is_idle);

        if (slot == MODEL_NOBODY)
            break;
        if (choose_operation(slot, size == 1, &operation)) {
            command(slot, &operation);
            sim_count("operations", 1);
        }
    }
    sim_settle();
    judge();
}

static void kill_everybody(void)
{
    for (int i = 1; i < MODEL_SLOTS; i++) {
        struct process *process = puppets[i].pid ? process_find(puppets[i].pid) : NULL;

        if (!process)
            continue;
        signal_kill_process(process);
        process_put(process);
    }
}

static bool never(void *argument)
{
    (void)argument;
    return false;
}

/* It stays when it is done, so that the count of threads is as before. */
static void controller(void *argument)
{
    (void)argument;
    sim_settle();
    jobs[MODEL_ROOT_JOB] = root_job;
    for (unsigned i = 0; i < BATCHES; i++)
        run_batch();
    finishing = true;
    kill_everybody();
    for (int i = 1; i < MODEL_JOBS; i++)
        if (jobs[i])
            job_put(jobs[i]);
    wait_queue_wake_all(&puppets[MODEL_INIT].queue, 0);
    thread_sleep(never, NULL, SLEEP_UNINTERRUPTIBLE, DEADLINE_NEVER);
}

static void model_program(void)
{
    struct waited waited;

    puppet_program(MODEL_INIT);
    while (call_wait(-1, WEXITED | __WALL, &waited) == 0)
        ;
}

void scenario_family_model(void)
{
    model_init(&model);
    puppets[MODEL_INIT].pid = 1;
    slot_of_pid[1] = MODEL_INIT + 1;
    wait_queue_init(&puppets[MODEL_INIT].queue);
    SIM_CHECK(kernel_thread_start("controller", controller, NULL));
    system_run(model_program);
}
