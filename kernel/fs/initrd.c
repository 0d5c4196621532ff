/*
 * The initial contents of the tree, from cpio archives that the boot loader left in memory. Later
 * archives win: the host command adds the program to run in a small one of its own.
 */
#include "fs/cpio.h"
#include "fs/device.h"
#include "fs/fs.h"
#include "fs/tree.h"
#include "lib/errno.h"
#include "lib/klog.h"
#include "lib/string.h"

struct unpacking {
    struct cpio_reader reader;
    /* Inodes with several names in this archive, by their number there; each a reference. */
    struct radix_tree linked;
    unsigned archive;
};

/* The name without "/" and "./" in front; NULL if it leads out of the tree. */
static const char *clean_name(const char *name)
{
    for (;;) {
        if (name[0] == '/')
            name++;
        else if (name[0] == '.' && (name[1] == '/' || name[1] == '\0'))
            name++;
        else
            break;
    }
    for (const char *at = name; at; at = strchr(at, '/')) {
        at += *at == '/';
        if (string_starts_with(at, "../") || strcmp(at, "..") == 0 || string_starts_with(at, "./"))
            return NULL;
    }
    return name;
}

static void forget_links(struct unpacking *unpacking)
{
    uint64_t index = 0;
    struct inode *inode;

    while ((inode = radix_next(&unpacking->linked, &index)) != NULL) {
        radix_remove(&unpacking->linked, index);
        inode_put(inode);
    }
    unpacking->archive = unpacking->reader.archive;
}

static uint64_t link_key(const struct cpio_entry *entry)
{
    return (uint64_t)entry->device << 32 | entry->inode;
}

static void set_attributes(struct inode *inode, const struct cpio_entry *entry)
{
    mutex_lock(&inode->lock);
    inode->mode = (inode->mode & S_IFMT) | (entry->mode & 07777);
    inode->uid = entry->uid;
    inode->gid = entry->gid;
    inode->modify_time = (struct file_time){.seconds = entry->modify_time};
    mutex_unlock(&inode->lock);
}

/* The first names of a file with several carry no data; the last does. */
static int fill(struct inode *inode, const struct cpio_entry *entry)
{
    int64_t written;

    if (!inode_is(inode, S_IFREG) || entry->size == 0)
        return 0;
    mutex_lock(&inode->lock);
    written = page_cache_write_kernel(&inode->cache, entry->data, entry->size, 0);
    mutex_unlock(&inode->lock);
    return written == (int64_t)entry->size ? 0 : -ENOMEM;
}

/* Another name for a file of this archive. */
static int make_link(const char *name, struct inode *inode)
{
    struct path *parent;
    const char *last;
    size_t length;
    int error = tree_open_parents(name, &parent, &last, &length);

    if (error)
        return error;
    error = tree_link(inode, parent, last, length);
    path_put(parent);
    return error;
}

/* Makes way for the name. True if it is there already and is to stay: a directory. */
static bool make_way(const char *name, const struct cpio_entry *entry)
{
    struct path *present;
    bool stays = false;

    if (tree_lookup(name, &present))
        return false;
    bool is_directory = inode_is(present->inode, S_IFDIR);

    if (is_directory && S_ISDIR(entry->mode)) {
        stays = true;
        if (present->inode->operations->writable)
            set_attributes(present->inode, entry);
    }
    path_put(present);
    /* If this fails, so does the creation, with a message. */
    if (!stays)
        (void)tree_unmake(name, is_directory);
    return stays;
}

static int make_new(struct unpacking *unpacking, const char *name, const struct cpio_entry *entry)
{
    const struct tree_node node = {
        .mode = entry->mode & (S_IFMT | 07777),
        .device_number = DEVICE_NUMBER(entry->device_major, entry->device_minor),
        .target = (const char *)entry->data,
        .target_length = entry->size,
    };
    struct path *path;
    int error = tree_make(name, &node, &path);

    if (error)
        return error;
    set_attributes(path->inode, entry);
    error = fill(path->inode, entry);
    if (!error && entry->links > 1 && S_ISREG(entry->mode) &&
        !radix_set(&unpacking->linked, link_key(entry), path->inode))
        inode_get(path->inode);
    path_put(path);
    return error;
}

static bool is_known_type(uint32_t mode)
{
    return S_ISREG(mode) || S_ISDIR(mode) || S_ISLNK(mode) || S_ISCHR(mode) || S_ISBLK(mode) ||
           S_ISFIFO(mode);
}

static int unpack_entry(struct unpacking *unpacking, const struct cpio_entry *entry)
{
    const char *name = clean_name(entry->name);
    struct inode *linked;

    if (name && name[0] == '\0')
        return 0;
    if (!name || !is_known_type(entry->mode))
        return -EINVAL;
    if (make_way(name, entry))
        return 0;
    linked = entry->links > 1 ? radix_get(&unpacking->linked, link_key(entry)) : NULL;
    if (!linked)
        return make_new(unpacking, name, entry);
    int error = make_link(name, linked);

    return error ? error : fill(linked, entry);
}

/* Files may fill the room that is now taken and half of what is left, as Linux's tmpfs. */
static void limit_growth(void)
{
    page_cache_set_limit(page_cache_used() + frame_free_count() / 2);
}

int initrd_unpack(const void *data, size_t size)
{
    struct unpacking unpacking = {0};
    struct cpio_entry entry;
    int result;

    page_cache_set_limit(UINT64_MAX);
    cpio_open(&unpacking.reader, data, size);
    while ((result = cpio_next(&unpacking.reader, &entry)) > 0) {
        if (unpacking.reader.archive != unpacking.archive)
            forget_links(&unpacking);
        int error = unpack_entry(&unpacking, &entry);

        if (error == -ENOMEM || error == -ENOSPC) {
            result = -ENOMEM;
            break;
        }
        if (error)
            klog("initrd: %.200s: error %d, left out", entry.name, -error);
    }
    forget_links(&unpacking);
    limit_growth();
    return result;
}
