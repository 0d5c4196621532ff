/* The job calls for C programs: see libjob.h. */
#define _GNU_SOURCE
#include "libjob.h"

#include <linux/sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

int job_create(int parent, const struct job_create_args *args)
{
    return (int)syscall(KIN_NR_job_create, parent, args, sizeof(*args));
}

int job_open(int from, const char *path, uint32_t rights)
{
    return (int)syscall(KIN_NR_job_open, from, path, 0ul, rights, 0);
}

int job_open_id(int from, uint64_t id, uint32_t rights)
{
    return (int)syscall(KIN_NR_job_open, from, NULL, id, rights, JOB_OPEN_BY_ID);
}

int job_open_pidfd(int pidfd, uint32_t rights)
{
    return (int)syscall(KIN_NR_job_open, pidfd, NULL, 0ul, rights, JOB_OPEN_PIDFD);
}

int job_adopt(int job, int pidfd, uint32_t flags)
{
    return (int)syscall(KIN_NR_job_adopt, job, pidfd, flags);
}

int job_set(int job, const struct job_limits *limits, uint32_t flags)
{
    return (int)syscall(KIN_NR_job_set, job, limits, sizeof(*limits), flags);
}

int job_get(int job, struct job_limits *limits, uint32_t flags)
{
    return (int)syscall(KIN_NR_job_get, job, limits, sizeof(*limits), flags);
}

int job_stat(int job, struct job_stat *stat, uint32_t flags)
{
    return (int)syscall(KIN_NR_job_stat, job, stat, sizeof(*stat), flags);
}

ssize_t job_list(int job, struct job_member *members, size_t count, uint32_t flags)
{
    return syscall(KIN_NR_job_list, job, members, count, flags);
}

ssize_t job_list_jobs(int job, struct job_entry *entries, size_t count)
{
    return syscall(KIN_NR_job_list, job, entries, count, JOB_LIST_JOBS);
}

int job_signal(int job, int signal, uint32_t flags)
{
    return (int)syscall(KIN_NR_job_signal, job, signal, flags);
}

int job_kill(int job, const struct timespec *wait, struct job_cert *cert, uint32_t flags)
{
    return (int)syscall(KIN_NR_job_kill, job, wait, cert, cert ? sizeof(*cert) : 0, flags);
}

int job_freeze(int job, uint32_t flags)
{
    return (int)syscall(KIN_NR_job_freeze, job, flags);
}

int job_events(int job, const struct job_events_args *args)
{
    return (int)syscall(KIN_NR_job_events, job, args, sizeof(*args));
}

pid_t job_fork(int job, int *pidfd, uint64_t flags)
{
    struct clone_args args = {
        .flags = flags | CLONE_INTO_CGROUP | (pidfd ? CLONE_PIDFD : 0),
        .pidfd = (uintptr_t)pidfd,
        .exit_signal = SIGCHLD,
        .cgroup = (uint64_t)job,
    };

    return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}
