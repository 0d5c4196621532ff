/*
 * The in-memory tree: its inodes, and the calls that create and remove names.
 *
 * A directory's lock is held while its entries change, names_lock for the moment of the change
 * itself. No call holds the lock of an entry's inode together with its directory's: what an entry
 * gets or loses (links, times) follows when the directory is unlocked again.
 */
#include "fs/tree.h"

#include "fs/tree_internal.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "proc/process.h"

/* The first two positions of a directory are "." and "..". */
#define FIRST_POSITION 2
#define LINKS_MAX      INT32_MAX

static _Atomic uint64_t inode_count;

/* --- Inodes --- */

static int64_t read_symlink(struct inode *link, char *buffer, size_t size)
{
    size_t length = link->symlink.target_length;

    if (length > size)
        length = size;
    memcpy(buffer, link->symlink.target, length);
    return length;
}

static void release_inode(struct inode *inode)
{
    switch (inode->mode & S_IFMT) {
    case S_IFREG:
        page_cache_destroy(&inode->cache);
        break;
    case S_IFDIR:
        assert(inode->directory.child_count == 0);
        kfree(inode->directory.buckets);
        break;
    case S_IFLNK:
        kfree(inode->symlink.target);
        break;
    case S_IFIFO:
        inode_release_fifo(inode);
        break;
    }
    atomic_fetch_sub_explicit(&inode_count, 1, memory_order_relaxed);
}

static const struct inode_operations tree_operations = {
    .release = release_inode,
    .writable = true,
};

static const struct inode_operations symlink_operations = {
    .read_link = read_symlink,
    .release = release_inode,
    .writable = true,
};

uint64_t tree_inode_count(void)
{
    return atomic_load_explicit(&inode_count, memory_order_relaxed);
}

/* Who made it owns it; a setgid directory gives its group on, and to directories the bit too. */
static void set_owner(struct inode *inode, const struct inode *directory)
{
    const struct credentials *who = file_credentials();

    if (who) {
        inode->uid = who->user.file_system;
        inode->gid = who->group.file_system;
    }
    if (!directory || !(directory->mode & S_ISGID))
        return;
    inode->gid = directory->gid;
    if (S_ISDIR(inode->mode))
        inode->mode |= S_ISGID;
    else if ((inode->mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) && who &&
             !credentials_is_privileged(who) && !credentials_in_group(who, inode->gid))
        inode->mode &= ~S_ISGID;
}

struct inode *tree_inode_create(const struct inode *directory, uint32_t mode)
{
    struct inode *inode;

    /* An inode with its name takes less than a page: files of any kind leave memory to others. */
    if (tree_inode_count() >= page_cache_limit())
        return NULL;
    inode = inode_create(S_ISLNK(mode) ? &symlink_operations : &tree_operations, DEVICE_TREE, mode);
    if (!inode)
        return NULL;
    atomic_fetch_add_explicit(&inode_count, 1, memory_order_relaxed);
    set_owner(inode, directory);
    if (S_ISDIR(mode))
        inode->directory.next_position = FIRST_POSITION;
    return inode;
}

/* The inode of a new name. -ENOSPC */
static int create_inode(const struct inode *directory, const struct tree_node *node,
                        struct inode **created)
{
    struct inode *inode = tree_inode_create(directory, node->mode);

    if (!inode)
        return -ENOSPC;
    inode->device_number = node->device_number;
    inode->links = S_ISDIR(node->mode) ? 2 : 1;
    if (S_ISLNK(node->mode)) {
        inode->symlink.target = kmalloc(node->target_length + 1);
        if (!inode->symlink.target) {
            inode_put(inode);
            return -ENOSPC;
        }
        memcpy(inode->symlink.target, node->target, node->target_length);
        inode->symlink.target_length = node->target_length;
    }
    *created = inode;
    return 0;
}

/* --- Creating --- */

