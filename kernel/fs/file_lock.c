/*
 * Advisory locks of whole files, flock(2), and what all file locks have in common: see file_lock.h.
 *
 * locks_lock, one spinlock, guards all lock sets. A waiter looks again whenever something was
 * unlocked in its file. The owner of a lock (the file; for POSIX locks the process) is compared,
 * never followed.
 */
#include <linux/fcntl.h>

#include "fs/file.h"
#include "fs/file_lock_internal.h"
#include "fs/inode.h"
#include "lib/errno.h"
#include "mm/slab.h"

struct whole_lock {
    struct list link;
    const struct file *owner;
    bool exclusive;
};

struct spinlock locks_lock = SPINLOCK_INITIALIZER(LOCK_RANK_FILE_TABLE);

static SLAB_CACHE(lock_set_cache, struct file_lock_set);
static SLAB_CACHE(whole_lock_cache, struct whole_lock);

struct file_lock_set *file_lock_set_of(struct inode *inode)
{
    struct file_lock_set *set = atomic_load(&inode->locks), *fresh;

    if (set)
        return set;
    fresh = slab_alloc(&lock_set_cache);
    if (!fresh)
        return NULL;
    list_init(&fresh->whole);
    list_init(&fresh->ranges);
    wait_queue_init(&fresh->wait);
    if (atomic_compare_exchange_strong(&inode->locks, &set, fresh))
        return fresh;
    slab_free(&lock_set_cache, fresh);
    return set;
}

void file_locks_destroy(struct inode *inode)
{
    struct file_lock_set *set = atomic_load(&inode->locks);

    if (!set)
        return;
    assert(list_is_empty(&set->whole) && list_is_empty(&set->ranges));
    slab_free(&lock_set_cache, set);
}

/* --- Whole files: flock --- */

static struct whole_lock *find_whole(struct file_lock_set *set, const struct file *owner)
{
    struct whole_lock *lock;

    list_for_each (lock, &set->whole, link)
        if (lock->owner == owner)
            return lock;
    return NULL;
}

static void drop_whole(struct file_lock_set *set, const struct file *owner)
{
    struct whole_lock *lock = find_whole(set, owner);

    if (!lock)
        return;
    list_remove(&lock->link);
    slab_free(&whole_lock_cache, lock);
    wait_queue_wake_all(&set->wait, 0);
}

struct whole_request {
    struct file_lock_set *set;
    const struct whole_lock *wanted;
};

static bool whole_is_free(void *argument)
{
    struct whole_request *request = argument;
    struct whole_lock *lock;

    list_for_each (lock, &request->set->whole, link)
        if (lock->exclusive || request->wanted->exclusive)
            return false;
    return true;
}

/* As in Linux, a lock that is to be exchanged for another kind is given up first. */
static int take_whole(struct file_lock_set *set, struct whole_lock *wanted, bool wait)
    REQUIRES(locks_lock)
{
    struct whole_request request = {.set = set, .wanted = wanted};
    struct whole_lock *present = find_whole(set, wanted->owner);
    int error = 0;

    if (present && present->exclusive == wanted->exclusive)
        return -EEXIST;
    drop_whole(set, wanted->owner);
    if (!whole_is_free(&request))
        error = wait ? wait_queue_sleep_locked(&set->wait, &locks_lock, whole_is_free, &request,
                                               SLEEP_INTERRUPTIBLE, DEADLINE_NEVER)
                     : -EWOULDBLOCK;
    /* Another thread may have locked through the same description while this one slept. */
    if (!error && find_whole(set, wanted->owner))
        error = -EEXIST;
    if (!error)
        list_push_back(&set->whole, &wanted->link);
    return error;
}

int file_lock_whole(struct file *file, int operation)
{
    bool wait = !(operation & LOCK_NB);
    struct file_lock_set *set;
    struct whole_lock *wanted;

    operation &= ~LOCK_NB;
    if (operation != LOCK_SH && operation != LOCK_EX && operation != LOCK_UN)
        return -EINVAL;
    if (!file->inode)
        return -EINVAL;
    set = file_lock_set_of(file->inode);
    wanted = set ? slab_alloc(&whole_lock_cache) : NULL;
    if (!wanted)
        return -ENOLCK;
    wanted->owner = file;
    wanted->exclusive = operation == LOCK_EX;
    int error = -EEXIST;

    spin_lock(&locks_lock);
    if (operation == LOCK_UN)
        drop_whole(set, file);
    else
        error = take_whole(set, wanted, wait);
    spin_unlock(&locks_lock);
    if (error)
        slab_free(&whole_lock_cache, wanted);
    return error == -EEXIST ? 0 : error;
}

/* --- Closing --- */

void file_locks_descriptor_closed(struct file *file, struct process *process)
{
    struct file_lock_set *set = atomic_load(&file->inode->locks);

    if (likely(!set))
        return;
    spin_lock(&locks_lock);
    file_lock_drop_ranges(set, process);
    spin_unlock(&locks_lock);
}

void file_locks_file_closed(struct file *file)
{
    struct file_lock_set *set = atomic_load(&file->inode->locks);

    if (likely(!set))
        return;
    spin_lock(&locks_lock);
    drop_whole(set, file);
    file_lock_drop_ranges(set, file);
    spin_unlock(&locks_lock);
}
