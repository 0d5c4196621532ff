/*
 * What a test waits for when it would be wrong to let time pass: a busy machine gives no process
 * its turn within any time.
 */
#pragma once

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#define TICK_US 2000

/* Until the process sleeps so that signals wake it. On its way to the call that is meant it must
 * not sleep in another. */
__attribute__((unused)) static void await_sleep(pid_t process)
{
    char name[32], text[256];
    const char *state = NULL;

    snprintf(name, sizeof(name), "/proc/%d/stat", process);
    while (!state || state[2] != 'S') {
        int file = open(name, O_RDONLY);
        ssize_t length = read(file, text, sizeof(text) - 1);

        close(file);
        if (length <= 0)
            _exit(98);
        text[length] = '\0';
        state = strrchr(text, ')');
        sched_yield();
    }
}

/* SIGALRM again and again: one alone might come before the call that it is to interrupt. */
__attribute__((unused)) static void start_ticking(void)
{
    struct itimerval every = {{0, TICK_US}, {0, TICK_US}};

    setitimer(ITIMER_REAL, &every, NULL);
}

__attribute__((unused)) static void stop_ticking(void)
{
    struct itimerval never = {{0, 0}, {0, 0}};

    setitimer(ITIMER_REAL, &never, NULL);
}

/* The result of a call, and its errno, with SIGALRM ticking until it returns. */
#define INTERRUPTED(call)                                                                          \
    ({                                                                                             \
        start_ticking();                                                                           \
        long interrupted_result = (long)(call);                                                    \
        stop_ticking();                                                                            \
        interrupted_result;                                                                        \
    })
