/*
 * Wall time: the monotonic clock of the machine plus an offset that clock_settime(2) moves. The
 * offset is one atomic word; any context.
 */
#pragma once

#include <stdint.h>

#include "sched/wait.h"

#define NSEC_PER_SEC  1000000000ull
#define NSEC_PER_USEC 1000ull

/* At boot, once the machine's clock runs. */
void clock_init(void);
/* ns since the epoch. */
uint64_t clock_realtime_ns(void);
/* What to add to port_clock_ns() time to get wall time. */
uint64_t clock_realtime_offset(void);
/* Sets wall time and wakes clock_set_wait. */
void clock_set_realtime(uint64_t realtime_ns);
/* Rises with each setting. Whoever waits for a wall time converts it to the monotonic clock, and
 * does so again when this has changed; clock_set_wait is woken then. */
uint64_t clock_set_count(void);
extern struct wait_queue clock_set_wait;
