/*
 * Pidfds: descriptors that name a process, pidfd_open(2). Readable once the process is a zombie.
 */
#pragma once

#include "fs/file.h"
#include "proc/pid.h"

/* A file that names the process of `pid`, which may be a newborn not yet linked; takes its own
 * references. `flags`: O_NONBLOCK. NULL if memory is short. */
struct file *pidfd_create(struct pid *pid, uint32_t flags) MUST_CHECK;
/* What a file names, borrowed from it; NULL if it is no pidfd. */
struct pid *pidfd_pid(struct file *file);
/* A reference to what a descriptor of the caller names, and whether it was opened with
 * PIDFD_NONBLOCK. -EBADF: not open, or no pidfd. */
int pidfd_get_pid(int descriptor, struct pid **pid, bool *nonblocking);
/* The same with the process, living or zombie: -ESRCH if it has been reaped. */
int pidfd_get_process(int descriptor, struct process **process);
