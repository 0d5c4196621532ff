/*
 * Advisory locks of byte ranges, fcntl(2): of a process (POSIX) or of an open file description
 * (OFD). locks_lock guards every list here; nobody follows an owner.
 */
#include <linux/fcntl.h>
#include <linux/fs.h>

#include "fs/file.h"
#include "fs/file_lock_internal.h"
#include "fs/inode.h"
#include "lib/errno.h"
#include "mm/slab.h"
#include "proc/process.h"

#define RANGE_END INT64_MAX
/* As Linux: a longer chain of waiters is not called a deadlock. */
#define DEADLOCK_DEPTH 10

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

static struct list waiters = LIST_INITIALIZER(waiters);

static SLAB_CACHE(range_lock_cache, struct range_lock);

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
    REQUIRES(locks_lock)
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
    *set = file_lock_set_of(file->inode);
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
                     struct range_lock **spare) REQUIRES(locks_lock)
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

void file_lock_drop_ranges(struct file_lock_set *set, const void *owner)
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
