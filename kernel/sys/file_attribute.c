/* Calls that change a file's attributes: mode, owner, times, size. */
#include <linux/fcntl.h>
#include <linux/stat.h>
#include <linux/time.h>
#include <linux/time_types.h>

#include "fs/file.h"
#include "fs/inode.h"
#include "fs/path_walk.h"
#include "fs/regular.h"
#include "sys/path_copy.h"
#include "sys/syscall.h"

#define NANOSECONDS_PER_SECOND  1000000000l
#define MICROSECONDS_PER_SECOND 1000000l
/* utimensat(2): special values of tv_nsec. */
#define NANOSECONDS_NOW  ((1l << 30) - 1l)
#define NANOSECONDS_OMIT ((1l << 30) - 2l)

/* A reference to what the name leads to; `flags` of AT_SYMLINK_NOFOLLOW and AT_EMPTY_PATH. */
static int find_path(int directory, uintptr_t name_address, unsigned flags, struct path **found)
{
    unsigned walk_flags = flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW;
    struct user_name name;
    int error = user_name_get(&name, name_address);

    if (error)
        return error;
    if (flags & AT_EMPTY_PATH)
        walk_flags |= WALK_EMPTY;
    error = path_lookup(directory, name.text, walk_flags, found);
    user_name_put(&name);
    return error;
}

/* --- Mode --- */

static int64_t change_mode(int directory, uintptr_t name, uint32_t mode, unsigned flags)
{
    struct path *path;
    int error = find_path(directory, name, flags, &path);

    if (error)
        return error;
    error = inode_change_mode(path->inode, mode);
    path_put(path);
    return error;
}

SYSCALL2(chmod, uintptr_t, name, uint32_t, mode)
{
    return change_mode(AT_FDCWD, name, mode, 0);
}

SYSCALL3(fchmodat, int, directory, uintptr_t, name, uint32_t, mode)
{
    return change_mode(directory, name, mode, 0);
}

SYSCALL2(fchmod, int, descriptor, uint32_t, mode)
{
    struct file *file = file_from_descriptor(descriptor);

    if (!file)
        return -EBADF;
    /* The inode of a pipe or an eventfd is its file alone: the mode is nobody's business. */
    int64_t result = file->inode ? inode_change_mode(file->inode, mode) : 0;

    file_put(file);
    return result;
}

/* --- Owner --- */

static int64_t change_owner(int directory, uintptr_t name, uint32_t uid, uint32_t gid,
                            unsigned flags)
{
    struct path *path;
    int error;

    if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    error = find_path(directory, name, flags, &path);
    if (error)
        return error;
    error = inode_change_owner(path->inode, uid, gid);
    path_put(path);
    return error;
}

SYSCALL3(chown, uintptr_t, name, uint32_t, uid, uint32_t, gid)
{
    return change_owner(AT_FDCWD, name, uid, gid, 0);
}

SYSCALL3(lchown, uintptr_t, name, uint32_t, uid, uint32_t, gid)
{
    return change_owner(AT_FDCWD, name, uid, gid, AT_SYMLINK_NOFOLLOW);
}

SYSCALL5(fchownat, int, directory, uintptr_t, name, uint32_t, uid, uint32_t, gid, unsigned, flags)
{
    return change_owner(directory, name, uid, gid, flags);
}

SYSCALL3(fchown, int, descriptor, uint32_t, uid, uint32_t, gid)
{
    struct file *file = file_from_descriptor(descriptor);

    if (!file)
        return -EBADF;
    int64_t result = file->inode ? inode_change_owner(file->inode, uid, gid) : 0;

    file_put(file);
    return result;
}

/* --- Times --- */

static int64_t change_times_of_file(int descriptor, const struct time_change changes[2])
{
    struct file *file = file_from_descriptor(descriptor);

    if (!file)
        return -EBADF;
    int64_t result = file->inode ? inode_change_times(file->inode, &changes[0], &changes[1]) : 0;

    file_put(file);
    return result;
}

static int64_t change_times(int directory, uintptr_t name, const struct time_change changes[2],
                            unsigned flags)
{
    struct path *path;
    int error;

    if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    if (!name && directory != AT_FDCWD)
        return flags ? -EINVAL : change_times_of_file(directory, changes);
    error = find_path(directory, name, flags, &path);
    if (error)
        return error;
    error = inode_change_times(path->inode, &changes[0], &changes[1]);
    path_put(path);
    return error;
}

