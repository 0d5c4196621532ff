/*
 * Open directories. Entries are given in the order of their positions, which never change while a
 * name stays, so that a reader who goes on where it stopped misses nothing and sees nothing twice.
 * The directory's lock is held over the copies to user space.
 */
#include "fs/directory.h"

#include <linux/fcntl.h>
#include <linux/fs.h>

#include "fs/file.h"
#include "fs/inode.h"
#include "fs/path.h"
#include "lib/errno.h"

static int read_children(struct inode *inode, struct directory_emitter *emitter)
{
    struct path *child;
    int error = 0;

    mutex_lock(&inode->lock);
    if (inode->directory.removed)
        error = -ENOENT;
    while (!error && (child = radix_next(&inode->directory.order, &emitter->position)) != NULL)
        if (!directory_emit(emitter, child->name->text, child->name->length, child->inode->number,
                            child->inode->mode, emitter->position + 1))
            break;
    mutex_unlock(&inode->lock);
    return error;
}

static bool emit_dots(struct file *file, struct directory_emitter *emitter)
{
    if (emitter->position == 0 && !directory_emit(emitter, ".", 1, file->inode->number, S_IFDIR, 1))
        return false;
    if (emitter->position == 1) {
        struct path *parent = path_parent(file->path, root_path);
        bool taken = directory_emit(emitter, "..", 2, parent->inode->number, S_IFDIR, 2);

        path_put(parent);
        return taken;
    }
    return true;
}

static int directory_read_entries(struct file *file, struct directory_emitter *emitter)
{
    struct inode *inode = file->inode;

    if (!inode->operations->lookup && inode->directory.removed)
        return -ENOENT;
    if (!emit_dots(file, emitter))
        return 0;
    if (inode->operations->read_directory)
        return inode->operations->read_directory(inode, emitter);
    if (!(file->flags & O_NOATIME))
        inode_touch_accessed(inode);
    return read_children(inode, emitter);
}

static int64_t directory_read(struct file *file, uintptr_t buffer, size_t size, uint64_t *position)
{
    return -EISDIR;
}

static int64_t directory_seek(struct file *file, int64_t offset, int whence)
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

const struct file_operations directory_operations = {
    .name = "directory",
    .read = directory_read,
    .seek = directory_seek,
    .read_directory = directory_read_entries,
};
