/*
 * Names. A struct path is a place in the tree: a name in a directory and the inode it leads to. It
 * is what a walk moves along, what a process's root and working directory are, and what an open
 * file remembers; after a rename it shows the new place, after unlink it is marked as removed.
 *
 * A name of the in-memory tree is held by its directory; one in a synthetic directory (/proc) lives
 * as long as its references. A path holds its parent, so a directory outlives what is below it.
 *
 * names_lock, one spinlock (rank NAMES), guards all links of all names: parents, names, children.
 * It is held for O(1) work, so a rename is seen whole or not at all. Who changes a directory holds
 * its inode's lock too; who moves directories, the rename lock before that.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/refcount.h"
#include "mm/address_space.h"
#include "sched/spinlock.h"

struct inode;
struct process;

#define NAME_LENGTH_MAX 255
#define PATH_LENGTH_MAX 4096 /* the NUL included */
#define SYMLINKS_MAX    40

struct path_name {
    uint32_t hash;
    uint16_t length;
    char text[]; /* kmalloc'ed with the header, ended with NUL */
};

struct path {
    struct refcount refs;
    bool removed;                 /* (names) */
    struct inode *inode;          /* (const) reference */
    struct path *parent;          /* (names) reference; the root: itself, without a reference */
    struct path_name *name;       /* (names) owned */
    struct path *hash_next;       /* (names) in the parent's bucket */
    uint64_t position;            /* (parent inode's lock) what getdents calls it */
    struct mapping_source source; /* shows the inode's pages; its references are the path's */
};

/* NULL if memory is short. */
struct path_name *path_name_create(const char *text, size_t length) MUST_CHECK;

/* The hash of a name, letter by letter: FNV-1a, which costs two instructions a letter. */
#define PATH_HASH_START 2166136261u
static inline uint32_t path_hash_step(uint32_t hash, char letter)
{
    return (hash ^ (uint8_t)letter) * 16777619u;
}
uint32_t path_name_hash(const char *text, size_t length);

extern struct spinlock names_lock;
extern struct path *root_path; /* of the whole tree */

void path_get(struct path *path);
/* As inode_put(). */
void path_put(struct path *path);
/* Another name for the inode, below `parent` but not among its children: for synthetic file systems
 * and files without a name in the tree. Takes its own references. NULL if memory is short. */
struct path *path_create(struct path *parent, struct inode *inode, const char *name,
                         size_t length) MUST_CHECK;
/* A reference to the directory above, or to itself at the given root. */
struct path *path_parent(struct path *path, const struct path *root);

/* The text of a path as seen from `root`, at the end of the buffer: *start leads to it. Its length,
 * or -ENAMETOOLONG. " (deleted)" is appended to what has been removed. */
int64_t path_format(struct path *path, const struct path *root, char *buffer, size_t size,
                    char **start);
/* The same for getcwd(2): "(unreachable)" stands before what is not below `root`. */
int64_t path_format_working(struct path *path, const struct path *root, char *buffer, size_t size,
                            char **start);

/* --- Where a process is. Shared with CLONE_FS. --- */

struct path_context {
    struct refcount refs;
    struct spinlock lock; /* rank FILE_TABLE */
    struct path *root;    /* (lock) reference */
    struct path *working; /* (lock) reference */
    _Atomic uint32_t umask;
};

/* The caller's, with a reference. In a kernel thread: the root of the tree. */
struct path *path_root(void);
struct path *path_working_directory(void);
/* Takes over the reference. */
void path_set_root(struct path *root);
void path_set_working_directory(struct path *directory);
uint32_t path_umask(void);
uint32_t path_set_umask(uint32_t mask);
/* Another process's root or working directory, with a reference; NULL once it has exited. */
struct path *path_root_of(struct process *process) MUST_CHECK;
struct path *path_working_directory_of(struct process *process) MUST_CHECK;
uint32_t path_umask_of(struct process *process);
/* What proc calls through struct process_resource. */
void path_context_register(void);
