/* Reading and setting the clocks. */
#include "proc/process.h"
#include "sys/clock.h"
#include "sys/time_copy.h"

#define TIME_MAX_SECONDS (INT64_MAX / NSEC_PER_SEC - 1)

SYSCALL2(clock_gettime, int, id, uintptr_t, address)
{
    uint64_t now;

    if (clock_read(id, &now) != 0)
        return -EINVAL;
    return copy_timespec_to_user(address, now);
}

SYSCALL2(clock_getres, int, id, uintptr_t, address)
{
    uint64_t now;

    /* CPU clocks: the process or thread must be there. */
    if (clock_read(id, &now) != 0)
        return -EINVAL;
    return address ? copy_timespec_to_user(address, clock_find(id)->resolution_ns) : 0;
}

static int set_realtime(uint64_t seconds, uint64_t nanoseconds)
{
    if (seconds > TIME_MAX_SECONDS || nanoseconds >= NSEC_PER_SEC)
        return -EINVAL;
    if (!credentials_is_privileged(current_credentials()))
        return -EPERM;
    /* The machine must not have been started before 1970. */
    if (seconds * NSEC_PER_SEC + nanoseconds < port_clock_ns())
        return -EINVAL;
    clock_set_realtime(seconds * NSEC_PER_SEC + nanoseconds);
    return 0;
}

SYSCALL2(clock_settime, int, id, uintptr_t, address)
{
    struct __kernel_timespec time;
    uint64_t now;

    if (id >= 0 && id != CLOCK_REALTIME)
        return -EINVAL;
    if (copy_from_user(&time, address, sizeof(time)) != 0)
        return -EFAULT;
    if (id < 0)
        return cpu_clock_read(id, &now) == 0 ? -EPERM : -EINVAL;
    return set_realtime((uint64_t)time.tv_sec, (uint64_t)time.tv_nsec);
}

static int copy_no_timezone(uintptr_t address)
{
    struct timezone timezone = {0};

    return copy_to_user(address, &timezone, sizeof(timezone));
}

SYSCALL2(gettimeofday, uintptr_t, address, uintptr_t, timezone_address)
{
    uint64_t now = clock_realtime_ns();
    struct __kernel_old_timeval time = {.tv_sec = (__kernel_long_t)(now / NSEC_PER_SEC),
                                        .tv_usec =
                                            (__kernel_long_t)(now % NSEC_PER_SEC / NSEC_PER_USEC)};

    if (address && copy_to_user(address, &time, sizeof(time)) != 0)
        return -EFAULT;
    return timezone_address ? copy_no_timezone(timezone_address) : 0;
}

SYSCALL2(settimeofday, uintptr_t, address, uintptr_t, timezone_address)
{
    struct __kernel_old_timeval time;
    struct timezone timezone;

    if (address && copy_from_user(&time, address, sizeof(time)) != 0)
        return -EFAULT;
    if (address && (uint64_t)time.tv_usec > NSEC_PER_SEC / NSEC_PER_USEC)
        return -EINVAL;
    if (timezone_address && copy_from_user(&timezone, timezone_address, sizeof(timezone)) != 0)
        return -EFAULT;
    if (!address)
        return credentials_is_privileged(current_credentials()) ? 0 : -EPERM;
    return set_realtime((uint64_t)time.tv_sec, (uint64_t)time.tv_usec * NSEC_PER_USEC);
}

SYSCALL1(time, uintptr_t, address)
{
    __kernel_old_time_t now = (__kernel_old_time_t)(clock_realtime_ns() / NSEC_PER_SEC);

    if (address && copy_to_user(address, &now, sizeof(now)) != 0)
        return -EFAULT;
    return now;
}
