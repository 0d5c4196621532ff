/* The kinds of work: each step is one unit, and what a worker counts. */
#define _GNU_SOURCE
#include "workload_types.h"

#include <sched.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

volatile sig_atomic_t stopping;

static void spin(void)
{
    for (volatile unsigned i = 0; i < 10000; i++)
        continue;
}

static void yield(void)
{
    sched_yield();
}

static void sleep_a_little(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static void ping_pong(void)
{
    static int there[2] = {-1, -1}, back[2];
    char byte = 'x';

    if (there[0] < 0) {
        if (pipe(there) != 0 || pipe(back) != 0)
            _exit(3);
        if (fork() == 0) {
            close(there[1]);
            while (read(there[0], &byte, 1) == 1 && write(back[1], &byte, 1) == 1)
                continue;
            _exit(0);
        }
        close(there[0]);
        close(back[1]);
    }
    if (write(there[1], &byte, 1) == 1 && read(back[0], &byte, 1) != 1 && !stopping)
        _exit(4);
}

static void fork_and_exit(void)
{
    pid_t child = fork();

    if (child == 0)
        _exit(0);
    if (child > 0)
        while (waitpid(child, NULL, 0) < 0)
            continue;
}

static void take_signal(int signal)
{
}

static void storm(void)
{
    static struct sigaction action = {.sa_handler = take_signal};

    sigaction(SIGUSR2, &action, NULL);
    for (unsigned i = 0; i < 100; i++)
        kill(getpid(), SIGUSR2);
}

static void hang(void)
{
    sigset_t all;

    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    pause();
}

static void crash(void)
{
    kill(getpid(), SIGABRT); /* abort() would take the parent's thread id: job_fork() */
}

static void leave(void)
{
    _exit(7);
}

const struct work works[] = {
    {"spin", spin},      {"yield", yield},        {"sleep", sleep_a_little},
    {"pipe", ping_pong}, {"fork", fork_and_exit}, {"signal", storm},
    {"hang", hang},      {"crash", crash},        {"leave", leave},
};
const unsigned work_count = sizeof(works) / sizeof(works[0]);
