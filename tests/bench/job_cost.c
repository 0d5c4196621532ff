/*
 * What jobs cost, in ns of CLOCK_MONOTONIC: under QEMU's -icount a nanosecond is one instruction.
 *
 *     tools/kin run --icount --smp 1 build/tests/bench/job_cost
 *
 * One line a figure: name, tab, instructions.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "user/libjob.h"

#define FORKS 2000
#define STATS 2000

static const struct timespec forever = {.tv_sec = 1000};

static uint64_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static void show(const char *name, uint64_t value)
{
    printf("%s\t%llu\n", name, (unsigned long long)value);
    fflush(stdout);
}

static int make_job(int parent)
{
    struct job_create_args none = {0};
    int job = job_create(parent, &none);

    if (job < 0) {
        perror("job_create");
        exit(1);
    }
    return job;
}

static uint64_t fork_exit_wait(void)
{
    uint64_t start = now();

    for (unsigned i = 0; i < FORKS; i++) {
        pid_t child = fork();

        if (child == 0)
            _exit(0);
        waitpid(child, NULL, 0);
    }
    return (now() - start) / FORKS;
}

static void measure_forks(const char *name, int job)
{
    pid_t child = job < 0 ? fork() : job_fork(job, NULL, 0);

    if (child == 0) {
        fork_exit_wait(); /* warms up */
        show(name, fork_exit_wait());
        _exit(0);
    }
    waitpid(child, NULL, 0);
}

static void fill(int job, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        pid_t child = job_fork(job, NULL, 0);

        if (child == 0)
            for (;;)
                pause();
        if (child < 0) {
            perror("job_fork");
            exit(1);
        }
    }
    /* Each runs until it sleeps. */
    for (unsigned i = 0; i < 4; i++)
        usleep(10000);
}

static void measure_members(unsigned count)
{
    int job = make_job(JOB_SELF);
    uint64_t start, called, gone, reaped;
    struct job_stat stat;
    char name[64];

    fill(job, count);
    start = now();
    for (unsigned i = 0; i < STATS; i++)
        job_stat(job, &stat, 0);
    snprintf(name, sizeof(name), "job_stat of %u members", count);
    show(name, (now() - start) / STATS);
    start = now();
    job_kill(job, NULL, NULL, 0);
    called = now();
    job_kill(job, &forever, NULL, 0);
    gone = now();
    while (wait(NULL) > 0)
        continue;
    reaped = now();
    snprintf(name, sizeof(name), "job_kill of %u, the call, per member", count);
    show(name, (called - start) / count);
    snprintf(name, sizeof(name), "job_kill of %u, until empty, per member", count);
    show(name, (gone - start) / count);
    snprintf(name, sizeof(name), "job_kill of %u, and reaped, per member", count);
    show(name, (reaped - start) / count);
    close(job);
}

int main(void)
{
    int job = JOB_SELF;

    measure_forks("fork+exit+wait in the root job", -1);
    for (unsigned depth = 0; depth < 4; depth++)
        job = make_job(job);
    measure_forks("fork+exit+wait in a job 4 deep", job);
    measure_members(1);
    measure_members(10);
    measure_members(100);
    measure_members(1000);
    return 0;
}
