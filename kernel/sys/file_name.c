/* Calls that make, remove and change names: mkdir, mknod, symlink, link, unlink, rename; readlink.
 */
#include <linux/fcntl.h>
#include <linux/fs.h>

#include "fs/inode.h"
#include "fs/path_walk.h"
#include "fs/tree.h"
#include "lib/string.h"
#include "proc/process.h"
#include "sys/path_copy.h"
#include "sys/syscall.h"

/* --- New names --- */

/* The place for a new name. Something else than a directory cannot be called "name/". */
static int walk_to_new(struct path_walk *walk, int directory, const char *name, bool is_directory)
{
    int error = path_walk(walk, directory, name, WALK_MAY_MISS);

    if (error)
        return error;
    if (walk->target || walk->kind != NAME_NORMAL)
        error = -EEXIST;
    else if (walk->trailing_slash && !is_directory)
        error = -ENOENT;
    if (error)
        path_walk_end(walk);
    return error;
}

static int create_node(int directory, const char *name, const struct tree_node *node)
{
    struct path_walk walk;
    int error = walk_to_new(&walk, directory, name, S_ISDIR(node->mode));

    if (error)
        return error;
    error = tree_create(walk.parent, walk.name, walk.name_length, node, NULL);
    path_walk_end(&walk);
    return error;
}

static int64_t create_name(int directory, uintptr_t name_address, const struct tree_node *node)
{
    struct user_name name;
    int error = user_name_get(&name, name_address);

    if (error)
        return error;
    error = create_node(directory, name.text, node);
    user_name_put(&name);
    return error;
}

static int64_t make_directory(int directory, uintptr_t name, uint32_t mode)
{
    const struct tree_node node = {.mode = S_IFDIR | (mode & 01777 & ~path_umask())};

    return create_name(directory, name, &node);
}

SYSCALL2(mkdir, uintptr_t, name, uint32_t, mode)
{
    return make_directory(AT_FDCWD, name, mode);
}

SYSCALL3(mkdirat, int, directory, uintptr_t, name, uint32_t, mode)
{
    return make_directory(directory, name, mode);
}

static int check_node_type(uint32_t mode)
{
    switch (mode & S_IFMT) {
    case 0:
    case S_IFREG:
    case S_IFIFO:
    case S_IFSOCK:
        return 0;
    case S_IFCHR:
    case S_IFBLK:
        return credentials_is_privileged(current_credentials()) ? 0 : -EPERM;
    case S_IFDIR:
        return -EPERM;
    default:
        return -EINVAL;
    }
}

static int64_t make_node(int directory, uintptr_t name, uint32_t mode, uint32_t device_number)
{
    struct tree_node node = {.mode = mode & (S_IFMT | 07777) & ~path_umask()};
    int error = check_node_type(mode);

    if (error)
        return error;
    if ((mode & S_IFMT) == 0)
        node.mode |= S_IFREG;
    if (S_ISCHR(mode) || S_ISBLK(mode))
        node.device_number = device_number;
    return create_name(directory, name, &node);
}

SYSCALL3(mknod, uintptr_t, name, uint32_t, mode, uint32_t, device_number)
{
    return make_node(AT_FDCWD, name, mode, device_number);
}

SYSCALL4(mknodat, int, directory, uintptr_t, name, uint32_t, mode, uint32_t, device_number)
{
    return make_node(directory, name, mode, device_number);
}

static int64_t make_symlink(uintptr_t target_address, int directory, uintptr_t name)
{
    struct user_name target;
    int64_t result = user_name_get(&target, target_address);

    if (result)
        return result;
    const struct tree_node node = {
        .mode = S_IFLNK | 0777,
        .target = target.text,
        .target_length = strlen(target.text),
    };

    result = node.target_length == 0 ? -ENOENT : create_name(directory, name, &node);
    user_name_put(&target);
    return result;
}

SYSCALL2(symlink, uintptr_t, target, uintptr_t, name)
{
    return make_symlink(target, AT_FDCWD, name);
}

