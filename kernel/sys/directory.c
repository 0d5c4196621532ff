/* Where a process is (getcwd, chdir, chroot, umask), and reading directories. */
#include <linux/fcntl.h>

#include "fs/directory.h"
#include "fs/file.h"
#include "fs/inode.h"
#include "fs/path_walk.h"
#include "lib/string.h"
#include "proc/process.h"
#include "sys/path_copy.h"
#include "sys/syscall.h"

/* --- Where a process is --- */

SYSCALL2(getcwd, uintptr_t, buffer, size_t, size)
{
    struct path *root = path_root(), *working = path_working_directory();
    physical_t frame = frame_alloc();
    int64_t result = -ENOMEM;
    char *start;

    if (frame) {
        result = path_format_working(working, root, frame_address(frame), PAGE_SIZE, &start);
        if (working->removed)
            result = -ENOENT;
        else if (result >= 0 && (size_t)result + 1 > size)
            result = -ERANGE;
        else if (result >= 0)
            result = copy_to_user(buffer, start, result + 1) ? -EFAULT : result + 1;
        frame_put(frame);
    }
    path_put(working);
    path_put(root);
    return result;
}

static int check_directory(struct inode *inode)
{
    if (!inode_is(inode, S_IFDIR))
        return -ENOTDIR;
    return inode_check_access(inode, MAY_EXECUTE, file_credentials());
}

/* A reference to a directory that may be searched. */
static int find_directory(uintptr_t name_address, struct path **found)
{
    struct user_name name;
    int error = user_name_get(&name, name_address);

    if (error)
        return error;
    error = path_lookup(AT_FDCWD, name.text, WALK_FOLLOW, found);
    user_name_put(&name);
    if (error)
        return error;
    error = check_directory((*found)->inode);
    if (error)
        path_put(*found);
    return error;
}

SYSCALL1(chdir, uintptr_t, name)
{
    struct path *directory;
    int error = find_directory(name, &directory);

    if (!error)
        path_set_working_directory(directory);
    return error;
}

SYSCALL1(fchdir, int, descriptor)
{
    struct file *file = file_from_descriptor_or_path(descriptor);
    int error = -ENOTDIR;

    if (!file)
        return -EBADF;
    if (file->path)
        error = check_directory(file->path->inode);
    if (!error) {
        path_get(file->path);
        path_set_working_directory(file->path);
    }
    file_put(file);
    return error;
}

SYSCALL1(chroot, uintptr_t, name)
{
    struct path *directory;
    int error = find_directory(name, &directory);

    if (error)
        return error;
    if (!credentials_is_privileged(current_credentials())) {
        path_put(directory);
        return -EPERM;
    }
    path_set_root(directory);
    return 0;
}

SYSCALL1(umask, uint32_t, mask)
{
    return path_set_umask(mask);
}

/* --- getdents --- */

/* Linux's struct linux_dirent64, and the older one, whose type stands in its last byte. */
struct entry64 {
    uint64_t number;
    int64_t next;
    uint16_t size;
    uint8_t type;
    char name[NAME_LENGTH_MAX + 1];
};

struct entry_old {
    uint64_t number;
    uint64_t next;
    uint16_t size;
    char name[NAME_LENGTH_MAX + 1 + 1];
};

struct user_emitter {
    struct directory_emitter emitter;
    uintptr_t buffer; /* where the next entry goes */
    size_t room;
    int error; /* why an entry was not taken */
};

static bool store(struct user_emitter *user, const void *entry, size_t size)
{
    if (size > user->room)
        user->error = -EINVAL;
    else
        user->error = copy_to_user(user->buffer, entry, size);
    if (user->error)
        return false;
    user->buffer += size;
    user->room -= size;
    return true;
}

static bool take_entry64(struct directory_emitter *emitter, const char *name, size_t length,
                         uint64_t number, unsigned type, uint64_t next)
{
    struct entry64 entry = {.number = number, .next = next, .type = type};
    size_t used = offsetof(struct entry64, name) + length + 1;

    entry.size = ALIGN_UP(used, sizeof(uint64_t));
    memcpy(entry.name, name, length);
    return store(container_of(emitter, struct user_emitter, emitter), &entry, entry.size);
}

static bool take_entry_old(struct directory_emitter *emitter, const char *name, size_t length,
                           uint64_t number, unsigned type, uint64_t next)
{
    struct entry_old entry = {.number = number, .next = next};
    size_t used = offsetof(struct entry_old, name) + length + 2;

    entry.size = ALIGN_UP(used, sizeof(uint64_t));
    memcpy(entry.name, name, length);
    ((char *)&entry)[entry.size - 1] = type;
    return store(container_of(emitter, struct user_emitter, emitter), &entry, entry.size);
}

static int64_t read_entries(struct file *file, struct user_emitter *user)
{
    size_t room = user->room;
    int error;

    if (!file->operations->read_directory)
        return -ENOTDIR;
    mutex_lock(&file->position_lock);
    user->emitter.position = file->position;
    error = file->operations->read_directory(file, &user->emitter);
    file->position = user->emitter.position;
    mutex_unlock(&file->position_lock);
    if (user->room < room)
        return room - user->room;
    return error ? error : user->error;
}

static int64_t get_entries(int descriptor, struct user_emitter *user)
{
    struct file *file = file_from_descriptor(descriptor);

    if (!file)
        return -EBADF;
    int64_t result = read_entries(file, user);

    file_put(file);
    return result;
}

SYSCALL3(getdents64, int, descriptor, uintptr_t, buffer, uint32_t, size)
{
    struct user_emitter user = {.emitter.take = take_entry64, .buffer = buffer, .room = size};

    return get_entries(descriptor, &user);
}

SYSCALL3(getdents, int, descriptor, uintptr_t, buffer, uint32_t, size)
{
    struct user_emitter user = {.emitter.take = take_entry_old, .buffer = buffer, .room = size};

    return get_entries(descriptor, &user);
}
