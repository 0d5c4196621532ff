/*
 * Storms of processes. `process_storm NAME` runs one and prints what came of it; the caller
 * compares the kernel's balance before and after. Waits for events only: pipes, wait, reports.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static _Noreturn void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void check(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "not so: %s\n", what);
    exit(1);
}

static void open_pipe(int ends[2])
{
    if (pipe(ends) != 0)
        fail("pipe");
}

/* A child that lives until the pipe's last writer is gone. */
static pid_t make_sleeper(const int hold[2])
{
    pid_t child = fork();
    char byte;

    if (child == 0) {
        close(hold[1]);
        _exit((int)read(hold[0], &byte, 1));
    }
    return child;
}

static int reap_all(void)
{
    int count = 0;

    while (wait(NULL) > 0)
        count++;
    check(errno == ECHILD, "wait ends with ECHILD");
    return count;
}

/* Forks for ever; tells once when it meets the limit. */
static _Noreturn void bomb_body(int report)
{
    bool told = false;

    for (;;)
        if (fork() == -1 && !told) {
            told = true;
            if (errno != EAGAIN || write(report, "x", 1) != 1)
                _exit(2);
        }
}

/* A user's fork bomb runs into its limit, is killed by its group, and the user can fork again. */
static void fork_bomb(void)
{
    enum { LIMIT = 200 };
    int report[2], reaped;
    pid_t bomb;
    char byte;

    open_pipe(report);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    bomb = fork();
    if (bomb == 0) {
        struct rlimit limit = {LIMIT, LIMIT};

        setpgid(0, 0);
        if (setrlimit(RLIMIT_NPROC, &limit) != 0 || setuid(4242) != 0)
            _exit(1);
        bomb_body(report[1]);
    }
    setpgid(bomb, bomb);
    for (int i = 0; i < LIMIT / 2; i++)
        check(read(report[0], &byte, 1) == 1, "the bomb meets its limit");
    kill(-bomb, SIGKILL);
    reaped = reap_all();
    check(kill(-bomb, 0) == -1 && errno == ESRCH, "nobody escaped");
    /* A birth that the kill came upon counted, and is undone. */
    check(reaped >= LIMIT / 2 && reaped <= LIMIT, "as many as the limit allows lived");
    bomb = fork();
    if (bomb == 0)
        _exit(setuid(4242) == 0 && fork() != -1 ? 0 : 1);
    check(reap_all() == 2, "the user can fork again");
    printf("bomb: defused\n");
}

static void ten_thousand(void)
{
    enum { COUNT = 10000 };
    int hold[2], born = 0;

    open_pipe(hold);
    while (born < COUNT && make_sleeper(hold) > 0)
        born++;
    check(born == COUNT, "10,000 are born");
    close(hold[1]);
    check(reap_all() == COUNT, "and reaped");
    printf("ten thousand: %d lived at once\n", born);
}

static void killed_at_once(void)
{
    enum { COUNT = 300 };
    int hold[2], group = 0, killed = 0, status;

    open_pipe(hold);
    for (int i = 0; i < COUNT; i++) {
        pid_t child = make_sleeper(hold);

        if (child < 0)
            fail("fork");
        setpgid(child, group);
        if (group == 0)
            group = child;
    }
    kill(-group, SIGKILL);
    while (waitpid(-group, &status, 0) > 0)
        killed += WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    check(killed == COUNT, "each died of SIGKILL");
    check(kill(-group, 0) == -1 && errno == ESRCH, "no survivor");
    printf("killed at once: %d\n", killed);
}

/* More births than there are numbers; some stay alive all the time, and their numbers are not given
 * again. */
static void wrap_around(void)
{
    enum { KEPT = 20, BIRTHS = 33000 };
    volatile pid_t kept[KEPT], last = 0;
    volatile int wraps = 0;
    int hold[2];

    open_pipe(hold);
    for (int i = 0; i < KEPT; i++)
        kept[i] = make_sleeper(hold);
    for (int i = 0; i < BIRTHS; i++) {
        pid_t child = vfork();

        if (child == 0)
            _exit(0);
        check(child > 0, "a number is free");
        for (int k = 0; k < KEPT; k++)
            check(child != kept[k], "a living process's number is not given again");
        wraps += child < last;
        last = child;
        check(waitpid(child, NULL, 0) == child, "it is reaped");
    }
    close(hold[1]);
    check(reap_all() == KEPT, "those kept are reaped");
    check(wraps >= 1, "the numbers wrapped around");
    printf("wrap around: %d times\n", wraps);
}

/* Parents die while their children do: every orphan comes to us, alive or dead, and none is lost.
 */
static void reparent(void)
{
    enum { PARENTS = 60, CHILDREN = 20 };
    int reaped = 0, hold[2];

    prctl(PR_SET_CHILD_SUBREAPER, 1);
    open_pipe(hold);
    for (int i = 0; i < PARENTS; i++) {
        pid_t parent = fork();

        if (parent == 0) {
            for (int child = 0; child < CHILDREN; child++)
                if (child % 2) {
                    if (fork() == 0)
                        _exit(0);
                } else {
                    make_sleeper(hold);
                }
            _exit(0);
        }
        check(parent > 0, "a parent is born");
    }
    close(hold[1]);
    reaped = reap_all();
    check(reaped == PARENTS * (CHILDREN + 1), "each of them is reaped here");
    printf("reparent: %d reaped\n", reaped);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } storms[] = {{"bomb", fork_bomb},
                  {"ten-thousand", ten_thousand},
                  {"killed-at-once", killed_at_once},
                  {"wrap-around", wrap_around},
                  {"reparent", reparent}};

    for (size_t i = 0; argc == 2 && i < sizeof(storms) / sizeof(storms[0]); i++)
        if (strcmp(argv[1], storms[i].name) == 0) {
            storms[i].run();
            return 0;
        }
    fprintf(stderr, "usage: process_storm NAME\n");
    return 2;
}
