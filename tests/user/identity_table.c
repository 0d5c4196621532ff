/* set*id calls: from each state of the three ids, what is allowed and what comes out; groups;
 * prctl. */
#define _GNU_SOURCE
#include <grp.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "tap.h"

struct ids {
    int real, effective, saved;
};
static const struct ids starts[] = {{0, 0, 0},       {1000, 1000, 1000}, {1000, 1001, 1002},
                                    {1000, 0, 1002}, {0, 1000, 0},       {1000, 1000, 0}};
static const int values[] = {-1, 0, 1000, 1001, 1002, 5};

enum call { SETUID, SETREUID, SETRESUID, SETGID, SETREGID, SETRESGID, CALL_COUNT };
static const char *const names[] = {"setuid", "setreuid", "setresuid",
                                    "setgid", "setregid", "setresgid"};

static long try_call(enum call call, int a, int b, int c)
{
    static const long numbers[] = {SYS_setuid, SYS_setreuid, SYS_setresuid,
                                   SYS_setgid, SYS_setregid, SYS_setresgid};

    return syscall(numbers[call], a, b, c);
}

/* In a child, since there may be no way back. */
static void cell(enum call call, const struct ids *start, int a, int b, int c)
{
    bool group = call >= SETGID;
    char text[200];
    int lines[2];
    ssize_t length;

    if (pipe(lines) != 0)
        tap_bail_out("pipe");
    if (fork() == 0) {
        unsigned r, e, s, fs;
        long result;

        if (group)
            syscall(SYS_setresgid, start->real, start->effective, start->saved);
        if (group && start->effective != 0)
            syscall(SYS_setresuid, 1000, 1000, 1000);
        if (!group)
            syscall(SYS_setresuid, start->real, start->effective, start->saved);
        errno = 0;
        result = try_call(call, a, b, c);
        int error = result ? errno : 0;
        if (group)
            syscall(SYS_getresgid, &r, &e, &s);
        else
            syscall(SYS_getresuid, &r, &e, &s);
        fs = (unsigned)(group ? setfsgid((gid_t)-1) : setfsuid((uid_t)-1));
        length =
            snprintf(text, sizeof(text), "%s, now %u %u %u %u", error_name(error), r, e, s, fs);
        _exit(write(lines[1], text, (size_t)length) != length);
    }
    close(lines[1]);
    length = read(lines[0], text, sizeof(text) - 1);
    text[length < 0 ? 0 : length] = '\0';
    close(lines[0]);
    wait(NULL);
    ok(true, "%s(%d, %d, %d) from %d %d %d: %s", names[call], a, b, c, start->real,
       start->effective, start->saved, text);
}

static void table(void)
{
    const int count = sizeof(values) / sizeof(values[0]);

    for (int call = 0; call < CALL_COUNT; call++)
        for (size_t s = 0; s < sizeof(starts) / sizeof(starts[0]); s++)
            for (int a = 0; a < count; a++)
                for (int b = 0; b < (call % 3 >= 1 ? count : 1); b++)
                    cell((enum call)call, &starts[s], values[a], call % 3 >= 1 ? values[b] : 0,
                         call % 3 == 2 ? values[(a + b) % count] : 0);
}

static void groups(void)
{
    gid_t set[] = {30, 10, 20}, got[8] = {0};

    is_int(setgroups(3, set), 0, "setgroups");
    is_int(getgroups(0, NULL), 3, "getgroups(0) counts");
    is_int(getgroups(8, got), 3, "getgroups");
    ok(true, "their order: %u %u %u", got[0], got[1], got[2]);
    is_error(getgroups(2, got), EINVAL, "getgroups: too small");
    is_error(getgroups(-1, got), EINVAL, "getgroups: negative");
    is_error(syscall(SYS_getgroups, 8, 16), EFAULT, "getgroups: a bad address");
    is_int(setgroups(0, NULL), 0, "setgroups(0)");
    is_int(getgroups(0, NULL), 0, "none are left");
    if (fork() == 0) {
        if (setuid(1000) != 0)
            _exit(1);
        _exit(setgroups(0, NULL) == -1 && errno == EPERM ? 0 : 2);
    }
    int status;

    wait(&status);
    is_int(status, 0, "setgroups needs privilege");
}

