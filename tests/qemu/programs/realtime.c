/*
 * A SCHED_FIFO process runs before any fair one: realtime CPUS
 *
 * On each CPU computes an ordinary process. Then as many FIFO processes compute for 50 ms, one on
 * each CPU; afterwards two more of priorities 10 and 20 compete on CPU 0. Prints how much the
 * ordinary ones got meanwhile, in ns, and what the lower one got while the higher one ran. At last,
 * with several CPUs, FIFO processes compute on all but one of them until they are told to end, for
 * a short while on that one, and one more waits: prints whether it came to run.
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

static struct shared {
    _Atomic int standing; /* processes that are where they belong */
    _Atomic int stop;
    long long got[64];
} * shared;

static void await_standing(int count)
{
    while (shared->standing < count)
        usleep(1000);
}

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
        shared->standing++;
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

/* Computes on that CPU as FIFO: for that many times LENGTH by the wall clock, or until it is told.
 */
#define UNTIL_TOLD 0

static pid_t start_fifo(int cpu, int length)
{
    pid_t child = fork();

    if (child == 0) {
        become_fifo(10);
        go_to(cpu);
        shared->standing++;
        for (long long end = now_ns(CLOCK_MONOTONIC) + length * LENGTH;
             length == UNTIL_TOLD ? !shared->stop : now_ns(CLOCK_MONOTONIC) < end;)
            ;
        _exit(0);
    }
    return child;
}

/* Until the process has gone to the CPU, or to its queue. */
static void await_mask(pid_t pid, unsigned long mask)
{
    unsigned long now = 0;

    while (now != mask) {
        usleep(1000);
        syscall(SYS_sched_getaffinity, pid, sizeof(now), &now);
    }
}

/*
 * The last one waits for a CPU on which another runs until it is told, and then for any. The caller
 * ranks above them all. When the short one ends there is an ordinary process on its CPU, so that
 * nobody is looked for because of idleness. If the last one never comes to run, this lasts for
 * ever.
 */
static bool is_pulled(int cpus)
{
    int before = shared->standing, status;
    pid_t last, ordinary = start_ordinary(0);

    for (int i = 1; i < cpus; i++)
        start_fifo(i, UNTIL_TOLD);
    await_standing(before + cpus);
    last = start_fifo(1, 1);
    await_mask(last, 1ul << 1);
    start_fifo(0, 4);
    await_standing(before + cpus + 1);
    set_mask(last, ~0ul);
    waitpid(last, &status, 0);
    shared->stop = 1;
    kill(ordinary, SIGKILL);
    return status == 0;
}

int main(int count, char **arguments)
{
    int cpus = count > 1 ? atoi(arguments[1]) : 1;
    pid_t ordinary[64], fifo[64], low;

    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < cpus; i++)
        ordinary[i] = start_ordinary(i);
    await_standing(cpus);
    for (int i = 0; i < cpus; i++) {
        fifo[i] = fork();
        if (fifo[i] == 0) {
            become_fifo(10);
            go_to(i);
            shared->got[i] = taken_meanwhile(ordinary[i]);
            _exit(0);
        }
    }
    for (int i = 0; i < cpus; i++)
        waitpid(fifo[i], NULL, 0);
    for (int i = 0; i < cpus; i++)
        printf("ordinary %lld\n", shared->got[i]);

    low = fork();
    if (low == 0) {
        go_to(0);
        become_fifo(10);
        shared->got[cpus] = 1; /* it is there, and runs */
        for (long long end = now_ns(CLOCK_MONOTONIC) + 4 * LENGTH; now_ns(CLOCK_MONOTONIC) < end;)
            ;
        _exit(0);
    }
    become_fifo(20);
    go_to(0);
    while (!shared->got[cpus])
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
