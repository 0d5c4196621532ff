/*
 * Single steps of a path walk: names off the text, lookups with a reference, symbolic links. A link
 * is not followed by recursion: the rest of the walked text waits on a small stack in the walker.
 */
#include "fs/inode.h"
#include "fs/path_walk_internal.h"
#include "fs/tree_internal.h"
#include "lib/errno.h"
#include "mm/slab.h"

/* --- Text --- */

static enum name_kind kind_of(const char *name, size_t length)
{
    if (likely(name[0] != '.') || length > 2)
        return NAME_NORMAL;
    if (length == 1)
        return NAME_DOT;
    return name[1] == '.' ? NAME_DOT_DOT : NAME_NORMAL;
}

bool walker_next_component(struct walker *walker, struct component *component)
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

void walker_move_to(struct walker *walker, struct path *path)
{
    path_put(walker->current);
    walker->current = path;
}

struct path *walker_root(struct walker *walker)
{
    if (!walker->root)
        walker->root = path_root();
    return walker->root;
}

struct path *walker_look_up(struct path *directory, const struct component *component, int *error)
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

int walker_check_search(const struct walker *walker)
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

void walker_restore_rest(struct walker *walker)
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
        path_get(walker_root(walker));
        walker_move_to(walker, walker->root);
    }
    return save_rest(walker, text);
}

int walker_follow(struct walker *walker, struct path *link)
{
    const struct inode_operations *operations = link->inode->operations;
    struct path *target;

    if (walker->flags & WALK_NO_LINKS || ++walker->links > SYMLINKS_MAX)
        return -ELOOP;
    if (!operations->follow_link)
        return operations->read_link ? enter_link_text(walker, link->inode) : -EINVAL;
    int error = operations->follow_link(link->inode, &target);

    if (!error)
        walker_move_to(walker, target);
    return error;
}