SYSCALL3(symlinkat, uintptr_t, target, int, directory, uintptr_t, name)
{
    return make_symlink(target, directory, name);
}

/* --- Hard links --- */

static int link_path(struct path *source, int directory, const char *name)
{
    struct path_walk walk;
    int error = walk_to_new(&walk, directory, name, false);

    if (error)
        return error;
    if (source->inode->device != walk.parent->inode->device)
        error = -EXDEV;
    else
        error = tree_link(source->inode, walk.parent, walk.name, walk.name_length);
    path_walk_end(&walk);
    return error;
}

static int link_names(int old_directory, const char *old_name, int new_directory,
                      const char *new_name, unsigned flags)
{
    unsigned walk_flags = flags & AT_SYMLINK_FOLLOW ? WALK_FOLLOW : 0;
    struct path *source;
    int error;

    if (flags & AT_EMPTY_PATH)
        walk_flags |= WALK_EMPTY;
    error = path_lookup(old_directory, old_name, walk_flags, &source);
    if (error)
        return error;
    error = link_path(source, new_directory, new_name);
    path_put(source);
    return error;
}

/* Both names of a call that has two. Only after success must put_names() follow. */
static int get_names(struct user_name names[2], uintptr_t first, uintptr_t second)
{
    int error = user_name_get(&names[0], first);

    if (error)
        return error;
    error = user_name_get(&names[1], second);
    if (error)
        user_name_put(&names[0]);
    return error;
}

static void put_names(struct user_name names[2])
{
    user_name_put(&names[0]);
    user_name_put(&names[1]);
}

static int64_t make_link(int old_directory, uintptr_t old_name, int new_directory,
                         uintptr_t new_name, unsigned flags)
{
    struct user_name names[2];
    int error;

    if (flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    if (flags & AT_EMPTY_PATH && !credentials_is_privileged(current_credentials()))
        return -ENOENT;
    error = get_names(names, old_name, new_name);
    if (error)
        return error;
    error = link_names(old_directory, names[0].text, new_directory, names[1].text, flags);
    put_names(names);
    return error;
}

SYSCALL2(link, uintptr_t, old_name, uintptr_t, new_name)
{
    return make_link(AT_FDCWD, old_name, AT_FDCWD, new_name, 0);
}

SYSCALL5(linkat, int, old_directory, uintptr_t, old_name, int, new_directory, uintptr_t, new_name,
         unsigned, flags)
{
    return make_link(old_directory, old_name, new_directory, new_name, flags);
}

/* --- Removal --- */

/* unlink() of what is called "name/": Linux tells what is wrong with it. */
static int check_unlink_slash(const struct path_walk *walk)
{
    if (!walk->trailing_slash)
        return 0;
    if (!walk->target)
        return -ENOENT;
    return inode_is(walk->target->inode, S_IFDIR) ? -EISDIR : -ENOTDIR;
}

static int check_removal(const struct path_walk *walk, bool is_directory)
{
    static const int rmdir_errors[] = {
        [NAME_DOT] = -EINVAL, [NAME_DOT_DOT] = -ENOTEMPTY, [NAME_ROOT] = -EBUSY};

    if (walk->kind == NAME_NORMAL)
        return is_directory ? 0 : check_unlink_slash(walk);
    return is_directory ? rmdir_errors[walk->kind] : -EISDIR;
}

static int64_t remove_name(int directory, uintptr_t name_address, bool is_directory)
{
    struct path_walk walk;
    struct user_name name;
    int error = user_name_get(&name, name_address);

    if (error)
        return error;
    error = path_walk(&walk, directory, name.text, WALK_MAY_MISS);
    if (!error) {
        error = check_removal(&walk, is_directory);
        if (!error)
            error = tree_remove(walk.parent, walk.name, walk.name_length, is_directory);
        path_walk_end(&walk);
    }
    user_name_put(&name);
    return error;
}

SYSCALL1(unlink, uintptr_t, name)
{
    return remove_name(AT_FDCWD, name, false);
}

SYSCALL1(rmdir, uintptr_t, name)
{
    return remove_name(AT_FDCWD, name, true);
}

SYSCALL3(unlinkat, int, directory, uintptr_t, name, unsigned, flags)
{
    if (flags & ~AT_REMOVEDIR)
        return -EINVAL;
    return remove_name(directory, name, flags & AT_REMOVEDIR);
}

/* --- rename --- */

static int rename_walked(const struct path_walk *from, const struct path_walk *to, unsigned flags)
{
    if (from->parent->inode->device != to->parent->inode->device)
        return -EXDEV;
    if (from->kind != NAME_NORMAL)
        return -EBUSY;
    if (to->kind != NAME_NORMAL)
        return flags & RENAME_NOREPLACE ? -EEXIST : -EBUSY;
    return tree_rename(from->parent, from->name, from->name_length, from->trailing_slash,
                       to->parent, to->name, to->name_length, to->trailing_slash, flags);
}

static int rename_names(int old_directory, const char *old_name, int new_directory,
                        const char *new_name, unsigned flags)
{
    struct path_walk from, to;
    int error = path_walk(&from, old_directory, old_name, WALK_MAY_MISS);

    if (error)
        return error;
    error = path_walk(&to, new_directory, new_name, WALK_MAY_MISS);
    if (!error) {
        error = rename_walked(&from, &to, flags);
        path_walk_end(&to);
    }
    path_walk_end(&from);
    return error;
}

static int64_t change_name(int old_directory, uintptr_t old_name, int new_directory,
                           uintptr_t new_name, unsigned flags)
{
    struct user_name names[2];
    int error;

    if (flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE) ||
        flags == (RENAME_NOREPLACE | RENAME_EXCHANGE))
        return -EINVAL;
    error = get_names(names, old_name, new_name);
    if (error)
        return error;
    error = rename_names(old_directory, names[0].text, new_directory, names[1].text, flags);
    put_names(names);
    return error;
}

