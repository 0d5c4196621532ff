/* eventfd2(2) and the epoll calls. */

#include <linux/fcntl.h>
#include <linux/time_types.h>

#include "fs/epoll.h"
#include "fs/eventfd.h"
#include "sys/syscall.h"
#include "sys/temporary_mask.h"

#define SECOND_NS     1000000000ull
#define EFD_SEMAPHORE 1

static int64_t install(struct file *file, bool close_on_exec)
{
    if (!file)
        return -ENOMEM;
    int64_t descriptor = file_install(file, 0, close_on_exec);

    if (descriptor < 0)
        file_put(file);
    return descriptor;
}

static int64_t create_eventfd(unsigned count, unsigned flags)
{
    if (flags & ~(unsigned)(EFD_SEMAPHORE | O_CLOEXEC | O_NONBLOCK))
        return -EINVAL;
    return install(eventfd_create(count, flags & EFD_SEMAPHORE, flags & O_NONBLOCK),
                   flags & O_CLOEXEC);
}

SYSCALL1(eventfd, unsigned, count)
{
    return create_eventfd(count, 0);
}

SYSCALL2(eventfd2, unsigned, count, unsigned, flags)
{
    return create_eventfd(count, flags);
}

SYSCALL1(epoll_create, int, size)
{
    return size <= 0 ? -EINVAL : install(epoll_create(), false);
}

SYSCALL1(epoll_create1, unsigned, flags)
{
    return flags & ~(unsigned)EPOLL_CLOEXEC ? -EINVAL
                                            : install(epoll_create(), flags & EPOLL_CLOEXEC);
}

static int control(struct file *epoll, int operation, struct file *file, int descriptor,
                   const struct epoll_event *event)
{
    if (!file->operations->poll)
        return -EPERM;
    if (file == epoll || !file_is_epoll(epoll))
        return -EINVAL;
    switch (operation) {
    case EPOLL_CTL_ADD:
        return epoll_add(epoll, file, descriptor, event);
    case EPOLL_CTL_MOD:
        return epoll_modify(epoll, file, descriptor, event);
    case EPOLL_CTL_DEL:
        return epoll_remove(epoll, file, descriptor);
    default:
        return -EINVAL;
    }
}

SYSCALL4(epoll_ctl, int, epoll_descriptor, int, operation, int, descriptor, uintptr_t, address)
{
    struct epoll_event event = {0};
    int64_t result = -EBADF;

    if (operation != EPOLL_CTL_DEL && copy_from_user(&event, address, sizeof(event)) != 0)
        return -EFAULT;
    struct file *epoll = file_from_descriptor(epoll_descriptor);

    if (!epoll)
        return -EBADF;
    struct file *file = file_from_descriptor(descriptor);

    if (file) {
        result = control(epoll, operation, file, descriptor, &event);
        file_put(file);
    }
    file_put(epoll);
    return result;
}

static int64_t wait_on(int descriptor, uintptr_t events, int count, uint64_t deadline)
{
    if (count <= 0 || count > (int)(INT32_MAX / sizeof(struct epoll_event)))
        return -EINVAL;
    if (!user_range_ok(events, count * sizeof(struct epoll_event)))
        return -EFAULT;
    struct file *epoll = file_from_descriptor(descriptor);

    if (!epoll)
        return -EBADF;
    int64_t result = -EINVAL;

    if (file_is_epoll(epoll))
        result = epoll_wait_for_events(epoll, events, count, deadline);
    file_put(epoll);
    return result;
}

static uint64_t deadline_after_ms(int timeout_ms)
{
    if (timeout_ms <= 0)
        return timeout_ms < 0 ? DEADLINE_NEVER : 0;
    return port_clock_ns() + timeout_ms * 1000000ull;
}

SYSCALL4(epoll_wait, int, descriptor, uintptr_t, events, int, count, int, timeout_ms)
{
    return wait_on(descriptor, events, count, deadline_after_ms(timeout_ms));
}

static int64_t wait_masked(int descriptor, uintptr_t events, int count, uint64_t deadline,
                           uintptr_t mask, size_t mask_size)
{
    int64_t result = temporary_mask_set(mask, mask_size);

    if (result)
        return result;
    result = wait_on(descriptor, events, count, deadline);
    temporary_mask_end(result);
    return result;
}

SYSCALL6(epoll_pwait, int, descriptor, uintptr_t, events, int, count, int, timeout_ms, uintptr_t,
         mask, size_t, mask_size)
{
    return wait_masked(descriptor, events, count, deadline_after_ms(timeout_ms), mask, mask_size);
}

SYSCALL6(epoll_pwait2, int, descriptor, uintptr_t, events, int, count, uintptr_t, timeout,
         uintptr_t, mask, size_t, mask_size)
{
    uint64_t deadline = DEADLINE_NEVER;
    struct __kernel_timespec time;

    if (timeout) {
        if (copy_from_user(&time, timeout, sizeof(time)) != 0)
            return -EFAULT;
        if (time.tv_sec < 0 || (uint64_t)time.tv_nsec >= SECOND_NS)
            return -EINVAL;
        if (time.tv_sec == 0 && time.tv_nsec == 0)
            deadline = 0;
        else if (time.tv_sec < (int64_t)(INT64_MAX / SECOND_NS - SECOND_NS))
            deadline = port_clock_ns() + time.tv_sec * SECOND_NS + time.tv_nsec;
    }
    return wait_masked(descriptor, events, count, deadline, mask, mask_size);
}
