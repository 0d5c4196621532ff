/* What the two kinds of file locks share. For file_lock*.c only. */
#pragma once

#include "fs/file_lock.h"
#include "lib/list.h"
#include "sched/wait.h"

struct file_lock_set {
    struct list whole;  /* (locks_lock) struct whole_lock */
    struct list ranges; /* (locks_lock) struct range_lock */
    struct wait_queue wait;
};

/* Guards all lock sets. Rank FILE_TABLE. */
extern struct spinlock locks_lock;

/* The file's set, made at its first lock. NULL if memory is short. */
struct file_lock_set *file_lock_set_of(struct inode *inode) MUST_CHECK;
/* Gives up all range locks of the owner. */
void file_lock_drop_ranges(struct file_lock_set *set, const void *owner) REQUIRES(locks_lock);
