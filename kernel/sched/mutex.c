/*
 * Sleeping locks. As long as nobody waits, `owner` goes from 0 to the holder and back by
 * compare-and- swap. A waiter queues itself and sets MUTEX_CONTENDED, both under mutex->lock; the
 * bit makes the holder's compare-and-swap fail, so it comes here and makes the oldest waiter the
 * owner. The bit is cleared with the last waiter: it is set exactly while the list is not empty.
 */
#include "sched/mutex.h"

#include "lib/errno.h"
#include "sched/wait.h"

struct mutex_waiter {
    struct list link; /* (lock) */
    struct thread *thread;
    _Atomic bool is_owner; /* (lock to write) set by the one who hands over */
};

void mutex_init(struct mutex *mutex, enum lock_rank rank)
{
    mutex->owner = 0;
    spin_init(&mutex->lock, LOCK_RANK_WAIT_QUEUE);
    list_init(&mutex->waiters);
    mutex->rank = rank;
}

static bool exchange_owner(struct mutex *mutex, uintptr_t from, uintptr_t to)
{
    port_explore(PORT_POINT_ATOMIC, mutex);
    return atomic_compare_exchange_strong(&mutex->owner, &from, to);
}

static bool try_take(struct mutex *mutex)
{
    return exchange_owner(mutex, 0, (uintptr_t)current_thread());
}

static bool is_handed_over(void *argument)
{
    const struct mutex_waiter *waiter = argument;

    return atomic_load_explicit(&waiter->is_owner, memory_order_acquire);
}

/* Queues the waiter, or takes a lock that was given back meanwhile: false then. */
static bool enqueue_waiter(struct mutex *mutex, struct mutex_waiter *waiter)
{
    irq_state_t interrupts = spin_lock_irq_save(&mutex->lock);
    uintptr_t owner = atomic_load(&mutex->owner);
    bool must_wait;

    do
        must_wait = owner != 0;
    while (!atomic_compare_exchange_weak(
        &mutex->owner, &owner, must_wait ? owner | MUTEX_CONTENDED : (uintptr_t)waiter->thread));
    if (must_wait)
        list_push_back(&mutex->waiters, &waiter->link);
    spin_unlock_irq_restore(&mutex->lock, interrupts);
    return must_wait;
}

/* The sleep ended early. Leaves the queue, unless the lock came at the last moment: false then. */
static bool give_up(struct mutex *mutex, struct mutex_waiter *waiter)
{
    irq_state_t interrupts = spin_lock_irq_save(&mutex->lock);
    bool has_left = !is_handed_over(waiter);

    if (has_left) {
        list_remove(&waiter->link);
        if (list_is_empty(&mutex->waiters))
            atomic_fetch_and(&mutex->owner, ~MUTEX_CONTENDED);
    }
    spin_unlock_irq_restore(&mutex->lock, interrupts);
    return has_left;
}

static int lock_contended(struct mutex *mutex, enum sleep_mode mode)
{
    struct mutex_waiter waiter = {.thread = current_thread()};

    if (!enqueue_waiter(mutex, &waiter))
        return 0;
    if (thread_sleep(is_handed_over, &waiter, mode, DEADLINE_NEVER) != 0 && give_up(mutex, &waiter))
        return -EINTR;
    /* The one who hands over still holds mutex->lock, perhaps, and then looks at the waiter. */
    spin_unlock_irq_restore(&mutex->lock, spin_lock_irq_save(&mutex->lock));
    return 0;
}

static int NO_THREAD_SAFETY_ANALYSIS lock_in_mode(struct mutex *mutex, enum sleep_mode mode)
{
    int error = 0;

    lock_check_may_sleep();
    lock_check_mutex_acquire(mutex, mutex->rank);
    if (unlikely(!try_take(mutex)))
        error = lock_contended(mutex, mode);
    if (unlikely(error))
        lock_check_mutex_release(mutex);
    return error;
}

void NO_THREAD_SAFETY_ANALYSIS mutex_lock(struct mutex *mutex)
{
    lock_in_mode(mutex, SLEEP_UNINTERRUPTIBLE);
}

int NO_THREAD_SAFETY_ANALYSIS mutex_lock_killable(struct mutex *mutex)
{
    return lock_in_mode(mutex, SLEEP_KILLABLE);
}

bool NO_THREAD_SAFETY_ANALYSIS mutex_try_lock(struct mutex *mutex)
{
    if (!try_take(mutex))
        return false;
    lock_check_mutex_acquire(mutex, mutex->rank);
    return true;
}

static void hand_over(struct mutex *mutex)
{
    irq_state_t interrupts = spin_lock_irq_save(&mutex->lock);
    struct list *first = list_pop_front(&mutex->waiters);

    if (!first) {
        /* The last waiter gave up since the bit was seen. */
        atomic_store(&mutex->owner, 0);
    } else {
        struct mutex_waiter *waiter = list_entry(first, struct mutex_waiter, link);
        uintptr_t contended = list_is_empty(&mutex->waiters) ? 0 : MUTEX_CONTENDED;

        atomic_store(&mutex->owner, (uintptr_t)waiter->thread | contended);
        atomic_store_explicit(&waiter->is_owner, true, memory_order_release);
        thread_wake(waiter->thread);
    }
    spin_unlock_irq_restore(&mutex->lock, interrupts);
}

void NO_THREAD_SAFETY_ANALYSIS mutex_unlock(struct mutex *mutex)
{
    mutex_assert_held(mutex);
    lock_check_mutex_release(mutex);
    if (unlikely(!exchange_owner(mutex, (uintptr_t)current_thread(), 0)))
        hand_over(mutex);
}

void NO_THREAD_SAFETY_ANALYSIS mutex_assert_held(const struct mutex *mutex)
{
    debug_assert((atomic_load(&mutex->owner) & ~MUTEX_CONTENDED) == (uintptr_t)current_thread());
}
