/*
 * SCHED_OTHER and SCHED_BATCH: the CPU is shared by weight. Each thread's virtual runtime advances
 * by its time on the CPU divided by its weight; the one that is furthest behind runs next, for a
 * slice in proportion to its weight. Guarded by the run queue's lock.
 */
#include "sched/policy.h"

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

static struct fair_entity *entity_of(const struct rb_node *node)
{
    return rb_entry(node, struct fair_entity, node);
}

/* Is virtual time `a` before `b`? They wrap around together. */
static bool is_before(uint64_t a, uint64_t b)
{
    return (int64_t)(a - b) < 0;
}

static bool entity_before(const struct rb_node *a, const struct rb_node *b)
{
    return is_before(entity_of(a)->virtual_runtime, entity_of(b)->virtual_runtime);
}

static uint64_t to_virtual(const struct fair_entity *entity, uint64_t cycles)
{
    if (likely(entity->weight == FAIR_WEIGHT_UNIT))
        return cycles;
    return cycles * FAIR_WEIGHT_UNIT / entity->weight;
}

static uint64_t queue_weight(const struct fair_queue *fair)
{
    return atomic_load_explicit(&fair->weight, memory_order_relaxed);
}

static void set_queue_weight(struct fair_queue *fair, uint64_t weight)
{
    atomic_store_explicit(&fair->weight, weight, memory_order_relaxed);
}

static uint64_t slice_of(const struct fair_queue *fair, const struct fair_entity *entity)
{
    uint64_t slice =
        sched_slices.fair_period * entity->weight / (queue_weight(fair) + entity->weight);

    return slice > sched_slices.fair_minimum ? slice : sched_slices.fair_minimum;
}

static void fair_queue_insert(struct fair_queue *fair, struct fair_entity *entity)
{
    rb_insert(&fair->entities, &entity->node, entity_before);
    set_queue_weight(fair, queue_weight(fair) + entity->weight);
}

static void fair_queue_remove(struct fair_queue *fair, struct fair_entity *entity)
{
    rb_remove(&fair->entities, &entity->node);
    set_queue_weight(fair, queue_weight(fair) - entity->weight);
}

/* Credit from a long sleep is limited to half a period, so that a sleeper gets the CPU soon but
 * cannot keep it; and a newcomer waits for its turn. */
static void place(struct fair_queue *fair, struct fair_entity *entity, enum enqueue_reason reason)
{
    uint64_t earliest = fair_virtual_minimum(fair) - sched_slices.fair_period / 2;

    if (reason == ENQUEUE_NEW)
        entity->virtual_runtime =
            fair_virtual_minimum(fair) + to_virtual(entity, slice_of(fair, entity));
    else if (is_before(entity->virtual_runtime, earliest))
        entity->virtual_runtime = earliest;
}

static void fair_enqueue(struct run_queue *queue, struct thread *thread, enum enqueue_reason reason)
{
    if (reason != ENQUEUE_PREEMPTED)
        place(&queue->fair, &thread->fair, reason);
    fair_queue_insert(&queue->fair, &thread->fair);
}

static void fair_dequeue(struct run_queue *queue, struct thread *thread)
{
    fair_queue_remove(&queue->fair, &thread->fair);
}

static struct thread *fair_pick(struct run_queue *queue)
{
    struct fair_entity *entity = entity_of(rb_first(&queue->fair.entities));

    fair_queue_remove(&queue->fair, entity);
    return thread_of(entity);
}

static void fair_charge(struct run_queue *queue, struct thread *current, uint64_t cycles)
{
    struct fair_queue *fair = &queue->fair;
    struct rb_node *first = rb_first(&fair->entities);
    uint64_t minimum = current->fair.virtual_runtime + to_virtual(&current->fair, cycles);

    current->fair.virtual_runtime = minimum;
    if (first && is_before(entity_of(first)->virtual_runtime, minimum))
        minimum = entity_of(first)->virtual_runtime;
    if (is_before(fair_virtual_minimum(fair), minimum))
        atomic_store_explicit(&fair->virtual_minimum, minimum, memory_order_relaxed);
}

static uint64_t fair_slice(const struct run_queue *queue, const struct thread *current)
{
    return slice_of(&queue->fair, &current->fair);
}

/* Goes behind the one that is next: the credit over it is given away. */
static void fair_yield(struct run_queue *queue, struct thread *current)
{
    struct rb_node *first = rb_first(&queue->fair.entities);

    if (first && is_before(current->fair.virtual_runtime, entity_of(first)->virtual_runtime))
        current->fair.virtual_runtime = entity_of(first)->virtual_runtime;
}

static bool fair_preempts(const struct run_queue *queue, const struct thread *current,
                          const struct thread *woken)
{
    uint64_t margin = to_virtual(&woken->fair, sched_slices.wakeup_margin);

    if (woken->attributes.policy == SCHED_BATCH)
        return false;
    return is_before(woken->fair.virtual_runtime + margin, current->fair.virtual_runtime);
}

static struct thread *fair_find_movable(struct run_queue *queue, uint64_t cpus,
                                        uint64_t weight_limit)
{
    struct rb_node *node = rb_first(&queue->fair.entities);

    for (unsigned i = 0; node && i < MOVABLE_SEARCH_LIMIT; i++, node = rb_next(node)) {
        struct thread *thread = thread_of(entity_of(node));

        if ((thread->affinity & cpus) && thread->fair.weight < weight_limit)
            return thread;
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
