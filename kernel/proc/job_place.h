/* How a birth finds its job, and the place that it holds there until fork's commit. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct job;

/* How a birth chooses its job. */
struct job_birth {
    struct job *into; /* CLONE_INTO_CGROUP; NULL: the parent's */
    bool breakaway;   /* CLONE_JOB_BREAKAWAY */
};

/* A place in a chain, held from fork_prepare() to its commit or abort. */
struct job_place {
    struct job *job;    /* reference: where the child will be born */
    struct job *origin; /* the parent's job when it was reserved: no reference, only compared */
    uint64_t kill_gen, signal_gen; /* the job's at that time */
};