int tree_create_as(const struct credentials *who, struct path *directory, const char *name,
                   size_t length, const struct tree_node *node, struct path **created)
{
    struct inode *inode = NULL;
    struct path *path = NULL;
    int error;

    mutex_lock(&directory->inode->lock);
    error = directory_check_name(directory, name, length, who);
    if (!error)
        error = create_inode(directory->inode, node, &inode);
    if (!error) {
        path = path_create(directory, inode, name, length);
        inode_put(inode);
        error = path ? directory_add(directory, path) : -ENOSPC;
    }
    mutex_unlock(&directory->inode->lock);
    if (!error && created)
        *created = path;
    else if (path)
        path_put(path);
    return error;
}

int tree_create(struct path *directory, const char *name, size_t length,
                const struct tree_node *node, struct path **created)
{
    return tree_create_as(file_credentials(), directory, name, length, node, created);
}

/* --- Hard links --- */

/* -ENOENT: the file has lost its last name meanwhile. */
static int take_link(struct inode *inode)
{
    int error = 0;

    mutex_lock(&inode->lock);
    if (inode->links == 0 && !inode->may_be_linked)
        error = -ENOENT;
    else if (inode->links >= LINKS_MAX)
        error = -EMLINK;
    else
        inode->links++;
    inode->change_time = file_time_now();
    mutex_unlock(&inode->lock);
    return error;
}

void inode_drop_link(struct inode *inode)
{
    mutex_lock(&inode->lock);
    inode->links = inode_is(inode, S_IFDIR) ? 0 : inode->links - 1;
    inode->change_time = file_time_now();
    mutex_unlock(&inode->lock);
}

int tree_link(struct inode *inode, struct path *directory, const char *name, size_t length)
{
    struct path *path = NULL;
    int error;

    error = directory_check_name(directory, name, length, file_credentials());
    if (error)
        return error;
    if (inode->device != directory->inode->device)
        return -EXDEV;
    if (inode_is(inode, S_IFDIR))
        return -EPERM;
    error = take_link(inode);
    if (error)
        return error;
    mutex_lock(&directory->inode->lock);
    error = directory_check_name(directory, name, length, file_credentials());
    if (!error) {
        path = path_create(directory, inode, name, length);
        error = path ? directory_add(directory, path) : -ENOSPC;
    }
    mutex_unlock(&directory->inode->lock);
    if (path)
        path_put(path);
    if (error)
        inode_drop_link(inode);
    return error;
}

/* --- Removing --- */

static int check_type(const struct inode *inode, bool want_directory)
{
    if (!want_directory)
        return inode_is(inode, S_IFDIR) ? -EISDIR : 0;
    if (!inode_is(inode, S_IFDIR))
        return -ENOTDIR;
    /* Another file system is attached here. */
    return inode->operations->writable ? 0 : -EBUSY;
}

int tree_remove_as(const struct credentials *who, struct path *directory, const char *name,
                   size_t length, bool want_directory)
{
    struct path *child;
    int error = -ENOENT;

    if (directory->inode->operations->lookup)
        return -EPERM;
    mutex_lock(&directory->inode->lock);
    child = tree_find(directory, name, length);
    if (child)
        error = directory_check_remove(directory->inode, child->inode, who);
    if (!error)
        error = check_type(child->inode, want_directory);
    if (!error)
        error = directory_take(directory, child);
    mutex_unlock(&directory->inode->lock);
    if (!error) {
        inode_drop_link(child->inode);
        path_put(child);
    }
    if (child)
        path_put(child);
    return error;
}

int tree_remove(struct path *directory, const char *name, size_t length, bool want_directory)
{
    return tree_remove_as(file_credentials(), directory, name, length, want_directory);
}

int tree_init(void)
{
    struct inode *root = tree_inode_create(NULL, S_IFDIR | 0755);

    if (!root)
        return -ENOMEM;
    tree_rename_init();
    root->links = 2;
    root_path = path_create(NULL, root, "", 0);
    root->directory.self = root_path;
    inode_put(root);
    return root_path ? 0 : -ENOMEM;
}
