/* open and its relatives, memfd_create, close, close_range. */
#include <linux/close_range.h>
#include <linux/fcntl.h>
#include <linux/memfd.h>

#include "fs/file.h"
#include "fs/file_table.h"
#include "fs/inode.h"
#include "fs/path_walk.h"
#include "fs/regular.h"
#include "fs/tree.h"
#include "lib/string.h"
#include "sys/path_copy.h"
#include "sys/syscall.h"

#define PERMISSIONS 07777u
/* Flags that act on the open itself and are not kept. */
#define OPEN_ONLY_FLAGS (O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC)
/* All that O_PATH leaves of the flags. */
#define PATH_FLAGS (O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

struct open_request {
    int directory;
    const char *name;
    unsigned flags; /* O_* */
    uint32_t mode;  /* of a file to be created, without the umask's bits */
    bool created;
};

/* What the caller must be allowed to do with the file. */
static unsigned wanted_access(unsigned flags)
{
    static const unsigned by_mode[] = {MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE,
                                       MAY_READ | MAY_WRITE};

    return by_mode[flags & O_ACCMODE] | (flags & O_TRUNC ? MAY_WRITE : 0);
}

static int check_open(const struct open_request *request, struct inode *inode)
{
    const struct credentials *who = file_credentials();
    unsigned wanted = wanted_access(request->flags);
    int error;

    if (request->flags & O_DIRECTORY && !inode_is(inode, S_IFDIR))
        return -ENOTDIR;
    if (request->flags & O_PATH || request->created)
        return 0;
    if (inode_is(inode, S_IFLNK))
        return -ELOOP;
    if (inode_is(inode, S_IFDIR) && wanted & MAY_WRITE)
        return -EISDIR;
    error = inode_check_access(inode, wanted, who);
    if (!error && request->flags & O_NOATIME && !inode_is_owned(inode, who))
        error = -EPERM;
    return error;
}

/* The new file, a descriptor of which is to be filled in. */
static int open_path(const struct open_request *request, struct path *path, struct file **opened)
{
    struct file *file;
    int error = check_open(request, path->inode);

    if (error)
        return error;
    file = file_create(NULL, NULL, request->flags & ~O_CLOEXEC);
    if (!file)
        return -ENOMEM;
    error = inode_open(path, file);
    if (!error && request->flags & O_TRUNC && !request->created && inode_is(path->inode, S_IFREG) &&
        path->inode->operations->writable)
        error = inode_truncate(path->inode, 0);
    if (error) {
        file_put(file);
        return error;
    }
    atomic_fetch_and(&file->flags, ~(uint32_t)OPEN_ONLY_FLAGS);
    *opened = file;
    return 0;
}

/* O_CREAT: the file that is there, or a new one. -ESTALE: it came into being meanwhile. */
static int find_or_create(struct open_request *request, struct path_walk *walk)
{
    const struct tree_node node = {.mode = S_IFREG | request->mode};
    int error;

    if (walk->kind != NAME_NORMAL)
        return request->flags & O_EXCL ? -EEXIST : -EISDIR;
    if (walk->trailing_slash)
        return -EISDIR;
    if (walk->target) {
        if (request->flags & O_EXCL)
            return -EEXIST;
        return inode_is(walk->target->inode, S_IFDIR) ? -EISDIR : 0;
    }
    error = tree_create(walk->parent, walk->name, walk->name_length, &node, &walk->target);
    if (error == -EEXIST && !(request->flags & O_EXCL))
        return -ESTALE;
    request->created = !error;
    return error;
}

/* O_TMPFILE: a file that no directory names, in a directory that could have it. */
static int open_unnamed(const struct open_request *request, struct inode *directory,
                        struct file **opened)
{
    int error;

    if (!inode_is(directory, S_IFDIR))
        return -ENOTDIR;
    if (!directory->operations->writable)
        return -EOPNOTSUPP;
    error = inode_check_access(directory, MAY_WRITE | MAY_EXECUTE, file_credentials());
    if (error)
        return error;
    return regular_create_unnamed("#unnamed", request->mode, request->flags & ~O_CLOEXEC,
                                  !(request->flags & O_EXCL), opened);
}

static unsigned walk_flags(const struct open_request *request)
{
    bool exclusive = (request->flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL);
    unsigned flags = request->flags & O_NOFOLLOW || exclusive ? 0 : WALK_FOLLOW;

    return request->flags & O_CREAT ? flags | WALK_MAY_MISS : flags;
}

