/* wait4 and waitid: every state of a child × every selector × every set of options, without
 * blocking. */
#define _GNU_SOURCE
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "tap.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

/* Two ends of a pipe: the child lives until the parent closes `release`. */
struct child {
    pid_t pid;
    int release;
};

enum state { NONE, RUNNING, EXITED, KILLED, STOPPED, CONTINUED, CLONED, STATE_COUNT };
static const char *const state_names[] = {"no child",
                                          "running",
                                          "exited 7",
                                          "killed by TERM",
                                          "stopped by STOP",
                                          "continued",
                                          "clone child exited 7"};

static void settle(pid_t pid, int options)
{
    siginfo_t info;

    if (waitid(P_PID, (id_t)pid, &info, options | WNOWAIT | __WALL) != 0)
        tap_bail_out("waitid");
}

static struct child start(enum state state)
{
    struct child child = {0, -1};
    int gate[2];
    char byte;

    if (state == NONE)
        return child;
    if (pipe(gate) != 0)
        tap_bail_out("pipe");
    child.pid = state == CLONED ? (pid_t)syscall(SYS_clone, 0, 0, 0, 0, 0) : fork();
    if (child.pid == 0) {
        setpgid(0, 0);
        close(gate[1]);
        if (state == EXITED || state == CLONED)
            _exit(7);
        _exit(read(gate[0], &byte, 1) == 0 ? 0 : 1);
    }
    setpgid(child.pid, child.pid);
    close(gate[0]);
    child.release = gate[1];
    if (state == KILLED)
        kill(child.pid, SIGTERM);
    if (state == STOPPED || state == CONTINUED)
        kill(child.pid, SIGSTOP);
    if (state == STOPPED || state == CONTINUED)
        settle(child.pid, WSTOPPED);
    if (state == CONTINUED) {
        kill(child.pid, SIGCONT);
        settle(child.pid, WCONTINUED);
    }
    if (state == EXITED || state == KILLED || state == CLONED)
        settle(child.pid, WEXITED);
    return child;
}

static void finish(struct child *child)
{
    int status;

    if (child->pid == 0)
        return;
    kill(child->pid, SIGKILL);
    close(child->release);
    while (waitpid(child->pid, &status, __WALL) == -1 && errno == EINTR)
        continue;
}

static const char *describe_result(long result, pid_t child)
{
    static char text[64];

    if (result == -1)
        snprintf(text, sizeof(text), "%s", error_name(errno));
    else
        snprintf(text, sizeof(text), "%s",
                 result == 0       ? "nothing"
                 : result == child ? "child"
                                   : "?");
    return text;
}

struct option_set {
    int options;
    const char *name;
};
static const struct option_set wait4_options[] = {
    {0, "-"},
    {WUNTRACED, "WUNTRACED"},
    {WCONTINUED, "WCONTINUED"},
    {WUNTRACED | WCONTINUED, "WUNTRACED|WCONTINUED"},
    {__WALL, "__WALL"},
    {__WCLONE, "__WCLONE"},
    {__WNOTHREAD, "__WNOTHREAD"},
    {__WALL | WUNTRACED | WCONTINUED, "__WALL|WUNTRACED|WCONTINUED"},
    {0x40, "unknown option"},
};
enum selector { ANY, BY_PID, OWN_GROUP, ITS_GROUP, INIT, NOBODY, SELECTOR_COUNT };
static const char *const selector_names[] = {"any",       "pid",   "own group",
                                             "its group", "pid 1", "nobody"};

static pid_t selector_value(enum selector selector, pid_t child)
{
    switch (selector) {
    case BY_PID:
        return child ? child : 999999;
    case OWN_GROUP:
        return 0;
    case ITS_GROUP:
        return child ? -child : -999999;
    case INIT:
        return 1;
    case NOBODY:
        return 999999;
    default:
        return -1;
    }
}

static void wait4_cell(enum state state, enum selector selector, const struct option_set *set)
{
    struct child child = start(state);
    struct rusage usage;
    int status = 0x5a5a;
    long result;

    memset(&usage, 0x5a, sizeof(usage));
    result = wait4(selector_value(selector, child.pid), &status, set->options | WNOHANG, &usage);
    ok(true, "wait4 %s, %s, %s: %s, status %#x, rusage %s", state_names[state],
       selector_names[selector], set->name, describe_result(result, child.pid), status,
       usage.ru_nsignals == 0 ? "filled" : "untouched");
    errno = 0;
    result = wait4(selector_value(selector, child.pid), &status, set->options | WNOHANG, NULL);
    ok(true, "  again: %s", describe_result(result, child.pid));
    finish(&child);
}

