/* Times in user memory. */
#pragma once

#include <linux/time.h>
#include <linux/time_types.h>

#include "sched/clock.h"
#include "sys/syscall.h"

/* Later than this is never: Linux's KTIME_MAX. */
#define TIME_NS_MAX INT64_MAX

/* 0, -EFAULT, -EINVAL (negative, or a fraction of a second or more). Saturates at TIME_NS_MAX. */
static inline int copy_timespec_from_user(uint64_t *ns, uintptr_t address)
{
    struct __kernel_timespec time;

    if (copy_from_user(&time, address, sizeof(time)) != 0)
        return -EFAULT;
    if (time.tv_sec < 0 || (uint64_t)time.tv_nsec >= NSEC_PER_SEC)
        return -EINVAL;
    if ((uint64_t)time.tv_sec >= TIME_NS_MAX / NSEC_PER_SEC)
        *ns = TIME_NS_MAX;
    else
        *ns = (uint64_t)time.tv_sec * NSEC_PER_SEC + (uint64_t)time.tv_nsec;
    return 0;
}

static inline int copy_timespec_to_user(uintptr_t address, uint64_t ns)
{
    struct __kernel_timespec time = {.tv_sec = (int64_t)(ns / NSEC_PER_SEC),
                                     .tv_nsec = (int64_t)(ns % NSEC_PER_SEC)};

    return copy_to_user(address, &time, sizeof(time));
}
