/* read, write and their relatives with vectors and offsets; lseek. */
#include <linux/fs.h>
#include <linux/uio.h>

#include "fs/file.h"
#include "fs/user_vector.h"
#include "mm/slab.h"
#include "sys/syscall.h"
#include "sys/transfer_count.h"

SYSCALL3(read, int, descriptor, uintptr_t, buffer, size_t, size)
{
    struct file *file = file_from_descriptor(descriptor);

    if (unlikely(!file))
        return -EBADF;
    int64_t result = count_read(file_read(file, buffer, size));

    file_put(file);
    return result;
}

SYSCALL3(write, int, descriptor, uintptr_t, buffer, size_t, size)
{
    struct file *file = file_from_descriptor(descriptor);

    if (unlikely(!file))
        return -EBADF;
    int64_t result = count_write(file_write(file, buffer, size));

    file_put(file);
    return result;
}

SYSCALL4(pread64, int, descriptor, uintptr_t, buffer, size_t, size, int64_t, offset)
{
    struct file *file;

    if (offset < 0)
        return -EINVAL;
    file = file_from_descriptor(descriptor);
    if (!file)
        return -EBADF;
    int64_t result = count_read(file_read_at(file, buffer, size, offset));

    file_put(file);
    return result;
}

SYSCALL4(pwrite64, int, descriptor, uintptr_t, buffer, size_t, size, int64_t, offset)
{
    struct file *file;

    if (offset < 0)
        return -EINVAL;
    file = file_from_descriptor(descriptor);
    if (!file)
        return -EBADF;
    int64_t result = count_write(file_write_at(file, buffer, size, offset));

    file_put(file);
    return result;
}

/* --- Vectors --- */

#define INLINE_SEGMENTS 8

struct segment_list {
    struct iovec inline_segments[INLINE_SEGMENTS];
    struct iovec *segments;
    size_t count;
};

/* Checks the segments, and cuts their sum to what one transfer may be. -EINVAL -EFAULT */
static int check_segments(struct segment_list *list)
{
    size_t room = FILE_TRANSFER_MAX;

    for (size_t i = 0; i < list->count; i++) {
        struct iovec *segment = &list->segments[i];

        if ((int64_t)segment->iov_len < 0)
            return -EINVAL;
        if (!user_range_ok((uintptr_t)segment->iov_base, segment->iov_len))
            return -EFAULT;
        if (segment->iov_len > room)
            segment->iov_len = room;
        room -= segment->iov_len;
    }
    return 0;
}

static void free_segments(struct segment_list *list)
{
    if (list->segments != list->inline_segments)
        kfree(list->segments);
}

static int get_segments(struct segment_list *list, uintptr_t address, size_t count)
{
    int error;

    if (count > UIO_MAXIOV)
        return -EINVAL;
    list->count = count;
    list->segments =
        count <= INLINE_SEGMENTS ? list->inline_segments : kmalloc(count * sizeof(struct iovec));
    if (!list->segments)
        return -ENOMEM;
    error = copy_from_user(list->segments, address, count * sizeof(struct iovec));
    if (!error)
        error = check_segments(list);
    if (error)
        free_segments(list);
    return error;
}

typedef int64_t vector_call(struct file *file, struct user_vector *vector, const int64_t *offset);

static int64_t transfer(int descriptor, uintptr_t address, size_t count, const int64_t *offset,
                        vector_call *call)
{
    struct segment_list list;
    struct file *file;
    int64_t result;

    if (offset && *offset < 0)
        return -EINVAL;
    file = file_from_descriptor(descriptor);
    if (!file)
        return -EBADF;
    result = offset && !file_has_position(file) ? -ESPIPE : get_segments(&list, address, count);
    if (!result) {
        struct user_vector vector = user_vector_of(list.segments, list.count);

        result = call(file, &vector, offset);
        free_segments(&list);
    }
    file_put(file);
    return result;
}

SYSCALL3(readv, int, descriptor, uintptr_t, segments, size_t, count)
{
    return count_read(transfer(descriptor, segments, count, NULL, file_read_vector));
}

SYSCALL3(writev, int, descriptor, uintptr_t, segments, size_t, count)
{
    return count_write(transfer(descriptor, segments, count, NULL, file_write_vector));
}

SYSCALL4(preadv, int, descriptor, uintptr_t, segments, size_t, count, int64_t, offset)
{
    return count_read(transfer(descriptor, segments, count, &offset, file_read_vector));
}

SYSCALL4(pwritev, int, descriptor, uintptr_t, segments, size_t, count, int64_t, offset)
{
    return count_write(transfer(descriptor, segments, count, &offset, file_write_vector));
}

/* What changes nothing here: there is no slower storage to wait for or to poll. */
#define RWF_HARMLESS (RWF_HIPRI | RWF_DSYNC | RWF_SYNC)

static int64_t transfer_with_flags(int descriptor, uintptr_t segments, size_t count, int64_t offset,
                                   unsigned flags, vector_call *call)
{
    if (flags & ~(unsigned)RWF_HARMLESS)
        return -EOPNOTSUPP;
    return transfer(descriptor, segments, count, offset == -1 ? NULL : &offset, call);
}

SYSCALL6(preadv2, int, descriptor, uintptr_t, segments, size_t, count, int64_t, offset, uint64_t,
         unused, unsigned, flags)
{
    return count_read(
        transfer_with_flags(descriptor, segments, count, offset, flags, file_read_vector));
}

SYSCALL6(pwritev2, int, descriptor, uintptr_t, segments, size_t, count, int64_t, offset, uint64_t,
         unused, unsigned, flags)
{
    return count_write(
        transfer_with_flags(descriptor, segments, count, offset, flags, file_write_vector));
}

SYSCALL3(lseek, int, descriptor, int64_t, offset, unsigned, whence)
{
    struct file *file = file_from_descriptor(descriptor);

    if (!file)
        return -EBADF;
    int64_t result = whence > SEEK_MAX ? -EINVAL : file_seek(file, offset, whence);

    file_put(file);
    return result;
}
