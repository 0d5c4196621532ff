/*
 * The rank check of debug builds. Each CPU keeps the spinlocks that it holds, each thread its
 * mutexes: both are touched by their owner only, and an interrupt leaves the CPU's as it found it.
 */
#include "sched/lock_check.h"

#if KIN_DEBUG
#include "sched/cpu.h"

/* Ranks of which several may be held: a comment at the rank says in which order. */
static bool may_nest(enum lock_rank rank)
{
    return rank == LOCK_RANK_INODE || rank == LOCK_RANK_ADDRESS_SPACE;
}

static void check_order(const struct lock_stack *stack, const void *lock, enum lock_rank rank)
{
    for (unsigned i = 0; i < stack->depth; i++) {
        const struct held_lock *held = &stack->held[i];

        if (held->lock == lock)
            panic("lock %p (rank %d) is taken twice by its holder", lock, rank);
        if (held->rank > rank || (held->rank == rank && !may_nest(rank)))
            panic("lock %p of rank %d is taken while %p of rank %d is held", lock, rank, held->lock,
                  held->rank);
    }
}

static void push(struct lock_stack *stack, const void *lock, enum lock_rank rank)
{
    assert(stack->depth < LOCK_STACK_DEPTH);
    stack->held[stack->depth] = (struct held_lock){.lock = lock, .rank = rank};
    stack->depth++;
}

static void take_out(struct lock_stack *stack, const void *lock)
{
    unsigned i = stack->depth;

    while (i > 0 && stack->held[i - 1].lock != lock)
        i--;
    if (i == 0)
        panic("lock %p is released by somebody who does not hold it", lock);
    for (; i < stack->depth; i++)
        stack->held[i - 1] = stack->held[i];
    stack->depth--;
}

void lock_check_spin_acquire(const void *lock, enum lock_rank rank)
{
    struct lock_stack *stack = &this_cpu()->locks;

    assert(rank > LOCK_RANK_NONE && rank < LOCK_RANK_COUNT);
    if (rank >= LOCK_RANK_SIGNAL && port_irq_enabled())
        panic("lock %p of rank %d is taken with interrupts enabled", lock, rank);
    check_order(stack, lock, rank);
    push(stack, lock, rank);
}

void lock_check_spin_release(const void *lock)
{
    take_out(&this_cpu()->locks, lock);
}

void lock_check_mutex_acquire(const void *mutex, enum lock_rank rank)
{
    struct lock_stack *stack = &current_thread()->mutexes;

    check_order(stack, mutex, rank);
    push(stack, mutex, rank);
}

void lock_check_mutex_release(const void *mutex)
{
    take_out(&current_thread()->mutexes, mutex);
}

void lock_check_may_sleep(void)
{
    const struct lock_stack *stack = &this_cpu()->locks;

    if (stack->depth > 0)
        panic("sleeping with spinlock %p of rank %d held", stack->held[0].lock,
              stack->held[0].rank);
}
#endif
