/*
 * Inodes: what a name leads to. A file system is a set of inodes and their operations; there are
 * two kinds: the in-memory tree (tree.h), which can be changed, and synthetic ones (/proc), whose
 * inodes are made when they are looked up and go with their last reference.
 *
 * Field tags: (I) the inode's lock to write, read without where one value is enough; (const);
 * (names) names_lock, see path.h; (cache) the page cache's spinlock.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <linux/stat.h>

#include "fs/page_cache.h"
#include "lib/refcount.h"
#include "proc/cred.h"
#include "sched/mutex.h"

struct directory_emitter;
struct file;
struct file_lock_set;
struct inode;
struct path;
struct pipe;
struct process;
struct stat;

/* st_dev of the file systems. */
#define DEVICE_TREE      1
#define DEVICE_PROC      2
#define DEVICE_ANONYMOUS 3

/* Every operation may be NULL; what then happens stands behind it. */
struct inode_operations {
    /* Synthetic directories: a new reference to what the name leads to, or -ENOENT, -ENOMEM ... No
     * lock is held. NULL: the directory's children are in memory (struct directory_part). */
    int (*lookup)(struct inode *directory, const char *name, size_t length, struct inode **found);
    /* Synthetic directories: emits all that comes at or after emitter->position, "." and ".."
     * apart, whose positions are 0 and 1; the first position to use is 2.   NULL: the children in
     * memory */
    int (*read_directory)(struct inode *directory, struct directory_emitter *emitter);
    /* Symbolic links: the text, not ended with NUL, at most size bytes of it. Its length or -errno.
     */
    int64_t (*read_link)(struct inode *link, char *buffer, size_t size);
    /* Links that lead to an object and not to a name (/proc/self/exe): a reference.   NULL: by text
     */
    int (*follow_link)(struct inode *link, struct path **target);
    /* Fills the new file's operations and private in. Flags are in file->flags.   NULL: by type */
    int (*open)(struct inode *inode, struct file *file);
    /* Brings mode, owner and times up to date before they are looked at.   NULL: nothing to do */
    void (*refresh)(struct inode *inode);
    /* The last reference is gone: frees `private`.   NULL: nothing to do */
    void (*release)(struct inode *inode);
    /* chmod, chown, utimens and creation in directories; else -EPERM. */
    bool writable;
};

/* Seconds and nanoseconds since the epoch. */
struct file_time {
    int64_t seconds;
    uint32_t nanoseconds;
};

/* A directory whose children are in memory. */
struct directory_part {
    struct path *self;       /* (names) its own name, which holds it; no reference */
    struct path **buckets;   /* (I and names) hash of children by name */
    uint32_t bucket_count;   /* (I and names) a power of two */
    uint32_t child_count;    /* (names) */
    struct radix_tree order; /* (I) children by the position that getdents gives them */
    uint64_t next_position;  /* (I) */
    bool removed;            /* (names) nothing may be created in it any more */
};

struct inode {
    struct refcount refs;
    const struct inode_operations *operations; /* (const) */
    struct mutex lock;
    uint64_t number;         /* (const) */
    uint32_t device;         /* (const) DEVICE_* */
    uint32_t mode;           /* (I) type (const) and permissions */
    uint32_t uid, gid;       /* (I) */
    uint32_t links;          /* (I) names, and for directories their children's ".." */
    _Atomic int32_t writers; /* files open for writing, or -programs that run from it */
    bool may_be_linked;      /* (const) although it has no name: O_TMPFILE */
    uint64_t device_number;  /* (const) of device nodes */
    struct file_time access_time, change_time, modify_time; /* (I); access_time by readers too */
    struct file_time birth_time;                            /* (const) */
    struct file_lock_set *_Atomic locks;                    /* flock and fcntl locks; set once */
    void *private; /* synthetic inodes: their operations' own */
    union {
        struct page_cache cache;         /* regular files */
        struct directory_part directory; /* directories of the tree */
        struct {
            char *target; /* (const) kmalloc'ed, ended with NUL */
            size_t target_length;
        } symlink;
        struct {
            struct pipe *pipe; /* FIFOs: see pipe.h */
        } fifo;
    };
};

/* An inode with one reference, no link, owned by root, all times now. NULL if memory is short. */
struct inode *inode_create(const struct inode_operations *operations, uint32_t device,
                           uint32_t mode) MUST_CHECK;
void inode_get(struct inode *inode);
/* Takes no sleeping lock, but no spinlock may be held: the last reference frees the file's pages.
 */
void inode_put(struct inode *inode);

static inline bool inode_is(const struct inode *inode, uint32_t type)
{
    return (inode->mode & S_IFMT) == type;
}

/* A new inode number; never the same twice. */
uint64_t inode_next_number(void);

/* --- Who may do what --- */

enum { MAY_EXECUTE = 1, MAY_WRITE = 2, MAY_READ = 4 };

/* The caller's credentials; NULL in a kernel thread, which may do everything. */
const struct credentials *file_credentials(void);
/* 0 or -EACCES. `wanted` is a set of MAY_*. */
int inode_check_access(struct inode *inode, unsigned wanted, const struct credentials *who);
/* Does the caller own it, or may it do as if? */
bool inode_is_owned(const struct inode *inode, const struct credentials *who);

/* --- Attributes. Each takes the inode's lock. --- */

int inode_get_status(struct inode *inode, struct stat *status);
/* -EPERM. Clears the setgid bit of those who are not in its group. */
int inode_change_mode(struct inode *inode, uint32_t mode);
/* -1: unchanged. -EPERM. Clears the set-id bits of files. */
int inode_change_owner(struct inode *inode, uint32_t uid, uint32_t gid);

enum { TIME_OMIT, TIME_NOW, TIME_SET };
struct time_change {
    int how; /* TIME_* */
    struct file_time time;
};
/* utimensat(2): -EPERM, -EACCES. */
int inode_change_times(struct inode *inode, const struct time_change *access,
                       const struct time_change *modify);
/* truncate(2) and ftruncate(2), access apart. -EINVAL -EFBIG, and SIGXFSZ. */
int inode_truncate(struct inode *inode, uint64_t size);

/* May the caller make a file that long? Else SIGXFSZ and -EFBIG. */
int inode_check_size_limit(uint64_t size);

struct file_time file_time_now(void);
/* The lock is held. */
void inode_touch_modified(struct inode *inode);
/* A read: moves the access time as Linux's relatime does. */
void inode_touch_accessed(struct inode *inode);
/* A write by someone other than root takes set-user-ID and set-group-ID away. The lock is held. */
void inode_drop_privileges(struct inode *inode);

/* --- Opening --- */

/* Fills a new file in by the inode's type; takes its own references to path and inode. Access has
 * been checked. -ENXIO -ETXTBSY -ENOMEM ... */
int inode_open(struct path *path, struct file *file);
/* From file_put(): the counterpart. */
void inode_file_closed(struct inode *inode, struct file *file);
/* Programs that run: no writers, and the other way round. -ETXTBSY */
int inode_deny_write(struct inode *inode);
void inode_allow_write(struct inode *inode);
/* Opening for writing. -ETXTBSY */
int inode_get_write(struct inode *inode);
void inode_put_write(struct inode *inode);
