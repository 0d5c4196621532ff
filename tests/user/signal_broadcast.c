/*
 * kill(-1): everybody whom the caller may signal, but neither the caller nor init. Under a uid of
 * its own, so that it meets nobody else; without root there is nothing to test.
 */
#include <sys/mman.h>
#include <sys/prctl.h>

#include "raw_signal.h"
#include "tap.h"

#define VICTIMS 5
#define UID     54322

static volatile int *ready;

static void ignore_it(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)info;
    (void)context;
    _exit(7);
}

static pid_t victim(bool handles)
{
    pid_t child = fork();

    if (child == 0) {
        if (handles)
            raw_handle(SIGUSR1, ignore_it, SA_SIGINFO);
        __atomic_fetch_add(ready, 1, __ATOMIC_SEQ_CST);
        for (;;)
            pause();
    }
    return child;
}

/* Forks all the time until it is killed; its children do nothing. */
static pid_t breeder(void)
{
    pid_t child = fork();

    if (child == 0)
        for (;;)
            if (fork() == 0)
                for (;;)
                    pause();
    return child;
}

static void broadcast(void)
{
    int status, by_signal = 0, by_handler = 0;

    *ready = 0;
    for (int i = 0; i < VICTIMS; i++)
        victim(i % 2);
    while (*ready < VICTIMS)
        ;
    is_int(kill(-1, 0), 0, "kill(-1, 0)");
    is_error(kill(-1, 65), EINVAL, "kill(-1, 65)");
    is_int(kill(-1, SIGUSR1), 0, "kill(-1, SIGUSR1)");
    for (int i = 0; i < VICTIMS; i++) {
        wait(&status);
        by_signal += WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR1;
        by_handler += WIFEXITED(status) && WEXITSTATUS(status) == 7;
    }
    is_int(by_signal, 3, "those without a handler died");
    is_int(by_handler, 2, "those with one ran it");
    is_int(kill(-1, SIGUSR1), 0, "with nobody left who may be signalled it still succeeds");
}

/* A fork and a broadcast: no child escapes. One kill is enough, however fast it breeds. */
static void against_fork(void)
{
    int status, survivors = 0;

    prctl(PR_SET_CHILD_SUBREAPER, 1);
    for (int round = 0; round < 20; round++) {
        pid_t child = breeder();

        for (volatile int spin = 0; spin < 20000 * (round + 1); spin++)
            ;
        kill(-1, SIGKILL);
        /* Its children are ours now: one that escaped would keep this waiting for ever. */
        while ((child = waitpid(-1, &status, 0)) > 0)
            survivors += !WIFSIGNALED(status);
    }
    is_int(survivors, 0, "20 breeders killed, none survives");
}

int main(void)
{
    int status;
    pid_t child;

    ready = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (ready == MAP_FAILED)
        tap_bail_out("mmap");
    if (getuid() != 0)
        return tap_done();
    child = fork();
    if (child == 0) {
        if (setuid(UID) != 0)
            tap_bail_out("setuid");
        broadcast();
        against_fork();
        tap_done();
        _exit(tap_failed);
    }
    waitpid(child, &status, 0);
    return WEXITSTATUS(status);
}
