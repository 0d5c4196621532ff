/* Sleeping locks: for what is held across user copies, page faults or long work. Thread context
 * only, with no spinlock held. Handed over in order of arrival. */
#pragma once

#include "sched/thread.h"

struct CAPABILITY("mutex") mutex {
    /* The holder's struct thread, plus MUTEX_CONTENDED while anybody waits; 0: free. Taken and
     * given back by one compare-and-swap as long as nobody waits. */
    _Atomic uintptr_t owner;
    struct spinlock lock; /* rank WAIT_QUEUE */
    struct list waiters;  /* (lock) struct mutex_waiter, oldest first */
    enum lock_rank rank;
};

#define MUTEX_CONTENDED 1ul

/* struct mutex lock = MUTEX_INITIALIZER(lock, LOCK_RANK_...); */
#define MUTEX_INITIALIZER(name, lock_rank)                                                         \
    {                                                                                              \
        .owner = 0, .lock = SPINLOCK_INITIALIZER(LOCK_RANK_WAIT_QUEUE),                            \
        .waiters = LIST_INITIALIZER((name).waiters), .rank = (lock_rank)                           \
    }

void mutex_init(struct mutex *mutex, enum lock_rank rank);
void mutex_lock(struct mutex *mutex) ACQUIRES(*mutex);
/* -EINTR if the thread is being killed before it gets the lock; 0 with the lock held. */
int MUST_CHECK mutex_lock_killable(struct mutex *mutex) TRY_ACQUIRES(0, *mutex);
bool MUST_CHECK mutex_try_lock(struct mutex *mutex) TRY_ACQUIRES(true, *mutex);
void mutex_unlock(struct mutex *mutex) RELEASES(*mutex);
/* Debug builds only. */
void mutex_assert_held(const struct mutex *mutex) ASSERTS_HELD(*mutex);
