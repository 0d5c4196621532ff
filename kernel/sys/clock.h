/* Clocks by their Linux numbers, those of CPU time included: what clock_gettime(2), the sleeping calls
 * and POSIX timers know of them. */
#pragma once

#include <stdint.h>

#include "lib/compiler.h"

struct clock {
    /* -EINVAL if what a CPU clock counts is gone. */
    int (*read)(int id, uint64_t *ns);
    /* Until the clock shows `target`. 0, or -ERESTARTSYS if interrupted; -EINVAL. NULL: it can't. */
    int (*sleep)(int id, uint64_t target);
    uint64_t resolution_ns;
    int relative_id; /* the clock that measures a relative sleep: setting this one must not touch it */
};

/* NULL if there is no clock of that number. */
const struct clock *clock_find(int id);

/* Clocks of the CPU time of a process or thread: the number holds its pid or tid. See
 * clock_getcpuclockid(3). */
int cpu_clock_read(int id, uint64_t *ns);
int cpu_clock_sleep(int id, uint64_t target);
