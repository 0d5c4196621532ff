/* /proc/<pid>/fd and fdinfo: one link, or file, for each open descriptor. */
#include <asm/stat.h>
#include <linux/fcntl.h>

#include "fs/file.h"
#include "fs/file_table.h"
#include "fs/pipe.h"
#include "fs/procfs_entry.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "lib/string.h"

static struct file_table *table_of(const struct proc_node *node)
{
    struct process *process = proc_node_process(node);

    if (!process)
        return NULL;
    struct file_table *table = file_table_of(process);

    process_put(process);
    return table;
}

/* A reference to the file that the node is about, or NULL. */
static struct file *file_of(const struct proc_node *node, unsigned *flags)
{
    struct file_table *table = table_of(node);

    if (!table)
        return NULL;
    struct file *file = file_table_find(table, node->number, flags);

    file_table_put(table);
    return file;
}

/* "pipe:[7]" for what has a type and a number, else the name of its kind. */
static size_t name_unnamed(struct file *file, char *buffer, size_t size)
{
    struct stat status;

    if (file_get_status(file, &status) == 0 &&
        (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode)))
        return ksnprintf(buffer, size, "%s:[%lu]", file->operations->name, status.st_ino);
    return ksnprintf(buffer, size, "%s", file->operations->name);
}

static int64_t format_path(struct path *path, char *buffer, size_t size)
{
    char *text = kmalloc(PATH_LENGTH_MAX), *start;

    if (!text)
        return -ENOMEM;
    struct path *root = path_root();
    int64_t length = path_format(path, root, text, PATH_LENGTH_MAX, &start);

    path_put(root);
    if (length > (int64_t)size)
        length = size;
    if (length > 0)
        memcpy(buffer, start, length);
    kfree(text);
    return length;
}

static int64_t read_descriptor_link(const struct proc_node *node, char *buffer, size_t size)
{
    struct file *file = file_of(node, NULL);
    int64_t length;

    if (!file)
        return -ENOENT;
    if (file->path) {
        length = format_path(file->path, buffer, size);
    } else {
        char name[64];

        length = name_unnamed(file, name, sizeof(name));
        length = length < (int64_t)size ? length : (int64_t)size;
        memcpy(buffer, name, length);
    }
    file_put(file);
    return length;
}

/* --- opening what has no name: a place outside the tree --- */

static int open_unnamed(struct inode *inode, struct file *file)
{
    return inode->fifo.pipe ? pipe_open(inode->fifo.pipe, file) : -ENXIO;
}

static void release_unnamed(struct inode *inode)
{
    if (inode->fifo.pipe)
        pipe_put(inode->fifo.pipe);
}

static const struct inode_operations unnamed_operations = {
    .open = open_unnamed,
    .release = release_unnamed,
};

static int path_of_unnamed(struct file *file, struct path **target)
{
    struct stat status;
    char name[64];
    size_t length = name_unnamed(file, name, sizeof(name));
    int error = file_get_status(file, &status);

    if (error)
        return error;
    struct inode *inode = inode_create(
        &unnamed_operations, DEVICE_ANONYMOUS,
        S_ISFIFO(status.st_mode) ? status.st_mode : S_IFSOCK | (status.st_mode & 07777));

    if (!inode)
        return -ENOMEM;
    inode->number = status.st_ino;
    inode->uid = status.st_uid;
    inode->gid = status.st_gid;
    inode->fifo.pipe = pipe_of_file(file);
    *target = path_create(NULL, inode, name, length);
    inode_put(inode);
    return *target ? 0 : -ENOMEM;
}

static int follow_descriptor(const struct proc_node *node, struct path **target)
{
    struct file *file = file_of(node, NULL);
    int error = 0;

    if (!file)
        return -ENOENT;
    if (file->path)
        path_get(*target = file->path);
    else
        error = path_of_unnamed(file, target);
    file_put(file);
    return error;
}

static int print_info(const struct proc_node *node, struct text *text)
{
    unsigned flags;
    struct file *file = file_of(node, &flags);

    if (!file)
        return -ENOENT;
    text_print(text, "pos:\t%lu\nflags:\t0%o\nmnt_id:\t1\nino:\t%lu\n", file->position, flags,
               file->inode ? file->inode->number : 1);
    if (file->operations->describe && text_reserve(text, 1024))
        text->length += file->operations->describe(file, text->data + text->length, 1024);
    file_put(file);
    return 0;
}

/* --- the directories --- */

/* The permissions of a link tell how the file was opened. */
static const struct proc_entry link_entry = {
    .name = "fd",
    .mode = S_IFLNK | 0700,
    .read_link = read_descriptor_link,
    .follow = follow_descriptor,
};

static const struct proc_entry info_entry = PROC_FILE("fdinfo", print_info);

static int lookup(const struct proc_node *directory, const char *name, size_t length,
                  const struct proc_entry *entry, struct inode **found)
{
    struct proc_node node = {.pid = directory->pid, .number = proc_parse_number(name, length)};
    struct file *file = node.number < 0 ? NULL : file_of(&node, NULL);

    if (!file)
        return -ENOENT;
    uint32_t flags = file->flags;

    file_put(file);
    int error = proc_inode_create(entry, node.pid, node.number, found);

    if (!error && entry == &link_entry)
        (*found)->mode = S_IFLNK | 0100 | ((flags & O_ACCMODE) != O_WRONLY ? 0400 : 0) |
                         ((flags & O_ACCMODE) != O_RDONLY ? 0200 : 0);
    return error;
}

static int lookup_link(const struct proc_node *directory, const char *name, size_t length,
                       struct inode **found)
{
    return lookup(directory, name, length, &link_entry, found);
}

static int lookup_info(const struct proc_node *directory, const char *name, size_t length,
                       struct inode **found)
{
    return lookup(directory, name, length, &info_entry, found);
}

static int list(const struct proc_node *directory, struct directory_emitter *emitter, uint64_t from,
                uint64_t base)
{
    struct file_table *table = table_of(directory);
    uint32_t type = directory->entry->directory == &proc_descriptors ? S_IFLNK : S_IFREG;

    if (!table)
        return -ENOENT;
    for (int number; (number = file_table_next(table, from)) >= 0; from = number + 1) {
        char name[16];
        size_t length = ksnprintf(name, sizeof(name), "%d", number);

        if (!directory_emit(emitter, name, length, (2ull << 32) + number, type, base + number + 1))
            break;
    }
    file_table_put(table);
    return 0;
}

const struct proc_directory proc_descriptors = {.lookup = lookup_link, .list = list};
const struct proc_directory proc_descriptor_infos = {.lookup = lookup_info, .list = list};
