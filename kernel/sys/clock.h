/* Clocks by their Linux numbers, those of CPU time included: what clock_gettime(2), the sleeping
 * calls and POSIX timers know of them. */
#pragma once

#include <stdint.h>

#include "lib/compiler.h"
#include "lib/errno.h"

struct clock {
    /* One of both: what it shows, in ns; or the same for clocks that may fail: -EINVAL if what a
     * CPU clock counts is gone. */
    uint64_t (*now)(void);
    int (*read)(int id, uint64_t *ns);
    /* Until the clock shows `target`. 0, or -ERESTARTSYS if interrupted; -EINVAL. NULL: it can't.
     */
    int (*sleep)(int id, uint64_t target);
    uint64_t resolution_ns;
    int relative_id; /* the clock that measures a relative sleep: setting this one must not touch it
                      */
};

#define CLOCK_COUNT 12
extern const struct clock clock_table[CLOCK_COUNT], cpu_clock;

/* NULL if there is no clock of that number; one without `now` and `read` is none either. */
static inline const struct clock *clock_find(int id)
{
    if (unlikely((unsigned)id >= CLOCK_COUNT))
        return id < 0 ? &cpu_clock : NULL;
    return &clock_table[id];
}

/* What the clock of that number shows. -EINVAL if there is none. */
static inline int clock_read(int id, uint64_t *ns)
{
    const struct clock *clock = clock_find(id);

    if (!clock)
        return -EINVAL;
    if (unlikely(!clock->now))
        return clock->read ? clock->read(id, ns) : -EINVAL;
    *ns = clock->now();
    return 0;
}

/* Clocks of the CPU time of a process or thread: the number holds its pid or tid. See
 * clock_getcpuclockid(3). */
int cpu_clock_read(int id, uint64_t *ns);
int cpu_clock_sleep(int id, uint64_t target);
