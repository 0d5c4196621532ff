/*
 * The in-memory tree: the root file system. The calls that change names, as system calls and the
 * initrd need them. Each checks the caller's permissions on the directories (kernel threads may do
 * everything), takes the locks it needs, and may sleep.
 */
#pragma once

#include "fs/inode.h"
#include "fs/path.h"

/* The root directory, /dev and the kernel's path context. At boot, when allocation works. */
int MUST_CHECK tree_init(void);

/* A new inode of the tree, owned by the caller (and its directory's group if that is setgid); the
 * umask is not applied. */
struct inode *tree_inode_create(const struct inode *directory, uint32_t mode);

/* What a name to be created shall lead to. */
struct tree_node {
    uint32_t mode;          /* type and permissions; the umask has been applied */
    uint64_t device_number; /* device nodes */
    const char *target;     /* symbolic links */
    size_t target_length;
};
/* -EEXIST -ENOENT (the directory is gone) -EACCES -EPERM -ENOSPC -ENAMETOOLONG. On success
 * *created, if wanted, gets a reference. */
int tree_create(struct path *directory, const char *name, size_t length,
                const struct tree_node *node, struct path **created);
/* link(2): -EPERM for directories, -EXDEV, -EMLINK. */
int tree_link(struct inode *inode, struct path *directory, const char *name, size_t length);
/* unlink(2) or rmdir(2) by `want_directory`: -ENOENT -EISDIR -ENOTDIR -ENOTEMPTY -EPERM (sticky) */
int tree_remove(struct path *directory, const char *name, size_t length, bool want_directory);
/* renameat2(2) with its flags; *_slash: the name had a trailing slash. */
int tree_rename(struct path *old_directory, const char *old_name, size_t old_length, bool old_slash,
                struct path *new_directory, const char *new_name, size_t new_length, bool new_slash,
                unsigned flags);

/* The child of that name, with a reference; NULL: none. */
struct path *tree_find(struct path *directory, const char *name, size_t length);

/* For the kernel itself, by names from the root: makes the directories on the way. */
int tree_make(const char *name, const struct tree_node *node, struct path **created);
/* A reference to what is there: -ENOENT, -ENOTDIR. Symbolic links are not followed. */
int tree_lookup(const char *name, struct path **found);
/* The directory that holds the last name of `name`, made if need be; *last and *length tell it. */
int tree_open_parents(const char *name, struct path **parent, const char **last, size_t *length);
/* Makes `name` lead to an inode of another file system, as mounting would. */
int tree_attach(const char *name, struct inode *inode);
/* Removes a name that tree_make() made. */
int tree_unmake(const char *name, bool directory);
/* Inodes of the tree, for statfs(2); as many as page_cache_limit() are allowed. */
uint64_t tree_inode_count(void);
