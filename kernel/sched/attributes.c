/* Policy, priority, nice value and affinity of a thread; guarded by the run queue of its home. */
#include "sched/attributes.h"

#include "lib/errno.h"
#include "sched/placement.h"
#include "sched/policy.h"
#include "sched/run_queue_ops.h"

#define ALL_CPUS UINT64_MAX

/* Balancing keeps away from CPUs that run realtime threads, and SCHED_IDLE threads weigh next to
 * nothing. */
#define WEIGHT_REALTIME 88761
#define WEIGHT_IDLE     3

/* Derives from the attributes what the policies need at hand. */
static void apply(struct thread *thread)
{
    switch (thread->attributes.policy) {
    case SCHED_FIFO:
    case SCHED_RR:
        thread->policy = &sched_policy_realtime;
        thread->rank = RANK_REALTIME + (uint32_t)thread->attributes.priority;
        thread->fair.weight = WEIGHT_REALTIME;
        thread->slice_left = sched_slices.round_robin;
        break;
    case SCHED_IDLE:
        thread->policy = &sched_policy_idle;
        thread->rank = RANK_IDLE;
        thread->fair.weight = WEIGHT_IDLE;
        break;
    default:
        thread->policy = &sched_policy_fair;
        thread->rank = RANK_FAIR;
        thread->fair.weight = fair_weight_of_nice(thread->attributes.nice);
    }
}

void attributes_init(struct thread *thread)
{
    thread->affinity = ALL_CPUS;
    thread->attributes = (struct sched_attributes){.policy = SCHED_OTHER};
    apply(thread);
}

/* SCHED_RESET_ON_FORK: realtime becomes SCHED_OTHER, a negative nice value becomes 0. */
static void reset_for_child(struct sched_attributes *attributes)
{
    if (attributes->policy == SCHED_FIFO || attributes->policy == SCHED_RR) {
        attributes->policy = SCHED_OTHER;
        attributes->priority = 0;
        attributes->nice = 0;
    }
    if (attributes->nice < 0)
        attributes->nice = 0;
    attributes->reset_on_fork = false;
}

void attributes_inherit(struct thread *thread, const struct thread *creator)
{
    thread->affinity = creator->affinity;
    thread->attributes = creator->attributes;
    if (thread->attributes.reset_on_fork)
        reset_for_child(&thread->attributes);
    apply(thread);
}

void attributes_init_idle(struct thread *thread)
{
    thread->affinity = ALL_CPUS;
    thread->attributes = (struct sched_attributes){.policy = SCHED_IDLE};
    apply(thread);
    thread->rank = RANK_CPU_IDLE;
    thread->fair.weight = 0;
}

/* The home is locked, and is released. */
static void NO_THREAD_SAFETY_ANALYSIS change_attributes(struct cpu *home, struct thread *thread,
                                                        const struct sched_attributes *attributes)
{
    struct run_queue *queue = &home->run_queue;
    uint64_t now = port_cycles();
    bool was_queued = thread->on_queue;

    run_queue_charge(queue, now);
    if (was_queued)
        run_queue_dequeue(queue, thread, now);
    thread->attributes = *attributes;
    apply(thread);
    if (thread == queue->current) {
        run_queue_set_current(queue, thread);
        if (run_queue_ready(queue) > 0)
            run_queue_request_switch(home);
    }
    spin_unlock(&queue->lock);
    if (was_queued)
        placement_enqueue(thread, ENQUEUE_MOVED);
}

void thread_set_attributes(struct thread *thread, const struct sched_attributes *attributes)
{
    irq_state_t interrupts = port_irq_save();

    change_attributes(thread_lock_home(thread), thread, attributes);
    port_irq_restore(interrupts);
}

void NO_THREAD_SAFETY_ANALYSIS thread_get_attributes(struct thread *thread,
                                                     struct sched_attributes *attributes)
{
    irq_state_t interrupts = port_irq_save();
    struct cpu *home = thread_lock_home(thread);

    *attributes = thread->attributes;
    spin_unlock_irq_restore(&home->run_queue.lock, interrupts);
}

/* The home is locked, and is released. */
static void NO_THREAD_SAFETY_ANALYSIS find_new_home(struct cpu *home, struct thread *thread)
{
    bool was_queued = thread->on_queue;

    if (was_queued) {
        run_queue_dequeue(&home->run_queue, thread, port_cycles());
        placement_move(thread, home, placement_choose(thread));
    } else if (thread == home->run_queue.current) {
        run_queue_request_switch(home);
    }
    spin_unlock(&home->run_queue.lock);
    if (was_queued)
        placement_enqueue(thread, ENQUEUE_MOVED);
}

/* A realtime thread does not wait for one CPU while it may run at once on another. */
static bool waits_for_any_cpu(const struct thread *thread)
{
    return thread->on_queue && thread->policy->class == SCHED_CLASS_REALTIME;
}

int NO_THREAD_SAFETY_ANALYSIS thread_set_affinity(struct thread *thread, uint64_t affinity)
{
    irq_state_t interrupts;
    struct cpu *home;

    if (!(affinity & atomic_load_explicit(&placement_online, memory_order_relaxed)))
        return -EINVAL;
    interrupts = port_irq_save();
    home = thread_lock_home(thread);
    thread->affinity = affinity;
    if ((affinity & cpu_bit(home)) && !waits_for_any_cpu(thread))
        spin_unlock(&home->run_queue.lock);
    else
        find_new_home(home, thread);
    port_irq_restore(interrupts);
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
