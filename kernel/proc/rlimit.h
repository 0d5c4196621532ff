/* Resource limits, getrlimit(2): kept and inherited; enforced where the resource is given out. */
#pragma once

#include <stdint.h>

#include <linux/resource.h>

#include "proc/pid.h"

/* As Linux's fs.nr_open. */
#define RLIMIT_NOFILE_CEILING (1 << 20)

struct rlimits {
    struct rlimit64 values[RLIM_NLIMITS]; /* (F) to write; each value is read whole */
};

struct process;

/* The soft limit now. Any context. */
uint64_t rlimit_soft(const struct process *process, unsigned resource);
/* The initial limits of pid 1. */
void rlimits_init(struct rlimits *limits);
/* prlimit(2); 0 is the caller; either limit may be NULL. -EINVAL -EPERM -ESRCH; nothing is changed
 * on an error. */
int rlimit_change(pid_number pid, unsigned resource, const struct rlimit64 *new_limit,
                  struct rlimit64 *old_limit);
