/* Policy, priority, nice value and affinity of a thread, within the bounds of its group; guarded by
 * the run queue of its home. */
#include "sched/attributes.h"

#include "lib/errno.h"
#include "sched/group_share.h"
#include "sched/placement.h"
#include "sched/policy.h"
#include "sched/run_queue_ops.h"

#define ALL_CPUS UINT64_MAX

/* Balancing keeps away from CPUs that run realtime threads, and SCHED_IDLE threads weigh next to
 * nothing. */
#define WEIGHT_REALTIME 88761
#define WEIGHT_IDLE     3

int thread_nice_floor(const struct thread *thread)
{
    return thread->group ? thread->group->nice_floor : NICE_MIN;
}

int thread_nice(const struct thread *thread)
{
    int floor = thread_nice_floor(thread);

    return thread->attributes.nice > floor ? thread->attributes.nice : floor;
}

static bool is_realtime(const struct sched_attributes *attributes)
{
    return attributes->policy == SCHED_FIFO || attributes->policy == SCHED_RR;
}

/* A floor holds for realtime threads too: they are fair ones then. */
static bool may_be_realtime(const struct thread *thread)
{
    return thread_nice_floor(thread) == NICE_MIN;
}

static void be_fair(struct thread *thread)
{
    const struct sched_group *group = thread->group;

    thread->policy = &sched_policy_fair;
    thread->rank = RANK_FAIR;
    thread->fair.weight = fair_weight_of_nice(thread_nice(thread));
    thread->slice_class = group ? group->slice_class : SLICE_CLASS_DEFAULT;
    thread->share = group ? group->share : NULL;
}

/* Derives from the attributes, and from what the group allows, what the policies need at hand. */
static void apply(struct thread *thread)
{
    const struct sched_group *group = thread->group;

    thread->affinity = group ? thread->own_affinity & group->cpus : thread->own_affinity;
    thread->is_watched = group && group->is_watched;
    thread->share = NULL;
    if (is_realtime(&thread->attributes) && may_be_realtime(thread)) {
        thread->policy = &sched_policy_realtime;
        thread->rank = RANK_REALTIME + (uint32_t)thread->attributes.priority;
        thread->fair.weight = WEIGHT_REALTIME;
        thread->slice_left = sched_slices.round_robin;
    } else if (thread->attributes.policy == SCHED_IDLE) {
        thread->policy = &sched_policy_idle;
        thread->rank = RANK_IDLE;
        thread->fair.weight = WEIGHT_IDLE;
    } else {
        be_fair(thread);
    }
}

void attributes_init(struct thread *thread)
{
    thread->own_affinity = ALL_CPUS;
    thread->attributes = (struct sched_attributes){.policy = SCHED_OTHER};
    apply(thread);
}

/* SCHED_RESET_ON_FORK: realtime becomes SCHED_OTHER, a negative nice value becomes 0. */
static void reset_for_child(struct sched_attributes *attributes)
{
    if (is_realtime(attributes)) {
        attributes->policy = SCHED_OTHER;
        attributes->priority = 0;
        attributes->nice = 0;
    }
    if (attributes->nice < 0)
        attributes->nice = 0;
    attributes->reset_on_fork = false;
}

void NO_THREAD_SAFETY_ANALYSIS attributes_inherit(struct thread *thread, struct thread *creator)
{
    irq_state_t interrupts = port_irq_save();
    struct cpu *home = thread_lock_home(creator);

    thread->own_affinity = creator->own_affinity;
    thread->attributes = creator->attributes;
    spin_unlock_irq_restore(&home->run_queue.lock, interrupts);
    if (thread->attributes.reset_on_fork)
        reset_for_child(&thread->attributes);
    apply(thread);
}

void attributes_init_idle(struct thread *thread)
{
    thread->own_affinity = ALL_CPUS;
    thread->attributes = (struct sched_attributes){.policy = SCHED_IDLE};
    apply(thread);
    thread->rank = RANK_CPU_IDLE;
    thread->fair.weight = 0;
}

