/* What has become of a batch: the answers and the family as the kernel has it, against the model.
 */
#include "proc/check.h"
#include "proc/pgrp.h"
#include "puppets.h"

struct model family;

static void take_place(struct snapshot *snapshot, int slot, const struct process *process)
{
    const struct process *zombie;
    unsigned place = 0;

    snapshot->processes[slot].exists = true;
    snapshot->processes[slot].is_zombie = process->state == PROCESS_ZOMBIE;
    snapshot->processes[slot].parent =
        process->parent ? puppet_slot_of(process_number(process->parent)) : MODEL_NOBODY;
    snapshot->processes[slot].group = puppet_slot_of(pid_number_of(process->group->pid));
    snapshot->processes[slot].session = puppet_slot_of(pid_number_of(process->group->session->pid));
    snapshot->processes[slot].job = puppet_slot_of_job(process->job);
    if (process->state != PROCESS_ZOMBIE)
        return;
    snapshot->processes[slot].status = puppet_status(process->exit_status);
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
        if (!puppet_jobs[i])
            continue;
        SIM_CHECK_EQUAL(puppet_jobs[i]->entered, puppet_jobs[i]->active + puppet_jobs[i]->exited);
        snapshot->jobs[i].state = states[puppet_jobs[i]->state];
        snapshot->jobs[i].entered = (uint16_t)puppet_jobs[i]->entered;
        snapshot->jobs[i].exited = (uint16_t)puppet_jobs[i]->exited;
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
        if (!puppet_jobs[o->target])
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
                 family.jobs[i].state, family.jobs[i].entered, family.jobs[i].exited,
                 family.jobs[i].parent, after->jobs[i].state, after->jobs[i].entered,
                 after->jobs[i].exited);
    for (int i = 0; i < MODEL_SLOTS; i++) {
        const struct model_process *p = &family.processes[i];

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

void puppets_judge(void)
{
    struct step steps[STEPS_MAX];
    struct snapshot after;
    unsigned count = 0;

    take_snapshot(&after);
    for (int i = 0; i < MODEL_SLOTS; i++)
        if (take_step(&puppets[i], &after, &steps[count]))
            count++;
    if (!linearize(&family, steps, count, &after))
        explain(steps, count, &after);
    proc_check();
}
