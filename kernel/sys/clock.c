/* The table of clocks. Constant; any thread. */
#include "sys/clock.h"

#include <linux/time.h>

#include "sched/clock.h"
#include "sys/syscall.h"

/* As Linux with a tick of 4 ms shows it; Kin's coarse clocks are exact all the same. */
#define COARSE_RESOLUTION_NS 4000000

/* Clocks that would wake a suspended machine: known, but without the chip for it, as on Linux. */
static int read_alarm(int id, uint64_t *ns)
{
    return -EINVAL;
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

const struct clock clock_table[CLOCK_COUNT] = {
    [CLOCK_REALTIME] = {clock_realtime_ns, NULL, sleep_realtime, 1, CLOCK_MONOTONIC},
    [CLOCK_MONOTONIC] = {port_clock_ns, NULL, sleep_monotonic, 1, CLOCK_MONOTONIC},
    [CLOCK_PROCESS_CPUTIME_ID] = {NULL, cpu_clock_read, cpu_clock_sleep, 1,
                                  CLOCK_PROCESS_CPUTIME_ID},
    [CLOCK_THREAD_CPUTIME_ID] = {NULL, cpu_clock_read, NULL, 1, 0},
    [CLOCK_MONOTONIC_RAW] = {port_clock_ns, NULL, NULL, 1, 0},
    [CLOCK_REALTIME_COARSE] = {clock_realtime_ns, NULL, NULL, COARSE_RESOLUTION_NS, 0},
    [CLOCK_MONOTONIC_COARSE] = {port_clock_ns, NULL, NULL, COARSE_RESOLUTION_NS, 0},
    [CLOCK_BOOTTIME] = {port_clock_ns, NULL, sleep_monotonic, 1, CLOCK_MONOTONIC},
    [CLOCK_REALTIME_ALARM] = {NULL, read_alarm, NULL, 1, 0},
    [CLOCK_BOOTTIME_ALARM] = {NULL, read_alarm, NULL, 1, 0},
    [CLOCK_TAI] = {clock_realtime_ns, NULL, sleep_realtime, 1, CLOCK_MONOTONIC},
};

const struct clock cpu_clock = {NULL, cpu_clock_read, cpu_clock_sleep, 1, 0};
