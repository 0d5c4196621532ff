/* Sleeping locks: for what is held across user copies, page faults or long work. Thread context only,
 * with no spinlock held. Handed over in order of arrival. */
#pragma once

#include "sched/wait.h"

struct CAPABILITY("mutex") mutex {
    struct spinlock lock;
    struct thread *owner;      /* (lock) */
    struct wait_queue waiters; /* (lock) */
    enum lock_rank rank;
};

void mutex_init(struct mutex *mutex, enum lock_rank rank);
void mutex_lock(struct mutex *mutex) ACQUIRES(*mutex);
/* -EINTR if the thread is being killed before it gets the lock; 0 with the lock held. */
int MUST_CHECK mutex_lock_killable(struct mutex *mutex) TRY_ACQUIRES(0, *mutex);
bool MUST_CHECK mutex_try_lock(struct mutex *mutex) TRY_ACQUIRES(true, *mutex);
void mutex_unlock(struct mutex *mutex) RELEASES(*mutex);
void mutex_assert_held(const struct mutex *mutex) ASSERTS_HELD(*mutex);
