/*
 * SCHED_OTHER and SCHED_BATCH: the CPU is shared by weight. Each thread's virtual runtime advances
 * by its time on the CPU divided by its weight; the one that is furthest behind runs next, for a
 * slice in proportion to its weight. Guarded by the run queue's lock. Threads of groups that share
 * the CPUs as one stand in queues of their own: group_share.h.
 */
#include "sched/fair_queue.h"
#include "sched/group_share.h"

/* Linux's sched_prio_to_weight: each step is a factor of about 1.25. */
static const uint32_t nice_weights[40] = {
    /* -20 */ 88761, 71755, 56483, 46273, 36291, 29154, 23254, 18705, 14949, 11916,
    /* -10 */ 9548,  7620,  6100,  4904,  3906,  3121,  2501,  1991,  1586,  1277,
    /*   0 */ 1024,  820,   655,   526,   423,   335,   272,   215,   172,   137,
    /*  10 */ 110,   87,    70,    56,    45,    36,    29,    23,    18,    15,
};

uint64_t fair_weight_of_nice(int nice)
{
    return nice_weights[nice + 20];
}

static struct thread *thread_of(struct fair_entity *entity)
{
    return container_of(entity, struct thread, fair);
}

static struct cpu *cpu_of(struct run_queue *queue)
{
    return container_of(queue, struct cpu, run_queue);
}

static COLD void enqueue_in_share(struct cpu *cpu, struct thread *thread,
                                  enum enqueue_reason reason)
{
    struct fair_share *share = share_on(thread->share, cpu);

    if (reason != ENQUEUE_PREEMPTED) {
        fair_place(&share->queue, &thread->fair, reason);
        share_enter(cpu, thread);
    }
    share_insert(cpu, share, &thread->fair, reason);
}

static void fair_enqueue(struct run_queue *queue, struct thread *thread, enum enqueue_reason reason)
{
    if (unlikely(thread->share)) {
        enqueue_in_share(cpu_of(queue), thread, reason);
        return;
    }
    if (reason != ENQUEUE_PREEMPTED)
        fair_place(&queue->fair, &thread->fair, reason);
    fair_queue_insert(&queue->fair, &thread->fair);
}

static COLD void dequeue_from_share(struct cpu *cpu, struct thread *thread)
{
    share_remove(cpu, share_on(thread->share, cpu), &thread->fair);
    share_leave(cpu, thread);
}

static void fair_dequeue(struct run_queue *queue, struct thread *thread)
{
    if (unlikely(thread->share))
        dequeue_from_share(cpu_of(queue), thread);
    else
        fair_queue_remove(&queue->fair, &thread->fair);
}

static struct fair_share *share_of(struct fair_entity *entity)
{
    return container_of(entity, struct fair_share, entity);
}

static COLD struct thread *pick_from_share(struct cpu *cpu, struct fair_entity *entity)
{
    while (entity->is_share)
        entity = fair_entity_of(rb_first(&share_of(entity)->queue.entities));
    share_remove(cpu, share_on(thread_of(entity)->share, cpu), entity);
    return thread_of(entity);
}

static struct thread *fair_pick(struct run_queue *queue)
{
    struct fair_entity *entity = fair_entity_of(rb_first(&queue->fair.entities));

    if (unlikely(entity->is_share))
        return pick_from_share(cpu_of(queue), entity);
    fair_queue_remove(&queue->fair, entity);
    return thread_of(entity);
}

static COLD void charge_in_share(struct cpu *cpu, struct thread *current, uint64_t cycles)
{
    struct fair_share *share = share_on(current->share, cpu);

    fair_advance(&share->queue, &current->fair, cycles);
    share_charge(cpu, share, cycles);
}

static void fair_charge(struct run_queue *queue, struct thread *current, uint64_t cycles)
{
    if (unlikely(current->share))
        charge_in_share(cpu_of(queue), current, cycles);
    else
        fair_advance(&queue->fair, &current->fair, cycles);
}

static COLD uint64_t slice_in_group(struct cpu *cpu, const struct thread *current)
{
    uint64_t slice = fair_slice_of(fair_queue_on(cpu, current), &current->fair);

    return slice * (current->slice_class + 1) / (SLICE_CLASS_DEFAULT + 1);
}

static uint64_t fair_slice(struct run_queue *queue, const struct thread *current)
{
    if (unlikely(current->share || current->slice_class != SLICE_CLASS_DEFAULT))
        return slice_in_group(cpu_of(queue), current);
    return fair_slice_of(&queue->fair, &current->fair);
}

static void yield_in(const struct fair_queue *fair, struct thread *current)
{
    struct rb_node *first = rb_first(&fair->entities);

    if (first &&
        virtual_is_before(current->fair.virtual_runtime, fair_entity_of(first)->virtual_runtime))
        current->fair.virtual_runtime = fair_entity_of(first)->virtual_runtime;
}

static COLD void yield_in_share(struct cpu *cpu, struct thread *current)
{
    yield_in(fair_queue_on(cpu, current), current);
}

/* Goes behind the one that is next: the credit over it is given away. */
static void fair_yield(struct run_queue *queue, struct thread *current)
{
    if (unlikely(current->share))
        yield_in_share(cpu_of(queue), current);
    else
        yield_in(&queue->fair, current);
}

static bool fair_preempts(struct run_queue *queue, const struct thread *current,
                          const struct thread *woken)
{
    const struct fair_entity *running = &current->fair, *waiting = &woken->fair;

    if (woken->attributes.policy == SCHED_BATCH)
        return false;
    if (unlikely(current->share != woken->share))
        share_match(cpu_of(queue), current, woken, &running, &waiting);
    return virtual_is_before(waiting->virtual_runtime +
                                 cycles_to_virtual(waiting, sched_slices.wakeup_margin),
                             running->virtual_runtime);
}

static uint64_t weight_of_queued(const struct thread *thread)
{
    return likely(!thread->share) ? thread->fair.weight : share_weight_of_queued(thread);
}

/* The threads in order, those of a share in its place; `share` is the one that the node is in. */
static struct thread *fair_find_movable(struct run_queue *queue, uint64_t cpus,
                                        uint64_t weight_limit)
{
    struct rb_node *node = rb_first(&queue->fair.entities);
    struct fair_share *share = NULL;

    for (unsigned i = 0; i < MOVABLE_SEARCH_LIMIT; i++) {
        struct thread *thread;

        while (!node && share) {
            node = rb_next(&share->entity.node);
            share = share->parent;
        }
        while (node && fair_entity_of(node)->is_share) {
            share = share_of(fair_entity_of(node));
            node = rb_first(&share->queue.entities);
        }
        if (!node)
            return NULL;
        thread = thread_of(fair_entity_of(node));
        if ((thread->affinity & cpus) && weight_of_queued(thread) < weight_limit)
            return thread;
        node = rb_next(node);
    }
    return NULL;
}

const struct sched_policy sched_policy_fair = {
    .class = SCHED_CLASS_FAIR,
    .enqueue = fair_enqueue,
    .dequeue = fair_dequeue,
    .pick = fair_pick,
    .charge = fair_charge,
    .slice = fair_slice,
    .yield = fair_yield,
    .preempts = fair_preempts,
    .find_movable = fair_find_movable,
};
