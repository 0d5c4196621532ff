/* Timers that are read: timerfd_create(2). */
#pragma once

#include "fs/file.h"
#include "proc/process_timers.h"

/* `clock`: CLOCK_REALTIME, CLOCK_MONOTONIC or CLOCK_BOOTTIME. `flags`: O_NONBLOCK. NULL if memory
 * is short. */
struct file *timerfd_create(int clock, uint32_t flags) MUST_CHECK;
bool file_is_timerfd(const struct file *file);
/* Times in ns; expiry 0 disarms. With `cancel_on_set`, setting the clock makes reads fail with
 * -ECANCELED. */
void timerfd_set(struct file *file, bool absolute, bool cancel_on_set,
                 const struct interval_setting *new_setting, struct interval_setting *old);
void timerfd_get(struct file *file, struct interval_setting *setting);
