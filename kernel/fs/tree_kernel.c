/*
 * The tree for the kernel's own use (devices, initrd, mounts): by names from the root, without
 * permissions. No "." or ".." in these names, and no symbolic links on the way.
 */
#include "fs/tree.h"
#include "fs/tree_internal.h"
#include "lib/errno.h"
#include "lib/string.h"

int tree_open_parents(const char *name, struct path **parent, const char **last, size_t *length)
{
    const struct tree_node node = {.mode = S_IFDIR | 0755};
    struct path *directory = root_path;

    path_get(directory);
    for (;;) {
        while (*name == '/')
            name++;
        const char *slash = strchr(name, '/');

        if (!slash || slash[1] == '\0') {
            *last = name;
            *length = slash ? (size_t)(slash - name) : strlen(name);
            *parent = directory;
            return 0;
        }
        struct path *next = tree_find(directory, name, slash - name);
        int error = 0;

        if (!next)
            error = tree_create_as(NULL, directory, name, slash - name, &node, &next);
        else if (!inode_is(next->inode, S_IFDIR) || !next->inode->operations->writable)
            error = -ENOTDIR;
        path_put(directory);
        if (error) {
            if (next)
                path_put(next);
            return error;
        }
        directory = next;
        name = slash;
    }
}

int tree_make(const char *name, const struct tree_node *node, struct path **created)
{
    struct path *parent;
    const char *last;
    size_t length;
    int error = tree_open_parents(name, &parent, &last, &length);

    if (error)
        return error;
    error = tree_create_as(NULL, parent, last, length, node, created);
    path_put(parent);
    return error;
}

int tree_lookup(const char *name, struct path **found)
{
    struct path *parent;
    const char *last;
    size_t length;
    int error = tree_open_parents(name, &parent, &last, &length);

    if (error)
        return error;
    *found = tree_find(parent, last, length);
    path_put(parent);
    return *found ? 0 : -ENOENT;
}

int tree_unmake(const char *name, bool directory)
{
    struct path *parent;
    const char *last;
    size_t length;
    int error = tree_open_parents(name, &parent, &last, &length);

    if (error)
        return error;
    error = tree_remove_as(NULL, parent, last, length, directory);
    path_put(parent);
    return error;
}

int tree_attach(const char *name, struct inode *inode)
{
    struct path *parent, *path;
    const char *last;
    size_t length;
    int error = tree_open_parents(name, &parent, &last, &length);

    if (error)
        return error;
    mutex_lock(&parent->inode->lock);
    error = directory_check_name(parent, last, length, NULL);
    path = error ? NULL : path_create(parent, inode, last, length);
    if (!error)
        error = path ? directory_add(parent, path) : -ENOMEM;
    mutex_unlock(&parent->inode->lock);
    if (path)
        path_put(path);
    path_put(parent);
    return error;
}
