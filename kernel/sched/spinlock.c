/* Spinlocks: the wait for one that another CPU holds. */
#include "sched/spinlock.h"

void NO_THREAD_SAFETY_ANALYSIS spin_lock_contended(struct spinlock *lock)
{
    struct cpu *self = port_this_cpu();
    struct cpu *unowned;

    assert(!spin_is_held(lock));
    do {
        while (atomic_load_explicit(&lock->owner, memory_order_relaxed))
            port_relax();
        unowned = NULL;
    } while (!atomic_compare_exchange_weak_explicit(&lock->owner, &unowned, self,
                                                    memory_order_acquire, memory_order_relaxed));
}
