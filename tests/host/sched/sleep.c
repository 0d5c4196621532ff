/*
 * Sleeping and waking: whatever the interleaving, nobody sleeps on after his condition came true.
 */
#include "scenarios.h"

#include "lib/errno.h"
#include "sched/wait.h"
#include "workers.h"

static struct wait_queue queue;
static struct spinlock lock;
static bool ready;
static int outcome;
static unsigned woken;

static void set_up(void)
{
    wait_queue_init(&queue);
    spin_init(&lock, LOCK_RANK_FILE_TABLE);
    sim_name_object(&queue, sizeof(queue), "the queue");
    sim_name_object(&lock, sizeof(lock), "the lock");
}

static bool is_ready(void *argument)
{
    (void)argument;
    sim_point();
    return ready;
}

static void make_ready(void)
{
    sim_point();
    ready = true;
    sim_point();
    wait_queue_wake_all(&queue, 0);
}

/* --- wake x sleep --- */

static void sleeper(struct worker *self)
{
    (void)self;
    SIM_CHECK_EQUAL(wait_queue_sleep(&queue, is_ready, NULL, SLEEP_UNINTERRUPTIBLE, DEADLINE_NEVER),
                    0);
    SIM_CHECK(ready);
    woken++;
}

static void waker(struct worker *self)
{
    (void)self;
    make_ready();
}

void scenario_sleep_wake(void)
{
    set_up();
    worker_start("sleeper", sleeper, NULL);
    worker_start("waker", waker, NULL);
    workers_join();
    SIM_CHECK_EQUAL(woken, 1);
    SIM_CHECK(wait_queue_is_empty(&queue));
}

static void wake_from_interrupt(void *argument)
{
    (void)argument;
    make_ready();
}

void scenario_sleep_interrupt(void)
{
    set_up();
    worker_start("sleeper", sleeper, NULL);
    sim_point();
    sim_post_interrupt(sim_branch(port_cpu_count()), wake_from_interrupt, NULL);
    workers_join();
    SIM_CHECK_EQUAL(woken, 1);
}

/* Two conditions after one another, on the same queue: a stale wake-up must not count. */
static unsigned stage;

static bool stage_reached(void *argument)
{
    return stage >= (uintptr_t)argument;
}

static void two_stage_sleeper(struct worker *self)
{
    (void)self;
    for (uintptr_t i = 1; i <= 2; i++) {
        SIM_CHECK_EQUAL(
            wait_queue_sleep(&queue, stage_reached, (void *)i, SLEEP_INTERRUPTIBLE, DEADLINE_NEVER),
            0);
        SIM_CHECK(stage >= i);
    }
    woken++;
}

static void two_stage_waker(struct worker *self)
{
    (void)self;
    for (unsigned i = 1; i <= 2; i++) {
        sim_point();
        stage = i;
        wait_queue_wake_all(&queue, 0);
    }
}

void scenario_sleep_twice(void)
{
    set_up();
    worker_start("sleeper", two_stage_sleeper, NULL);
    worker_start("waker", two_stage_waker, NULL);
    workers_join();
    SIM_CHECK_EQUAL(woken, 1);
}

/* --- under a spinlock --- */

static bool is_ready_locked(void *argument)
{
    (void)argument;
    spin_assert_held(&lock);
    return ready;
}

static void locked_sleeper(struct worker *self)
{
    (void)self;
    spin_lock(&lock);
    SIM_CHECK_EQUAL(wait_queue_sleep_locked(&queue, &lock, is_ready_locked, NULL,
                                            SLEEP_UNINTERRUPTIBLE, DEADLINE_NEVER),
                    0);
    spin_assert_held(&lock);
    SIM_CHECK(ready);
    woken++;
    spin_unlock(&lock);
}

static void locked_waker(struct worker *self)
{
    bool inside = (bool)(uintptr_t)self->argument;

    spin_lock(&lock);
    ready = true;
    if (inside)
        wait_queue_wake_all(&queue, 0);
    spin_unlock(&lock);
    if (!inside)
        wait_queue_wake_all(&queue, 0);
}

