/*
 * An inode's attributes: status, mode, owner, times, size. Each change is made under the inode's
 * lock, and judged by the caller's credentials.
 */
#include <asm/stat.h>

#include "fs/inode.h"
#include "lib/errno.h"
#include "proc/process.h"
#include "proc/rlimit.h"
#include "proc/signal.h"
#include "sched/clock.h"

#define MODE_BITS 07777u
/* relatime: an access time older than this is moved even by reads of an unchanged file. */
#define ACCESS_TIME_AGE_SECONDS (24 * 60 * 60)

struct file_time file_time_now(void)
{
    uint64_t now = clock_realtime_ns();

    return (struct file_time){
        .seconds = now / NSEC_PER_SEC,
        .nanoseconds = now % NSEC_PER_SEC,
    };
}

static uint64_t size_of(const struct inode *inode)
{
    switch (inode->mode & S_IFMT) {
    case S_IFREG:
        return inode->operations->writable ? inode->cache.size : 0;
    case S_IFLNK:
        return inode->operations->writable ? inode->symlink.target_length : 0;
    case S_IFDIR:
        return inode->operations->writable ? PAGE_SIZE : 0;
    default:
        return 0;
    }
}

int inode_get_status(struct inode *inode, struct stat *status)
{
    if (inode->operations->refresh)
        inode->operations->refresh(inode);
    *status = (struct stat){
        .st_dev = inode->device,
        .st_ino = inode->number,
        .st_nlink = inode->links,
        .st_mode = inode->mode,
        .st_uid = inode->uid,
        .st_gid = inode->gid,
        .st_rdev = inode->device_number,
        .st_size = size_of(inode),
        .st_blksize = PAGE_SIZE,
        .st_atime = inode->access_time.seconds,
        .st_atime_nsec = inode->access_time.nanoseconds,
        .st_mtime = inode->modify_time.seconds,
        .st_mtime_nsec = inode->modify_time.nanoseconds,
        .st_ctime = inode->change_time.seconds,
        .st_ctime_nsec = inode->change_time.nanoseconds,
    };
    if (inode_is(inode, S_IFREG) && inode->operations->writable)
        status->st_blocks = inode->cache.frame_count * (PAGE_SIZE / 512);
    return 0;
}

/* --- Times --- */

void inode_touch_modified(struct inode *inode)
{
    mutex_assert_held(&inode->lock);
    inode->modify_time = inode->change_time = file_time_now();
}

static bool is_later(const struct file_time *left, const struct file_time *right)
{
    return left->seconds > right->seconds ||
           (left->seconds == right->seconds && left->nanoseconds > right->nanoseconds);
}

/* Readers hold no lock: two that move the time at once write nearly the same. */
void inode_touch_accessed(struct inode *inode)
{
    if (is_later(&inode->access_time, &inode->modify_time) &&
        is_later(&inode->access_time, &inode->change_time)) {
        uint64_t now = clock_realtime_ns() / NSEC_PER_SEC;

        if ((int64_t)now - inode->access_time.seconds < ACCESS_TIME_AGE_SECONDS)
            return;
    }
    inode->access_time = file_time_now();
}

static void apply_time(struct file_time *time, const struct time_change *change,
                       const struct file_time *now)
{
    if (change->how == TIME_NOW)
        *time = *now;
    else if (change->how == TIME_SET)
        *time = change->time;
}

int inode_change_times(struct inode *inode, const struct time_change *access,
                       const struct time_change *modify)
{
    const struct credentials *who = file_credentials();
    struct file_time now = file_time_now();

    if (access->how == TIME_OMIT && modify->how == TIME_OMIT)
        return 0;
    if (!inode_is_owned(inode, who)) {
        if (access->how != TIME_NOW || modify->how != TIME_NOW)
            return -EPERM;
        if (inode_check_access(inode, MAY_WRITE, who))
            return -EACCES;
    }
    if (!inode->operations->writable)
        return -EPERM;
    mutex_lock(&inode->lock);
    apply_time(&inode->access_time, access, &now);
    apply_time(&inode->modify_time, modify, &now);
    inode->change_time = now;
    mutex_unlock(&inode->lock);
    return 0;
}

/* --- Mode and owner --- */

int inode_change_mode(struct inode *inode, uint32_t mode)
{
    const struct credentials *who = file_credentials();

    if (!inode_is_owned(inode, who) || !inode->operations->writable)
        return -EPERM;
    if (inode_is(inode, S_IFLNK))
        return -EOPNOTSUPP;
    mutex_lock(&inode->lock);
    if (who && !credentials_is_privileged(who) && !credentials_in_group(who, inode->gid))
        mode &= ~S_ISGID;
    inode->mode = (inode->mode & S_IFMT) | (mode & MODE_BITS);
    inode->change_time = file_time_now();
    mutex_unlock(&inode->lock);
    return 0;
}

static uint32_t without_privileges(uint32_t mode)
{
    mode &= ~S_ISUID;
    return mode & S_IXGRP ? mode & ~S_ISGID : mode;
}

/* May the caller make this change of owner? */
static bool may_change_owner(const struct inode *inode, uint32_t uid, uint32_t gid)
{
    const struct credentials *who = file_credentials();
    bool is_owner;

    if (!who || credentials_is_privileged(who))
        return true;
    is_owner = who->user.file_system == inode->uid;
    if (uid != UINT32_MAX && !(is_owner && uid == inode->uid))
        return false;
    return gid == UINT32_MAX || (is_owner && (gid == inode->gid || credentials_in_group(who, gid)));
}

int inode_change_owner(struct inode *inode, uint32_t uid, uint32_t gid)
{
    int error = 0;

    if (!inode->operations->writable)
        return -EPERM;
    mutex_lock(&inode->lock);
    if (!may_change_owner(inode, uid, gid)) {
        error = -EPERM;
    } else {
        if (uid != UINT32_MAX)
            inode->uid = uid;
        if (gid != UINT32_MAX)
            inode->gid = gid;
        if (!inode_is(inode, S_IFDIR))
            inode->mode = without_privileges(inode->mode);
        inode->change_time = file_time_now();
    }
    mutex_unlock(&inode->lock);
    return error;
}

void inode_drop_privileges(struct inode *inode)
{
    const struct credentials *who;

    if (likely(!(inode->mode & (S_ISUID | S_ISGID))))
        return;
    who = file_credentials();
    if (who && !credentials_is_privileged(who))
        inode->mode = without_privileges(inode->mode);
}

/* --- Size --- */

int inode_check_size_limit(uint64_t size)
{
    if (!file_credentials() || size <= rlimit_soft(current_process(), RLIMIT_FSIZE))
        return 0;
    signal_send_thread(current_user_thread(), SIGXFSZ, NULL);
    return -EFBIG;
}

int inode_truncate(struct inode *inode, uint64_t size)
{
    int error = 0;

    if (!inode_is(inode, S_IFREG) || !inode->operations->writable)
        return -EINVAL;
    mutex_lock(&inode->lock);
    if (size > inode->cache.size)
        error = inode_check_size_limit(size);
    if (!error) {
        page_cache_resize(&inode->cache, size);
        inode_drop_privileges(inode);
        inode_touch_modified(inode);
    }
    mutex_unlock(&inode->lock);
    return error;
}
