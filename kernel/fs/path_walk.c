/*
 * The path walk. As long as plain directories of the in-memory tree follow each other it runs ahead
 * in one hold of names_lock; for everything else it goes component by component, each step one
 * lookup with a reference. Symbolic links are not followed recursively: the rest of the walked text
 * waits on a small stack in the walker.
 */
#include "fs/path_walk.h"

#include <linux/fcntl.h>

#include "fs/file.h"
#include "fs/inode.h"
#include "fs/tree_internal.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "proc/process.h"

struct walker {
    struct path *root;    /* reference; NULL until it is needed */
    struct path *current; /* reference: where the walk is; a directory, but possibly at the end */
    const char *rest;     /* text still to go */
    const struct credentials *who;
    unsigned flags;
    unsigned links; /* followed so far */
    unsigned depth;
    struct {
        const char *rest; /* where to go on after a link */
        char *text;       /* owned */
    } stack[SYMLINKS_MAX];
    char *link_text; /* owned: what `rest` points into, or NULL for the caller's text */
};

/* --- Text --- */

struct component {
    const char *name;
    size_t length;
    uint32_t hash;
    enum name_kind kind;
    bool slash; /* one or more came after it */
};

static enum name_kind kind_of(const char *name, size_t length)
{
    if (likely(name[0] != '.') || length > 2)
        return NAME_NORMAL;
    if (length == 1)
        return NAME_DOT;
    return name[1] == '.' ? NAME_DOT_DOT : NAME_NORMAL;
}

/* Takes the next name off the text. False at its end. */
static bool next_component(struct walker *walker, struct component *component)
{
    const char *at = walker->rest;
    uint32_t hash = PATH_HASH_START;

    while (*at == '/')
        at++;
    component->name = at;
    for (; *at != '\0' && *at != '/'; at++)
        hash = path_hash_step(hash, *at);
    component->hash = hash;
    component->length = at - component->name;
    component->slash = *at == '/';
    while (*at == '/')
        at++;
    walker->rest = at;
    component->kind = kind_of(component->name, component->length);
    return component->length > 0;
}

/* --- Steps --- */

static void move_to(struct walker *walker, struct path *path)
{
    path_put(walker->current);
    walker->current = path;
}

static struct path *root_of(struct walker *walker)
{
    if (!walker->root)
        walker->root = path_root();
    return walker->root;
}

/* A reference to the child of that name; *error tells why there is none. */
static struct path *look_up(struct path *directory, const struct component *component, int *error)
{
    struct inode *inode = directory->inode, *found = NULL;
    struct path *path;

    if (likely(!inode->operations->lookup)) {
        spin_lock(&names_lock);
        path = directory_find_locked(&inode->directory, component->name, component->length,
                                     component->hash);
        if (path)
            path_get(path);
        spin_unlock(&names_lock);
        *error = path ? 0 : -ENOENT;
        return path;
    }
    *error = inode->operations->lookup(inode, component->name, component->length, &found);
    if (*error)
        return NULL;
    path = path_create(directory, found, component->name, component->length);
    inode_put(found);
    if (!path)
        *error = -ENOMEM;
    return path;
}

/* The current place must be a directory that the caller may search. */
static int check_search(const struct walker *walker)
{
    struct inode *inode = walker->current->inode;

    if (!inode_is(inode, S_IFDIR))
        return -ENOTDIR;
    return inode_check_access(inode, MAY_EXECUTE, walker->who);
}

static int save_rest(struct walker *walker, char *text)
{
    if (*walker->rest == '\0') {
        /* Nothing to come back to. */
        kfree(walker->link_text);
    } else {
        walker->stack[walker->depth].rest = walker->rest;
        walker->stack[walker->depth].text = walker->link_text;
        walker->depth++;
    }
    walker->link_text = text;
    walker->rest = text;
    return 0;
}

static void restore_rest(struct walker *walker)
{
    kfree(walker->link_text);
    walker->depth--;
    walker->rest = walker->stack[walker->depth].rest;
    walker->link_text = walker->stack[walker->depth].text;
}

/* The walk goes on with the link's text, from the directory that it is in. */
static int enter_link_text(struct walker *walker, struct inode *link)
{
    char *text = kmalloc(PATH_LENGTH_MAX);
    int64_t length;

    if (!text)
        return -ENOMEM;
    length = link->operations->read_link(link, text, PATH_LENGTH_MAX - 1);
    if (length <= 0) {
        kfree(text);
        return length ? length : -ENOENT;
    }
    text[length] = '\0';
    if (text[0] == '/') {
        path_get(root_of(walker));
        move_to(walker, walker->root);
    }
    return save_rest(walker, text);
}

static int follow(struct walker *walker, struct path *link)
{
    const struct inode_operations *operations = link->inode->operations;
    struct path *target;

    if (walker->flags & WALK_NO_LINKS || ++walker->links > SYMLINKS_MAX)
        return -ELOOP;
    if (!operations->follow_link)
        return operations->read_link ? enter_link_text(walker, link->inode) : -EINVAL;
    int error = operations->follow_link(link->inode, &target);

    if (!error)
        move_to(walker, target);
    return error;
}

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
        if (next_component(walker, &component) && *walker->rest != '\0')
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
        move_to(walker, at);
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
        move_to(walker, path_parent(walker->current, root_of(walker)));
        return 0;
    }
    next = look_up(walker->current, component, &error);
    if (!next)
        return error;
    if (!inode_is(next->inode, S_IFLNK)) {
        move_to(walker, next);
        return 0;
    }
    error = follow(walker, next);
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
        target = path_parent(walker->current, root_of(walker));
    } else {
        target = look_up(walker->current, component, &error);
        if (!target && (error != -ENOENT || !(walker->flags & WALK_MAY_MISS) ||
                        walker->current->inode->operations->lookup))
            return error;
    }
    if (target && inode_is(target->inode, S_IFLNK) && follows_last(walker, component)) {
        const struct path *before = walker->current;

        *again = true;
        error = follow(walker, target);
        /* A link to an object: that is the end, whatever its type is. */
        if (!error && walker->current != before && target->inode->operations->follow_link) {
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

        if (!next_component(walker, &component)) {
            if (walker->depth > 0) {
                restore_rest(walker);
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
        error = check_search(walker);
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
