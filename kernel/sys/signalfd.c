/* signalfd(2), and timerfd_create(2) with its family. */
#include "fs/signalfd.h"

#include <asm-generic/fcntl.h>
#include <linux/time.h>
#include <linux/timerfd.h>

#include "fs/timerfd.h"
#include "sys/signal_copy.h"
#include "sys/timer_copy.h"

static int64_t install(struct file *file, bool close_on_exec)
{
    int64_t descriptor;

    if (!file)
        return -ENOMEM;
    descriptor = file_install(file, 0, close_on_exec);
    if (descriptor < 0)
        file_put(file);
    return descriptor;
}

static int64_t change_signalfd(int descriptor, signal_set mask)
{
    struct file *file = file_from_descriptor(descriptor);
    int error;

    if (!file)
        return -EBADF;
    error = signalfd_set_mask(file, mask);
    file_put(file);
    return error ? error : descriptor;
}

static int64_t make_signalfd(int descriptor, uintptr_t address, size_t size, int flags)
{
    signal_set mask;
    int error = copy_signal_set_from_user(&mask, address, size);

    if (error)
        return error;
    if (flags & ~(O_CLOEXEC | O_NONBLOCK))
        return -EINVAL;
    if (descriptor != -1)
        return change_signalfd(descriptor, mask);
    return install(signalfd_create(mask, flags & O_NONBLOCK), flags & O_CLOEXEC);
}

SYSCALL3(signalfd, int, descriptor, uintptr_t, mask_address, size_t, size)
{
    return make_signalfd(descriptor, mask_address, size, 0);
}

SYSCALL4(signalfd4, int, descriptor, uintptr_t, mask_address, size_t, size, int, flags)
{
    return make_signalfd(descriptor, mask_address, size, flags);
}

SYSCALL2(timerfd_create, int, clock, int, flags)
{
    if (flags & ~(O_CLOEXEC | O_NONBLOCK))
        return -EINVAL;
    if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC && clock != CLOCK_BOOTTIME)
        return -EINVAL;
    return install(timerfd_create(clock, flags & O_NONBLOCK), flags & O_CLOEXEC);
}

/* A reference to the caller's timerfd. -EBADF -EINVAL */
static int find_timerfd(int descriptor, struct file **file)
{
    *file = file_from_descriptor(descriptor);
    if (!*file)
        return -EBADF;
    if (file_is_timerfd(*file))
        return 0;
    file_put(*file);
    return -EINVAL;
}

SYSCALL4(timerfd_settime, int, descriptor, int, flags, uintptr_t, new_address, uintptr_t,
         old_address)
{
    struct interval_setting setting;
    struct interval_setting old;
    struct file *file;
    int error = copy_itimerspec_from_user(&setting, new_address);

    if (error)
        return error;
    if (flags & ~(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET))
        return -EINVAL;
    error = find_timerfd(descriptor, &file);
    if (error)
        return error;
    timerfd_set(file, flags & TFD_TIMER_ABSTIME, flags & TFD_TIMER_CANCEL_ON_SET, &setting, &old);
    file_put(file);
    return old_address ? copy_itimerspec_to_user(old_address, &old) : 0;
}

SYSCALL2(timerfd_gettime, int, descriptor, uintptr_t, address)
{
    struct interval_setting setting;
    struct file *file;
    int error = find_timerfd(descriptor, &file);

    if (error)
        return error;
    timerfd_get(file, &setting);
    file_put(file);
    return copy_itimerspec_to_user(address, &setting);
}
