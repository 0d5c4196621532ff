/*
 * Timers: never early, never lost, and after a cancel the function does not run.
 */
#include "sched/timer.h"

#include "scenarios.h"
#include "workers.h"

struct test_timer {
    struct timer timer;
    unsigned expired;
    unsigned rearm; /* so many times more, from its own function */
    uint64_t not_before;
    bool must_not_run;
    bool in_function;
};

static struct test_timer one;

static void expire(struct timer *timer)
{
    struct test_timer *test = container_of(timer, struct test_timer, timer);

    SIM_CHECK(!port_irq_enabled());
    SIM_CHECK(!test->must_not_run);
    SIM_CHECK(port_clock_ns() >= test->not_before);
    test->in_function = true;
    sim_point();
    test->in_function = false;
    SIM_CHECK(!test->must_not_run);
    test->expired++;
    if (test->rearm) {
        test->rearm--;
        test->not_before = port_clock_ns() + 1000;
        timer_arm(timer, test->not_before);
    }
}

static void set_up(void)
{
    timer_init(&one.timer, expire);
    sim_name_object(&one, sizeof(one), "the timer");
}

static void arm(uint64_t delay)
{
    one.not_before = port_clock_ns() + delay;
    timer_arm(&one.timer, one.not_before);
}

static void canceller(struct worker *self)
{
    bool was_armed;

    (void)self;
    sim_point();
    was_armed = timer_cancel(&one.timer);
    one.must_not_run = true;
    SIM_CHECK(!one.in_function);
    SIM_CHECK_EQUAL(one.expired, was_armed ? 0 : 1);
    SIM_CHECK_EQUAL(timer_remaining(&one.timer), 0);
}

void scenario_timer_cancel_expire(void)
{
    set_up();
    arm(2000);
    worker_start("canceller", canceller, NULL);
    workers_join();
}

static void rearm_canceller(struct worker *self)
{
    (void)self;
    sim_point();
    timer_cancel(&one.timer);
    one.must_not_run = true;
    SIM_CHECK(!one.in_function);
}

/* The function arms its own timer again while another CPU cancels it. */
void scenario_timer_cancel_rearm(void)
{
    set_up();
    one.rearm = 2;
    arm(2000);
    worker_start("canceller", rearm_canceller, NULL);
    workers_join();
}

static void mover(struct worker *self)
{
    (void)self;
    sim_point();
    one.not_before = 0; /* which of the two deadlines it runs at is open */
    timer_arm(&one.timer, port_clock_ns() + 500);
}

static bool has_expired(void *argument)
{
    (void)argument;
    return one.expired > 0 && timer_remaining(&one.timer) == 0;
}

void scenario_timer_move(void)
{
    set_up();
    arm(1000);
    worker_start("mover", mover, NULL);
    workers_join();
    sim_wait_until(has_expired, NULL);
    timer_cancel(&one.timer);
    SIM_CHECK(one.expired <= 2);
}

/* --- many sleepers --- */

static uint64_t last_woken;
static unsigned woken;

static bool never(void *argument)
{
    (void)argument;
    return false;
}

static void timed_sleeper(struct worker *self)
{
    uint64_t deadline = (uint64_t)(uintptr_t)self->argument;
    int result = thread_sleep(never, NULL, SLEEP_UNINTERRUPTIBLE, deadline);

    SIM_CHECK(result < 0);
    SIM_CHECK(port_clock_ns() >= deadline);
    last_woken = deadline;
    woken++;
}

void scenario_timer_sleepers(void)
{
    uint64_t start = port_clock_ns();

    for (unsigned i = 0; i < 8; i++)
        worker_start("sleeper", timed_sleeper, (void *)(uintptr_t)(start + sim_random(20000)));
    workers_join();
    SIM_CHECK_EQUAL(woken, 8);
}
