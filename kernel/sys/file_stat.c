/* stat and its relatives, access, statfs. */
#include <asm/stat.h>
#include <asm/statfs.h>
#include <linux/fcntl.h>
#include <linux/magic.h>
#include <linux/stat.h>

#include "fs/device.h"
#include "fs/file.h"
#include "fs/inode.h"
#include "fs/path_walk.h"
#include "fs/tree.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "proc/process.h"
#include "sys/path_copy.h"
#include "sys/syscall.h"

/* --- stat --- */

static int status_of_descriptor(int descriptor, struct stat *status)
{
    struct file *file = file_from_descriptor_or_path(descriptor);

    if (!file)
        return -EBADF;
    int error = file_get_status(file, status);

    file_put(file);
    return error;
}

static int status_of_path(int directory, const char *name, unsigned walk_flags, struct stat *status)
{
    struct path *path;
    int error = path_lookup(directory, name, walk_flags, &path);

    if (error)
        return error;
    error = inode_get_status(path->inode, status);
    path_put(path);
    return error;
}

static int status_of_name(int directory, uintptr_t name_address, unsigned flags,
                          struct stat *status)
{
    unsigned walk_flags = flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW;
    struct user_name name;
    int error = user_name_get(&name, name_address);

    if (error)
        return error;
    if (flags & AT_EMPTY_PATH)
        walk_flags |= WALK_EMPTY;
    /* An open file without a name in the tree has a status too. */
    if (name.text[0] == '\0' && flags & AT_EMPTY_PATH && directory != AT_FDCWD)
        error = status_of_descriptor(directory, status);
    else
        error = status_of_path(directory, name.text, walk_flags, status);
    user_name_put(&name);
    return error;
}

static int64_t stat_name(int directory, uintptr_t name, unsigned flags, uintptr_t address)
{
    struct stat status;
    int error = status_of_name(directory, name, flags, &status);

    return error ? error : copy_to_user(address, &status, sizeof(status));
}

SYSCALL2(stat, uintptr_t, name, uintptr_t, address)
{
    return stat_name(AT_FDCWD, name, 0, address);
}

SYSCALL2(lstat, uintptr_t, name, uintptr_t, address)
{
    return stat_name(AT_FDCWD, name, AT_SYMLINK_NOFOLLOW, address);
}

SYSCALL2(fstat, int, descriptor, uintptr_t, address)
{
    struct stat status;
    int error = status_of_descriptor(descriptor, &status);

    return error ? error : copy_to_user(address, &status, sizeof(status));
}

SYSCALL4(newfstatat, int, directory, uintptr_t, name, uintptr_t, address, unsigned, flags)
{
    if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH))
        return -EINVAL;
    return stat_name(directory, name, flags, address);
}

#define STATX_FLAGS (AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE)

static struct statx_timestamp extended_time(uint64_t seconds, uint64_t nanoseconds)
{
    return (struct statx_timestamp){.tv_sec = seconds, .tv_nsec = nanoseconds};
}

static void extend_status(const struct stat *status, struct statx *extended)
{
    *extended = (struct statx){
        .stx_mask = STATX_BASIC_STATS,
        .stx_blksize = status->st_blksize,
        .stx_nlink = status->st_nlink,
        .stx_uid = status->st_uid,
        .stx_gid = status->st_gid,
        .stx_mode = status->st_mode,
        .stx_ino = status->st_ino,
        .stx_size = status->st_size,
        .stx_blocks = status->st_blocks,
        .stx_atime = extended_time(status->st_atime, status->st_atime_nsec),
        .stx_mtime = extended_time(status->st_mtime, status->st_mtime_nsec),
        .stx_ctime = extended_time(status->st_ctime, status->st_ctime_nsec),
        .stx_rdev_major = DEVICE_MAJOR(status->st_rdev),
        .stx_rdev_minor = DEVICE_MINOR(status->st_rdev),
        .stx_dev_major = DEVICE_MAJOR(status->st_dev),
        .stx_dev_minor = DEVICE_MINOR(status->st_dev),
    };
}

