/* getpriority and setpriority: whom they name, what they allow. */
#define _GNU_SOURCE
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "tap.h"

#define NOBODY 0x3ffffff

/* The kernel's own answer, 20 - nice: the C library turns it around. */
static long raw_priority(int which, int who)
{
    return syscall(SYS_getpriority, which, who);
}

static void test_values(void)
{
    static const int values[] = {0, 5, 19, 20, 100, -1, -20, -21, -100, 0};

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        is_int(setpriority(PRIO_PROCESS, 0, values[i]), 0, "set nice %d", values[i]);
        tap_line("# nice is %d, the kernel says %ld\n", getpriority(PRIO_PROCESS, 0),
                 raw_priority(PRIO_PROCESS, 0));
    }
    is_int(nice(3), 3, "nice adds");
    is_int(nice(-3), 0, "and takes away");
}

static void test_errors(void)
{
    is_error(raw_priority(-1, 0), EINVAL, "getpriority: no such kind");
    is_error(raw_priority(3, 0), EINVAL, "getpriority: no such kind either");
    is_error(raw_priority(PRIO_PROCESS, NOBODY), ESRCH, "getpriority: no such process");
    is_error(raw_priority(PRIO_PROCESS, -1), ESRCH, "getpriority: negative process");
    is_error(raw_priority(PRIO_PGRP, NOBODY), ESRCH, "getpriority: no such group");
    is_error(raw_priority(PRIO_USER, 54321), ESRCH, "getpriority: a user without processes");
    is_error(syscall(SYS_setpriority, 3, 0, 0), EINVAL, "setpriority: no such kind");
    is_error(setpriority(PRIO_PROCESS, NOBODY, 0), ESRCH, "setpriority: no such process");
    is_error(setpriority(PRIO_PGRP, NOBODY, 0), ESRCH, "setpriority: no such group");
    is_error(setpriority(PRIO_USER, 54321, 0), ESRCH, "setpriority: a user without processes");
}

static pid_t start_waiter(int group, int uid, int *gate)
{
    int end[2];
    pid_t child;
    char byte;

    if (pipe(end) != 0)
        tap_bail_out("pipe");
    child = fork();
    if (child == 0) {
        close(end[1]);
        setpgid(0, group);
        if (uid && setresuid(uid, uid, uid) != 0)
            _exit(1);
        _exit(read(end[0], &byte, 1) == 0 ? 0 : 1);
    }
    setpgid(child, group);
    close(end[0]);
    *gate = end[1];
    return child;
}

static void test_group(void)
{
    int gates[2];
    pid_t first = start_waiter(0, 0, &gates[0]);
    pid_t second = start_waiter(first, 0, &gates[1]);

    is_int(setpriority(PRIO_PROCESS, second, 9), 0, "set one of a group");
    is_int(getpriority(PRIO_PROCESS, first), 0, "not the other");
    is_int(getpriority(PRIO_PGRP, first), 0, "a group has its best member's");
    is_int(setpriority(PRIO_PGRP, first, 11), 0, "set a group");
    is_int(getpriority(PRIO_PROCESS, first), 11, "one member");
    is_int(getpriority(PRIO_PROCESS, second), 11, "and the other");
    is_int(getpriority(PRIO_PROCESS, 0), 0, "nobody else");
    close(gates[0]);
    close(gates[1]);
    while (wait(NULL) > 0)
        ;
}

static void check_as_user(void)
{
    if (setresuid(54320, 54320, 54320) != 0)
        _exit(101);
    is_int(setpriority(PRIO_PROCESS, 0, 10), 0, "a user: higher is free");
    is_error(setpriority(PRIO_PROCESS, 0, 9), EACCES, "a user: and not lower again");
    is_int(setpriority(PRIO_PROCESS, 0, 10), 0, "a user: the same");
    is_error(setpriority(PRIO_PROCESS, getppid(), 19), EPERM, "a user: another's process");
    is_int(getpriority(PRIO_PROCESS, getppid()), 0, "a user: may look");
    is_int(setpriority(PRIO_USER, 0, 12), 0, "a user: all of one's own");
    is_int(getpriority(PRIO_USER, 54320), 12, "a user: which is seen");
}

int main(void)
{
    int status, count;
    pid_t child;

    test_values();
    test_errors();
    test_group();
    count = tap_count;
    child = fork();
    if (child == 0) {
        check_as_user();
        _exit(tap_count - count + (tap_failed ? 100 : 0));
    }
    waitpid(child, &status, 0);
    if (WEXITSTATUS(status) >= 100)
        tap_failed++;
    tap_count = count + WEXITSTATUS(status) % 100;
    return tap_done();
}
