/*
 * Inodes: their life, who may do what with them, and opening by type. See inode.h for the locks.
 */
#include "fs/inode.h"

#include <linux/fcntl.h>

#include "fs/device.h"
#include "fs/directory.h"
#include "fs/file.h"
#include "fs/file_lock.h"
#include "fs/path.h"
#include "fs/pipe.h"
#include "fs/regular.h"
#include "fs/tree_internal.h"
#include "lib/errno.h"
#include "mm/slab.h"
#include "proc/process.h"

static SLAB_CACHE(inode_cache, struct inode);

uint64_t inode_next_number(void)
{
    static _Atomic uint64_t last;

    return atomic_fetch_add_explicit(&last, 1, memory_order_relaxed) + 1;
}

struct inode *inode_create(const struct inode_operations *operations, uint32_t device,
                           uint32_t mode)
{
    struct inode *inode = slab_alloc(&inode_cache);

    if (!inode)
        return NULL;
    refcount_init(&inode->refs);
    mutex_init(&inode->lock, LOCK_RANK_INODE);
    inode->operations = operations;
    inode->device = device;
    inode->number = inode_next_number();
    inode->mode = mode;
    inode->birth_time = file_time_now();
    inode->access_time = inode->change_time = inode->modify_time = inode->birth_time;
    if (inode_is(inode, S_IFREG))
        page_cache_init(&inode->cache);
    return inode;
}

void inode_get(struct inode *inode)
{
    refcount_get(&inode->refs);
}

static void inode_destroy(struct inode *inode)
{
    if (inode->operations->release)
        inode->operations->release(inode);
    file_locks_destroy(inode);
    slab_free(&inode_cache, inode);
}

void inode_put(struct inode *inode)
{
    if (refcount_put(&inode->refs))
        inode_destroy(inode);
}

/* --- Who may do what --- */

const struct credentials *file_credentials(void)
{
    const struct thread *thread = current_thread();

    return thread && thread->is_user ? current_credentials() : NULL;
}

static bool is_privileged(const struct credentials *who)
{
    return !who || credentials_is_privileged(who);
}

/* Root may do everything, except run what nobody may run. */
static int check_root_access(uint32_t mode, unsigned wanted)
{
    if (likely(!(wanted & MAY_EXECUTE) || S_ISDIR(mode)))
        return 0;
    return mode & (S_IXUSR | S_IXGRP | S_IXOTH) ? 0 : -EACCES;
}

int inode_check_access(struct inode *inode, unsigned wanted, const struct credentials *who)
{
    uint32_t mode;

    if (unlikely(inode->operations->refresh))
        inode->operations->refresh(inode);
    mode = inode->mode;
    if (is_privileged(who))
        return check_root_access(mode, wanted);
    if (who->user.file_system == inode->uid)
        mode >>= 6;
    else if (credentials_in_group(who, inode->gid))
        mode >>= 3;
    return wanted & ~mode & 7 ? -EACCES : 0;
}

bool inode_is_owned(const struct inode *inode, const struct credentials *who)
{
    return is_privileged(who) || who->user.file_system == inode->uid;
}

/* --- Opening --- */

int inode_get_write(struct inode *inode)
{
    int32_t writers = atomic_load(&inode->writers);

    do {
        if (writers < 0)
            return -ETXTBSY;
    } while (!atomic_compare_exchange_weak(&inode->writers, &writers, writers + 1));
    return 0;
}

void inode_put_write(struct inode *inode)
{
    atomic_fetch_sub(&inode->writers, 1);
}

int inode_deny_write(struct inode *inode)
{
    int32_t writers = atomic_load(&inode->writers);

    do {
        if (writers > 0)
            return -ETXTBSY;
    } while (!atomic_compare_exchange_weak(&inode->writers, &writers, writers - 1));
    return 0;
}

void inode_allow_write(struct inode *inode)
{
    atomic_fetch_add(&inode->writers, 1);
}

/* A FIFO gets its pipe when it is first opened. */
static int open_fifo(struct inode *inode, struct file *file)
{
    if ((file->flags & O_ACCMODE) == O_ACCMODE)
        return -EINVAL;
    mutex_lock(&inode->lock);
    if (!inode->fifo.pipe)
        inode->fifo.pipe = pipe_create();
    mutex_unlock(&inode->lock);
    return inode->fifo.pipe ? pipe_open(inode->fifo.pipe, file) : -ENOMEM;
}

void inode_release_fifo(struct inode *inode)
{
    if (inode->fifo.pipe)
        pipe_put(inode->fifo.pipe);
}

static int open_by_type(struct inode *inode, struct file *file)
{
    if (inode->operations->open)
        return inode->operations->open(inode, file);
    switch (inode->mode & S_IFMT) {
    case S_IFREG:
        file->operations = &regular_operations;
        return 0;
    case S_IFDIR:
        file->operations = &directory_operations;
        return 0;
    case S_IFCHR:
        return device_open(inode->device_number, file);
    case S_IFIFO:
        return open_fifo(inode, file);
    case S_IFLNK:
        return -ELOOP;
    default:
        return -ENXIO;
    }
}

static bool counts_as_writer(const struct inode *inode, const struct file *file)
{
    return inode_is(inode, S_IFREG) && file_is_writable(file);
}

/* Until the file is open its operations do nothing; so they are for O_PATH ever after. */
static const struct file_operations no_operations = {.name = "path"};

int inode_open(struct path *path, struct file *file)
{
    struct inode *inode = path->inode;
    int error = 0;

    path_get(path);
    inode_get(inode);
    file->path = path;
    file->operations = &no_operations;
    if (counts_as_writer(inode, file))
        error = inode_get_write(inode);
    if (error) {
        inode_put(inode);
        return error;
    }
    file->inode = inode;
    if (!(file->flags & O_PATH))
        error = open_by_type(inode, file);
    if (error)
        file->operations = &no_operations;
    return error;
}

void inode_file_closed(struct inode *inode, struct file *file)
{
    if (counts_as_writer(inode, file))
        inode_put_write(inode);
}
