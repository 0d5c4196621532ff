/* Process descriptors (pidfd_open(2)): a file that names a process and is readable once it has exited. */
#pragma once

#include <stdint.h>

#include "lib/compiler.h"

struct file;
struct pid;

/* A file with its own reference to `pid`. `flags`: O_NONBLOCK or 0. NULL if memory is short. */
struct file *pidfd_create(struct pid *pid, uint32_t flags) MUST_CHECK;
/* The pid behind a descriptor of the caller, with a reference. -EBADF: no such descriptor, or not a pidfd. */
int MUST_CHECK pidfd_get_pid(int descriptor, struct pid **pid);
