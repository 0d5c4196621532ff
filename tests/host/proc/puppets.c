/* What a puppet does: waits for a command, carries it out as a program would, writes the answer
 * down. */
#include "puppets.h"

#include "lib/errno.h"
#include "proc/exit.h"
#include "proc/pgrp.h"

#define PIDS 4096

struct puppet puppets[MODEL_SLOTS];
struct job *puppet_jobs[MODEL_JOBS];
bool puppets_finish;

static int8_t slot_of_pid[PIDS];

int puppet_slot_of(int pid)
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

    return self->has_command || puppets_finish;
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

static int puppet_fork(const struct model_operation *o)
{
    const uint64_t a[6] = {o->clone_parent ? CLONE_PARENT : 0, o->clone_child ? 0 : SIGCHLD,
                           (uintptr_t)puppet_program, (uintptr_t)o->target,
                           o->job == MODEL_NOBODY ? 0 : (uintptr_t)puppet_jobs[o->job]};

    return (int)sim_call(do_puppet_fork, a);
}

uint8_t puppet_status(int status)
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
    r->slot = puppet_slot_of(waited.pid);
    SIM_CHECK(waited.code == ((waited.status & 0x7f) ? CLD_KILLED : CLD_EXITED));
    r->status = puppet_status(waited.status);
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

    return job_create(puppet_jobs[a[0]], &args, &puppet_jobs[a[1]]);
}

static int64_t do_job_adopt(const uint64_t a[6])
{
    struct process *process = process_find((pid_number)a[0]);
    int64_t error = -ESRCH;

    if (!process)
        return error;
    error = job_adopt(puppet_jobs[a[1]], process, a[2] ? JOB_ADOPT_TREE : 0);
    process_put(process);
    return error;
}

static int64_t do_job_kill(const uint64_t a[6])
{
    return job_kill(puppet_jobs[a[0]], false, JOB_CAUSE_KILL);
}

static int call(int64_t (*function)(const uint64_t a[6]), int first, int second, int third)
{
    const uint64_t a[6] = {(uint64_t)first, (uint64_t)second, (uint64_t)third};

    return (int)sim_call(function, a);
}

static void take_pid(struct model_result *r, int pid)
{
    r->error = pid < 0 ? pid : 0;
    r->slot = puppet_slot_of(pid);
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

void puppet_program(uintptr_t slot)
{
    struct puppet *self = &puppets[slot];
    const uint64_t a[6] = {(uintptr_t)self};

    while (!puppets_finish) {
        sim_call(do_await_command, a);
        if (!self->is_busy)
            continue;
        carry_out(&self->operation, &self->result);
        self->has_answered = true;
    }
}

void puppet_reset(int slot, int pid)
{
    if (puppets[slot].pid)
        slot_of_pid[puppets[slot].pid] = 0;
    puppets[slot] = (struct puppet){.pid = pid};
    if (pid)
        slot_of_pid[pid] = (int8_t)slot + 1;
    wait_queue_init(&puppets[slot].queue);
}

int8_t puppet_slot_of_job(const struct job *job)
{
    for (int i = 0; i < MODEL_JOBS; i++)
        if (job && puppet_jobs[i] == job)
            return (int8_t)i;
    return MODEL_NOBODY;
}
