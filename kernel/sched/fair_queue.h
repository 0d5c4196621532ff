/*
 * A queue of those who share a CPU by weight. Private to the fair policy (policy_fair.c) and to the
 * shares of groups (group_share.c); all under the lock of the CPU's run queue.
 */
#pragma once

#include "sched/policy.h"

static inline struct fair_entity *fair_entity_of(const struct rb_node *node)
{
    return rb_entry(node, struct fair_entity, node);
}

/* Is virtual time `a` before `b`? They wrap around together. */
static inline bool virtual_is_before(uint64_t a, uint64_t b)
{
    return (int64_t)(a - b) < 0;
}

static inline bool fair_entity_before(const struct rb_node *a, const struct rb_node *b)
{
    return virtual_is_before(fair_entity_of(a)->virtual_runtime,
                             fair_entity_of(b)->virtual_runtime);
}

static inline uint64_t cycles_to_virtual(const struct fair_entity *entity, uint64_t cycles)
{
    if (likely(entity->weight == FAIR_WEIGHT_UNIT))
        return cycles;
    return cycles * FAIR_WEIGHT_UNIT / entity->weight;
}

static inline uint64_t fair_queue_weight(const struct fair_queue *fair)
{
    return atomic_load_explicit(&fair->weight, memory_order_relaxed);
}

static inline void fair_queue_set_weight(struct fair_queue *fair, uint64_t weight)
{
    atomic_store_explicit(&fair->weight, weight, memory_order_relaxed);
}

static inline void fair_queue_insert(struct fair_queue *fair, struct fair_entity *entity)
{
    rb_insert(&fair->entities, &entity->node, fair_entity_before);
    fair_queue_set_weight(fair, fair_queue_weight(fair) + entity->weight);
}

static inline void fair_queue_remove(struct fair_queue *fair, struct fair_entity *entity)
{
    rb_remove(&fair->entities, &entity->node);
    fair_queue_set_weight(fair, fair_queue_weight(fair) - entity->weight);
}

static inline uint64_t fair_slice_of(const struct fair_queue *fair,
                                     const struct fair_entity *entity)
{
    uint64_t slice =
        sched_slices.fair_period * entity->weight / (fair_queue_weight(fair) + entity->weight);

    return slice > sched_slices.fair_minimum ? slice : sched_slices.fair_minimum;
}

/* Credit from a long sleep is limited to half a period, so that a sleeper gets the CPU soon but
 * cannot keep it; and a newcomer waits for its turn. */
static inline void fair_place(struct fair_queue *fair, struct fair_entity *entity,
                              enum enqueue_reason reason)
{
    uint64_t earliest = fair_virtual_minimum(fair) - sched_slices.fair_period / 2;

    if (reason == ENQUEUE_NEW)
        entity->virtual_runtime =
            fair_virtual_minimum(fair) + cycles_to_virtual(entity, fair_slice_of(fair, entity));
    else if (virtual_is_before(entity->virtual_runtime, earliest))
        entity->virtual_runtime = earliest;
}

/* The entity, which is not in the queue, has run for so long. */
static inline void fair_advance(struct fair_queue *fair, struct fair_entity *entity,
                                uint64_t cycles)
{
    struct rb_node *first = rb_first(&fair->entities);
    uint64_t minimum = entity->virtual_runtime + cycles_to_virtual(entity, cycles);

    entity->virtual_runtime = minimum;
    if (first && virtual_is_before(fair_entity_of(first)->virtual_runtime, minimum))
        minimum = fair_entity_of(first)->virtual_runtime;
    if (virtual_is_before(fair_virtual_minimum(fair), minimum))
        atomic_store_explicit(&fair->virtual_minimum, minimum, memory_order_relaxed);
}
