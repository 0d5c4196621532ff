/* sendfile and copy_file_range: from file to file through a page of the kernel's. */
#include <linux/fcntl.h>

#include "fs/file.h"
#include "fs/inode.h"
#include "fs/regular.h"
#include "fs/user_vector.h"
#include "mm/frame.h"
#include "sched/sched.h"
#include "sys/syscall.h"
#include "sys/transfer_count.h"

/* Bytes for one turn: a larger piece would gain little over the copying itself. */
#define PIECE_SIZE PAGE_SIZE

static bool is_regular(const struct file *file)
{
    return file->operations == &regular_operations;
}

/* Writes a kernel buffer to the file at *position. */
static int64_t write_piece(struct file *file, void *buffer, size_t size, uint64_t *position)
{
    struct user_vector vector = user_vector_of_kernel(buffer, size);

    return file->operations->write_vector(file, &vector, position);
}

/* Copies through `buffer` until the source ends, the destination takes less, or an error. Moves
 * both positions by what was copied. */
static int64_t copy_through(void *buffer, struct file *in, uint64_t *in_position, struct file *out,
                            uint64_t *out_position, size_t size)
{
    size_t done = 0;

    while (done < size) {
        size_t part = size - done < PIECE_SIZE ? size - done : PIECE_SIZE;
        size_t got = page_cache_read_kernel(&in->inode->cache, buffer, part, *in_position);

        if (got == 0)
            break;
        int64_t written = write_piece(out, buffer, got, out_position);

        if (written < 0)
            return done > 0 ? (int64_t)done : written;
        *in_position += written;
        done += written;
        if ((size_t)written < got)
            break;
        sched_point();
    }
    return done;
}

static int64_t copy_piecewise(struct file *in, uint64_t *in_position, struct file *out,
                              uint64_t *out_position, size_t size)
{
    physical_t frame = frame_alloc();

    if (!frame)
        return -ENOMEM;
    int64_t result = copy_through(frame_address(frame), in, in_position, out, out_position, size);

    frame_put(frame);
    if (result > 0)
        inode_touch_accessed(in->inode);
    return result;
}

/* An offset that the program passes by address, or the file's own position. */
struct offset {
    uintptr_t address; /* 0: the file's own */
    struct file *file;
    uint64_t value;
};

static int offset_begin(struct offset *offset)
{
    if (offset->address)
        return copy_from_user(&offset->value, offset->address, sizeof(offset->value));
    offset->value = offset->file->position;
    return 0;
}

static int offset_end(const struct offset *offset)
{
    if (offset->address)
        return copy_to_user(offset->address, &offset->value, sizeof(offset->value));
    mutex_lock(&offset->file->position_lock);
    offset->file->position = offset->value;
    mutex_unlock(&offset->file->position_lock);
    return 0;
}

static int64_t copy_between(struct offset *in, struct offset *out, size_t size)
{
    int64_t result = offset_begin(in);

    if (!result)
        result = offset_begin(out);
    if (result)
        return result;
    if ((int64_t)in->value < 0 || (int64_t)out->value < 0)
        return -EINVAL;
    if (size > FILE_TRANSFER_MAX)
        size = FILE_TRANSFER_MAX;
    result = copy_piecewise(in->file, &in->value, out->file, &out->value, size);
    if (result > 0 && (offset_end(in) || offset_end(out)))
        return -EFAULT;
    return result;
}

static int check_send(const struct file *in, const struct file *out)
{
    if (!file_is_readable(in) || !file_is_writable(out))
        return -EBADF;
    if (!is_regular(in) || !out->operations->write_vector)
        return -EINVAL;
    return is_regular(out) && out->flags & O_APPEND ? -EINVAL : 0;
}

/* Both files by reference; NULL for both if one is not open. */
static bool get_files(int in, int out, struct file *files[2])
{
    files[0] = file_from_descriptor(in);
    files[1] = file_from_descriptor(out);
    if (files[0] && files[1])
        return true;
    if (files[0])
        file_put(files[0]);
    if (files[1])
        file_put(files[1]);
    return false;
}

SYSCALL4(sendfile, int, out, int, in, uintptr_t, offset_address, size_t, size)
{
    struct file *files[2];

    if (!get_files(in, out, files))
        return -EBADF;
    struct offset in_offset = {.file = files[0], .address = offset_address};
    struct offset out_offset = {.file = files[1]};
    int64_t result = check_send(files[0], files[1]);

    if (!result)
        result = count_write(count_read(copy_between(&in_offset, &out_offset, size)));
    file_put(files[0]);
    file_put(files[1]);
    return result;
}

static int check_copy(const struct file *in, const struct file *out)
{
    if (!is_regular(in) || !is_regular(out)) {
        bool has_directory = (in->inode && inode_is(in->inode, S_IFDIR)) ||
                             (out->inode && inode_is(out->inode, S_IFDIR));

        return has_directory ? -EISDIR : -EINVAL;
    }
    if (!file_is_readable(in) || !file_is_writable(out) || out->flags & O_APPEND)
        return -EBADF;
    return 0;
}

/* Within one file the ranges must not overlap. */
static int check_overlap(struct offset *in, struct offset *out, size_t size)
{
    int error = offset_begin(in);

    if (!error)
        error = offset_begin(out);
    if (error || in->file->inode != out->file->inode)
        return error;
    uint64_t distance = in->value > out->value ? in->value - out->value : out->value - in->value;

    return distance < size ? -EINVAL : 0;
}

SYSCALL6(copy_file_range, int, in, uintptr_t, in_address, int, out, uintptr_t, out_address, size_t,
         size, unsigned, flags)
{
    struct file *files[2];

    if (!get_files(in, out, files))
        return -EBADF;
    struct offset in_offset = {.file = files[0], .address = in_address};
    struct offset out_offset = {.file = files[1], .address = out_address};
    int64_t result = flags ? -EINVAL : check_copy(files[0], files[1]);

    if (!result)
        result = check_overlap(&in_offset, &out_offset, size);
    if (!result)
        result = count_write(count_read(copy_between(&in_offset, &out_offset, size)));
    file_put(files[0]);
    file_put(files[1]);
    return result;
}
