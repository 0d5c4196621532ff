/*
 * SCHED_FIFO and SCHED_RR: the highest priority runs; among equals the one that came first, which
 * under SCHED_RR goes to the end of its list after each slice. Guarded by the run queue's lock.
 *
 * thread->slice_left == 0 means "to the end of the list": its slice is used up, or it yielded.
 */
#include "sched/placement.h"
#include "sched/policy.h"

static bool is_empty(const struct realtime_queue *realtime)
{
    return bitset_last(realtime->occupied, REALTIME_PRIORITY_MAX + 1) == REALTIME_PRIORITY_MAX + 1;
}

static uint64_t own_bit(struct run_queue *queue)
{
    return cpu_bit(container_of(queue, struct cpu, run_queue));
}

/* Tells the other CPUs of a waiting thread that they could run. */
static void announce(struct run_queue *queue, const struct thread *thread)
{
    uint64_t online = atomic_load_explicit(&placement_online, memory_order_relaxed);

    if (thread->affinity & online & ~own_bit(queue))
        atomic_fetch_or_explicit(&placement_realtime, own_bit(queue), memory_order_relaxed);
}

static void realtime_enqueue(struct run_queue *queue, struct thread *thread,
                             enum enqueue_reason reason)
{
    int priority = thread->attributes.priority;
    struct list *list = &queue->realtime.lists[priority];
    bool keeps_place = reason == ENQUEUE_PREEMPTED && thread->slice_left > 0;

    announce(queue, thread);
    if (!keeps_place)
        thread->slice_left = sched_slices.round_robin;
    if (keeps_place)
        list_push_front(list, &thread->run_link);
    else
        list_push_back(list, &thread->run_link);
    bitset_add(queue->realtime.occupied, (size_t)priority);
}

static void realtime_dequeue(struct run_queue *queue, struct thread *thread)
{
    int priority = thread->attributes.priority;

    list_remove(&thread->run_link);
    if (list_is_empty(&queue->realtime.lists[priority]))
        bitset_remove(queue->realtime.occupied, (size_t)priority);
    if (is_empty(&queue->realtime))
        atomic_fetch_and_explicit(&placement_realtime, ~own_bit(queue), memory_order_relaxed);
}

static struct thread *realtime_pick(struct run_queue *queue)
{
    size_t priority = bitset_last(queue->realtime.occupied, REALTIME_PRIORITY_MAX + 1);
    struct thread *thread = list_first(&queue->realtime.lists[priority], struct thread, run_link);

    realtime_dequeue(queue, thread);
    return thread;
}

static void realtime_charge(struct run_queue *queue, struct thread *current, uint64_t cycles)
{
    if (current->attributes.policy != SCHED_RR)
        return;
    current->slice_left = current->slice_left > cycles ? current->slice_left - cycles : 0;
}

static uint64_t realtime_slice(struct run_queue *queue, const struct thread *current)
{
    bool alone = list_is_empty(&queue->realtime.lists[current->attributes.priority]);

    if (current->attributes.policy != SCHED_RR || alone)
        return SLICE_ENDLESS;
    return current->slice_left;
}

static void realtime_yield(struct run_queue *queue, struct thread *current)
{
    current->slice_left = 0;
}

static bool realtime_preempts(struct run_queue *queue, const struct thread *current,
                              const struct thread *woken)
{
    return false;
}

static struct thread *realtime_find_movable(struct run_queue *queue, uint64_t cpus,
                                            uint64_t weight_limit)
{
    unsigned budget = MOVABLE_SEARCH_LIMIT;

    for (size_t priority = REALTIME_PRIORITY_MAX; priority >= REALTIME_PRIORITY_MIN; priority--) {
        struct thread *thread = NULL;

        if (bitset_has(queue->realtime.occupied, priority))
            thread = policy_find_in_list(&queue->realtime.lists[priority], cpus, &budget);
        if (thread)
            return thread;
    }
    return NULL;
}

const struct sched_policy sched_policy_realtime = {
    .class = SCHED_CLASS_REALTIME,
    .enqueue = realtime_enqueue,
    .dequeue = realtime_dequeue,
    .pick = realtime_pick,
    .charge = realtime_charge,
    .slice = realtime_slice,
    .yield = realtime_yield,
    .preempts = realtime_preempts,
    .find_movable = realtime_find_movable,
};