SYSCALL5(statx, int, directory, uintptr_t, name, unsigned, flags, unsigned, mask, uintptr_t,
         address)
{
    struct stat status;
    struct statx extended;
    int error;

    if (mask & STATX__RESERVED || (flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE ||
        flags & ~(unsigned)STATX_FLAGS)
        return -EINVAL;
    error = status_of_name(directory, name, flags, &status);
    if (error)
        return error;
    extend_status(&status, &extended);
    return copy_to_user(address, &extended, sizeof(extended));
}

/* --- access --- */

/* Are the ids that access(2) judges by the ones that all other calls judge by? */
static bool is_real(const struct id_set *ids)
{
    return ids->real == ids->effective && ids->real == ids->file_system;
}

/* The caller as its real ids would be: *copy, if it is one, is kmalloc'ed. */
static const struct credentials *real_credentials(struct credentials **copy)
{
    const struct credentials *who = current_credentials();
    struct credentials *real;

    if (is_real(&who->user) && is_real(&who->group))
        return who;
    *copy = real = kmalloc(sizeof(*real));
    if (!real)
        return NULL;
    memcpy(real, who, sizeof(*real));
    real->user.effective = real->user.file_system = real->user.real;
    real->group.effective = real->group.file_system = real->group.real;
    return real;
}

static int check_access_as(const struct credentials *who, int directory, const char *name,
                           unsigned wanted, unsigned flags)
{
    unsigned walk_flags = flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW;
    struct path *path;
    int error;

    if (flags & AT_EMPTY_PATH)
        walk_flags |= WALK_EMPTY;
    error = path_lookup_as(who, directory, name, walk_flags, &path);
    if (error)
        return error;
    error = inode_check_access(path->inode, wanted, who);
    path_put(path);
    return error;
}

static int64_t check_access(int directory, uintptr_t name_address, unsigned wanted, unsigned flags)
{
    const struct credentials *who = current_credentials();
    struct credentials *copy = NULL;
    struct user_name name;
    int error;

    if (wanted & ~7u || flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    if (!(flags & AT_EACCESS))
        who = real_credentials(&copy);
    if (!who)
        return -ENOMEM;
    error = user_name_get(&name, name_address);
    if (!error) {
        error = check_access_as(who, directory, name.text, wanted, flags);
        user_name_put(&name);
    }
    kfree(copy);
    return error;
}

SYSCALL2(access, uintptr_t, name, unsigned, wanted)
{
    return check_access(AT_FDCWD, name, wanted, 0);
}

SYSCALL3(faccessat, int, directory, uintptr_t, name, unsigned, wanted)
{
    return check_access(directory, name, wanted, 0);
}

SYSCALL4(faccessat2, int, directory, uintptr_t, name, unsigned, wanted, unsigned, flags)
{
    return check_access(directory, name, wanted, flags);
}

/* --- statfs --- */

static int64_t copy_file_system_status(uint32_t device, uintptr_t address)
{
    struct statfs status = {
        .f_type = device == DEVICE_PROC ? PROC_SUPER_MAGIC : TMPFS_MAGIC,
        .f_bsize = PAGE_SIZE,
        .f_frsize = PAGE_SIZE,
        .f_namelen = NAME_LENGTH_MAX,
        .f_flags = 0x20, /* ST_VALID: the flags mean something; there are none */
    };

    if (device == DEVICE_ANONYMOUS)
        status.f_type = ANON_INODE_FS_MAGIC;
    if (device == DEVICE_TREE) {
        uint64_t limit = page_cache_limit(), used = page_cache_used();

        status.f_blocks = limit;
        status.f_bfree = status.f_bavail = used < limit ? limit - used : 0;
        status.f_files = limit;
        status.f_ffree = limit - tree_inode_count();
    }
    return copy_to_user(address, &status, sizeof(status));
}

SYSCALL2(statfs, uintptr_t, name_address, uintptr_t, address)
{
    struct user_name name;
    struct path *path;
    int64_t result = user_name_get(&name, name_address);

    if (result)
        return result;
    result = path_lookup(AT_FDCWD, name.text, WALK_FOLLOW, &path);
    user_name_put(&name);
    if (result)
        return result;
    result = copy_file_system_status(path->inode->device, address);
    path_put(path);
    return result;
}

SYSCALL2(fstatfs, int, descriptor, uintptr_t, address)
{
    struct file *file = file_from_descriptor_or_path(descriptor);

    if (!file)
        return -EBADF;
    int64_t result =
        copy_file_system_status(file->inode ? file->inode->device : DEVICE_ANONYMOUS, address);

    file_put(file);
    return result;
}
