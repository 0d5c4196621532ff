/*
 * A SCHED_FIFO process runs before any fair one: realtime CPUS
 *
 * On each CPU computes an ordinary process. Then as many FIFO processes compute for 50 ms, one on
 * each CPU; afterwards two more of priorities 10 and 20 compete on CPU 0. Prints how much the
 * ordinary ones got meanwhile, in ns, and what the lower one got while the higher one ran. At last,
 * with several CPUs, FIFO processes compute for long on all but one of them, for a short while on
 * that one, and one more waits: prints whether it ended before those that run long.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LENGTH 50000000ll

static long long now_ns(clockid_t clock)
{
    struct timespec time;

    clock_gettime(clock, &time);
    return time.tv_sec * 1000000000ll + time.tv_nsec;
}

static void go_to(int cpu)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    if (sched_setaffinity(0, sizeof(set), &set) != 0)
        _exit(1);
}

static void set_mask(pid_t pid, unsigned long mask)
{
    if (syscall(SYS_sched_setaffinity, pid, sizeof(mask), &mask) != 0)
        _exit(1);
}

static void become_ordinary(void)
{
    if (syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &(int){0}) != 0)
        _exit(1);
}

static pid_t start_ordinary(int cpu)
{
    pid_t child = fork();

    if (child == 0) {
        become_ordinary();
        go_to(cpu);
        for (;;)
            ;
    }
    return child;
}

static clockid_t clock_of(pid_t pid)
{
    clockid_t clock;

    clock_getcpuclockid(pid, &clock);
    return clock;
}

/* musl's function of that name refuses. */
static void become_fifo(int priority)
{
    if (syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &priority) != 0)
        _exit(1);
}

/* Computes for LENGTH; returns what the other process got in that time. */
static long long taken_meanwhile(pid_t other)
{
    clockid_t clock = clock_of(other);
    long long before = now_ns(clock), end = now_ns(CLOCK_MONOTONIC) + LENGTH;

    while (now_ns(CLOCK_MONOTONIC) < end)
        ;
    return now_ns(clock) - before;
}

/* Computes on that CPU for that long by the wall clock, as FIFO. */
static pid_t start_fifo(int cpu, int length)
{
    pid_t child = fork();

    if (child == 0) {
        go_to(cpu);
        for (long long end = now_ns(CLOCK_MONOTONIC) + length * LENGTH;
             now_ns(CLOCK_MONOTONIC) < end;)
            ;
        _exit(0);
    }
    return child;
}

/* The last one waits where another runs for long, and may then run anywhere. When the short one
 * ends there is an ordinary process on its CPU, so it does not come there by idleness. */
static bool is_pulled(int cpus)
{
    pid_t last, longest = start_fifo(1, 20), ordinary = start_ordinary(0);
    bool is_first;
    int status;

    start_fifo(0, 4);
    for (int i = 2; i < cpus; i++)
        start_fifo(i, 20);
    usleep(20000);
    last = start_fifo(1, 1);
    usleep(20000);
    set_mask(last, ~0ul);
    waitpid(last, &status, 0);
    is_first = waitpid(longest, &status, WNOHANG) == 0;
    kill(ordinary, SIGKILL);
    return is_first;
}

int main(int count, char **arguments)
{
    int cpus = count > 1 ? atoi(arguments[1]) : 1;
    long long *got = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t ordinary[64], fifo[64], low;

    for (int i = 0; i < cpus; i++)
        ordinary[i] = start_ordinary(i);
    usleep(20000);
    for (int i = 0; i < cpus; i++) {
        fifo[i] = fork();
        if (fifo[i] == 0) {
            become_fifo(10);
            go_to(i);
            got[i] = taken_meanwhile(ordinary[i]);
            _exit(0);
        }
    }
    for (int i = 0; i < cpus; i++)
        waitpid(fifo[i], NULL, 0);
    for (int i = 0; i < cpus; i++)
        printf("ordinary %lld\n", got[i]);

    low = fork();
    if (low == 0) {
        go_to(0);
        become_fifo(10);
        got[cpus] = 1; /* it is there, and runs */
        for (long long end = now_ns(CLOCK_MONOTONIC) + 4 * LENGTH; now_ns(CLOCK_MONOTONIC) < end;)
            ;
        _exit(0);
    }
    become_fifo(20);
    go_to(0);
    while (!got[cpus])
        usleep(1000);
    printf("lower %lld\n", taken_meanwhile(low));
    for (int i = 0; i < cpus; i++)
        kill(ordinary[i], SIGKILL);
    while (wait(NULL) > 0)
        ;
    printf("pulled %d\n", cpus == 1 || is_pulled(cpus));
    while (wait(NULL) > 0)
        ;
    return 0;
}
