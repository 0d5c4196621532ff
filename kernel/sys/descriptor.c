/* dup, fcntl, ioctl, flock: calls about descriptors, whatever they name. */
#include <asm/ioctls.h>
#include <linux/fcntl.h>

#include "fs/file.h"
#include "fs/file_lock.h"
#include "fs/file_table.h"
#include "fs/inode.h"
#include "fs/pipe.h"
#include "proc/process.h"
#include "proc/rlimit.h"
#include "sys/syscall.h"

/* --- dup --- */

static int64_t install_duplicate(struct file *file, int minimum, bool close_on_exec)
{
    file_get(file);
    int64_t duplicate = file_install(file, minimum, close_on_exec);

    if (duplicate < 0)
        file_put(file);
    return duplicate;
}

SYSCALL1(dup, int, descriptor)
{
    struct file *file = file_from_descriptor_or_path(descriptor);

    if (!file)
        return -EBADF;
    int64_t duplicate = file_install(file, 0, false);

    if (duplicate < 0)
        file_put(file);
    return duplicate;
}

static int64_t replace(int descriptor, int target, bool close_on_exec)
{
    struct file *file;

    if (target < 0 || (uint64_t)target >= rlimit_soft(current_process(), RLIMIT_NOFILE))
        return -EBADF;
    file = file_from_descriptor_or_path(descriptor);
    if (!file)
        return -EBADF;
    int error = file_table_replace(target, file, close_on_exec);

    if (error)
        file_put(file);
    return error ? error : target;
}

SYSCALL2(dup2, int, descriptor, int, target)
{
    if (descriptor == target)
        return file_table_get_close_on_exec(descriptor) < 0 ? -EBADF : target;
    return replace(descriptor, target, false);
}

SYSCALL3(dup3, int, descriptor, int, target, unsigned, flags)
{
    if (flags & ~(unsigned)O_CLOEXEC || descriptor == target)
        return -EINVAL;
    return replace(descriptor, target, flags & O_CLOEXEC);
}

/* --- fcntl --- */

/* What F_SETFL can change. */
#define STATUS_FLAGS (O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME | FASYNC)

static int64_t set_status_flags(struct file *file, uint32_t flags)
{
    uint32_t old = atomic_load(&file->flags), changed;

    if ((flags ^ old) & O_NOATIME && flags & O_NOATIME && file->inode &&
        !inode_is_owned(file->inode, file_credentials()))
        return -EPERM;
    do {
        changed = (old & ~(uint32_t)STATUS_FLAGS) | (flags & STATUS_FLAGS);
    } while (!atomic_compare_exchange_weak(&file->flags, &old, changed));
    return 0;
}

static int64_t duplicate_from(struct file *file, uint64_t minimum, bool close_on_exec)
{
    if (minimum > INT32_MAX || minimum >= rlimit_soft(current_process(), RLIMIT_NOFILE))
        return -EINVAL;
    return install_duplicate(file, minimum, close_on_exec);
}

static int64_t query_lock(struct file *file, uintptr_t address, bool of_description)
{
    struct flock lock;
    int error = copy_from_user(&lock, address, sizeof(lock));

    if (!error)
        error = file_lock_query(file, of_description, &lock);
    return error ? error : copy_to_user(address, &lock, sizeof(lock));
}

static int64_t set_lock(struct file *file, uintptr_t address, bool of_description, bool wait)
{
    struct flock lock;
    int error = copy_from_user(&lock, address, sizeof(lock));

    return error ? error : file_lock_range(file, of_description, wait, &lock);
}

static int64_t control_file(struct file *file, unsigned command, uint64_t argument)
{
    switch (command) {
    case F_SETFL:
        return set_status_flags(file, argument);
    case F_GETLK:
    case F_OFD_GETLK:
        return query_lock(file, argument, command == F_OFD_GETLK);
    case F_SETLK:
    case F_SETLKW:
        return set_lock(file, argument, false, command == F_SETLKW);
    case F_OFD_SETLK:
    case F_OFD_SETLKW:
        return set_lock(file, argument, true, command == F_OFD_SETLKW);
    case F_GETPIPE_SZ:
        return pipe_get_size(file);
    case F_SETPIPE_SZ:
        return pipe_set_size(file, (uint32_t)argument);
    default:
        return -EINVAL;
    }
}

SYSCALL3(fcntl, int, descriptor, unsigned, command, uint64_t, argument)
{
    struct file *file = file_from_descriptor_or_path(descriptor);
    int64_t result;

    if (!file)
        return -EBADF;
    switch (command) {
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
        result = duplicate_from(file, argument, command == F_DUPFD_CLOEXEC);
        break;
    case F_GETFD:
        result = file_table_get_close_on_exec(descriptor);
        break;
    case F_SETFD:
        result = file_table_set_close_on_exec(descriptor, argument & FD_CLOEXEC);
        break;
    case F_GETFL:
        result = atomic_load(&file->flags);
        break;
    default:
        result = file->flags & O_PATH ? -EBADF : control_file(file, command, argument);
        break;
    }
    file_put(file);
    return result;
}

/* --- ioctl --- */

static int64_t set_nonblocking(struct file *file, uintptr_t address)
{
    int on;
    int error = copy_from_user(&on, address, sizeof(on));

    if (error)
        return error;
    if (on)
        atomic_fetch_or(&file->flags, O_NONBLOCK);
    else
        atomic_fetch_and(&file->flags, ~(uint32_t)O_NONBLOCK);
    return 0;
}

static int64_t control_device(struct file *file, int descriptor, unsigned command,
                              uintptr_t argument)
{
    switch (command) {
    case FIOCLEX:
    case FIONCLEX:
        return file_table_set_close_on_exec(descriptor, command == FIOCLEX);
    case FIONBIO:
        return set_nonblocking(file, argument);
    default:
        return file->operations->ioctl ? file->operations->ioctl(file, command, argument) : -ENOTTY;
    }
}

SYSCALL3(ioctl, int, descriptor, unsigned, command, uintptr_t, argument)
{
    struct file *file = file_from_descriptor(descriptor);

    if (!file)
        return -EBADF;
    int64_t result = control_device(file, descriptor, command, argument);

    if (result >= 0)
        thread_count(COUNT_CONTROLS, 1);

    file_put(file);
    return result;
}

SYSCALL2(flock, int, descriptor, unsigned, operation)
{
    struct file *file = file_from_descriptor(descriptor);

    if (!file)
        return -EBADF;
    int64_t result = file_lock_whole(file, operation);

    file_put(file);
    return result;
}
