/*
 * Calls about storage behind a file: there is none, memory is all. What is left of them is their
 * checks. Extended attributes are not kept: the answers are those of a file system without them.
 */
#include <linux/fadvise.h>
#include <linux/fcntl.h>
#include <linux/fs.h>

#include "fs/file.h"
#include "fs/inode.h"
#include "fs/path_walk.h"
#include "sys/path_copy.h"
#include "sys/syscall.h"

static bool has_storage(const struct file *file)
{
    return file->inode && (inode_is(file->inode, S_IFREG) || inode_is(file->inode, S_IFDIR));
}

static int64_t sync_file(int descriptor)
{
    struct file *file = file_from_descriptor(descriptor);

    if (!file)
        return -EBADF;
    int64_t result = has_storage(file) ? 0 : -EINVAL;

    file_put(file);
    return result;
}

SYSCALL1(fsync, int, descriptor)
{
    return sync_file(descriptor);
}

SYSCALL1(fdatasync, int, descriptor)
{
    return sync_file(descriptor);
}

SYSCALL0(sync)
{
    return 0;
}

SYSCALL1(syncfs, int, descriptor)
{
    struct file *file = file_from_descriptor(descriptor);

    if (!file)
        return -EBADF;
    file_put(file);
    return 0;
}

SYSCALL4(sync_file_range, int, descriptor, int64_t, offset, int64_t, length, unsigned, flags)
{
    const unsigned known =
        SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
    struct file *file = file_from_descriptor(descriptor);
    int64_t end;

    if (!file)
        return -EBADF;
    int64_t result = has_storage(file) ? 0 : -ESPIPE;

    if ((flags & ~known) || offset < 0 || __builtin_add_overflow(offset, length, &end) ||
        end < offset)
        result = -EINVAL;
    file_put(file);
    return result;
}

SYSCALL4(fadvise64, int, descriptor, int64_t, offset, int64_t, length, int, advice)
{
    struct file *file = file_from_descriptor(descriptor);
    int64_t result = 0;

    if (!file)
        return -EBADF;
    if (!file_has_position(file))
        result = -ESPIPE;
    else if (length < 0 || advice < POSIX_FADV_NORMAL || advice > POSIX_FADV_NOREUSE)
        result = -EINVAL;
    file_put(file);
    return result;
}

SYSCALL3(readahead, int, descriptor, int64_t, offset, size_t, count)
{
    struct file *file = file_from_descriptor(descriptor);

    if (!file)
        return -EBADF;
    int64_t result = -EBADF;

    if (file_is_readable(file))
        result = file->inode && inode_is(file->inode, S_IFREG) ? 0 : -EINVAL;
    file_put(file);
    return result;
}

/* --- Extended attributes --- */

/* `answer`, if the name leads to something. */
static int64_t answer_for_name(uintptr_t name_address, unsigned walk_flags, int64_t answer)
{
    struct user_name name;
    struct path *path;
    int error = user_name_get(&name, name_address);

    if (error)
        return error;
    error = path_lookup(AT_FDCWD, name.text, walk_flags, &path);
    user_name_put(&name);
    if (error)
        return error;
    path_put(path);
    return answer;
}

static int64_t answer_for_descriptor(int descriptor, int64_t answer)
{
    struct file *file = file_from_descriptor(descriptor);

    if (!file)
        return -EBADF;
    file_put(file);
    return answer;
}

SYSCALL1(getxattr, uintptr_t, name)
{
    return answer_for_name(name, WALK_FOLLOW, -EOPNOTSUPP);
}

SYSCALL1(lgetxattr, uintptr_t, name)
{
    return answer_for_name(name, 0, -EOPNOTSUPP);
}

SYSCALL1(fgetxattr, int, descriptor)
{
    return answer_for_descriptor(descriptor, -EOPNOTSUPP);
}

SYSCALL1(setxattr, uintptr_t, name)
{
    return answer_for_name(name, WALK_FOLLOW, -EOPNOTSUPP);
}

SYSCALL1(lsetxattr, uintptr_t, name)
{
    return answer_for_name(name, 0, -EOPNOTSUPP);
}

SYSCALL1(fsetxattr, int, descriptor)
{
    return answer_for_descriptor(descriptor, -EOPNOTSUPP);
}

SYSCALL1(removexattr, uintptr_t, name)
{
    return answer_for_name(name, WALK_FOLLOW, -EOPNOTSUPP);
}

SYSCALL1(lremovexattr, uintptr_t, name)
{
    return answer_for_name(name, 0, -EOPNOTSUPP);
}

SYSCALL1(fremovexattr, int, descriptor)
{
    return answer_for_descriptor(descriptor, -EOPNOTSUPP);
}

SYSCALL1(listxattr, uintptr_t, name)
{
    return answer_for_name(name, WALK_FOLLOW, 0);
}

SYSCALL1(llistxattr, uintptr_t, name)
{
    return answer_for_name(name, 0, 0);
}

SYSCALL1(flistxattr, int, descriptor)
{
    return answer_for_descriptor(descriptor, 0);
}
