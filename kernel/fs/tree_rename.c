/*
 * rename(2). One rename at a time in the tree (rename_lock): so the check that a directory does not
 * move below itself stays true, and two directories can be locked in any order. The move itself is
 * one hold of names_lock: a lookup finds the old state or the new one.
 */
#include <linux/fs.h>

#include "fs/tree.h"
#include "fs/tree_internal.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/slab.h"

static struct mutex rename_lock;

struct end {
    struct path *directory;
    struct inode *inode; /* the directory's */
    const char *name;
    size_t length;
    bool slash;
    struct path *child;         /* reference; NULL at a new end where nothing is */
    struct path_name *new_name; /* for the child that comes here */
};

struct rename {
    struct end from, to;
    const struct credentials *who;
    bool exchange, no_replace;
};

void tree_rename_init(void)
{
    mutex_init(&rename_lock, LOCK_RANK_RENAME);
}

static bool is_directory(const struct path *path)
{
    return path && inode_is(path->inode, S_IFDIR);
}

/* Is `above` the place itself, or a directory on the way to it? No rename is under way. */
static bool is_at_or_below(struct path *place, const struct path *above)
{
    bool found = false;

    spin_lock(&names_lock);
    for (struct path *at = place; !found; at = at->parent) {
        found = at == above;
        if (at->parent == at)
            break;
    }
    spin_unlock(&names_lock);
    return found;
}

/* --- Checks, in Linux's order --- */

static int check_ends(const struct rename *rename)
{
    const struct end *from = &rename->from, *to = &rename->to;

    if (!from->child)
        return -ENOENT;
    if (rename->no_replace && to->child)
        return -EEXIST;
    if (rename->exchange) {
        if (!to->child)
            return -ENOENT;
        if (to->slash && !is_directory(to->child))
            return -ENOTDIR;
    }
    if (!is_directory(from->child)) {
        if (from->slash || (!rename->exchange && to->slash))
            return -ENOTDIR;
    }
    if (is_at_or_below(to->directory, from->child))
        return -EINVAL;
    if (to->child && is_at_or_below(from->directory, to->child))
        return rename->exchange ? -EINVAL : -ENOTEMPTY;
    return 0;
}

static int check_target(const struct rename *rename)
{
    const struct path *child = rename->to.child;
    int error;

    if (!child)
        return directory_check_create(rename->to.inode, rename->who);
    error = directory_check_remove(rename->to.inode, child->inode, rename->who);
    if (error || rename->exchange)
        return error;
    if (is_directory(rename->from.child))
        return is_directory(child) ? 0 : -ENOTDIR;
    return is_directory(child) ? -EISDIR : 0;
}

/* Whose ".." changes must be writable. */
static int check_moved(const struct rename *rename, const struct path *moved)
{
    if (!is_directory(moved) || rename->from.inode == rename->to.inode)
        return 0;
    return inode_check_access(moved->inode, MAY_WRITE, rename->who);
}

static int check_attached(const struct path *path)
{
    return path && !path->inode->operations->writable ? -EBUSY : 0;
}

static int check_permissions(const struct rename *rename)
{
    int error = directory_check_remove(rename->from.inode, rename->from.child->inode, rename->who);

    if (!error)
        error = check_target(rename);
    if (!error)
        error = check_moved(rename, rename->from.child);
    if (!error && rename->exchange)
        error = check_moved(rename, rename->to.child);
    if (!error)
        error = check_attached(rename->from.child);
    if (!error)
        error = check_attached(rename->to.child);
    return error;
}

/* --- The move --- */

/* Everything that may fail: names, the place in the new directory. */
static int prepare(struct rename *rename)
{
    struct directory_part *target = &rename->to.inode->directory;

    rename->to.new_name = path_name_create(rename->to.name, rename->to.length);
    if (rename->exchange)
        rename->from.new_name = path_name_create(rename->from.name, rename->from.length);
    if (!rename->to.new_name || (rename->exchange && !rename->from.new_name))
        return -ENOMEM;
    if (rename->to.child || rename->from.inode == rename->to.inode)
        return 0;
    if (directory_prepare(target) ||
        radix_set(&target->order, target->next_position, rename->from.child))
        return -ENOSPC;
    return 0;
}

/* Gives back what prepare() has reserved in the target. */
static void unprepare(struct rename *rename)
{
    struct directory_part *target = &rename->to.inode->directory;

    if (!rename->to.child && rename->from.inode != rename->to.inode)
        radix_remove(&target->order, target->next_position);
}

/* The child gets the end's name and directory. Returns the parent that it had: its reference. */
static struct path *place_locked(struct end *end, struct path *child)
{
    struct path *old_parent = child->parent;
    struct path_name *old_name = child->name;

    path_get(end->directory);
    child->parent = end->directory;
    child->name = end->new_name;
    end->new_name = old_name;
    directory_add_locked(&end->inode->directory, child);
    return old_parent;
}

