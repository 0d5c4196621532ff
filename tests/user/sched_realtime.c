/*
 * Realtime processes are woken at once, wherever: not passed from one CPU to another while both
 * could run them. There is nothing to be seen but that it ends.
 */
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

#define ROUNDS 50

static void become_realtime(pid_t pid, int policy)
{
    struct sched_param priority = {.sched_priority = 10};

    if (syscall(SYS_sched_setscheduler, pid, policy, &priority) != 0)
        tap_bail_out("sched_setscheduler");
}

/* Killed in its sleep, it has to run once more. */
static void killed(int policy, const char *name)
{
    int ended = 0;

    for (int i = 0; i < ROUNDS; i++) {
        pid_t child = fork();
        int status;

        if (child == 0)
            for (;;)
                pause();
        become_realtime(child, policy);
        kill(child, SIGKILL);
        waitpid(child, &status, 0);
        ended += WIFSIGNALED(status);
    }
    is_int(ended, ROUNDS, "%s: woken to die", name);
}

/* Two that wake each other. */
static void ping_pong(int policy, const char *name)
{
    int there[2], back[2], rounds = 0;
    pid_t child;
    char byte;

    if (pipe(there) != 0 || pipe(back) != 0)
        tap_bail_out("pipe");
    child = fork();
    if (child == 0) {
        close(there[1]);
        while (read(there[0], &byte, 1) == 1 && write(back[1], &byte, 1) == 1)
            continue;
        _exit(0);
    }
    become_realtime(child, policy);
    become_realtime(0, policy);
    while (rounds < 20 * ROUNDS && write(there[1], "b", 1) == 1 && read(back[0], &byte, 1) == 1)
        rounds++;
    syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &(struct sched_param){0});
    close(there[0]);
    close(there[1]);
    waitpid(child, NULL, 0);
    close(back[0]);
    close(back[1]);
    is_int(rounds, 20 * ROUNDS, "%s: two that wake each other", name);
}

int main(void)
{
    killed(SCHED_FIFO, "FIFO");
    killed(SCHED_RR, "RR");
    ping_pong(SCHED_FIFO, "FIFO");
    ping_pong(SCHED_RR, "RR");
    return tap_done();
}
