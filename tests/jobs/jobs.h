/*
 * What the tests of jobs share. They run on Kin alone, print TAP, and wait for what happens by
 * pipes, waitpid and event streams, never by time.
 */
#pragma once

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "tap.h"
#include "user/libjob.h"

#define UNUSED_HELPER __attribute__((unused)) static

static const struct timespec forever = {.tv_sec = 1000};

UNUSED_HELPER int make_job(int parent, const char *name, uint64_t flags)
{
    struct job_create_args args = {.flags = flags};
    int job;

    snprintf(args.name, sizeof(args.name), "%s", name);
    job = job_create(parent, &args);
    if (job < 0)
        tap_bail_out("job_create");
    return job;
}

UNUSED_HELPER struct job_stat stat_of(int job)
{
    struct job_stat stat;

    if (job_stat(job, &stat, 0) != 0)
        tap_bail_out("job_stat");
    return stat;
}

UNUSED_HELPER uint64_t id_of(int job)
{
    return stat_of(job).job_id;
}

/* A member that waits for a signal. */
UNUSED_HELPER pid_t spawn_idle(int job, int *pidfd)
{
    pid_t child = job_fork(job, pidfd, 0);

    if (child < 0)
        tap_bail_out("job_fork");
    if (child == 0)
        for (;;)
            pause();
    return child;
}

/* A member that runs `work` and exits with its result. */
UNUSED_HELPER pid_t spawn(int job, int (*work)(void *), void *argument)
{
    pid_t child = job_fork(job, NULL, 0);

    if (child < 0)
        tap_bail_out("job_fork");
    if (child == 0)
        _exit(work(argument));
    return child;
}

/* The wait status of a child of ours. */
UNUSED_HELPER int reap(pid_t child)
{
    int status = -1;

    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    return status;
}

UNUSED_HELPER void kill_and_reap(pid_t child)
{
    kill(child, SIGKILL);
    reap(child);
}

/* Kills the job, waits until it is empty, and closes it. */
UNUSED_HELPER void finish(int job)
{
    job_kill(job, &forever, NULL, 0);
    close(job);
}

UNUSED_HELPER void set_count(int job, uint64_t bit, uint32_t value)
{
    struct job_limits limits = {.mask = bit};

    limits.max_procs = limits.max_threads = limits.max_jobs = limits.max_depth = value;
    if (job_set(job, &limits, 0) != 0)
        tap_bail_out("job_set");
}

UNUSED_HELPER void set_bytes(int job, uint64_t bit, uint64_t value)
{
    struct job_limits limits = {.mask = bit};

    limits.proc_mem_bytes = limits.job_mem_bytes = value;
    if (job_set(job, &limits, 0) != 0)
        tap_bail_out("job_set");
}

UNUSED_HELPER int set_flags(int job, uint64_t flags)
{
    struct job_limits limits = {.mask = JOB_LIMIT_FLAGS, .flags = flags};

    return job_set(job, &limits, 0);
}

UNUSED_HELPER void *share_memory(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED)
        tap_bail_out("mmap");
    return memory;
}

UNUSED_HELPER int open_stream(int job, uint64_t mask, uint32_t slots)
{
    struct job_events_args args = {.mask = mask, .slots = slots, .flags = JOB_EVENTS_FROM_NOW};
    int stream = job_events(job, &args);

    if (stream < 0)
        tap_bail_out("job_events");
    return stream;
}

UNUSED_HELPER void set_policy(pid_t process, int policy, int priority)
{
    struct sched_param parameters = {.sched_priority = priority};

    /* musl's functions refuse. */
    if (syscall(SYS_sched_setscheduler, process, policy, &parameters) != 0)
        tap_bail_out("sched_setscheduler");
}

/* While this is in force whoever is born stays as it is, for want of a CPU: this process shares one
 * with its children, and goes before them until it sleeps. */
UNUSED_HELPER void hold_children(void)
{
    cpu_set_t first;

    CPU_ZERO(&first);
    CPU_SET(0, &first);
    if (sched_setaffinity(0, sizeof(first), &first) != 0)
        tap_bail_out("sched_setaffinity");
    set_policy(0, SCHED_FIFO | SCHED_RESET_ON_FORK, 2);
}

UNUSED_HELPER void release_children(void)
{
    cpu_set_t all;

    memset(&all, 0xff, sizeof(all));
    set_policy(0, SCHED_OTHER, 0);
    if (sched_setaffinity(0, sizeof(all), &all) != 0)
        tap_bail_out("sched_setaffinity");
}

/* The next event; its type is -1 at the stream's end. */
UNUSED_HELPER struct job_event next_event(int stream)
{
    struct job_event event;

    if (read(stream, &event, sizeof(event)) != (ssize_t)sizeof(event))
        event.type = (uint16_t)-1;
    return event;
}

UNUSED_HELPER short poll_now(int descriptor, short events)
{
    struct pollfd entry = {.fd = descriptor, .events = events};

    return poll(&entry, 1, 0) < 0 ? -1 : entry.revents;
}

/* The kernel counts all of its processes and jobs again, and panics if anything is not so. */
UNUSED_HELPER void check_kernel(const char *after)
{
    char answer[16] = "";
    int file = open("/proc/kin/check", O_RDONLY | O_CLOEXEC);
    ssize_t length = file < 0 ? -1 : read(file, answer, sizeof(answer) - 1);

    close(file);
    ok(length > 0 && strncmp(answer, "ok", 2) == 0, "the kernel's tables are consistent after %s",
       after);
}
