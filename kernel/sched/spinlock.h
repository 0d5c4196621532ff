/*
 * Spinlocks. The kernel is not preemptible, so a plain lock only keeps other CPUs out; a lock that
 * interrupt handlers take is always taken with interrupts masked (rank SIGNAL and above; debug
 * builds check it), mostly by the _irq_save form. Never held across a sleep or a user copy.
 */
#pragma once

#include <stdatomic.h>

#include "lib/assert.h"
#include "lib/thread_safety.h"
#include "port.h"
#include "sched/lock_check.h"
#include "sched/lockrank.h"

struct CAPABILITY("spinlock") spinlock {
    _Atomic(struct cpu *) owner; /* NULL, or the holder */
    enum lock_rank rank;
};

#define SPINLOCK_INITIALIZER(lock_rank)                                                            \
    {                                                                                              \
        .owner = NULL, .rank = (lock_rank)                                                         \
    }

static inline void spin_init(struct spinlock *lock, enum lock_rank rank)
{
    atomic_store_explicit(&lock->owner, NULL, memory_order_relaxed);
    lock->rank = rank;
}

/* Waits until it got a lock that another CPU holds. */
void spin_lock_contended(struct spinlock *lock);

static inline void spin_lock(struct spinlock *lock) ACQUIRES(*lock);
static inline void NO_THREAD_SAFETY_ANALYSIS spin_lock(struct spinlock *lock)
{
    struct cpu *unowned = NULL;

    lock_check_spin_acquire(lock, lock->rank);
    port_explore(PORT_POINT_LOCK, lock);
    if (unlikely(!atomic_compare_exchange_strong_explicit(
            &lock->owner, &unowned, port_this_cpu(), memory_order_acquire, memory_order_relaxed)))
        spin_lock_contended(lock);
}

static inline void spin_unlock(struct spinlock *lock) RELEASES(*lock);
static inline void NO_THREAD_SAFETY_ANALYSIS spin_unlock(struct spinlock *lock)
{
    lock_check_spin_release(lock);
    atomic_store_explicit(&lock->owner, NULL, memory_order_release);
    port_explore(PORT_POINT_UNLOCK, lock);
}

static inline irq_state_t MUST_CHECK spin_lock_irq_save(struct spinlock *lock) ACQUIRES(*lock);
static inline irq_state_t NO_THREAD_SAFETY_ANALYSIS spin_lock_irq_save(struct spinlock *lock)
{
    irq_state_t state = port_irq_save();

    spin_lock(lock);
    return state;
}

static inline void spin_unlock_irq_restore(struct spinlock *lock, irq_state_t state)
    RELEASES(*lock);
static inline void NO_THREAD_SAFETY_ANALYSIS spin_unlock_irq_restore(struct spinlock *lock,
                                                                     irq_state_t state)
{
    spin_unlock(lock);
    port_irq_restore(state);
}

/* Is it held by this CPU? */
static inline bool spin_is_held(const struct spinlock *lock)
{
    return atomic_load_explicit(&lock->owner, memory_order_relaxed) == port_this_cpu();
}

/* The first line of a function whose caller must hold the lock. Checked in debug builds. */
static inline void spin_assert_held(const struct spinlock *lock) ASSERTS_HELD(*lock);
static inline void NO_THREAD_SAFETY_ANALYSIS spin_assert_held(const struct spinlock *lock)
{
    debug_assert(spin_is_held(lock));
}
