/*
 * Open regular files. Reads take no lock of the inode: a page is read whole or not at all, and the
 * size under the page cache's lock. Writes, and all that changes the size, hold the inode's lock,
 * across the user copies too.
 */
#include "fs/regular.h"

#include <asm/ioctls.h>
#include <asm/stat.h>
#include <linux/falloc.h>
#include <linux/fcntl.h>
#include <linux/fs.h>

#include "fs/inode.h"
#include "fs/path.h"
#include "fs/tree.h"
#include "fs/user_vector.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/address_space.h"
#include "mm/user_copy.h"
#include "proc/process.h"
#include "proc/rlimit.h"
#include "proc/signal.h"

static int64_t regular_read_vector(struct file *file, struct user_vector *vector,
                                   uint64_t *position)
{
    struct inode *inode = file->inode;
    int64_t result = page_cache_read(&inode->cache, vector, *position);

    if (result > 0)
        *position += result;
    if (!(file->flags & O_NOATIME))
        inode_touch_accessed(inode);
    return result;
}

static int64_t regular_read(struct file *file, uintptr_t buffer, size_t size, uint64_t *position)
{
    struct user_vector vector = user_vector_single(buffer, size);

    return regular_read_vector(file, &vector, position);
}

/* Cuts a write to what RLIMIT_FSIZE and the largest file allow. -EFBIG if that is nothing. */
static int limit_write(uint64_t position, size_t *size)
{
    uint64_t limit = rlimit_soft(current_process(), RLIMIT_FSIZE);

    if (position >= limit) {
        signal_send_thread(current_user_thread(), SIGXFSZ, NULL);
        return -EFBIG;
    }
    if (position >= FILE_SIZE_MAX)
        return -EFBIG;
    if (limit > FILE_SIZE_MAX)
        limit = FILE_SIZE_MAX;
    if (*size > limit - position)
        *size = limit - position;
    return 0;
}

static int64_t write_locked(struct file *file, struct user_vector *vector, uint64_t *position)
{
    struct inode *inode = file->inode;
    size_t size = vector->total;

    if (file->flags & O_APPEND)
        *position = inode->cache.size;
    int error = limit_write(*position, &size);

    if (error)
        return error;
    vector->total = size;
    int64_t result = page_cache_write(&inode->cache, vector, *position);

    if (result > 0) {
        *position += result;
        inode_drop_privileges(inode);
        inode_touch_modified(inode);
    }
    return result;
}

static int64_t regular_write_vector(struct file *file, struct user_vector *vector,
                                    uint64_t *position)
{
    if (vector->total == 0)
        return 0;
    mutex_lock(&file->inode->lock);
    int64_t result = write_locked(file, vector, position);

    mutex_unlock(&file->inode->lock);
    return result;
}

static int64_t regular_write(struct file *file, uintptr_t buffer, size_t size, uint64_t *position)
{
    struct user_vector vector = user_vector_single(buffer, size);

    return regular_write_vector(file, &vector, position);
}

static int64_t regular_seek(struct file *file, int64_t offset, int whence)
{
    struct page_cache *cache = &file->inode->cache;
    int64_t base = 0;

    switch (whence) {
    case SEEK_SET:
        break;
    case SEEK_CUR:
        base = file->position;
        break;
    case SEEK_END:
        base = cache->size;
        break;
    case SEEK_DATA:
    case SEEK_HOLE:
        if (offset < 0)
            return -ENXIO;
        offset = page_cache_seek(cache, offset, whence == SEEK_DATA);
        if (offset < 0)
            return offset;
        break;
    default:
        return -EINVAL;
    }
    if (__builtin_add_overflow(base, offset, &base) || base < 0)
        return -EINVAL;
    file->position = base;
    return base;
}

static int64_t regular_ioctl(struct file *file, unsigned command, uintptr_t argument)
{
    int left = file->inode->cache.size - file->position;

    return command == FIONREAD ? copy_to_user(argument, &left, sizeof(left)) : -ENOTTY;
}

static int regular_truncate(struct file *file, uint64_t size)
{
    return inode_truncate(file->inode, size);
}

/* The path shows the inode's pages, so that /proc/<pid>/maps can name what is mapped. */
static int regular_map(struct file *file, int protection, int flags, struct mapping_source **source)
{
    path_get(file->path);
    *source = &file->path->source;
    return 0;
}

const struct file_operations regular_operations = {
    .name = "file",
    .read = regular_read,
    .write = regular_write,
    .read_vector = regular_read_vector,
    .write_vector = regular_write_vector,
    .ioctl = regular_ioctl,
    .seek = regular_seek,
    .truncate = regular_truncate,
    .map = regular_map,
};

/* --- fallocate --- */

static int allocate_locked(struct inode *inode, unsigned mode, uint64_t offset, uint64_t end)
{
    struct page_cache *cache = &inode->cache;
    bool keep_size = (mode & FALLOC_FL_KEEP_SIZE) != 0;

    if (!keep_size && end > cache->size) {
        int error = inode_check_size_limit(end);

        if (error)
            return error;
    }
    if (mode & FALLOC_FL_PUNCH_HOLE)
        page_cache_punch(cache, offset, end);
    if (!(mode & FALLOC_FL_PUNCH_HOLE)) {
        int error = page_cache_allocate(cache, offset, end);

        if (error)
            return error;
        if (!keep_size && end > cache->size)
            page_cache_resize(cache, end);
    }
    inode_drop_privileges(inode);
    inode_touch_modified(inode);
    return 0;
}

static bool is_fifo(struct file *file)
{
    struct stat status;

    return file_get_status(file, &status) == 0 && S_ISFIFO(status.st_mode);
}

int regular_allocate(struct file *file, unsigned mode, int64_t offset, int64_t length)
{
    const unsigned supported = FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE;

    if (offset < 0 || length <= 0)
        return -EINVAL;
    if (mode & ~supported || mode == FALLOC_FL_PUNCH_HOLE)
        return -EOPNOTSUPP;
    if (!file_is_writable(file))
        return -EBADF;
    if (file->operations != &regular_operations)
        return is_fifo(file) ? -ESPIPE : -ENODEV;
    if ((uint64_t)offset + length > FILE_SIZE_MAX)
        return -EFBIG;
    mutex_lock(&file->inode->lock);
    int error = allocate_locked(file->inode, mode, offset, offset + length);

    mutex_unlock(&file->inode->lock);
    return error;
}

/* --- Without a name --- */

int regular_create_unnamed(const char *name, uint32_t mode, uint32_t flags, bool may_be_linked,
                           struct file **file)
{
    struct inode *inode = tree_inode_create(NULL, S_IFREG | mode);
    struct path *path = inode ? path_create(NULL, inode, name, strlen(name)) : NULL;
    int error = -ENOMEM;

    *file = path ? file_create(&regular_operations, NULL, flags) : NULL;
    if (*file) {
        path->removed = true;
        inode->may_be_linked = may_be_linked;
        error = inode_open(path, *file);
        if (error)
            file_put(*file);
    }
    if (path)
        path_put(path);
    if (inode)
        inode_put(inode);
    return error;
}
