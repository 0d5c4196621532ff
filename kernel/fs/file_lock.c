/*
 * Advisory locks: see file_lock.h.
 *
 * locks_lock, one spinlock, guards all lock sets: their lists, and the list of who waits for a
 * range. A waiter looks again whenever something was unlocked in its file. The owner of a POSIX
 * lock is the process, of an OFD lock and of flock's the file; owners are compared, never followed.
 */
#include "fs/file_lock.h"

#include <linux/fcntl.h>
#include <linux/fs.h>

#include "fs/file.h"
#include "fs/inode.h"
#include "lib/errno.h"
#include "mm/slab.h"
#include "proc/process.h"

#define RANGE_END INT64_MAX
/* As Linux: a longer chain of waiters is not called a deadlock. */
#define DEADLOCK_DEPTH 10

struct file_lock_set {
    struct list whole;  /* (locks_lock) struct whole_lock */
    struct list ranges; /* (locks_lock) struct range_lock */
    struct wait_queue wait;
};

struct whole_lock {
    struct list link;
    const struct file *owner;
    bool exclusive;
};

struct range_lock {
    struct list link;
    const void *owner;
    pid_number pid; /* -1: of a description */
    bool exclusive;
    int64_t start, end; /* both included */
};

/* A process that sleeps for a range, on its stack. */
struct range_waiter {
    struct list link; /* (locks_lock) in `waiters` */
    struct file_lock_set *set;
    const struct range_lock *wanted;
};

static struct spinlock locks_lock = SPINLOCK_INITIALIZER(LOCK_RANK_FILE_TABLE);
static struct list waiters = LIST_INITIALIZER(waiters);

static SLAB_CACHE(lock_set_cache, struct file_lock_set);
static SLAB_CACHE(whole_lock_cache, struct whole_lock);
static SLAB_CACHE(range_lock_cache, struct range_lock);

/* The file's set, made at its first lock. NULL if memory is short. */
static struct file_lock_set *set_of(struct inode *inode)
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
    set = set_of(file->inode);
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

/* --- Ranges: fcntl --- */

static bool conflicts(const struct range_lock *lock, const struct range_lock *wanted)
{
    return lock->owner != wanted->owner && lock->start <= wanted->end &&
           wanted->start <= lock->end && (lock->exclusive || wanted->exclusive);
}

/* Of the locks that forbid the wanted one, the first in the file. */
static struct range_lock *find_conflict(struct file_lock_set *set, const struct range_lock *wanted)
{
    struct range_lock *lock, *first = NULL;

    list_for_each (lock, &set->ranges, link)
        if (conflicts(lock, wanted) && (!first || lock->start < first->start))
            first = lock;
    return first;
}

static void free_range(struct range_lock *lock)
{
    list_remove(&lock->link);
    slab_free(&range_lock_cache, lock);
}

/* Takes start..end away from the owner's locks. *spare is used if one has to be split. */
static void carve(struct file_lock_set *set, const struct range_lock *hole,
                  struct range_lock **spare)
{
    struct range_lock *lock, *next;

    list_for_each_safe (lock, next, &set->ranges, link) {
        if (lock->owner != hole->owner || lock->start > hole->end || lock->end < hole->start)
            continue;
        if (lock->start < hole->start && lock->end > hole->end) {
            struct range_lock *right = *spare;

            *spare = NULL;
            *right = *lock;
            right->start = hole->end + 1;
            lock->end = hole->start - 1;
            list_push_back(&lock->link, &right->link);
        } else if (lock->start < hole->start) {
            lock->end = hole->start - 1;
        } else if (lock->end > hole->end) {
            lock->start = hole->end + 1;
        } else {
            free_range(lock);
        }
    }
}

/* Adds a lock, and takes in neighbours of the same owner and kind. */
static void add_range(struct file_lock_set *set, struct range_lock *added)
{
    struct range_lock *lock, *next;

    list_for_each_safe (lock, next, &set->ranges, link) {
        if (lock->owner != added->owner || lock->exclusive != added->exclusive)
            continue;
        if (lock->end != RANGE_END && lock->end + 1 == added->start)
            added->start = lock->start;
        else if (added->end != RANGE_END && added->end + 1 == lock->start)
            added->end = lock->end;
        else
            continue;
        free_range(lock);
    }
    list_push_back(&set->ranges, &added->link);
}

/* Would sleeping for this lock close a circle of processes that wait for each other? */
static bool would_deadlock(struct file_lock_set *set, const struct range_lock *wanted)
{
    const struct range_lock *blocker = find_conflict(set, wanted);

    for (int depth = 0; blocker && depth < DEADLOCK_DEPTH; depth++) {
        const struct range_lock *next = NULL;
        struct range_waiter *waiter;

        list_for_each (waiter, &waiters, link)
            if (waiter->wanted->owner == blocker->owner) {
                next = find_conflict(waiter->set, waiter->wanted);
                break;
            }
        if (next && next->owner == wanted->owner)
            return true;
        blocker = next;
    }
    return false;
}

static bool range_is_free(void *argument)
{
    struct range_waiter *waiter = argument;

    return !find_conflict(waiter->set, waiter->wanted);
}

static int wait_for_range(struct file_lock_set *set, const struct range_lock *wanted)
{
    struct range_waiter waiter = {.set = set, .wanted = wanted};
    int error;

    if (wanted->pid >= 0 && would_deadlock(set, wanted))
        return -EDEADLK;
    list_push_back(&waiters, &waiter.link);
    error = wait_queue_sleep_locked(&set->wait, &locks_lock, range_is_free, &waiter,
                                    SLEEP_INTERRUPTIBLE, DEADLINE_NEVER);
    list_remove(&waiter.link);
    return error;
}

