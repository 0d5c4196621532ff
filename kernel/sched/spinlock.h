/*
 * Spinlocks. The kernel is not preemptible, so a plain lock only keeps other CPUs out; a lock that
 * interrupt handlers take is always taken with the _irq_save form. Never held across a sleep or a user copy.
 */
#pragma once

#include <stdatomic.h>

#include "lib/thread_safety.h"
#include "port.h"
#include "sched/lockrank.h"

struct CAPABILITY("spinlock") spinlock {
    _Atomic uint32_t owner; /* 0, or the holder's CPU number + 1 */
    enum lock_rank rank;
};

#define SPINLOCK_INITIALIZER(lock_rank) {.owner = 0, .rank = (lock_rank)}

void spin_init(struct spinlock *lock, enum lock_rank rank);
void spin_lock(struct spinlock *lock) ACQUIRES(*lock);
void spin_unlock(struct spinlock *lock) RELEASES(*lock);
irq_state_t MUST_CHECK spin_lock_irq_save(struct spinlock *lock) ACQUIRES(*lock);
void spin_unlock_irq_restore(struct spinlock *lock, irq_state_t state) RELEASES(*lock);

/* Is it held by this CPU? */
bool spin_is_held(const struct spinlock *lock);
/* The first line of a function whose caller must hold the lock. Checked in debug builds. */
void spin_assert_held(const struct spinlock *lock) ASSERTS_HELD(*lock);
