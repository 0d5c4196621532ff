/*
 * Advisory locks on files: flock(2), of an open file description as a whole, and fcntl(2), of byte
 * ranges, of a process (POSIX) or of a description (OFD). A file that was never locked costs a
 * pointer.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct file;
struct flock;
struct inode;
struct process;

/* flock(2): LOCK_SH, LOCK_EX or LOCK_UN, with LOCK_NB. -EWOULDBLOCK -EINTR -EINVAL -ENOMEM */
int file_lock_whole(struct file *file, int operation);

/* fcntl(F_GETLK): *lock says what stands in the way, or F_UNLCK. -EINVAL */
int file_lock_query(struct file *file, bool of_description, struct flock *lock);
/* fcntl(F_SETLK, F_SETLKW): -EAGAIN -EDEADLK -EINTR -EBADF -EINVAL -EOVERFLOW -ENOLCK */
int file_lock_range(struct file *file, bool of_description, bool wait, const struct flock *lock);

/* close(2) gives up the process's locks on the file, which has an inode; the last close those of
 * the description. */
void file_locks_descriptor_closed(struct file *file, struct process *process);
void file_locks_file_closed(struct file *file);
/* The inode goes: nobody can hold a lock any more. */
void file_locks_destroy(struct inode *inode);
