/*
 * The machinery of /proc: inodes from entries, directories from tables, files from text. See
 * procfs_entry.h.
 */
#include "fs/procfs.h"

#include <linux/fcntl.h>
#include <linux/fs.h>

#include "fs/file.h"
#include "fs/procfs_entry.h"
#include "fs/tree.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/user_copy.h"

static SLAB_CACHE(proc_node_cache, struct proc_node);

static const struct proc_node *node_of(const struct inode *inode)
{
    return inode->private;
}

struct process *proc_node_process(const struct proc_node *node)
{
    spin_lock(&family_lock);
    struct process *process = node->pid->process;

    if (process)
        process_get(process);
    spin_unlock(&family_lock);
    return process;
}

struct address_space *proc_space_of(struct process *process)
{
    spin_lock(&family_lock);
    struct address_space *space = process->space;

    if (space)
        address_space_get(space);
    spin_unlock(&family_lock);
    return space;
}

int proc_parse_number(const char *name, size_t length)
{
    int number = 0;

    if (length == 0 || length > 9 || (name[0] == '0' && length > 1))
        return -1;
    for (size_t i = 0; i < length; i++) {
        if (name[i] < '0' || name[i] > '9')
            return -1;
        number = number * 10 + (name[i] - '0');
    }
    return number;
}

/* --- directories --- */

static int find_entry(const struct proc_directory *directory, const char *name, size_t length)
{
    for (size_t i = 0; i < directory->count; i++)
        if (strlen(directory->entries[i].name) == length &&
            memcmp(directory->entries[i].name, name, length) == 0)
            return i;
    return -1;
}

static bool process_is_gone(const struct proc_node *node)
{
    if (!node->pid)
        return false;
    struct process *process = proc_node_process(node);

    if (process)
        process_put(process);
    return !process;
}

static int directory_lookup(struct inode *inode, const char *name, size_t length,
                            struct inode **found)
{
    const struct proc_node *node = node_of(inode);
    const struct proc_directory *directory = node->entry->directory;
    int index = find_entry(directory, name, length);

    if (process_is_gone(node))
        return -ENOENT;
    if (index >= 0)
        return proc_inode_create(&directory->entries[index], node->pid, node->number, found);
    return directory->lookup ? directory->lookup(node, name, length, found) : -ENOENT;
}

/* Positions: from 2 the table's entries, then what list() gives. */
static int directory_read(struct inode *inode, struct directory_emitter *emitter)
{
    const struct proc_node *node = node_of(inode);
    const struct proc_directory *directory = node->entry->directory;
    uint64_t base = 2 + directory->count;

    if (process_is_gone(node))
        return -ENOENT;
    while (emitter->position < base) {
        size_t i = emitter->position - 2;
        const struct proc_entry *entry = &directory->entries[i];

        if (!directory_emit(emitter, entry->name, strlen(entry->name), inode->number + i + 1,
                            entry->mode, emitter->position + 1))
            return 0;
    }
    if (!directory->list)
        return 0;
    return directory->list(node, emitter, emitter->position - base, base);
}

/* --- links --- */

static int64_t link_read(struct inode *inode, char *buffer, size_t size)
{
    const struct proc_node *node = node_of(inode);

    return node->entry->read_link(node, buffer, size);
}

static int link_follow(struct inode *inode, struct path **target)
{
    const struct proc_node *node = node_of(inode);

    return node->entry->follow(node, target);
}

/* --- files: private is a struct text, made when reading starts at the beginning --- */

static int make_text(struct file *file)
{
    const struct proc_node *node = node_of(file->inode);
    struct text *text = file->private;

    text_clear(text);
    int error = node->entry->print(node, text);

    return !error && text->failed ? -ENOMEM : error;
}

static int64_t file_read_text(struct file *file, uintptr_t buffer, size_t size, uint64_t *position)
{
    struct text *text = file->private;

    if (*position == 0 || !text->data) {
        int error = make_text(file);

        if (error)
            return error;
    }
    if (*position >= text->length)
        return 0;
    size_t left = text->length - *position;
    size_t copied = copy_to_user_partial(buffer, text->data + *position, size < left ? size : left);

    if (copied == 0 && size > 0)
        return -EFAULT;
    *position += copied;
    return copied;
}

