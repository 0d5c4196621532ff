/* Shares of groups: see group_share.h. */
#include "sched/group_share.h"

#include "lib/assert.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "sched/fair_queue.h"
#include "sched/run_queue_ops.h"

/* Even the smallest part of a weight lets the group run. */
#define WEIGHT_MIN 2

static struct fair_queue *queue_above(struct cpu *cpu, struct fair_share *share)
{
    return share->parent ? &share->parent->queue : &cpu->run_queue.fair;
}

/* What of the group's weight belongs to this CPU. */
static uint64_t weight_here(const struct fair_share *share)
{
    uint64_t weight = atomic_load_explicit(&share->group->weight, memory_order_relaxed);
    uint64_t all = atomic_load_explicit(&share->group->runnable, memory_order_relaxed);

    if (share->runnable < all)
        weight = weight * share->runnable / all;
    return weight > WEIGHT_MIN ? weight : WEIGHT_MIN;
}

static void count(struct fair_share *share, uint64_t weight)
{
    for (; share; share = share->parent) {
        share->runnable += weight;
        atomic_fetch_add_explicit(&share->group->runnable, weight, memory_order_relaxed);
    }
}

void share_enter(struct cpu *cpu, struct thread *thread)
{
    count(share_on(thread->share, cpu), thread->fair.weight);
}

void share_leave(struct cpu *cpu, struct thread *thread)
{
    count(share_on(thread->share, cpu), -thread->fair.weight);
}

/* A share that has somebody waiting now waits itself. */
static void link_upwards(struct cpu *cpu, struct fair_share *share, enum enqueue_reason reason)
{
    for (; share && !rb_node_is_linked(&share->entity.node); share = share->parent) {
        share->entity.weight = weight_here(share);
        if (reason != ENQUEUE_PREEMPTED)
            fair_place(queue_above(cpu, share), &share->entity, ENQUEUE_WAKE);
        fair_queue_insert(queue_above(cpu, share), &share->entity);
    }
}

static void unlink_upwards(struct cpu *cpu, struct fair_share *share)
{
    for (; share && rb_tree_is_empty(&share->queue.entities); share = share->parent)
        fair_queue_remove(queue_above(cpu, share), &share->entity);
}

void share_insert(struct cpu *cpu, struct fair_share *share, struct fair_entity *entity,
                  enum enqueue_reason reason)
{
    fair_queue_insert(&share->queue, entity);
    link_upwards(cpu, share, reason);
}

void share_remove(struct cpu *cpu, struct fair_share *share, struct fair_entity *entity)
{
    fair_queue_remove(&share->queue, entity);
    unlink_upwards(cpu, share);
}

void share_charge(struct cpu *cpu, struct fair_share *share, uint64_t cycles)
{
    for (; share; share = share->parent) {
        struct fair_queue *above = queue_above(cpu, share);
        bool waits = rb_node_is_linked(&share->entity.node);

        if (waits)
            fair_queue_remove(above, &share->entity);
        share->entity.weight = weight_here(share);
        fair_advance(above, &share->entity, cycles);
        if (waits)
            fair_queue_insert(above, &share->entity);
    }
}

static unsigned depth_of(const struct fair_share *share)
{
    unsigned depth = 0;

    for (; share; share = share->parent)
        depth++;
    return depth;
}

void share_match(struct cpu *cpu, const struct thread *a, const struct thread *b,
                 const struct fair_entity **entity_a, const struct fair_entity **entity_b)
{
    const struct fair_share *share_a = share_on(a->share, cpu), *share_b = share_on(b->share, cpu);
    unsigned depth_a = depth_of(share_a), depth_b = depth_of(share_b);

    *entity_a = &a->fair;
    *entity_b = &b->fair;
    while (share_a != share_b) {
        if (depth_a >= depth_b) {
            *entity_a = &share_a->entity;
            share_a = share_a->parent;
            depth_a--;
        } else {
            *entity_b = &share_b->entity;
            share_b = share_b->parent;
            depth_b--;
        }
    }
}

uint64_t share_weight_of_queued(const struct thread *thread)
{
    uint64_t weight = thread->fair.weight;

    for (const struct fair_share *share = share_on(thread->share, thread->cpu); share;
         share = share->parent)
        weight = weight * weight_here(share) / (share->runnable ? share->runnable : 1);
    return weight;
}

uint64_t share_weight_of_current(const struct thread *thread)
{
    uint64_t weight = 0;

    for (const struct fair_share *share = share_on(thread->share, thread->cpu); share;
         share = share->parent) {
        if (!rb_tree_is_empty(&share->queue.entities))
            return 0;
        weight = weight_here(share);
    }
    return weight;
}

/* --- For the owner of the groups --- */

static void init_on(struct fair_share *on, struct group_share *share)
{
    rb_node_init(&on->entity.node);
    rb_tree_init(&on->queue.entities);
    on->entity.is_share = true;
    on->entity.weight = WEIGHT_MIN;
    on->group = share;
}

int sched_group_create_share(struct sched_group *group, uint64_t weight)
{
    unsigned count_of_cpus = port_cpu_count();
    size_t size = sizeof(struct group_share) + count_of_cpus * sizeof(struct fair_share);
    struct group_share *share = kmalloc(size);

    assert(!group->own_share);
    if (!share)
        return -ENOMEM;
    memset(share, 0, size);
    atomic_store_explicit(&share->weight, weight, memory_order_relaxed);
    for (unsigned id = 0; id < count_of_cpus; id++)
        init_on(&share->cpus[id], share);
    group->own_share = share;
    return 0;
}

void sched_group_abandon_share(struct sched_group *group)
{
    if (group->own_share)
        kfree(group->own_share);
    group->own_share = NULL;
}

void sched_group_set_weight(struct sched_group *group, uint64_t weight)
{
    /* The entities follow when they are charged or inserted next. */
    atomic_store_explicit(&group->own_share->weight, weight, memory_order_relaxed);
}

/* The share hangs below another one on this CPU, with all that waits or runs in it. */
static void move_on(struct cpu *cpu, struct fair_share *share, struct fair_share *parent)
{
    irq_state_t interrupts = spin_lock_irq_save(&cpu->run_queue.lock);
    bool waits = rb_node_is_linked(&share->entity.node);
    uint64_t old_minimum = fair_virtual_minimum(queue_above(cpu, share));

    run_queue_charge(&cpu->run_queue, port_cycles());
    if (waits) {
        fair_queue_remove(queue_above(cpu, share), &share->entity);
        unlink_upwards(cpu, share->parent);
    }
    count(share->parent, -share->runnable);
    share->parent = parent;
    count(parent, share->runnable);
    share->entity.virtual_runtime += fair_virtual_minimum(queue_above(cpu, share)) - old_minimum;
    if (waits)
        link_upwards(cpu, share, ENQUEUE_MOVED);
    spin_unlock_irq_restore(&cpu->run_queue.lock, interrupts);
}

void sched_group_inherit_share(struct sched_group *group)
{
    struct group_share *above = group->parent ? group->parent->share : NULL;

    group->share = group->own_share ? group->own_share : above;
    if (!group->own_share)
        return;
    for (unsigned id = 0; id < port_cpu_count(); id++) {
        struct cpu *cpu = port_cpu(id);

        if (group->own_share->cpus[id].parent != share_on(above, cpu))
            move_on(cpu, &group->own_share->cpus[id], share_on(above, cpu));
    }
}
