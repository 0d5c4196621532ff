/*
 * The job calls for C programs: one function a call, with the types of <kin/job.h>, and Linux's
 * convention: -1 and errno. Nothing is hidden or kept. On a kernel without jobs each fails with
 * ENOSYS. docs/jobs.md is the manual.
 */
#pragma once

#include <kin/job.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

/* A descriptor of the new child of `parent`, or of JOB_SELF: its owner. */
int job_create(int parent, const struct job_create_args *args);

/* A descriptor of a job below `from`, by its path "a/b" or its id; rights 0: all that there are. */
int job_open(int from, const char *path, uint32_t rights);
int job_open_id(int from, uint64_t id, uint32_t rights);
/* Of the job that a process is in. */
int job_open_pidfd(int pidfd, uint32_t rights);

int job_adopt(int job, int pidfd, uint32_t flags);
int job_set(int job, const struct job_limits *limits, uint32_t flags);
int job_get(int job, struct job_limits *limits, uint32_t flags);
int job_stat(int job, struct job_stat *stat, uint32_t flags);
/* The number of members, which may exceed the room for `count`. */
ssize_t job_list(int job, struct job_member *members, size_t count, uint32_t flags);
/* The number of jobs in the subtree, the job itself included: the first. */
ssize_t job_list_jobs(int job, struct job_entry *entries, size_t count);
/* The number of members reached. */
int job_signal(int job, int signal, uint32_t flags);
/* wait NULL: does not wait; cert may be NULL. */
int job_kill(int job, const struct timespec *wait, struct job_cert *cert, uint32_t flags);
/* A descriptor whose closing thaws. */
int job_freeze(int job, uint32_t flags);
/* A descriptor to be read: whole struct job_event. */
int job_events(int job, const struct job_events_args *args);

/* fork(), the child being born in `job`; with `pidfd`, a descriptor of it too. `flags` are more of
 * clone3's. The C library does not know of it: handlers of pthread_atfork() do not run, and raise()
 * and abort() in the child take the thread id that the library remembers, the parent's. Use
 * kill(getpid(), ...), or exec. */
pid_t job_fork(int job, int *pidfd, uint64_t flags);
