/*
 * The path walk. As long as plain directories of the in-memory tree follow each other it runs ahead
 * in one hold of names_lock; for everything else it goes step by step, each a lookup with a
 * reference.
 */
#include "fs/path_walk.h"

#include <linux/fcntl.h>

#include "fs/file.h"
#include "fs/inode.h"
#include "fs/path_walk_internal.h"
#include "fs/tree_internal.h"
#include "lib/errno.h"
#include "mm/slab.h"

/* --- The walk --- */

/* The directory of that name, if a plain step leads to it: no reference, and nothing is said of why
 * not. names_lock is held. */
static struct path *plain_step_locked(const struct walker *walker, struct path *at,
                                      const struct component *component)
{
    struct inode *inode = at->inode;
    struct path *next;

    if (component->kind != NAME_NORMAL || !inode->operations->writable ||
        inode_check_access(inode, MAY_EXECUTE, walker->who))
        return NULL;
    next = directory_find_locked(&inode->directory, component->name, component->length,
                                 component->hash);
    return next && inode_is(next->inode, S_IFDIR) ? next : NULL;
}

/* Moves on over plain directories as long as more names follow. The last name, and all that is not
 * plain, is left to the steps that know about it. */
static void run_ahead(struct walker *walker)
{
    struct path *at = walker->current, *next = at;

    if (!inode_is(at->inode, S_IFDIR))
        return;
    spin_lock(&names_lock);
    while (next) {
        const char *before = walker->rest;
        struct component component;

        next = NULL;
        if (walker_next_component(walker, &component) && *walker->rest != '\0')
            next = plain_step_locked(walker, at, &component);
        if (next)
            at = next;
        else
            walker->rest = before;
    }
    if (at != walker->current)
        path_get(at);
    spin_unlock(&names_lock);
    if (at != walker->current)
        walker_move_to(walker, at);
}

static bool is_at_end(const struct walker *walker)
{
    return *walker->rest == '\0' && walker->depth == 0;
}

/* One step that is not the last. */
static int step(struct walker *walker, const struct component *component)
{
    struct path *next;
    int error;

    if (component->kind == NAME_DOT)
        return 0;
    if (component->kind == NAME_DOT_DOT) {
        walker_move_to(walker, path_parent(walker->current, walker_root(walker)));
        return 0;
    }
    next = walker_look_up(walker->current, component, &error);
    if (!next)
        return error;
    if (!inode_is(next->inode, S_IFLNK)) {
        walker_move_to(walker, next);
        return 0;
    }
    error = walker_follow(walker, next);
    path_put(next);
    return error;
}

/* A slash after a name asks what the link leads to, unless the name is to be created. */
static bool follows_last(const struct walker *walker, const struct component *component)
{
    if (component->slash)
        return !(walker->flags & WALK_MAY_MISS);
    return walker->flags & WALK_FOLLOW;
}

/* The last name: finds what it leads to, unless that is a link to be followed: then *again. */
static int last_step(struct walker *walker, const struct component *component,
                     struct path_walk *walk, bool *again)
{
    struct path *target;
    int error = 0;

    if (component->kind == NAME_DOT) {
        path_get(walker->current);
        target = walker->current;
    } else if (component->kind == NAME_DOT_DOT) {
        target = path_parent(walker->current, walker_root(walker));
    } else {
        target = walker_look_up(walker->current, component, &error);
        if (!target && (error != -ENOENT || !(walker->flags & WALK_MAY_MISS) ||
                        walker->current->inode->operations->lookup))
            return error;
    }
    if (target && inode_is(target->inode, S_IFLNK) && follows_last(walker, component)) {
        *again = true;
        error = walker_follow(walker, target);
        /* A link to an object: that is the end, whatever its type is. */
        if (!error && target->inode->operations->follow_link) {
            *again = false;
            path_get(walker->current);
            path_put(target);
            target = walker->current;
        } else {
            path_put(target);
            return error;
        }
    }
    walk->target = target;
    path_get(walker->current);
    walk->parent = walker->current;
    return 0;
}

