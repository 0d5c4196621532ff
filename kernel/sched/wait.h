/*
 * Wait queues: how a thread sleeps until something is true.
 *
 * The sleeper gives its condition. It queues itself, marks itself sleeping, and only then looks at
 * the condition; the waker makes the condition true before it wakes. Whatever the interleaving, the
 * sleeper sees either the condition or the wake-up. Conditions must be cheap, must not sleep, and
 * may take spinlocks that rank above none that the sleeper holds.
 */
#pragma once

#include "lib/list.h"
#include "sched/spinlock.h"

enum sleep_mode {
    SLEEP_UNINTERRUPTIBLE,
    SLEEP_KILLABLE,      /* ends early if the thread is being killed */
    SLEEP_INTERRUPTIBLE, /* ends early if a signal is to be delivered */
};

struct wait_queue {
    struct spinlock lock; /* rank WAIT_QUEUE */
    struct list entries;  /* (lock) struct wait_entry, oldest first */
};

/* One waiter in one queue. For a plain sleep it lives on the sleeper's stack. */
struct wait_entry {
    struct list link; /* (the queue's lock) */
    struct wait_queue *queue;
    /* Called by the waker with the queue's lock held and interrupts masked; must not sleep. Returns
     * whether it counts as woken (wake_one goes on to the next if not). Does not unlink. */
    bool (*wake)(struct wait_entry *entry, uint64_t key);
    struct thread *thread; /* whom wait_wake_thread() wakes */
    bool exclusive;        /* wake_one stops after one of these */
};

typedef bool sleep_condition(void *argument);

void wait_queue_init(struct wait_queue *queue);

/*
 * Sleeps until condition(argument) holds; evaluated once before sleeping, then after each wake-up.
 * `deadline` is in port_clock_ns() time; DEADLINE_NEVER for none. Thread context, no spinlock held.
 * Returns 0 when the condition held; else -ERESTARTSYS (interrupted) or -ETIMEDOUT. The condition
 * wins over both.
 */
int wait_queue_sleep(struct wait_queue *queue, sleep_condition *condition, void *argument,
                     enum sleep_mode mode, uint64_t deadline);

/* The same where `lock` guards the condition: called and returns with it held (plain, not
 * irq-saved); it is held at every evaluation, and released only while asleep. The waker changes the
 * condition under the lock, and may wake before or after it unlocks. */
int wait_queue_sleep_locked(struct wait_queue *queue, struct spinlock *lock,
                            sleep_condition *condition, void *argument, enum sleep_mode mode,
                            uint64_t deadline) REQUIRES(*lock);

/* Wakers: any context. `key` is passed to the entries' wake functions (poll events). */
void wait_queue_wake_all(struct wait_queue *queue, uint64_t key);
void wait_queue_wake_one(struct wait_queue *queue, uint64_t key);
bool wait_queue_is_empty(const struct wait_queue *queue);

/* For those who wait on many queues at once (poll): entries with their own wake function. After
 * wait_queue_remove() returns, the wake function is not running and will not run. */
void wait_entry_init(struct wait_entry *entry,
                     bool (*wake)(struct wait_entry *entry, uint64_t key));
void wait_queue_add(struct wait_queue *queue, struct wait_entry *entry);
void wait_queue_remove(struct wait_entry *entry);
/* The wake function of plain sleepers: wakes entry->thread. */
bool wait_wake_thread(struct wait_entry *entry, uint64_t key);

/* Sleeps without a queue until the condition holds; whoever makes it true calls thread_wake(). */
int thread_sleep(sleep_condition *condition, void *argument, enum sleep_mode mode,
                 uint64_t deadline);