SYSCALL2(rename, uintptr_t, old_name, uintptr_t, new_name)
{
    return change_name(AT_FDCWD, old_name, AT_FDCWD, new_name, 0);
}

SYSCALL4(renameat, int, old_directory, uintptr_t, old_name, int, new_directory, uintptr_t, new_name)
{
    return change_name(old_directory, old_name, new_directory, new_name, 0);
}

SYSCALL5(renameat2, int, old_directory, uintptr_t, old_name, int, new_directory, uintptr_t,
         new_name, unsigned, flags)
{
    return change_name(old_directory, old_name, new_directory, new_name, flags);
}

/* --- readlink --- */

static int64_t read_link(struct inode *inode, uintptr_t buffer, size_t size)
{
    physical_t frame;
    int64_t length;

    if (!inode->operations->read_link)
        return -EINVAL;
    frame = frame_alloc();
    if (!frame)
        return -ENOMEM;
    length = inode->operations->read_link(inode, frame_address(frame),
                                          size < PAGE_SIZE ? size : PAGE_SIZE);
    if (length > 0 && copy_to_user(buffer, frame_address(frame), length))
        length = -EFAULT;
    frame_put(frame);
    return length;
}

static int64_t read_link_name(int directory, uintptr_t name_address, uintptr_t buffer, int size)
{
    struct user_name name;
    struct path *path;
    int64_t result;

    if (size <= 0)
        return -EINVAL;
    result = user_name_get(&name, name_address);
    if (result)
        return result;
    result = path_lookup(directory, name.text, WALK_EMPTY, &path);
    /* "" reads the link that the descriptor itself is, if it is one. */
    bool is_empty = name.text[0] == '\0';

    user_name_put(&name);
    if (result)
        return result;
    result = read_link(path->inode, buffer, size);
    path_put(path);
    return is_empty && result == -EINVAL ? -ENOENT : result;
}

SYSCALL3(readlink, uintptr_t, name, uintptr_t, buffer, int, size)
{
    return read_link_name(AT_FDCWD, name, buffer, size);
}

SYSCALL4(readlinkat, int, directory, uintptr_t, name, uintptr_t, buffer, int, size)
{
    return read_link_name(directory, name, buffer, size);
}