static int walk_and_open(struct open_request *request, struct file **opened)
{
    struct path_walk walk;
    int error = path_walk(&walk, request->directory, request->name, walk_flags(request));

    if (error)
        return error;
    if ((request->flags & O_TMPFILE) == O_TMPFILE) {
        error = open_unnamed(request, walk.target->inode, opened);
    } else {
        if (request->flags & O_CREAT)
            error = find_or_create(request, &walk);
        else if (walk.trailing_slash && !inode_is(walk.target->inode, S_IFDIR))
            error = -ENOTDIR;
        if (!error)
            error = open_path(request, walk.target, opened);
    }
    path_walk_end(&walk);
    return error;
}

static int check_flags(struct open_request *request)
{
    unsigned flags = request->flags;

    if (flags & O_PATH)
        request->flags = flags & PATH_FLAGS;
    else if (flags & __O_TMPFILE &&
             ((flags & O_TMPFILE) != O_TMPFILE || !(wanted_access(flags) & MAY_WRITE)))
        return -EINVAL;
    else if ((flags & (O_CREAT | O_DIRECTORY)) == (O_CREAT | O_DIRECTORY))
        return -EINVAL;
    return 0;
}

static int64_t open_name(int directory, uintptr_t name_address, unsigned flags, uint32_t mode)
{
    struct open_request request = {
        .directory = directory,
        .flags = flags,
        .mode = mode & PERMISSIONS & ~path_umask(),
    };
    struct user_name name;
    struct file *file;
    int64_t descriptor;
    int error = check_flags(&request);

    if (!error)
        error = user_name_get(&name, name_address);
    if (error)
        return error;
    request.name = name.text;
    descriptor = name.text[0] ? file_reserve_descriptor(0, flags & O_CLOEXEC) : -ENOENT;
    if (descriptor >= 0) {
        do {
            error = walk_and_open(&request, &file);
        } while (error == -ESTALE);
        if (error) {
            file_unreserve_descriptor(descriptor);
            descriptor = error;
        } else {
            file_fill_descriptor(descriptor, file);
        }
    }
    user_name_put(&name);
    return descriptor;
}

SYSCALL3(open, uintptr_t, name, unsigned, flags, uint32_t, mode)
{
    return open_name(AT_FDCWD, name, flags | O_LARGEFILE, mode);
}

SYSCALL4(openat, int, directory, uintptr_t, name, unsigned, flags, uint32_t, mode)
{
    return open_name(directory, name, flags | O_LARGEFILE, mode);
}

SYSCALL2(creat, uintptr_t, name, uint32_t, mode)
{
    return open_name(AT_FDCWD, name, O_CREAT | O_WRONLY | O_TRUNC | O_LARGEFILE, mode);
}

#define MEMFD_PREFIX   "memfd:"
#define MEMFD_NAME_MAX (NAME_LENGTH_MAX - (sizeof(MEMFD_PREFIX) - 1))

SYSCALL2(memfd_create, uintptr_t, name_address, unsigned, flags)
{
    char name[NAME_LENGTH_MAX + 1] = MEMFD_PREFIX;
    struct file *file;
    long length;

    if (flags & ~(MFD_CLOEXEC | MFD_ALLOW_SEALING))
        return -EINVAL;
    length =
        copy_string_from_user(name + sizeof(MEMFD_PREFIX) - 1, name_address, MEMFD_NAME_MAX + 1);
    if (length < 0)
        return length == -ENAMETOOLONG ? -EINVAL : length;
    int64_t descriptor = file_reserve_descriptor(0, flags & MFD_CLOEXEC);

    if (descriptor < 0)
        return descriptor;
    int error = regular_create_unnamed(name, 0777, O_RDWR | O_LARGEFILE, false, &file);

    if (error) {
        file_unreserve_descriptor(descriptor);
        return error;
    }
    file_fill_descriptor(descriptor, file);
    return descriptor;
}

SYSCALL1(close, int, descriptor)
{
    return file_close_descriptor(descriptor);
}

SYSCALL3(close_range, unsigned, first, unsigned, last, unsigned, flags)
{
    if (flags & ~(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC) || first > last)
        return -EINVAL;
    if (flags & CLOSE_RANGE_UNSHARE) {
        int error = file_table_unshare();

        if (error)
            return error;
    }
    if (flags & CLOSE_RANGE_CLOEXEC)
        file_table_mark_range(first, last);
    else
        file_table_close_range(first, last);
    return 0;
}
