/*
 * Open file descriptions: their life, and reading, writing and seeking through their operations.
 *
 * The reference count and the flags are atomic; the position is guarded by position_lock, which is
 * held across the operation, so that concurrent reads of one description get different bytes.
 */
#include "fs/file.h"

#include <asm/stat.h>
#include <linux/fcntl.h>
#include <linux/stat.h>

#include "fs/epoll.h"
#include "fs/file_lock.h"
#include "fs/inode.h"
#include "fs/path.h"
#include "fs/poll.h"
#include "fs/user_vector.h"
#include "lib/errno.h"
#include "mm/user_copy.h"

static SLAB_CACHE(file_cache, struct file);

struct file *file_create(const struct file_operations *operations, void *private, uint32_t flags)
{
    struct file *file = slab_alloc(&file_cache);

    if (!file)
        return NULL;
    refcount_init(&file->refs);
    atomic_init(&file->flags, flags);
    file->operations = operations;
    file->private = private;
    mutex_init(&file->position_lock, LOCK_RANK_FILE_POSITION);
    return file;
}

void file_destroy(struct file *file)
{
    if (file->watchers)
        epoll_file_closed(file);
    if (file->operations->release)
        file->operations->release(file);
    if (file->inode) {
        file_locks_file_closed(file);
        inode_file_closed(file->inode, file);
        inode_put(file->inode);
    }
    if (file->path)
        path_put(file->path);
    slab_free(&file_cache, file);
}

/* The access mode plus one has bit 0 for reading and bit 1 for writing. */
bool file_is_readable(const struct file *file)
{
    uint32_t flags = atomic_load_explicit(&file->flags, memory_order_relaxed);

    return ((flags + 1) & 1) != 0 && !(flags & O_PATH);
}

bool file_is_writable(const struct file *file)
{
    uint32_t flags = atomic_load_explicit(&file->flags, memory_order_relaxed);

    return ((flags + 1) & 2) != 0 && !(flags & O_PATH);
}

/* Linux refuses transfers that would end beyond the largest offset, however short they turn out. */
static bool position_overflows(uint64_t position, size_t size)
{
    return (int64_t)(position + size) < 0;
}

static bool uses_position(const struct file *file)
{
    return file->operations->seek && !file->operations->ignores_position;
}

typedef int64_t transfer_function(struct file *file, uintptr_t buffer, size_t size,
                                  uint64_t *position);

static __attribute__((noinline)) int64_t transfer_at_own_position(struct file *file,
                                                                  uintptr_t buffer, size_t size,
                                                                  transfer_function *transfer)
{
    int64_t result = -EINVAL;

    mutex_lock(&file->position_lock);
    if (likely(!position_overflows(file->position, size)))
        result = transfer(file, buffer, size, &file->position);

    mutex_unlock(&file->position_lock);
    return result;
}

static inline int64_t transfer_bytes(struct file *file, uintptr_t buffer, size_t size,
                                     transfer_function *transfer)
{
    uint64_t none = 0;

    if (!transfer)
        return -EINVAL;
    if (!user_range_ok(buffer, size))
        return -EFAULT;
    if (size > FILE_TRANSFER_MAX)
        size = FILE_TRANSFER_MAX;
    return uses_position(file) ? transfer_at_own_position(file, buffer, size, transfer)
                               : transfer(file, buffer, size, &none);
}

int64_t file_read(struct file *file, uintptr_t buffer, size_t size)
{
    return file_is_readable(file) ? transfer_bytes(file, buffer, size, file->operations->read)
                                  : -EBADF;
}

int64_t file_write(struct file *file, uintptr_t buffer, size_t size)
{
    return file_is_writable(file) ? transfer_bytes(file, buffer, size, file->operations->write)
                                  : -EBADF;
}

static int check_offset(const struct file *file, int64_t offset)
{
    if (offset < 0)
        return -EINVAL;
    return file_has_position(file) ? 0 : -ESPIPE;
}

static inline int64_t transfer_bytes_at(struct file *file, uintptr_t buffer, size_t size,
                                        uint64_t position, transfer_function *transfer)
{
    if (!transfer)
        return -EINVAL;
    if (!user_range_ok(buffer, size))
        return -EFAULT;
    if (size > FILE_TRANSFER_MAX)
        size = FILE_TRANSFER_MAX;
    if (position_overflows(position, size))
        return -EINVAL;
    return transfer(file, buffer, size, &position);
}