void scenario_sleep_locked(void)
{
    set_up();
    worker_start("sleeper 1", locked_sleeper, NULL);
    worker_start("waker", locked_waker, (void *)(uintptr_t)sim_branch(2));
    workers_join();
    SIM_CHECK_EQUAL(woken, 1);
}

/* --- without a queue --- */

static void bare_sleeper(struct worker *self)
{
    (void)self;
    SIM_CHECK_EQUAL(thread_sleep(is_ready, NULL, SLEEP_UNINTERRUPTIBLE, DEADLINE_NEVER), 0);
    SIM_CHECK(ready);
    woken++;
}

static void bare_waker(struct worker *self)
{
    struct worker *target = self->argument;

    sim_point();
    ready = true;
    thread_wake(&target->thread);
}

void scenario_thread_sleep_wake(void)
{
    struct worker *target;

    set_up();
    target = worker_start("sleeper", bare_sleeper, NULL);
    worker_start("waker", bare_waker, target);
    workers_join();
    SIM_CHECK_EQUAL(woken, 1);
}

/* --- timeout x wake --- */

static uint64_t deadline;

static void timed_sleeper(struct worker *self)
{
    (void)self;
    outcome = wait_queue_sleep(&queue, is_ready, NULL, SLEEP_INTERRUPTIBLE, deadline);
    SIM_CHECK(outcome == 0 || outcome == -ETIMEDOUT);
    if (outcome == 0)
        SIM_CHECK(ready);
    else
        SIM_CHECK(port_clock_ns() >= deadline);
    woken++;
}

void scenario_timeout_wake(void)
{
    set_up();
    deadline = port_clock_ns() + 5000;
    worker_start("sleeper", timed_sleeper, NULL);
    worker_start("waker", waker, NULL);
    workers_join();
    SIM_CHECK_EQUAL(woken, 1);
    SIM_CHECK(wait_queue_is_empty(&queue));
}

void scenario_timeout_alone(void)
{
    set_up();
    deadline = port_clock_ns() + sim_random(3000);
    worker_start("sleeper", timed_sleeper, NULL);
    workers_join();
    SIM_CHECK_EQUAL(outcome, -ETIMEDOUT);
}

/* --- signal-style interrupt x wake --- */

static void interruptible_sleeper(struct worker *self)
{
    bool was_ready;

    outcome = wait_queue_sleep(&queue, is_ready, NULL, SLEEP_INTERRUPTIBLE, DEADLINE_NEVER);
    was_ready = ready;
    SIM_CHECK(outcome == 0 || outcome == -ERESTARTSYS);
    SIM_CHECK(outcome != 0 || was_ready);
    SIM_CHECK(outcome == 0 || thread_has_work(&self->thread, THREAD_WORK_SIGNAL));
    woken++;
}

static void interrupter(struct worker *self)
{
    struct worker *target = self->argument;

    thread_post_work(&target->thread, THREAD_WORK_SIGNAL);
}

void scenario_interrupt_wake(void)
{
    struct worker *target;

    set_up();
    target = worker_start("sleeper", interruptible_sleeper, NULL);
    worker_start("waker", waker, NULL);
    worker_start("interrupter", interrupter, target);
    workers_join();
    SIM_CHECK_EQUAL(woken, 1);
}

/* The interruption alone must do: nothing else comes. */
void scenario_interrupt_sleep(void)
{
    struct worker *target;

    set_up();
    target = worker_start("sleeper", interruptible_sleeper, NULL);
    worker_start("interrupter", interrupter, target);
    workers_join();
    SIM_CHECK_EQUAL(outcome, -ERESTARTSYS);
}

/* The interruption comes by an interrupt, wherever the sleeper is on its way. */
static void interrupt_target(void *argument)
{
    struct worker *target = argument;

    if (!target->released)
        thread_post_work(&target->thread, THREAD_WORK_SIGNAL);
}

void scenario_interrupt_by_interrupt(void)
{
    struct worker *target;
    unsigned cpu = sim_branch(port_cpu_count());

    set_up();
    target = worker_start("sleeper", interruptible_sleeper, NULL);
    sim_post_interrupt_later(cpu, interrupt_target, target);
    workers_join();
    SIM_CHECK_EQUAL(outcome, -ERESTARTSYS);
}

