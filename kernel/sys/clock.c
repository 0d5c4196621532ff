/* The table of clocks. Constant; any thread. */
#include "sys/clock.h"

#include <linux/time.h>

#include "sched/clock.h"
#include "sys/syscall.h"

/* As Linux with a tick of 4 ms shows it; Kin's coarse clocks are exact all the same. */
#define COARSE_RESOLUTION_NS 4000000

static int read_monotonic(int id, uint64_t *ns)
{
    *ns = port_clock_ns();
    return 0;
}

/* Clocks that would wake a suspended machine: known, but without the chip for it, as on Linux. */
static int read_alarm(int id, uint64_t *ns)
{
    return -EINVAL;
}

static int read_realtime(int id, uint64_t *ns)
{
    *ns = clock_realtime_ns();
    return 0;
}

static bool is_never(void *argument)
{
    return false;
}

static int sleep_monotonic(int id, uint64_t target)
{
    int outcome = thread_sleep(is_never, NULL, SLEEP_INTERRUPTIBLE, target);

    return outcome == -ETIMEDOUT ? 0 : outcome;
}

static bool was_clock_set_since(void *argument)
{
    const uint64_t *count = argument;

    return clock_set_count() != *count;
}

static int sleep_realtime(int id, uint64_t target)
{
    int outcome;

    do {
        uint64_t count = clock_set_count();
        uint64_t offset = clock_realtime_offset();
        uint64_t deadline = target > offset ? target - offset : 0;

        outcome = wait_queue_sleep(&clock_set_wait, was_clock_set_since, &count,
                                   SLEEP_INTERRUPTIBLE, deadline);
    } while (outcome == 0);
    return outcome == -ETIMEDOUT ? 0 : outcome;
}

static const struct clock clocks[] = {
    [CLOCK_REALTIME] = {read_realtime, sleep_realtime, 1, CLOCK_MONOTONIC},
    [CLOCK_MONOTONIC] = {read_monotonic, sleep_monotonic, 1, CLOCK_MONOTONIC},
    [CLOCK_PROCESS_CPUTIME_ID] = {cpu_clock_read, cpu_clock_sleep, 1, CLOCK_PROCESS_CPUTIME_ID},
    [CLOCK_THREAD_CPUTIME_ID] = {cpu_clock_read, NULL, 1, CLOCK_THREAD_CPUTIME_ID},
    [CLOCK_MONOTONIC_RAW] = {read_monotonic, NULL, 1, CLOCK_MONOTONIC_RAW},
    [CLOCK_REALTIME_COARSE] = {read_realtime, NULL, COARSE_RESOLUTION_NS, CLOCK_REALTIME_COARSE},
    [CLOCK_MONOTONIC_COARSE] = {read_monotonic, NULL, COARSE_RESOLUTION_NS, CLOCK_MONOTONIC_COARSE},
    [CLOCK_BOOTTIME] = {read_monotonic, sleep_monotonic, 1, CLOCK_MONOTONIC},
    [CLOCK_REALTIME_ALARM] = {read_alarm, NULL, 1, CLOCK_REALTIME_ALARM},
    [CLOCK_BOOTTIME_ALARM] = {read_alarm, NULL, 1, CLOCK_BOOTTIME_ALARM},
    [CLOCK_TAI] = {read_realtime, sleep_realtime, 1, CLOCK_MONOTONIC},
};

const struct clock *clock_find(int id)
{
    static const struct clock cpu_clock = {cpu_clock_read, cpu_clock_sleep, 1, 0};

    if (id < 0)
        return &cpu_clock;
    if ((unsigned)id >= array_length(clocks) || !clocks[id].read)
        return NULL;
    return &clocks[id];
}
