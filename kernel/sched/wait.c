/*
 * Wait queues and sleeping. The proof that no wake-up is lost is in README.md; it rests on
 * the fences in sleep_begin(), wait_queue_add(), has_waiters() and thread_wake().
 */
#include "sched/wait.h"

#include "lib/errno.h"
#include "sched/sched.h"

void wait_queue_init(struct wait_queue *queue)
{
    spin_init(&queue->lock, LOCK_RANK_WAIT_QUEUE);
    list_init(&queue->entries);
}

void wait_entry_init(struct wait_entry *entry, bool (*wake)(struct wait_entry *entry, uint64_t key))
{
    list_init(&entry->link);
    entry->queue = NULL;
    entry->wake = wake;
    entry->thread = current_thread();
    entry->exclusive = false;
}

void wait_queue_add(struct wait_queue *queue, struct wait_entry *entry)
{
    irq_state_t interrupts = spin_lock_irq_save(&queue->lock);

    entry->queue = queue;
    list_push_back(&queue->entries, &entry->link);
    spin_unlock_irq_restore(&queue->lock, interrupts);
    /* Whoever adds an entry looks at its condition next: pairs with the fence in has_waiters(). */
    atomic_thread_fence(memory_order_seq_cst);
}

void wait_queue_remove(struct wait_entry *entry)
{
    irq_state_t interrupts = spin_lock_irq_save(&entry->queue->lock);

    list_remove(&entry->link);
    spin_unlock_irq_restore(&entry->queue->lock, interrupts);
}

bool wait_wake_thread(struct wait_entry *entry, uint64_t key)
{
    return thread_wake(entry->thread);
}

/* Does anybody wait, as of the caller's last write? Pairs with the fence in wait_queue_add(). */
static bool has_waiters(const struct wait_queue *queue)
{
    atomic_thread_fence(memory_order_seq_cst);
    port_explore(PORT_POINT_ATOMIC, queue);
    return !wait_queue_is_empty(queue);
}

void wait_queue_wake_all(struct wait_queue *queue, uint64_t key)
{
    struct wait_entry *entry, *next;
    irq_state_t interrupts;

    if (!has_waiters(queue))
        return;
    interrupts = spin_lock_irq_save(&queue->lock);
    list_for_each_safe (entry, next, &queue->entries, link)
        entry->wake(entry, key);
    spin_unlock_irq_restore(&queue->lock, interrupts);
}

void wait_queue_wake_one(struct wait_queue *queue, uint64_t key)
{
    struct wait_entry *entry, *next;
    irq_state_t interrupts;

    if (!has_waiters(queue))
        return;
    interrupts = spin_lock_irq_save(&queue->lock);
    list_for_each_safe (entry, next, &queue->entries, link)
        if (entry->wake(entry, key) && entry->exclusive)
            break;
    spin_unlock_irq_restore(&queue->lock, interrupts);
}

bool wait_queue_is_empty(const struct wait_queue *queue)
{
    return __atomic_load_n(&queue->entries.next, __ATOMIC_RELAXED) == &queue->entries;
}

/* One sleep, on the stack of the sleeper. */
struct sleep {
    sleep_condition *condition;
    void *argument;
    enum sleep_mode mode;
    struct thread *thread;
    struct timer timer; /* armed for the deadline, if there is one */
    _Atomic bool is_over_time;
};

static void sleep_expire(struct timer *timer)
{
    struct sleep *sleep = container_of(timer, struct sleep, timer);

    atomic_store_explicit(&sleep->is_over_time, true, memory_order_relaxed);
    thread_wake(sleep->thread);
}

/* From here on a wake-up is kept: if it comes before the thread sleeps, schedule() returns at once.
 */
static void sleep_begin(struct sleep *sleep)
{
    sleep->thread->sleep_mode = sleep->mode;
    atomic_store_explicit(&sleep->thread->may_sleep, true, memory_order_release);
    atomic_thread_fence(memory_order_seq_cst);
    port_explore(PORT_POINT_SLEEP, sleep->thread);
}

static void sleep_end(struct sleep *sleep)
{
    atomic_store_explicit(&sleep->thread->may_sleep, false, memory_order_relaxed);
}

static bool is_interrupted(const struct sleep *sleep)
{
    static const uint32_t ending_work[] = {
        [SLEEP_UNINTERRUPTIBLE] = 0,
        [SLEEP_KILLABLE] = THREAD_WORK_KILL,
        [SLEEP_INTERRUPTIBLE] = THREAD_WORK_KILL | THREAD_WORK_SIGNAL,
    };

    return thread_has_work(sleep->thread, ending_work[sleep->mode]);
}

#define KEEP_SLEEPING 1

static int sleep_outcome(const struct sleep *sleep)
{
    if (sleep->condition(sleep->argument))
        return 0;
    if (is_interrupted(sleep))
        return -ERESTARTSYS;
    if (atomic_load_explicit(&sleep->is_over_time, memory_order_relaxed))
        return -ETIMEDOUT;
    return KEEP_SLEEPING;
}

/* `lock`, if any, is released while the thread sleeps. */
static int NO_THREAD_SAFETY_ANALYSIS sleep_until(struct sleep *sleep, struct spinlock *lock)
{
    int outcome;

    for (;;) {
        sleep_begin(sleep);
        outcome = sleep_outcome(sleep);
        if (outcome != KEEP_SLEEPING)
            break;
        if (lock)
            spin_unlock(lock);
        schedule();
        if (lock)
            spin_lock(lock);
    }
    sleep_end(sleep);
    return outcome;
}

/* Looks before it goes to the trouble of queueing and arming; then sleeps. `queue` and `lock` may
 * be NULL. Only what is used is initialised. */
static int sleep_in(struct wait_queue *queue, struct spinlock *lock, sleep_condition *condition,
                    void *argument, enum sleep_mode mode, uint64_t deadline)
{
    struct wait_entry entry;
    struct sleep sleep;
    int outcome;

    if (condition(argument))
        return 0;
    sleep.condition = condition;
    sleep.argument = argument;
    sleep.mode = mode;
    sleep.thread = current_thread();
    sleep.is_over_time = deadline != DEADLINE_NEVER && port_clock_ns() >= deadline;
    if (deadline != DEADLINE_NEVER) {
        timer_init(&sleep.timer, sleep_expire);
        timer_arm(&sleep.timer, deadline);
    }
    if (queue) {
        wait_entry_init(&entry, wait_wake_thread);
        entry.exclusive = true;
        wait_queue_add(queue, &entry);
    }
    outcome = sleep_until(&sleep, lock);
    if (queue)
        wait_queue_remove(&entry);
    if (deadline != DEADLINE_NEVER)
        timer_cancel(&sleep.timer);
    return outcome;
}

int wait_queue_sleep(struct wait_queue *queue, sleep_condition *condition, void *argument,
                     enum sleep_mode mode, uint64_t deadline)
{
    return sleep_in(queue, NULL, condition, argument, mode, deadline);
}

int wait_queue_sleep_locked(struct wait_queue *queue, struct spinlock *lock,
                            sleep_condition *condition, void *argument, enum sleep_mode mode,
                            uint64_t deadline)
{
    spin_assert_held(lock);
    return sleep_in(queue, lock, condition, argument, mode, deadline);
}

int thread_sleep(sleep_condition *condition, void *argument, enum sleep_mode mode,
                 uint64_t deadline)
{
    return sleep_in(NULL, NULL, condition, argument, mode, deadline);
}
