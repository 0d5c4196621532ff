/*
 * SCHED_IDLE: runs when nobody else wants the CPU; in turn. It is also the policy of the idle
 * threads themselves, which are never queued. Guarded by the run queue's lock.
 */
#include "sched/policy.h"

static void idle_enqueue(struct run_queue *queue, struct thread *thread, enum enqueue_reason reason)
{
    list_push_back(&queue->idle_class, &thread->run_link);
}

static void idle_dequeue(struct run_queue *queue, struct thread *thread)
{
    list_remove(&thread->run_link);
}

static struct thread *idle_pick(struct run_queue *queue)
{
    return list_entry(list_pop_front(&queue->idle_class), struct thread, run_link);
}

static void idle_charge(struct run_queue *queue, struct thread *current, uint64_t cycles)
{
}

static uint64_t idle_slice(struct run_queue *queue, const struct thread *current)
{
    return list_is_empty(&queue->idle_class) ? SLICE_ENDLESS : sched_slices.fair_period;
}

static void idle_yield(struct run_queue *queue, struct thread *current)
{
}

static bool idle_preempts(struct run_queue *queue, const struct thread *current,
                          const struct thread *woken)
{
    return false;
}

static struct thread *idle_find_movable(struct run_queue *queue, uint64_t cpus,
                                        uint64_t weight_limit)
{
    unsigned budget = MOVABLE_SEARCH_LIMIT;

    return policy_find_in_list(&queue->idle_class, cpus, &budget);
}

const struct sched_policy sched_policy_idle = {
    .class = SCHED_CLASS_IDLE,
    .enqueue = idle_enqueue,
    .dequeue = idle_dequeue,
    .pick = idle_pick,
    .charge = idle_charge,
    .slice = idle_slice,
    .yield = idle_yield,
    .preempts = idle_preempts,
    .find_movable = idle_find_movable,
};
