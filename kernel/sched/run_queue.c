/*
 * The run queue of a CPU: the classes in order, the charging of what runs, and the slice. Guarded
 * by the queue's lock; called by schedule.c, placement.c and attributes.c only.
 */
#include "sched/run_queue_ops.h"

const struct sched_policy *const sched_policies[SCHED_CLASS_COUNT] = {
    [SCHED_CLASS_REALTIME] = &sched_policy_realtime,
    [SCHED_CLASS_FAIR] = &sched_policy_fair,
    [SCHED_CLASS_IDLE] = &sched_policy_idle,
};

void run_queue_init(struct run_queue *queue, struct thread *idle)
{
    spin_init(&queue->lock, LOCK_RANK_RUN_QUEUE);
    queue->current = idle;
    queue->charged = port_cycles();
    queue->slice_end = SLICE_ENDLESS;
    queue->watch_end = SLICE_ENDLESS;
    queue->tick = UINT64_MAX;
    for (size_t i = 0; i < array_length(queue->realtime.lists); i++)
        list_init(&queue->realtime.lists[i]);
    rb_tree_init(&queue->fair.entities);
    list_init(&queue->idle_class);
}

static void change_ready_count(struct run_queue *queue, const struct thread *thread, int change)
{
    queue->class_count[thread->policy->class] += (uint32_t)change;
    atomic_store_explicit(&queue->ready_count, run_queue_ready(queue) + (uint32_t)change,
                          memory_order_relaxed);
}

void run_queue_enqueue(struct run_queue *queue, struct thread *thread, enum enqueue_reason reason,
                       uint64_t now)
{
    spin_assert_held(&queue->lock);
    debug_assert(!thread->on_queue && thread->state == THREAD_READY);
    thread->policy->enqueue(queue, thread, reason);
    thread->on_queue = true;
    change_ready_count(queue, thread, 1);
    counter_add(&thread->usage.ready_cycles, -now);
}

static void taken_out(struct run_queue *queue, struct thread *thread, uint64_t now)
{
    thread->on_queue = false;
    change_ready_count(queue, thread, -1);
    counter_add(&thread->usage.ready_cycles, now);
}

void run_queue_dequeue(struct run_queue *queue, struct thread *thread, uint64_t now)
{
    spin_assert_held(&queue->lock);
    debug_assert(thread->on_queue);
    thread->policy->dequeue(queue, thread);
    taken_out(queue, thread, now);
}

struct thread *run_queue_pick(struct run_queue *queue, uint64_t now)
{
    struct thread *thread;

    spin_assert_held(&queue->lock);
    if (queue->class_count[SCHED_CLASS_REALTIME] > 0)
        thread = sched_policy_realtime.pick(queue);
    else if (queue->class_count[SCHED_CLASS_FAIR] > 0)
        thread = sched_policy_fair.pick(queue);
    else if (queue->class_count[SCHED_CLASS_IDLE] > 0)
        thread = sched_policy_idle.pick(queue);
    else
        return NULL;
    taken_out(queue, thread, now);
    return thread;
}

bool run_queue_preempts(struct run_queue *queue, const struct thread *thread)
{
    const struct thread *current = queue->current;

    if (thread->rank != current->rank)
        return thread->rank > current->rank;
    return thread->policy->preempts(queue, current, thread);
}

void run_queue_arm_tick(struct cpu *cpu, uint64_t at, uint64_t now)
{
    if (at >= cpu->run_queue.tick)
        return;
    cpu->run_queue.tick = at;
    timer_queue_hasten(&cpu->timers, port_clock_ns() + port_cycles_to_ns(at - now) + 1);
}

void run_queue_begin_slice(struct cpu *cpu, uint64_t now)
{
    struct run_queue *queue = &cpu->run_queue;
    uint64_t slice = queue->current->policy->slice(queue, queue->current);

    queue->slice_end = slice == SLICE_ENDLESS ? SLICE_ENDLESS : now + slice;
    run_queue_arm_tick(cpu, queue->slice_end, now);
}

void run_queue_request_switch(struct cpu *cpu)
{
    struct thread *current = cpu->run_queue.current;

    spin_assert_held(&cpu->run_queue.lock);
    if (current != cpu->idle)
        atomic_fetch_or_explicit(&current->work, THREAD_WORK_RESCHEDULE, memory_order_relaxed);
    if (cpu != this_cpu())
        port_send_reschedule(cpu->id);
}

struct thread *policy_find_in_list(struct list *list, uint64_t cpus, unsigned *budget)
{
    struct thread *thread;

    list_for_each (thread, list, run_link) {
        if (*budget == 0)
            return NULL;
        --*budget;
        if (thread->affinity & cpus)
            return thread;
    }
    return NULL;
}