static const struct time_change both_now[2] = {{.how = TIME_NOW}, {.how = TIME_NOW}};

static int convert_timespec(const struct __kernel_timespec *time, struct time_change *change)
{
    change->how = TIME_SET;
    change->time.seconds = time->tv_sec;
    change->time.nanoseconds = time->tv_nsec;
    if (time->tv_nsec == NANOSECONDS_NOW)
        change->how = TIME_NOW;
    else if (time->tv_nsec == NANOSECONDS_OMIT)
        change->how = TIME_OMIT;
    else if (time->tv_nsec < 0 || time->tv_nsec >= NANOSECONDS_PER_SECOND)
        return -EINVAL;
    return 0;
}

SYSCALL4(utimensat, int, directory, uintptr_t, name, uintptr_t, times_address, unsigned, flags)
{
    struct __kernel_timespec times[2];
    struct time_change changes[2];

    if (!times_address)
        return change_times(directory, name, both_now, flags);
    if (copy_from_user(times, times_address, sizeof(times)))
        return -EFAULT;
    for (int i = 0; i < 2; i++)
        if (convert_timespec(&times[i], &changes[i]))
            return -EINVAL;
    if (changes[0].how == TIME_OMIT && changes[1].how == TIME_OMIT)
        return 0;
    return change_times(directory, name, changes, flags);
}

static int64_t change_times_old(int directory, uintptr_t name, uintptr_t times_address)
{
    struct timeval times[2];
    struct time_change changes[2];

    if (!times_address)
        return change_times(directory, name, both_now, 0);
    if (copy_from_user(times, times_address, sizeof(times)))
        return -EFAULT;
    for (int i = 0; i < 2; i++) {
        if (times[i].tv_usec < 0 || times[i].tv_usec >= MICROSECONDS_PER_SECOND)
            return -EINVAL;
        changes[i].how = TIME_SET;
        changes[i].time.seconds = times[i].tv_sec;
        changes[i].time.nanoseconds = times[i].tv_usec * 1000;
    }
    return change_times(directory, name, changes, 0);
}

SYSCALL2(utimes, uintptr_t, name, uintptr_t, times)
{
    return change_times_old(AT_FDCWD, name, times);
}

SYSCALL3(futimesat, int, directory, uintptr_t, name, uintptr_t, times)
{
    return change_times_old(directory, name, times);
}

SYSCALL2(utime, uintptr_t, name, uintptr_t, times_address)
{
    struct time_change changes[2];
    int64_t times[2]; /* struct utimbuf */

    if (!times_address)
        return change_times(AT_FDCWD, name, both_now, 0);
    if (copy_from_user(times, times_address, sizeof(times)))
        return -EFAULT;
    for (int i = 0; i < 2; i++)
        changes[i] = (struct time_change){.how = TIME_SET, .time.seconds = times[i]};
    return change_times(AT_FDCWD, name, changes, 0);
}

/* --- Size --- */

static int truncate_path(struct inode *inode, uint64_t size)
{
    int error;

    if (inode_is(inode, S_IFDIR))
        return -EISDIR;
    if (!inode_is(inode, S_IFREG))
        return -EINVAL;
    error = inode_check_access(inode, MAY_WRITE, file_credentials());
    if (!error)
        error = inode_get_write(inode);
    if (error)
        return error;
    error = inode_truncate(inode, size);
    inode_put_write(inode);
    return error;
}

SYSCALL2(truncate, uintptr_t, name, int64_t, size)
{
    struct path *path;
    int error;

    if (size < 0)
        return -EINVAL;
    error = find_path(AT_FDCWD, name, 0, &path);
    if (error)
        return error;
    error = truncate_path(path->inode, size);
    path_put(path);
    return error;
}

SYSCALL2(ftruncate, int, descriptor, int64_t, size)
{
    struct file *file;
    int64_t result = -EINVAL;

    if (size < 0)
        return -EINVAL;
    file = file_from_descriptor(descriptor);
    if (!file)
        return -EBADF;
    if (file_is_writable(file) && file->operations->truncate)
        result = file->operations->truncate(file, size);
    file_put(file);
    return result;
}

SYSCALL4(fallocate, int, descriptor, unsigned, mode, int64_t, offset, int64_t, length)
{
    struct file *file = file_from_descriptor(descriptor);

    if (!file)
        return -EBADF;
    int64_t result = regular_allocate(file, mode, offset, length);

    file_put(file);
    return result;
}