struct cpu *NO_THREAD_SAFETY_ANALYSIS attributes_begin_change(struct thread *thread,
                                                              struct attributes_change *change)
{
    struct cpu *home;

    change->interrupts = port_irq_save();
    home = thread_lock_home(thread);
    change->was_queued = thread->on_queue;
    run_queue_charge(&home->run_queue, port_cycles());
    if (change->was_queued)
        run_queue_dequeue(&home->run_queue, thread, port_cycles());
    else if (thread == home->run_queue.current && thread->share)
        share_leave(home, thread);
    change->queue_before = fair_queue_on(home, thread);
    return home;
}

/* The running thread shares its CPU otherwise from now on, and perhaps should not be on it. One
 * that is watched now begins to be so at its CPU's next look. */
static void change_current(struct cpu *home, struct thread *thread)
{
    if (thread->share)
        share_enter(home, thread);
    run_queue_publish(&home->run_queue, thread);
    if (run_queue_ready(&home->run_queue) > 0 || thread->is_watched ||
        !(thread->affinity & cpu_bit(home)))
        run_queue_request_switch(home);
}

void NO_THREAD_SAFETY_ANALYSIS attributes_end_change(struct cpu *home, struct thread *thread,
                                                     struct attributes_change *change)
{
    apply(thread);
    thread->fair.virtual_runtime += fair_virtual_minimum(fair_queue_on(home, thread)) -
                                    fair_virtual_minimum(change->queue_before);
    if (thread == home->run_queue.current)
        change_current(home, thread);
    if (change->was_queued)
        placement_move(thread, home, placement_choose(thread));
    spin_unlock(&home->run_queue.lock);
    if (change->was_queued)
        placement_enqueue(thread, ENQUEUE_MOVED);
    port_irq_restore(change->interrupts);
}

void attributes_apply_new(struct thread *thread)
{
    apply(thread);
}

void thread_set_attributes(struct thread *thread, const struct sched_attributes *attributes)
{
    struct attributes_change change;
    struct cpu *home = attributes_begin_change(thread, &change);

    thread->attributes = *attributes;
    attributes_end_change(home, thread, &change);
}

void NO_THREAD_SAFETY_ANALYSIS thread_get_attributes(struct thread *thread,
                                                     struct sched_attributes *attributes)
{
    irq_state_t interrupts = port_irq_save();
    struct cpu *home = thread_lock_home(thread);

    *attributes = thread->attributes;
    spin_unlock_irq_restore(&home->run_queue.lock, interrupts);
}

int thread_set_affinity(struct thread *thread, uint64_t affinity)
{
    uint64_t allowed = atomic_load_explicit(&placement_online, memory_order_relaxed);
    struct attributes_change change;
    struct cpu *home;

    if (thread->group)
        allowed &= thread->group->cpus;
    if (!(affinity & allowed))
        return -EINVAL;
    home = attributes_begin_change(thread, &change);
    thread->own_affinity = affinity;
    attributes_end_change(home, thread, &change);
    return 0;
}

uint64_t NO_THREAD_SAFETY_ANALYSIS thread_get_affinity(struct thread *thread)
{
    irq_state_t interrupts = port_irq_save();
    struct cpu *home = thread_lock_home(thread);
    uint64_t affinity = thread->affinity;

    spin_unlock_irq_restore(&home->run_queue.lock, interrupts);
    return affinity & atomic_load_explicit(&placement_online, memory_order_relaxed);
}

uint64_t NO_THREAD_SAFETY_ANALYSIS thread_slice_ns(struct thread *thread)
{
    irq_state_t interrupts = port_irq_save();
    struct cpu *home = thread_lock_home(thread);
    int policy = thread->attributes.policy;
    uint64_t slice = thread->policy->slice(&home->run_queue, thread);

    spin_unlock_irq_restore(&home->run_queue.lock, interrupts);
    if (policy == SCHED_RR)
        return ROUND_ROBIN_NS;
    return slice == SLICE_ENDLESS ? 0 : port_cycles_to_ns(slice);
}
