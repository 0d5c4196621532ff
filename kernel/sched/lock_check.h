/*
 * The rank check of debug builds: which locks a CPU (spinning) or a thread (sleeping) holds, and
 * that it takes them in rising rank. In release builds nothing of it is left.
 */
#pragma once

#include <stdbool.h>

#include "sched/lockrank.h"

#define LOCK_STACK_DEPTH 16

struct lock_stack {
    unsigned depth;
    struct held_lock {
        const void *lock;
        enum lock_rank rank;
    } held[LOCK_STACK_DEPTH];
};

#if KIN_DEBUG
/* Panics unless `rank` is above all that is held here. Before the lock is waited for. */
void lock_check_spin_acquire(const void *lock, enum lock_rank rank);
/* Panics if it was not the holder. Not necessarily the last one taken. */
void lock_check_spin_release(const void *lock);
void lock_check_mutex_acquire(const void *mutex, enum lock_rank rank);
void lock_check_mutex_release(const void *mutex);
/* Panics if this CPU holds a spinlock: the first line of what may sleep. */
void lock_check_may_sleep(void);
#else
static inline void lock_check_spin_acquire(const void *lock, enum lock_rank rank)
{
    (void)lock;
    (void)rank;
}
static inline void lock_check_spin_release(const void *lock)
{
    (void)lock;
}
static inline void lock_check_mutex_acquire(const void *mutex, enum lock_rank rank)
{
    (void)mutex;
    (void)rank;
}
static inline void lock_check_mutex_release(const void *mutex)
{
    (void)mutex;
}
static inline void lock_check_may_sleep(void)
{
}
#endif
