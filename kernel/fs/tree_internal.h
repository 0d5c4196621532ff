/* What the files of the in-memory tree share: entries of directories. For tree*.c and the
 * path walk only. */
#pragma once

#include "fs/inode.h"
#include "fs/path.h"

/* names_lock is held; no reference is taken. */
struct path *directory_find_locked(const struct directory_part *directory, const char *name,
                                   size_t length, uint32_t hash);
/* The hash of names alone; the caller sees to references, order and links. names_lock is held. */
void directory_add_locked(struct directory_part *directory, struct path *child);
void directory_take_locked(struct directory_part *directory, struct path *child);
/* Makes sure that directory_add_locked() has a table. The directory's lock is held. -ENOSPC */
int directory_prepare(struct directory_part *directory);
/* A directory that loses its name admits no children any more: -ENOTEMPTY if it has some; nothing
 * for other types. names_lock is held. */
int directory_close_locked(struct path *path);

/* May a name be created in the directory, or this child be removed? Its lock is held.
 * -ENOENT -EACCES -EPERM */
int directory_check_create(struct inode *directory, const struct credentials *who);
int directory_check_remove(struct inode *directory, struct inode *child,
                           const struct credentials *who);
/* -EEXIST, or as above. The directory's lock is held, or the answer is preliminary. */
int directory_check_name(struct path *directory, const char *name, size_t length,
                         const struct credentials *who);
/* Makes the path a child; the directory takes a reference to it. Its lock is held. -ENOSPC, or
 * -ENOENT if the directory was removed since it was looked at: its removal takes names_lock only.
 */
int directory_add(struct path *directory, struct path *child);

/* The other way: its reference to the child passes to the caller. Its lock is held. -ENOTEMPTY */
int directory_take(struct path *directory, struct path *child);

/* tree_create() and tree_remove(), judged by these credentials; NULL: all is allowed. */
struct tree_node;
int tree_create_as(const struct credentials *who, struct path *directory, const char *name,
                   size_t length, const struct tree_node *node, struct path **created);
int tree_remove_as(const struct credentials *who, struct path *directory, const char *name,
                   size_t length, bool want_directory);
void tree_rename_init(void);

/* A name of the inode is gone; a directory has but one. Takes the inode's lock. */
void inode_drop_link(struct inode *inode);
/* Frees a FIFO's pipe. */
void inode_release_fifo(struct inode *inode);
