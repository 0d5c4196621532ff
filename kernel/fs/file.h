/*
 * Open file descriptions and descriptor tables.
 *
 * A struct file is what open(2) creates: shared by dup and fork, freed with its last reference.
 * Every kind of file (tree file, pipe, console, eventfd, pidfd, job, ...) is a struct
 * file_operations.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/refcount.h"
#include "mm/slab.h"
#include "sched/mutex.h"
#include "sched/wait.h"

struct file;
struct inode;
struct process;
struct stat;
struct poll_table;
struct mapping_source;
struct directory_emitter;
struct path;
struct user_vector;

/* Linux caps every transfer at this many bytes. */
#define FILE_TRANSFER_MAX 0x7ffff000ul

/*
 * Every operation may be NULL; what then happens stands behind it. All run in thread context with
 * no spinlock held and may sleep. Lengths are already capped at MAX_RW_COUNT, buffers are user
 * addresses.
 */
struct file_operations {
    const char *name; /* for /proc/<pid>/fd: "pipe", "anon_inode:[eventfd]" */
    /* Bytes, 0 at the end, or -errno (-EAGAIN if the file has O_NONBLOCK). *position is the offset
     * to use and to move; files without a position ignore it.   NULL: -EINVAL */
    int64_t (*read)(struct file *file, uintptr_t buffer, size_t size, uint64_t *position);
    int64_t (*write)(struct file *file, uintptr_t buffer, size_t size, uint64_t *position);
    /* The same for readv and writev.   NULL: the segments go to read or write one by one; after the
     * first, only while poll says that more would not block. */
    int64_t (*read_vector)(struct file *file, struct user_vector *vector, uint64_t *position);
    int64_t (*write_vector)(struct file *file, struct user_vector *vector, uint64_t *position);
    /* Events now ready (POLLIN ...); adds the caller to the queues that report changes if table is
     * not NULL.   NULL: always readable and writable */
    uint32_t (*poll)(struct file *file, struct poll_table *table);
    int64_t (*ioctl)(struct file *file, unsigned command, uintptr_t argument); /* NULL: -ENOTTY */
    int64_t (*seek)(struct file *file, int64_t offset, int whence);            /* NULL: -ESPIPE */
    /* Although it can seek, reads and writes do not look at the position: no lock is taken for it.
     */
    bool ignores_position;
    int (*get_status)(struct file *file, struct stat *status); /* NULL: an anonymous inode's */
    int (*read_directory)(struct file *file,
                          struct directory_emitter *emitter); /* NULL: -ENOTDIR */
    int (*truncate)(struct file *file, uint64_t size);        /* NULL: -EINVAL */
    /* A reference to what mmap shows.   NULL: -ENODEV */
    int (*map)(struct file *file, int protection, int flags, struct mapping_source **source);
    /* Does a fork's child get the descriptor?   NULL: yes */
    bool (*is_inherited)(struct file *file);
    /* Lines for /proc/<pid>/fdinfo; returns their length, at most `size`.   NULL: none */
    size_t (*describe)(struct file *file, char *buffer, size_t size);
    /* Each close(2) of a descriptor, before the reference is given up (job owners, flock). */
    void (*close)(struct file *file, struct process *process);
    /* The last reference is gone; frees `private`. */
    void (*release)(struct file *file);
};

struct file {
    struct refcount refs;
    _Atomic uint32_t flags; /* O_ACCMODE and status flags (O_APPEND, O_NONBLOCK ...) */
    const struct file_operations *operations;
    void *private;       /* the operations' own */
    struct inode *inode; /* reference; NULL for anonymous files */
    struct path *path;   /* where it was opened, for directories and /proc; may be NULL */
    struct mutex position_lock;
    uint64_t position;           /* (position_lock) */
    struct epoll_item *watchers; /* (epoll.c) what epolls keep about it; NULL: none */
};

/* One reference. NULL if memory is short. `private` stays the caller's on failure. */
struct file *file_create(const struct file_operations *operations, void *private, uint32_t flags);
static inline void file_get(struct file *file)
{
    refcount_get(&file->refs);
}
void file_destroy(struct file *file); /* by file_put() alone */
/* May sleep. */
static inline void file_put(struct file *file)
{
    if (refcount_put(&file->refs))
        file_destroy(file);
}

/* Was it opened for reading, or for writing? The access mode 3 is neither; so is O_PATH. */
bool file_is_readable(const struct file *file);
bool file_is_writable(const struct file *file);
/* May it be read at an offset (pread, seek)? */
static inline bool file_has_position(const struct file *file)
{
    return file->operations->seek != NULL;
}

/* read(2), write(2): check the mode and the range, take and move the file's own position. */
int64_t file_read(struct file *file, uintptr_t buffer, size_t size);
int64_t file_write(struct file *file, uintptr_t buffer, size_t size);
/* pread(2), pwrite(2): -ESPIPE without a position, -EINVAL if the offset is negative. */
int64_t file_read_at(struct file *file, uintptr_t buffer, size_t size, int64_t offset);
int64_t file_write_at(struct file *file, uintptr_t buffer, size_t size, int64_t offset);
/* readv, writev and their kin; offset NULL: the file's own position. */
int64_t file_read_vector(struct file *file, struct user_vector *vector, const int64_t *offset);
int64_t file_write_vector(struct file *file, struct user_vector *vector, const int64_t *offset);
int64_t file_seek(struct file *file, int64_t offset, int whence);
/* What fstat says. */
int file_get_status(struct file *file, struct stat *status);

/* A seek operation for files whose position is always 0, as /dev/null's. */
int64_t file_seek_nowhere(struct file *file, int64_t offset, int whence);

/*
 * The descriptor table of the current process: shared with CLONE_FILES, else copied by fork. What
 * other processes see of it is in file_table.h.
 */
struct file_table;

/* A reference to the file behind a descriptor of the caller; NULL: -EBADF. Files opened with O_PATH
 * are -EBADF to all calls but those that use the second form. */
struct file *file_from_descriptor(int descriptor) MUST_CHECK;
struct file *file_from_descriptor_or_path(int descriptor) MUST_CHECK;
/* Lowest free number >= minimum; takes over the caller's reference on success only. -EMFILE -ENOMEM
 */
int file_install(struct file *file, int minimum, bool close_on_exec) MUST_CHECK;
/* Two-step, for calls that must not fail after they acted (CLONE_PIDFD): reserve a number, then
 * fill it (takes over the reference), or give it back. A reserved number is -EBADF to everyone
 * else. */
int file_reserve_descriptor(int minimum, bool close_on_exec) MUST_CHECK;
void file_fill_descriptor(int descriptor, struct file *file);
void file_unreserve_descriptor(int descriptor);
/* -EBADF. May sleep. */
int file_close_descriptor(int descriptor);

/* What proc calls through struct process_resource (proc/resource.h): */
void file_table_register(void);