static int walk_all(struct walker *walker, struct path_walk *walk)
{
    struct component component;
    bool slash_of_link = false;

    run_ahead(walker);
    for (;;) {
        int error;
        bool again = false;

        if (!walker_next_component(walker, &component)) {
            if (walker->depth > 0) {
                walker_restore_rest(walker);
                continue;
            }
            /* "/", or a link to it. */
            component.kind = NAME_ROOT;
            path_get(walker->current);
            path_get(walker->current);
            walk->target = walk->parent = walker->current;
            break;
        }
        if (component.length > NAME_LENGTH_MAX)
            return -ENAMETOOLONG;
        error = walker_check_search(walker);
        if (error)
            return error;
        if (!is_at_end(walker)) {
            error = step(walker, &component);
            if (error)
                return error;
            continue;
        }
        slash_of_link |= component.slash;
        component.slash = slash_of_link;
        error = last_step(walker, &component, walk, &again);
        if (error)
            return error;
        if (!again)
            break;
    }
    walk->name = component.name;
    walk->name_length = component.length;
    walk->kind = component.kind;
    walk->trailing_slash = slash_of_link;
    return 0;
}

/* --- Start and end --- */

static int start_at(struct walker *walker, int directory, const char *name)
{
    struct file *file;

    if (name[0] == '/') {
        walker->current = path_root();
        return 0;
    }
    if (directory == AT_FDCWD) {
        walker->current = path_working_directory();
        return 0;
    }
    file = file_from_descriptor_or_path(directory);
    if (!file)
        return -EBADF;
    int error = 0;

    if (!file->path || (name[0] != '\0' && !inode_is(file->path->inode, S_IFDIR)))
        error = -ENOTDIR;
    else
        path_get(walker->current = file->path);
    file_put(file);
    return error;
}

static void end(struct walker *walker)
{
    if (walker->current)
        path_put(walker->current);
    if (walker->root)
        path_put(walker->root);
    kfree(walker->link_text);
    while (walker->depth > 0)
        kfree(walker->stack[--walker->depth].text);
}

static int walk_empty(struct walker *walker, struct path_walk *walk)
{
    if (!(walker->flags & WALK_EMPTY))
        return -ENOENT;
    path_get(walker->current);
    path_get(walker->current);
    walk->parent = walk->target = walker->current;
    walk->kind = NAME_DOT;
    return 0;
}

int path_walk_as(const struct credentials *who, struct path_walk *walk, int directory,
                 const char *name, unsigned flags)
{
    struct walker walker;
    int error;

    *walk = (struct path_walk){0};
    if (name[0] == '\0' && !(flags & WALK_EMPTY))
        return -ENOENT;
    /* Field by field: the stack of links need not be zeroed. */
    walker.who = who;
    walker.flags = flags;
    walker.rest = name;
    walker.links = walker.depth = 0;
    walker.link_text = NULL;
    walker.current = walker.root = NULL;
    error = start_at(&walker, directory, name);
    if (!error)
        error = name[0] == '\0' ? walk_empty(&walker, walk) : walk_all(&walker, walk);
    if (!error) {
        /* The last name may stand in a link's text. */
        walk->link_text = walker.link_text;
        walker.link_text = NULL;
    }
    end(&walker);
    return error;
}

int path_walk(struct path_walk *walk, int directory, const char *name, unsigned flags)
{
    return path_walk_as(file_credentials(), walk, directory, name, flags);
}

void path_walk_end(struct path_walk *walk)
{
    path_put(walk->parent);
    if (walk->target)
        path_put(walk->target);
    kfree(walk->link_text);
}

int path_lookup_as(const struct credentials *who, int directory, const char *name, unsigned flags,
                   struct path **found)
{
    struct path_walk walk;
    int error = path_walk_as(who, &walk, directory, name, flags & ~WALK_MAY_MISS);

    if (error)
        return error;
    if (walk.trailing_slash && !inode_is(walk.target->inode, S_IFDIR)) {
        error = -ENOTDIR;
    } else {
        *found = walk.target;
        walk.target = NULL;
    }
    path_walk_end(&walk);
    return error;
}

int path_lookup(int directory, const char *name, unsigned flags, struct path **found)
{
    return path_lookup_as(file_credentials(), directory, name, flags, found);
}
