/* struct itimerspec in user memory. */
#pragma once

#include "proc/process_timers.h"
#include "sys/time_copy.h"

/* -EFAULT -EINVAL */
static inline int copy_itimerspec_from_user(struct interval_setting *setting, uintptr_t address)
{
    int error = copy_timespec_from_user(&setting->interval, address);

    if (error)
        return error;
    return copy_timespec_from_user(&setting->expiry, address + sizeof(struct __kernel_timespec));
}

static inline int copy_itimerspec_to_user(uintptr_t address, const struct interval_setting *setting)
{
    if (copy_timespec_to_user(address, setting->interval) != 0)
        return -EFAULT;
    return copy_timespec_to_user(address + sizeof(struct __kernel_timespec), setting->expiry);
}
