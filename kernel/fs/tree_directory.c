/*
 * The entries of a directory of the in-memory tree: a hash of names, an order for getdents, and who
 * may change them. See tree_internal.h for the locks.
 */
#include "fs/tree.h"
#include "fs/tree_internal.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "proc/process.h"

#define FIRST_BUCKETS 8

/* --- The hash --- */

static struct path **bucket_of(const struct directory_part *directory, uint32_t hash)
{
    return &directory->buckets[hash & (directory->bucket_count - 1)];
}

struct path *directory_find_locked(const struct directory_part *directory, const char *name,
                                   size_t length, uint32_t hash)
{
    struct path *child;

    if (!directory->buckets)
        return NULL;
    for (child = *bucket_of(directory, hash); child; child = child->hash_next)
        if (child->name->hash == hash && child->name->length == length &&
            memcmp(child->name->text, name, length) == 0)
            break;
    return child;
}

struct path *tree_find(struct path *directory, const char *name, size_t length)
{
    uint32_t hash = path_name_hash(name, length);

    spin_lock(&names_lock);
    struct path *child = directory_find_locked(&directory->inode->directory, name, length, hash);

    if (child)
        path_get(child);
    spin_unlock(&names_lock);
    return child;
}

/* A larger table if there are as many children as buckets; without memory the chains get longer. */
static void grow_locked(struct directory_part *directory)
{
    uint32_t old_count = directory->bucket_count;
    struct path **old = directory->buckets, **buckets;

    if (directory->child_count < old_count)
        return;
    buckets = kmalloc(old_count * 4 * sizeof(*buckets));
    if (!buckets)
        return;
    directory->buckets = buckets;
    directory->bucket_count = old_count * 4;
    for (uint32_t i = 0; i < old_count; i++)
        for (struct path *child = old[i], *next; child; child = next) {
            struct path **bucket = bucket_of(directory, child->name->hash);

            next = child->hash_next;
            child->hash_next = *bucket;
            *bucket = child;
        }
    kfree(old);
}

int directory_prepare(struct directory_part *directory)
{
    struct path **buckets;

    if (directory->buckets)
        return 0;
    buckets = kmalloc(FIRST_BUCKETS * sizeof(*buckets));
    if (!buckets)
        return -ENOSPC;
    spin_lock(&names_lock);
    directory->buckets = buckets;
    directory->bucket_count = FIRST_BUCKETS;
    spin_unlock(&names_lock);
    return 0;
}

void directory_add_locked(struct directory_part *directory, struct path *child)
{
    grow_locked(directory);
    struct path **bucket = bucket_of(directory, child->name->hash);

    child->hash_next = *bucket;
    *bucket = child;
    directory->child_count++;
}

void directory_take_locked(struct directory_part *directory, struct path *child)
{
    struct path **at = bucket_of(directory, child->name->hash);

    while (*at != child)
        at = &(*at)->hash_next;
    *at = child->hash_next;
    child->hash_next = NULL;
    directory->child_count--;
}

/* --- Checks --- */

int directory_check_create(struct inode *directory, const struct credentials *who)
{
    if (directory->directory.removed)
        return -ENOENT;
    if (!directory->operations->writable)
        return -EPERM;
    return inode_check_access(directory, MAY_WRITE | MAY_EXECUTE, who);
}

int directory_check_name(struct path *directory, const char *name, size_t length,
                         const struct credentials *who)
{
    struct path *present = tree_find(directory, name, length);

    if (present) {
        path_put(present);
        return -EEXIST;
    }
    return directory_check_create(directory->inode, who);
}

int directory_check_remove(struct inode *directory, struct inode *child,
                           const struct credentials *who)
{
    int error = inode_check_access(directory, MAY_WRITE | MAY_EXECUTE, who);

    if (error)
        return error;
    if (directory->mode & S_ISVTX && !inode_is_owned(child, who) && !inode_is_owned(directory, who))
        return -EPERM;
    return directory->operations->writable ? 0 : -EPERM;
}

int directory_close_locked(struct path *path)
{
    struct directory_part *part = &path->inode->directory;

    if (!inode_is(path->inode, S_IFDIR))
        return 0;
    if (part->child_count > 0)
        return -ENOTEMPTY;
    part->removed = true;
    return 0;
}

/* --- Entries, with their order, links and times --- */

int directory_add(struct path *directory, struct path *child)
{
    struct inode *inode = directory->inode;
    struct directory_part *part = &inode->directory;

    child->position = part->next_position;
    if (directory_prepare(part) || radix_set(&part->order, child->position, child))
        return -ENOSPC;
    spin_lock(&names_lock);
    bool removed = part->removed;

    if (!removed) {
        path_get(child);
        directory_add_locked(part, child);
        if (inode_is(child->inode, S_IFDIR))
            child->inode->directory.self = child;
    }
    spin_unlock(&names_lock);
    if (removed) {
        radix_remove(&part->order, child->position);
        return -ENOENT;
    }
    part->next_position++;
    if (inode_is(child->inode, S_IFDIR))
        inode->links++;
    inode_touch_modified(inode);
    return 0;
}

int directory_take(struct path *directory, struct path *child)
{
    struct directory_part *part = &directory->inode->directory;

    spin_lock(&names_lock);
    int error = directory_close_locked(child);

    if (!error) {
        directory_take_locked(part, child);
        child->removed = true;
    }
    spin_unlock(&names_lock);
    if (error)
        return error;
    radix_remove(&part->order, child->position);
    if (inode_is(child->inode, S_IFDIR))
        directory->inode->links--;
    inode_touch_modified(directory->inode);
    return 0;
}
