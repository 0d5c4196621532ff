/*
 * Open file descriptions and descriptor tables.
 *
 * A struct file is what open(2) creates: shared by dup and fork, freed with its last reference. Every
 * kind of file (tree file, pipe, console, eventfd, pidfd, job, ...) is a struct file_operations.
 */
#pragma once

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

/*
 * Every operation may be NULL; what then happens stands behind it. All run in thread context with no
 * spinlock held and may sleep. Lengths are already capped at MAX_RW_COUNT, buffers are user addresses.
 */
struct file_operations {
    const char *name; /* for /proc/<pid>/fd: "pipe", "anon_inode:[eventfd]" */
    /* Bytes, 0 at the end, or -errno (-EAGAIN if the file has O_NONBLOCK). *position is the offset
     * to use and to move; files without a position ignore it.   NULL: -EINVAL */
    int64_t (*read)(struct file *file, uintptr_t buffer, size_t size, uint64_t *position);
    int64_t (*write)(struct file *file, uintptr_t buffer, size_t size, uint64_t *position);
    /* Events now ready (POLLIN ...); adds the caller to the queues that report changes if table is
     * not NULL.   NULL: always readable and writable */
    uint32_t (*poll)(struct file *file, struct poll_table *table);
    int64_t (*ioctl)(struct file *file, unsigned command, uintptr_t argument); /* NULL: -ENOTTY */
    int64_t (*seek)(struct file *file, int64_t offset, int whence);            /* NULL: -ESPIPE */
    int (*get_status)(struct file *file, struct stat *status); /* NULL: an anonymous inode's */
    int (*read_directory)(struct file *file, struct directory_emitter *emitter); /* NULL: -ENOTDIR */
    int (*truncate)(struct file *file, uint64_t size);         /* NULL: -EINVAL */
    /* A reference to what mmap shows.   NULL: -ENODEV */
    int (*map)(struct file *file, int protection, int flags, struct mapping_source **source);
    /* Each close(2) of a descriptor, before the reference is given up (job owners, flock). */
    void (*close)(struct file *file, struct process *process);
    /* The last reference is gone; frees `private`. */
    void (*release)(struct file *file);
};

struct file {
    struct refcount refs;
    _Atomic uint32_t flags; /* O_ACCMODE and status flags (O_APPEND, O_NONBLOCK ...) */
    const struct file_operations *operations;
    void *private;        /* the operations' own */
    struct inode *inode;  /* reference; NULL for anonymous files */
    struct path *path;    /* where it was opened, for directories and /proc; may be NULL */
    struct mutex position_lock;
    uint64_t position; /* (position_lock) */
};

/* One reference. NULL if memory is short. `private` stays the caller's on failure. */
struct file *file_create(const struct file_operations *operations, void *private, uint32_t flags);
void file_get(struct file *file);
void file_put(struct file *file); /* may sleep */

/*
 * Descriptor tables: shared with CLONE_FILES, else copied by fork. The current process's table.
 */
struct file_table;

/* A reference to the file behind a descriptor of the caller; NULL: -EBADF. */
struct file *file_from_descriptor(int descriptor) MUST_CHECK;
/* Lowest free number >= minimum; takes over the caller's reference on success only. -EMFILE -ENOMEM */
int file_install(struct file *file, int minimum, bool close_on_exec) MUST_CHECK;
/* Two-step, for calls that must not fail after they acted (CLONE_PIDFD): reserve a number, then fill
 * it (takes over the reference), or give it back. A reserved number is -EBADF to everyone else. */
int file_reserve_descriptor(int minimum, bool close_on_exec) MUST_CHECK;
void file_fill_descriptor(int descriptor, struct file *file);
void file_unreserve_descriptor(int descriptor);
int file_close_descriptor(int descriptor);

/* What proc calls through struct process_resource (proc/resource.h): */
void file_table_register(void);