static void killable_sleeper(struct worker *self)
{
    (void)self;
    outcome = wait_queue_sleep(&queue, is_ready, NULL, SLEEP_KILLABLE, DEADLINE_NEVER);
    woken++;
}

static void killer(struct worker *self)
{
    struct worker *target = self->argument;

    thread_post_work(&target->thread, THREAD_WORK_SIGNAL); /* does not end this sleep */
    sim_point();
    thread_post_work(&target->thread, THREAD_WORK_SIGNAL | THREAD_WORK_KILL);
}

void scenario_kill_sleep(void)
{
    struct worker *target;

    set_up();
    target = worker_start("sleeper", killable_sleeper, NULL);
    worker_start("killer", killer, target);
    workers_join();
    SIM_CHECK_EQUAL(outcome, -ERESTARTSYS);
}

/* --- many waiters --- */

static unsigned tokens;

static bool take_token(void *argument)
{
    (void)argument;
    spin_assert_held(&lock);
    return tokens > 0;
}

static void token_taker(struct worker *self)
{
    (void)self;
    spin_lock(&lock);
    SIM_CHECK_EQUAL(wait_queue_sleep_locked(&queue, &lock, take_token, NULL, SLEEP_UNINTERRUPTIBLE,
                                            DEADLINE_NEVER),
                    0);
    tokens--;
    woken++;
    spin_unlock(&lock);
}

static void token_giver(struct worker *self)
{
    for (uintptr_t i = 0; i < (uintptr_t)self->argument; i++) {
        spin_lock(&lock);
        tokens++;
        spin_unlock(&lock);
        wait_queue_wake_all(&queue, 0);
    }
}

void scenario_tokens(void)
{
    set_up();
    for (int i = 0; i < 4; i++)
        worker_start("taker", token_taker, NULL);
    worker_start("giver 1", token_giver, (void *)2);
    worker_start("giver 2", token_giver, (void *)2);
    workers_join();
    SIM_CHECK_EQUAL(woken, 4);
    SIM_CHECK_EQUAL(tokens, 0);
}

/* One wake-up for each token: it must not get stuck with a waiter who gives up at that moment. */
static void hasty_taker(struct worker *self)
{
    (void)self;
    spin_lock(&lock);
    outcome = wait_queue_sleep_locked(&queue, &lock, take_token, NULL, SLEEP_INTERRUPTIBLE,
                                      port_clock_ns() + 2000);
    if (outcome == 0) {
        tokens--;
        woken++;
    }
    spin_unlock(&lock);
}

static void single_giver(struct worker *self)
{
    (void)self;
    spin_lock(&lock);
    tokens++;
    spin_unlock(&lock);
    wait_queue_wake_one(&queue, 0);
}

static bool somebody_was_woken(void *argument)
{
    (void)argument;
    return woken > 0;
}

void scenario_wake_one_timeout(void)
{
    set_up();
    worker_start("hasty", hasty_taker, NULL);
    worker_start("taker", token_taker, NULL);
    worker_start("giver", single_giver, NULL);
    sim_wait_until(somebody_was_woken, NULL);
    single_giver(NULL);
    workers_join();
    SIM_CHECK_EQUAL(woken + tokens, 2);
}

/* --- entries with a wake function of their own, as poll has them --- */

static unsigned calls;
static bool removed;

static bool count_wake(struct wait_entry *entry, uint64_t key)
{
    (void)entry;
    SIM_CHECK(!removed);
    SIM_CHECK_EQUAL(key, 7);
    calls++;
    sim_point();
    SIM_CHECK(!removed);
    return true;
}

static void announcer(struct worker *self)
{
    (void)self;
    wait_queue_wake_all(&queue, 7);
}

void scenario_entry_remove_wake(void)
{
    struct wait_entry entry;

    set_up();
    wait_entry_init(&entry, count_wake);
    wait_queue_add(&queue, &entry);
    worker_start("announcer", announcer, NULL);
    sim_point();
    wait_queue_remove(&entry);
    removed = true;
    workers_join();
    SIM_CHECK(calls <= 1);
}