int64_t file_read_at(struct file *file, uintptr_t buffer, size_t size, int64_t offset)
{
    int error = check_offset(file, offset);

    if (error == 0 && !file_is_readable(file))
        error = -EBADF;
    return error ? error : transfer_bytes_at(file, buffer, size, offset, file->operations->read);
}

int64_t file_write_at(struct file *file, uintptr_t buffer, size_t size, int64_t offset)
{
    int error = check_offset(file, offset);

    if (error == 0 && !file_is_writable(file))
        error = -EBADF;
    return error ? error : transfer_bytes_at(file, buffer, size, offset, file->operations->write);
}

/* The segments one by one. Later ones must not block: there is something to return already. */
static int64_t transfer_segments(struct file *file, struct user_vector *vector, uint64_t *position,
                                 transfer_function *transfer, uint32_t ready_events)
{
    int64_t done = 0;
    size_t wanted;

    while ((wanted = user_vector_front(vector)) > 0) {
        if (done > 0 && file->operations->poll &&
            !(file->operations->poll(file, NULL) & ready_events))
            break;
        int64_t result = transfer(file, vector->base, wanted, position);

        if (result < 0)
            return done > 0 ? done : result;
        done += result;
        user_vector_skip(vector, result);
        if ((size_t)result < wanted)
            break;
    }
    return done;
}

static int64_t read_vector(struct file *file, struct user_vector *vector, uint64_t *position)
{
    if (file->operations->read_vector)
        return file->operations->read_vector(file, vector, position);
    return transfer_segments(file, vector, position, file->operations->read, POLLIN);
}

static int64_t write_vector(struct file *file, struct user_vector *vector, uint64_t *position)
{
    if (file->operations->write_vector)
        return file->operations->write_vector(file, vector, position);
    return transfer_segments(file, vector, position, file->operations->write, POLLOUT);
}

typedef int64_t vector_function(struct file *file, struct user_vector *vector, uint64_t *position);

/* Chooses the position: the caller's offset, none, or the file's own. */
static int64_t transfer_vector(struct file *file, struct user_vector *vector, const int64_t *offset,
                               vector_function *transfer)
{
    if (offset || !uses_position(file)) {
        uint64_t position = offset ? *offset : 0;

        if (position_overflows(position, vector->total))
            return -EINVAL;
        return transfer(file, vector, &position);
    }
    int64_t result = -EINVAL;

    mutex_lock(&file->position_lock);
    if (!position_overflows(file->position, vector->total))
        result = transfer(file, vector, &file->position);

    mutex_unlock(&file->position_lock);
    return result;
}

int64_t file_read_vector(struct file *file, struct user_vector *vector, const int64_t *offset)
{
    const struct file_operations *operations = file->operations;

    if (!file_is_readable(file))
        return -EBADF;
    if (offset && !file_has_position(file))
        return -ESPIPE;
    if (!operations->read_vector && !operations->read)
        return -EINVAL;
    return vector->total == 0 ? 0 : transfer_vector(file, vector, offset, read_vector);
}

int64_t file_write_vector(struct file *file, struct user_vector *vector, const int64_t *offset)
{
    const struct file_operations *operations = file->operations;

    if (!file_is_writable(file))
        return -EBADF;
    if (offset && !file_has_position(file))
        return -ESPIPE;
    if (!operations->write_vector && !operations->write)
        return -EINVAL;
    return vector->total == 0 ? 0 : transfer_vector(file, vector, offset, write_vector);
}

int64_t file_seek(struct file *file, int64_t offset, int whence)
{
    if (!file->operations->seek)
        return -ESPIPE;
    mutex_lock(&file->position_lock);
    int64_t result = file->operations->seek(file, offset, whence);

    mutex_unlock(&file->position_lock);
    return result;
}

int64_t file_seek_nowhere(struct file *file, int64_t offset, int whence)
{
    return 0;
}

int file_get_status(struct file *file, struct stat *status)
{
    if (file->operations->get_status)
        return file->operations->get_status(file, status);
    if (file->inode)
        return inode_get_status(file->inode, status);
    *status = (struct stat){
        .st_dev = DEVICE_ANONYMOUS,
        .st_ino = 1,
        .st_nlink = 1,
        .st_mode = S_IRUSR | S_IWUSR,
        .st_blksize = PAGE_SIZE,
    };
    return 0;
}
