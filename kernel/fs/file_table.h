/*
 * Descriptor tables, as dup, fcntl, close_range and /proc/<pid>/fd need them; the common calls are
 * in file.h. A table is guarded by its own spinlock (rank FILE_TABLE); no function here needs a
 * lock held.
 */
#pragma once

#include <stdbool.h>

#include "fs/file.h"

/* dup2(2) and dup3(2), the checks of the numbers apart: `descriptor` names the file from now on,
 * what it named before is closed. Takes over the reference on success. -EBADF (beyond
 * RLIMIT_NOFILE), -EBUSY (reserved by another thread), -ENOMEM. */
int file_table_replace(int descriptor, struct file *file, bool close_on_exec) MUST_CHECK;
/* fcntl(F_GETFD, F_SETFD): 0 or 1; -EBADF. */
int file_table_get_close_on_exec(int descriptor);
int file_table_set_close_on_exec(int descriptor, bool close_on_exec);
/* close_range(2): numbers first..last, ends included. */
void file_table_close_range(unsigned first, unsigned last);
void file_table_mark_range(unsigned first, unsigned last);
/* Gives the caller a table of its own. -ENOMEM. */
int file_table_unshare(void) MUST_CHECK;

/* Another process's table, with a reference; NULL once it has given it up. */
struct file_table *file_table_of(struct process *process) MUST_CHECK;
void file_table_put(struct file_table *table);
/* A reference to the file, or NULL; *flags, if wanted, becomes its status flags with O_CLOEXEC. */
struct file *file_table_find(struct file_table *table, unsigned descriptor,
                             unsigned *flags) MUST_CHECK;
/* The lowest descriptor >= first that names a file; -1: none. */
int file_table_next(struct file_table *table, unsigned first);
