/* Groups of threads: their life, and which threads are in them. */
#include "sched/group.h"

#include "sched/attributes.h"
#include "sched/cpu.h"
#include "sched/placement.h"

void sched_group_init(struct sched_group *group, struct sched_group *parent)
{
    group->parent = parent;
    group->is_watched = parent && parent->is_watched;
    group->user_alarm = group->total_alarm = ALARM_NEVER;
    bandwidth_init(&group->bandwidth);
    group->share = parent ? parent->share : NULL;
    group->cpus = parent ? parent->cpus : UINT64_MAX;
    group->nice_floor = parent ? parent->nice_floor : NICE_MIN;
    group->slice_class = parent ? parent->slice_class : SLICE_CLASS_DEFAULT;
}

void sched_group_destroy(struct sched_group *group)
{
    sched_group_abandon_share(group);
}

/* Does the thread differ from what it would be in the group? */
static bool is_affected_by(const struct thread *thread, const struct sched_group *group)
{
    const struct sched_group *old = thread->group;

    if (old && group)
        return old->share != group->share || old->cpus != group->cpus ||
               old->nice_floor != group->nice_floor || old->slice_class != group->slice_class ||
               old->is_watched != group->is_watched;
    group = old ? old : group;
    return group && (group->share || group->is_watched || group->cpus != UINT64_MAX ||
                     group->nice_floor != NICE_MIN || group->slice_class != SLICE_CLASS_DEFAULT);
}

/* Its home is locked. */
static void change_group_locked(struct thread *thread, struct sched_group *group,
                                struct group_usage *used)
{
    group_account_flush(thread, port_cycles());
    thread->group = group;
    if (used)
        *used = thread->flushed;
}

static void NO_THREAD_SAFETY_ANALYSIS change_group(struct thread *thread, struct sched_group *group,
                                                   struct group_usage *used)
{
    irq_state_t interrupts = port_irq_save();
    struct cpu *home = thread_lock_home(thread);

    change_group_locked(thread, group, used);
    spin_unlock_irq_restore(&home->run_queue.lock, interrupts);
}

void thread_init_group(struct thread *thread, struct sched_group *group)
{
    bool affected = is_affected_by(thread, group);

    thread->group = group;
    if (affected)
        attributes_apply_new(thread);
}

void thread_set_group(struct thread *thread, struct sched_group *group, struct group_usage *used)
{
    struct attributes_change change;
    struct cpu *home;

    if (likely(!is_affected_by(thread, group))) {
        change_group(thread, group, used);
        return;
    }
    home = attributes_begin_change(thread, &change);
    change_group_locked(thread, group, used);
    attributes_end_change(home, thread, &change);
}

void thread_regroup(struct thread *thread)
{
    struct attributes_change change;

    attributes_end_change(attributes_begin_change(thread, &change), thread, &change);
}