static int64_t file_seek_text(struct file *file, int64_t offset, int whence)
{
    if (whence == SEEK_CUR)
        offset += file->position;
    else if (whence != SEEK_SET)
        return -EINVAL;
    if (offset < 0)
        return -EINVAL;
    file->position = offset;
    return offset;
}

static void file_release_text(struct file *file)
{
    text_clear(file->private);
    kfree(file->private);
}

static const struct file_operations text_operations = {
    .name = "proc",
    .read = file_read_text,
    .seek = file_seek_text,
    .release = file_release_text,
};

static int file_open_text(struct inode *inode, struct file *file)
{
    file->private = kmalloc(sizeof(struct text));
    if (!file->private)
        return -ENOMEM;
    file->operations = &text_operations;
    return 0;
}

/* --- inodes --- */

/* The files of a process belong to its effective user. */
static void node_refresh(struct inode *inode)
{
    const struct proc_node *node = node_of(inode);
    struct process *process = node->pid ? proc_node_process(node) : NULL;
    struct credentials *credentials = process ? credentials_of(process) : NULL;

    if (credentials) {
        bool open = process->dumpable || node->entry == &proc_process_entry;

        inode->uid = open ? credentials->user.effective : 0;
        inode->gid = open ? credentials->group.effective : 0;
        credentials_put(credentials);
    }
    if (process)
        process_put(process);
}

static void node_release(struct inode *inode)
{
    struct proc_node *node = inode->private;

    if (node->pid)
        pid_put(node->pid);
    slab_free(&proc_node_cache, node);
}

static const struct inode_operations directory_inode_operations = {
    .lookup = directory_lookup,
    .read_directory = directory_read,
    .refresh = node_refresh,
    .release = node_release,
};

static const struct inode_operations file_inode_operations = {
    .open = file_open_text,
    .refresh = node_refresh,
    .release = node_release,
};

static const struct inode_operations link_inode_operations = {
    .read_link = link_read,
    .refresh = node_refresh,
    .release = node_release,
};

static const struct inode_operations object_link_inode_operations = {
    .read_link = link_read,
    .follow_link = link_follow,
    .refresh = node_refresh,
    .release = node_release,
};

static const struct inode_operations *operations_for(const struct proc_entry *entry)
{
    if (entry->directory)
        return &directory_inode_operations;
    if (entry->print)
        return &file_inode_operations;
    return entry->follow ? &object_link_inode_operations : &link_inode_operations;
}

int proc_inode_create(const struct proc_entry *entry, struct pid *pid, int number,
                      struct inode **created)
{
    struct proc_node *node = slab_alloc(&proc_node_cache);

    if (!node)
        return -ENOMEM;
    struct inode *inode = inode_create(operations_for(entry), DEVICE_PROC, entry->mode);

    if (!inode) {
        slab_free(&proc_node_cache, node);
        return -ENOMEM;
    }
    if (pid)
        pid_get(pid);
    *node = (struct proc_node){.entry = entry, .pid = pid, .number = number};
    inode->private = node;
    inode->links = entry->directory ? 2 : 1;
    *created = inode;
    return 0;
}

/* The names in /dev that lead here. */
static int make_device_links(void)
{
    static const struct {
        const char *name, *target;
    } links[] = {
        {"dev/fd", "/proc/self/fd"},
        {"dev/stdin", "/proc/self/fd/0"},
        {"dev/stdout", "/proc/self/fd/1"},
        {"dev/stderr", "/proc/self/fd/2"},
    };
    int error = 0;

    for (unsigned i = 0; i < array_length(links) && !error; i++) {
        struct tree_node node = {
            .mode = S_IFLNK | 0777,
            .target = links[i].target,
            .target_length = strlen(links[i].target),
        };

        error = tree_make(links[i].name, &node, NULL);
    }
    return error;
}

int procfs_init(void)
{
    struct inode *root;
    int error = proc_inode_create(&proc_root_entry, NULL, 0, &root);

    if (error)
        return error;
    error = tree_attach("proc", root);
    inode_put(root);
    return error ? error : make_device_links();
}
