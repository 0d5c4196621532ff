/* Resource limits, getrlimit(2): kept and inherited; enforced where the resource is given out. */
#pragma once

#include <stdint.h>

#include <linux/resource.h>

struct rlimits {
    struct rlimit64 values[RLIM_NLIMITS]; /* (family_lock to write; each value is read whole) */
};

struct process;

/* The soft limit now. Any context. */
uint64_t rlimit_soft(const struct process *process, unsigned resource);
/* The initial limits of pid 1. */
void rlimits_init(struct rlimits *limits);