static void process_options(void)
{
    char name[32] = {0};

    is_int(prctl(PR_SET_NAME, "a name that is far too long"), 0, "PR_SET_NAME");
    prctl(PR_GET_NAME, name);
    is_string(name, "a name that is ", "cut at 15 bytes");
    is_int(prctl(PR_GET_DUMPABLE), 1, "dumpable at first");
    is_int(prctl(PR_SET_DUMPABLE, 0), 0, "PR_SET_DUMPABLE 0");
    is_int(prctl(PR_GET_DUMPABLE), 0, "not any more");
    is_error(prctl(PR_SET_DUMPABLE, 2), EINVAL, "PR_SET_DUMPABLE 2");
    prctl(PR_SET_DUMPABLE, 1);
    is_int(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0, "no_new_privs is off");
    is_error(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0), EINVAL, "and cannot be set to off");
    is_error(prctl(PR_SET_NO_NEW_PRIVS, 1, 1, 0, 0), EINVAL, "nor with other arguments");
    is_int(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0, "on");
    is_int(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1, "so it is");
    is_int(prctl(PR_CAPBSET_READ, 0), 1, "CAP_CHOWN is in the bounding set");
    is_error(prctl(PR_CAPBSET_READ, 64), EINVAL, "there is no capability 64");
    is_int(prctl(PR_GET_KEEPCAPS), 0, "capabilities are not kept");
    is_int(prctl(PR_GET_SECUREBITS), 0, "no secure bits");
    is_error(prctl(999), EINVAL, "an unknown option");
    is_error(prctl(PR_GET_NAME, 16), EFAULT, "PR_GET_NAME: a bad address");
    is_error(prctl(PR_SET_NAME, 16), EFAULT, "PR_SET_NAME: a bad address");
}

static void limits(void)
{
    struct rlimit limit, old;
    int status;

    is_error(getrlimit(99, &limit), EINVAL, "getrlimit 99");
    is_error(setrlimit(RLIMIT_CORE, &(struct rlimit){2, 1}), EINVAL, "soft above hard");
    is_int(setrlimit(RLIMIT_LOCKS, &(struct rlimit){1000, 2000}), 0, "setrlimit");
    getrlimit(RLIMIT_LOCKS, &limit);
    ok(limit.rlim_cur == 1000 && limit.rlim_max == 2000, "getrlimit shows it");
    if (fork() == 0) {
        getrlimit(RLIMIT_LOCKS, &limit);
        if (limit.rlim_cur != 1000 || setuid(1000) != 0)
            _exit(1);
        if (setrlimit(RLIMIT_LOCKS, &(struct rlimit){1000, 3000}) != -1 || errno != EPERM)
            _exit(2);
        if (setrlimit(RLIMIT_LOCKS, &(struct rlimit){1500, 1500}) != 0)
            _exit(3);
        if (prlimit(getppid(), RLIMIT_LOCKS, NULL, &old) != -1 || errno != EPERM)
            _exit(4);
        _exit(0);
    }
    wait(&status);
    is_int(status, 0,
           "inherited; only privilege raises the hard limit, or looks at another user's");
    is_int(prlimit(getpid(), RLIMIT_LOCKS, &(struct rlimit){5, 6}, &old), 0, "prlimit");
    ok(old.rlim_cur == 1000 && old.rlim_max == 2000, "gives the old one");
    is_error(prlimit(999999, RLIMIT_LOCKS, NULL, &old), ESRCH, "prlimit of nobody");
    setrlimit(RLIMIT_LOCKS, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY});
}

/* In a user of its own, so that nobody else's processes count. */
static void process_limit(void)
{
    int status;

    if (fork() == 0) {
        int born = 0, hold[2];
        char byte;

        if (pipe(hold) != 0 || setrlimit(RLIMIT_NPROC, &(struct rlimit){5, 5}) != 0 ||
            setuid(54321) != 0)
            _exit(100);
        for (;;) {
            pid_t child = fork();

            if (child == 0) {
                close(hold[1]);
                _exit(read(hold[0], &byte, 1) == 0 ? 0 : 1);
            }
            if (child == -1)
                break;
            born++;
        }
        if (errno != EAGAIN)
            _exit(101);
        close(hold[1]);
        while (wait(NULL) > 0)
            continue;
        if (fork() == 0)
            _exit(0);
        _exit(wait(NULL) > 0 ? born : 102);
    }
    wait(&status);
    is_int(WEXITSTATUS(status), 4,
           "RLIMIT_NPROC 5: four children, then EAGAIN; reaping makes room");
}

int main(void)
{
    setgroups(0, NULL);
    table();
    groups();
    process_options();
    limits();
    process_limit();
    return tap_done();
}