/* start..end of a struct flock. -EINVAL -EOVERFLOW */
static int convert_range(struct file *file, const struct flock *lock, struct range_lock *range)
{
    int64_t start = lock->l_start, base = 0;

    if (lock->l_whence == SEEK_CUR)
        base = file->position;
    else if (lock->l_whence == SEEK_END && file->inode && inode_is(file->inode, S_IFREG))
        base = file->inode->cache.size;
    else if (lock->l_whence != SEEK_SET && lock->l_whence != SEEK_END)
        return -EINVAL;
    if (__builtin_add_overflow(base, start, &start))
        return -EOVERFLOW;
    if (start < 0)
        return -EINVAL;
    range->start = start;
    range->end = RANGE_END;
    if (lock->l_len > 0 && __builtin_add_overflow(start, lock->l_len - 1, &range->end))
        return -EOVERFLOW;
    if (lock->l_len < 0) {
        if (start + lock->l_len < 0)
            return -EINVAL;
        range->start = start + lock->l_len;
        range->end = start - 1;
    }
    return 0;
}

/* What the caller asks for; *set is the file's. */
static int begin_range(struct file *file, bool of_description, const struct flock *lock,
                       struct range_lock *range, struct file_lock_set **set)
{
    int error = convert_range(file, lock, range);

    if (error)
        return error;
    if (lock->l_type != F_RDLCK && lock->l_type != F_WRLCK && lock->l_type != F_UNLCK)
        return -EINVAL;
    if (!file->inode || (of_description && lock->l_pid != 0))
        return -EINVAL;
    range->exclusive = lock->l_type == F_WRLCK;
    range->owner = of_description ? (const void *)file : current_process();
    range->pid = of_description ? -1 : process_number(current_process());
    *set = set_of(file->inode);
    return *set ? 0 : -ENOLCK;
}

int file_lock_query(struct file *file, bool of_description, struct flock *lock)
{
    struct range_lock wanted = {0};
    struct file_lock_set *set;
    int error;

    if (lock->l_type == F_UNLCK && !of_description)
        return -EINVAL;
    error = begin_range(file, of_description, lock, &wanted, &set);
    if (error)
        return error;
    spin_lock(&locks_lock);
    const struct range_lock *conflict = find_conflict(set, &wanted);

    lock->l_type = F_UNLCK;
    if (conflict) {
        lock->l_type = conflict->exclusive ? F_WRLCK : F_RDLCK;
        lock->l_whence = SEEK_SET;
        lock->l_start = conflict->start;
        lock->l_len = conflict->end == RANGE_END ? 0 : conflict->end - conflict->start + 1;
        lock->l_pid = conflict->pid;
    }
    spin_unlock(&locks_lock);
    return 0;
}

static int set_range(struct file_lock_set *set, struct range_lock *wanted, bool unlock, bool wait,
                     struct range_lock **spare)
{
    int error = 0;

    if (!unlock && find_conflict(set, wanted))
        error = wait ? wait_for_range(set, wanted) : -EAGAIN;
    if (error)
        return error;
    carve(set, wanted, spare);
    if (!unlock)
        add_range(set, wanted);
    wait_queue_wake_all(&set->wait, 0);
    return 0;
}

int file_lock_range(struct file *file, bool of_description, bool wait, const struct flock *lock)
{
    struct range_lock *wanted = slab_alloc(&range_lock_cache);
    struct range_lock *spare = slab_alloc(&range_lock_cache);
    bool unlock = lock->l_type == F_UNLCK;
    struct file_lock_set *set;
    int error = wanted && spare ? 0 : -ENOLCK;

    if (!error)
        error = begin_range(file, of_description, lock, wanted, &set);
    if (!error && ((lock->l_type == F_RDLCK && !file_is_readable(file)) ||
                   (lock->l_type == F_WRLCK && !file_is_writable(file))))
        error = -EBADF;
    if (!error) {
        spin_lock(&locks_lock);
        error = set_range(set, wanted, unlock, wait, &spare);
        spin_unlock(&locks_lock);
    }
    if (wanted && (error || unlock))
        slab_free(&range_lock_cache, wanted);
    if (spare)
        slab_free(&range_lock_cache, spare);
    return error;
}

/* --- Closing --- */

static void drop_ranges(struct file_lock_set *set, const void *owner)
{
    struct range_lock *lock, *next;
    bool dropped = false;

    list_for_each_safe (lock, next, &set->ranges, link)
        if (lock->owner == owner) {
            free_range(lock);
            dropped = true;
        }
    if (dropped)
        wait_queue_wake_all(&set->wait, 0);
}

void file_locks_descriptor_closed(struct file *file, struct process *process)
{
    struct file_lock_set *set = file->inode ? atomic_load(&file->inode->locks) : NULL;

    if (likely(!set))
        return;
    spin_lock(&locks_lock);
    drop_ranges(set, process);
    spin_unlock(&locks_lock);
}

void file_locks_file_closed(struct file *file)
{
    struct file_lock_set *set = atomic_load(&file->inode->locks);

    if (likely(!set))
        return;
    spin_lock(&locks_lock);
    drop_whole(set, file);
    drop_ranges(set, file);
    spin_unlock(&locks_lock);
}
