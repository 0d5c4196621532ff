/*
 * Files as programs. An executable holds the name it was found under, and keeps writers out of the
 * file, from exec until the last process that runs it is gone.
 */
#include "fs/executable.h"

#include <linux/fcntl.h>

#include "fs/inode.h"
#include "fs/path_walk.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/slab.h"

struct file_executable {
    struct executable executable;
    struct path *path; /* (const) reference */
};

static SLAB_CACHE(executable_cache, struct file_executable);

static struct file_executable *of_executable(struct executable *executable)
{
    return container_of(executable, struct file_executable, executable);
}

struct path *executable_path(struct executable *executable)
{
    return of_executable(executable)->path;
}

static int64_t read_executable(struct executable *executable, void *buffer, size_t size,
                               uint64_t offset)
{
    return page_cache_read_kernel(&executable_path(executable)->inode->cache, buffer, size, offset);
}

static struct mapping_source *executable_source(struct executable *executable)
{
    return &executable_path(executable)->source;
}

static void release_executable(struct executable *executable)
{
    struct file_executable *file = of_executable(executable);

    inode_allow_write(file->path->inode);
    path_put(file->path);
    slab_free(&executable_cache, file);
}

static const struct executable_operations operations = {
    .read = read_executable,
    .source = executable_source,
    .open_interpreter = executable_open_path,
    .release = release_executable,
};

/* The last part of the name that exec was given: a link's own name, not that of its target. */
static void copy_name(struct path *path, const char *name, char copy[THREAD_NAME_SIZE])
{
    const char *slash = strrchr(name, '/');

    if (name[0] != '\0') {
        string_copy(copy, slash ? slash + 1 : name, THREAD_NAME_SIZE);
        return;
    }
    spin_lock(&names_lock);
    string_copy(copy, path->name->text, THREAD_NAME_SIZE);
    spin_unlock(&names_lock);
}

/* Takes over the reference to the path on success. */
static int create_executable(struct path *path, const char *name, struct executable **executable)
{
    struct inode *inode = path->inode;
    struct file_executable *file;
    int error = inode_deny_write(inode);

    if (error)
        return error;
    file = slab_alloc(&executable_cache);
    if (!file) {
        inode_allow_write(inode);
        return -ENOMEM;
    }
    refcount_init(&file->executable.refs);
    file->executable.operations = &operations;
    file->executable.size = inode->cache.size;
    file->executable.set_uid = inode->mode & S_ISUID ? (int64_t)inode->uid : -1;
    file->executable.set_gid =
        (inode->mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) ? (int64_t)inode->gid : -1;
    copy_name(path, name, file->executable.name);
    file->path = path;
    *executable = &file->executable;
    return 0;
}

int executable_open(int directory, const char *name, int flags, struct executable **executable)
{
    unsigned walk_flags = flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW;
    struct path *path;
    int error;

    if (flags & AT_EMPTY_PATH)
        walk_flags |= WALK_EMPTY;
    error = path_lookup(directory, name, walk_flags, &path);
    if (error)
        return error;
    if (inode_is(path->inode, S_IFLNK))
        error = -ELOOP;
    else if (!inode_is(path->inode, S_IFREG) || !path->inode->operations->writable)
        error = -EACCES;
    else
        error = inode_check_access(path->inode, MAY_EXECUTE, file_credentials());
    if (!error)
        error = create_executable(path, name, executable);
    if (error)
        path_put(path);
    return error;
}

int executable_open_path(const char *name, struct executable **executable)
{
    return executable_open(AT_FDCWD, name, 0, executable);
}