static const struct option_set waitid_options[] = {
    {WEXITED, "WEXITED"},
    {WSTOPPED, "WSTOPPED"},
    {WCONTINUED, "WCONTINUED"},
    {WEXITED | WSTOPPED | WCONTINUED, "all three"},
    {WEXITED | WNOWAIT, "WEXITED|WNOWAIT"},
    {WSTOPPED | WNOWAIT, "WSTOPPED|WNOWAIT"},
    {WCONTINUED | WNOWAIT, "WCONTINUED|WNOWAIT"},
    {WEXITED | __WALL, "WEXITED|__WALL"},
    {WEXITED | __WCLONE, "WEXITED|__WCLONE"},
    {0, "no kind"},
    {WEXITED | 0x40, "unknown option"},
};

static const char *describe_info(const siginfo_t *info, pid_t child)
{
    static char text[128];
    const char *who = info->si_pid == 0 ? "0" : info->si_pid == child ? "child" : "?";

    snprintf(text, sizeof(text), "signo %d code %d pid %s uid %u status %d", info->si_signo,
             info->si_code, who, info->si_uid, info->si_status);
    return text;
}

static void waitid_cell(enum state state, int type, const struct option_set *set)
{
    static const char *const types[] = {"P_ALL", "P_PID", "P_PGID", "P_PIDFD"};
    struct child child = start(state);
    int pidfd = child.pid ? (int)syscall(SYS_pidfd_open, child.pid, 0) : 9999;
    int id = type == P_PIDFD ? pidfd : type == P_ALL ? 0 : child.pid ? child.pid : 999999;
    siginfo_t info;
    long result;

    memset(&info, 0x5a, sizeof(info));
    result = syscall(SYS_waitid, type, id, &info, set->options | WNOHANG, NULL);
    ok(true, "waitid %s, %s, %s: %s%s%s", state_names[state], types[type], set->name,
       result ? error_name(errno) : "0", result ? "" : ", ",
       result ? "" : describe_info(&info, child.pid));
    result = syscall(SYS_waitid, type, id, NULL, set->options | WNOHANG, NULL);
    ok(true, "  again, no siginfo: %s", result ? error_name(errno) : "0");
    if (child.pid)
        close(pidfd);
    finish(&child);
}

static void odd_arguments(void)
{
    struct child child = start(EXITED);
    siginfo_t info;
    int status;

    is_error(waitpid(-1, &status, 0x10000), EINVAL, "wait4: an undefined option");
    is_error(syscall(SYS_waitid, 7, 0, &info, WEXITED, NULL), EINVAL, "waitid: an undefined type");
    is_error(syscall(SYS_waitid, P_PID, 0, &info, WEXITED, NULL), EINVAL, "waitid: P_PID 0");
    is_error(syscall(SYS_waitid, P_PID, -1, &info, WEXITED, NULL), EINVAL, "waitid: P_PID -1");
    is_error(syscall(SYS_waitid, P_PGID, -1, &info, WEXITED, NULL), EINVAL, "waitid: P_PGID -1");
    is_error(syscall(SYS_waitid, P_PIDFD, -1, &info, WEXITED, NULL), EINVAL, "waitid: P_PIDFD -1");
    is_error(syscall(SYS_waitid, P_PIDFD, 0, &info, WEXITED, NULL), EBADF,
             "waitid: P_PIDFD of a descriptor that is none");
    is_error(syscall(SYS_wait4, (long)(int)0x80000000, &status, WNOHANG, NULL), ESRCH,
             "wait4: INT_MIN");
    is_int(waitpid(child.pid, &status, 0), child.pid, "the zombie is still there");
    child.pid = 0;
    close(child.release);
}

int main(void)
{
    for (int state = 0; state < STATE_COUNT; state++)
        for (int selector = 0; selector < SELECTOR_COUNT; selector++)
            for (size_t i = 0; i < sizeof(wait4_options) / sizeof(wait4_options[0]); i++)
                wait4_cell((enum state)state, (enum selector)selector, &wait4_options[i]);
    for (int state = 0; state < STATE_COUNT; state++)
        for (int type = 0; type <= P_PIDFD; type++)
            for (size_t i = 0; i < sizeof(waitid_options) / sizeof(waitid_options[0]); i++)
                waitid_cell((enum state)state, type, &waitid_options[i]);
    odd_arguments();
    return tap_done();
}