/* Order of the directories' entries; cannot fail any more. Both locks are held. */
static void reorder(struct rename *rename)
{
    struct directory_part *source = &rename->from.inode->directory;
    struct directory_part *target = &rename->to.inode->directory;
    struct path *moved = rename->from.child, *other = rename->to.child;
    uint64_t source_position = moved->position, target_position;

    if (!other && source == target)
        return;
    target_position = other ? other->position : target->next_position++;
    if (radix_set(&target->order, target_position, moved))
        panic("rename: a reserved place in a directory is gone");
    moved->position = target_position;
    if (rename->exchange) {
        if (radix_set(&source->order, source_position, other))
            panic("rename: a place in a directory is gone");
        other->position = source_position;
    } else {
        radix_remove(&source->order, source_position);
    }
}

/* -ENOTEMPTY, -ENOENT if the directory to move to was removed since it was looked at, or done. The
 * old parents' references, one or two, go to old_parents. */
static int move_locked(struct rename *rename, struct path *old_parents[2])
{
    struct directory_part *source = &rename->from.inode->directory;
    struct directory_part *target = &rename->to.inode->directory;
    struct path *moved = rename->from.child, *other = rename->to.child;

    if (!other && target->removed)
        return -ENOENT;
    if (other && !rename->exchange) {
        int error = directory_close_locked(other);

        if (error)
            return error;
        other->removed = true;
    }
    if (other)
        directory_take_locked(target, other);
    directory_take_locked(source, moved);
    old_parents[0] = place_locked(&rename->to, moved);
    if (rename->exchange)
        old_parents[1] = place_locked(&rename->from, other);
    return 0;
}

/* The directories' link counts; their locks are held. */
static void count_links(struct rename *rename)
{
    if (is_directory(rename->from.child)) {
        rename->from.inode->links--;
        rename->to.inode->links++;
    }
    if (!is_directory(rename->to.child))
        return;
    rename->to.inode->links--;
    if (rename->exchange)
        rename->from.inode->links++;
}

static int move(struct rename *rename)
{
    struct path *old_parents[2] = {NULL, NULL};
    int error = prepare(rename);

    if (!error) {
        spin_lock(&names_lock);
        error = move_locked(rename, old_parents);
        spin_unlock(&names_lock);
        if (error)
            unprepare(rename);
    }
    if (!error) {
        reorder(rename);
        count_links(rename);
        inode_touch_modified(rename->from.inode);
        inode_touch_modified(rename->to.inode);
    }
    kfree(rename->from.new_name);
    kfree(rename->to.new_name);
    for (int i = 0; i < 2; i++)
        if (old_parents[i])
            path_put(old_parents[i]);
    return error;
}

/* --- Together --- */

static int rename_locked(struct rename *rename, bool *replaced)
{
    int error;

    rename->from.child = tree_find(rename->from.directory, rename->from.name, rename->from.length);
    rename->to.child = tree_find(rename->to.directory, rename->to.name, rename->to.length);
    error = check_ends(rename);
    if (error)
        return error;
    if (rename->to.child && rename->to.child->inode == rename->from.child->inode)
        return 0;
    error = check_permissions(rename);
    if (error)
        return error;
    error = move(rename);
    *replaced = !error && rename->to.child && !rename->exchange;
    return error;
}

static void NO_THREAD_SAFETY_ANALYSIS lock_directories(struct rename *rename)
{
    mutex_lock(&rename_lock);
    mutex_lock(&rename->from.inode->lock);
    if (rename->to.inode != rename->from.inode)
        mutex_lock(&rename->to.inode->lock);
}

static void NO_THREAD_SAFETY_ANALYSIS unlock_directories(struct rename *rename)
{
    if (rename->to.inode != rename->from.inode)
        mutex_unlock(&rename->to.inode->lock);
    mutex_unlock(&rename->from.inode->lock);
    mutex_unlock(&rename_lock);
}

static void touch_changed(struct inode *inode)
{
    mutex_lock(&inode->lock);
    inode->change_time = file_time_now();
    mutex_unlock(&inode->lock);
}

static void finish(struct rename *rename, int error, bool replaced)
{
    struct path *moved = rename->from.child, *other = rename->to.child;

    if (!error && moved)
        touch_changed(moved->inode);
    if (replaced) {
        inode_drop_link(other->inode);
        path_put(other); /* the directory's reference */
    }
    if (moved)
        path_put(moved);
    if (other)
        path_put(other);
}

int tree_rename(struct path *old_directory, const char *old_name, size_t old_length, bool old_slash,
                struct path *new_directory, const char *new_name, size_t new_length, bool new_slash,
                unsigned flags)
{
    struct rename rename = {
        .from = {old_directory, old_directory->inode, old_name, old_length, old_slash, NULL, NULL},
        .to = {new_directory, new_directory->inode, new_name, new_length, new_slash, NULL, NULL},
        .who = file_credentials(),
        .exchange = (flags & RENAME_EXCHANGE) != 0,
        .no_replace = (flags & RENAME_NOREPLACE) != 0,
    };
    bool replaced = false;
    int error;

    if (old_directory->inode->device != new_directory->inode->device)
        return -EXDEV;
    if (!old_directory->inode->operations->writable)
        return -EPERM;
    lock_directories(&rename);
    error = rename_locked(&rename, &replaced);
    unlock_directories(&rename);
    finish(&rename, error, replaced);
    return error;
}
