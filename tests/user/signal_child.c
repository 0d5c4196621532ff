/* SIGCHLD: its siginfo for each way of ending, stopping and continuing; coalescing; automatic
 * reaping. */
#include <sched.h>
#include <time.h>

#include "raw_signal.h"
#include "tap.h"

#define CHILDREN 20

static volatile sig_atomic_t calls, reaped, code, status_seen;
static volatile pid_t pid_seen;
static volatile uid_t uid_seen;

static void look(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)context;
    calls++;
    code = info->si_code;
    status_seen = info->si_status;
    pid_seen = info->si_pid;
    uid_seen = info->si_uid;
}

/* The CS:APP shell's handler: one run may find many children. */
static void reap_all(int signal, siginfo_t *info, void *context)
{
    int saved = errno;

    (void)signal;
    (void)info;
    (void)context;
    calls++;
    while (waitpid(-1, NULL, WNOHANG) > 0)
        reaped++;
    errno = saved;
}

/* SIGCHLD is blocked but while waiting, as a careful program has it. */
static void await_call(void)
{
    while (calls == 0)
        raw_suspend(0);
    calls = 0;
}

static void expect(const char *what, pid_t child, int expected_code, int expected_status)
{
    await_call();
    is_int(code, expected_code, "%s: its code", what);
    is_int(status_seen, expected_status, "%s: its status", what);
    ok(pid_seen == child, "%s: the child's pid", what);
    ok(uid_seen == getuid(), "%s: the child's uid", what);
}

static pid_t sleeper(void)
{
    pid_t child = fork();

    if (child == 0) {
        raw_mask(SIG_SETMASK, 0);
        for (;;)
            pause();
    }
    return child;
}

static void test_info(void)
{
    struct timespec zero = {0, 0};
    siginfo_t info;
    pid_t child;
    int status;

    raw_handle(SIGCHLD, look, SA_SIGINFO);
    child = fork();
    if (child == 0)
        _exit(0x1234);
    expect("exit", child, CLD_EXITED, 0x34);
    waitpid(child, NULL, 0);
    child = sleeper();
    kill(child, SIGSTOP);
    expect("stop", child, CLD_STOPPED, SIGSTOP);
    kill(child, SIGCONT);
    expect("continue", child, CLD_CONTINUED, SIGCONT);
    kill(child, SIGKILL);
    expect("kill", child, CLD_KILLED, SIGKILL);
    waitpid(child, NULL, 0);
    child = sleeper();
    setpgid(child, child);
    kill(child, SIGTSTP);
    expect("terminal stop", child, CLD_STOPPED, SIGTSTP);
    kill(child, SIGTERM);
    kill(child, SIGCONT);
    waitpid(child, &status, 0);
    is_int(status, SIGTERM, "a fatal signal to a stopped child acts when it continues");
    /* Continue and death may have been told by one SIGCHLD or by two. */
    raw_wait(RAW_BIT(SIGCHLD), &info, &zero);
}

static void test_nocldstop(void)
{
    pid_t child;
    int status;

    raw_handle(SIGCHLD, look, SA_SIGINFO | SA_NOCLDSTOP);
    calls = 0;
    child = sleeper();
    kill(child, SIGSTOP);
    waitpid(child, &status, WUNTRACED);
    ok(WIFSTOPPED(status), "SA_NOCLDSTOP: wait still reports the stop");
    kill(child, SIGCONT);
    waitpid(child, &status, WCONTINUED);
    ok(WIFCONTINUED(status), "and the continue");
    ok(!(raw_pending() & RAW_BIT(SIGCHLD)), "but no SIGCHLD came");
    kill(child, SIGKILL);
    await_call();
    is_int(code, CLD_KILLED, "only for the death");
    waitpid(child, NULL, 0);
}

/* Twenty children die while SIGCHLD is blocked: one signal, all reaped. */
static void test_coalescing(void)
{
    pid_t children[CHILDREN];
    siginfo_t info;

    raw_handle(SIGCHLD, reap_all, SA_SIGINFO);
    calls = reaped = 0;
    for (int i = 0; i < CHILDREN; i++) {
        children[i] = fork();
        if (children[i] == 0)
            _exit(i);
    }
    for (int i = 0; i < CHILDREN; i++)
        waitid(P_PID, (id_t)children[i], &info, WEXITED | WNOWAIT);
    raw_mask(SIG_SETMASK, 0);
    is_int(calls, 1, "%d children at once, one SIGCHLD", CHILDREN);
    is_int(reaped, CHILDREN, "all of them reaped");
    raw_mask(SIG_SETMASK, RAW_BIT(SIGCHLD));
    is_error(waitpid(-1, NULL, WNOHANG), ECHILD, "no zombie is left");
}

/* The race of CS:APP's shell: a child may end before the parent has noted it as a job. With SIGCHLD
 * blocked over fork and addjob, the handler never deletes what is not there. */
static volatile pid_t jobs[4];
static volatile sig_atomic_t missing;

static void delete_job(int signal, siginfo_t *info, void *context)
{
    int saved = errno;
    pid_t child;

    (void)signal;
    (void)info;
    (void)context;
    while ((child = waitpid(-1, NULL, WNOHANG)) > 0) {
        bool found = false;

        for (int i = 0; i < 4; i++)
            if (jobs[i] == child) {
                jobs[i] = 0;
                found = true;
            }
        if (!found)
            missing++;
        reaped++;
    }
    errno = saved;
}

static void test_job_race(void)
{
    raw_handle(SIGCHLD, delete_job, SA_SIGINFO);
    reaped = missing = 0;
    for (int round = 0; round < 300; round++) {
        pid_t child;

        raw_mask(SIG_SETMASK, RAW_BIT(SIGCHLD));
        child = fork();
        if (child == 0)
            _exit(0);
        jobs[round % 4] = child;
        while (jobs[round % 4] != 0)
            raw_suspend(0);
    }
    is_int(reaped, 300, "fork and addjob with SIGCHLD blocked: all reaped");
    is_int(missing, 0, "none before it was noted");
    is_error(waitpid(-1, NULL, WNOHANG), ECHILD, "no zombie is left");
}

static void reap_itself(const char *how)
{
    pid_t children[3];

    for (int i = 0; i < 3; i++) {
        children[i] = fork();
        if (children[i] == 0)
            _exit(i);
    }
    is_error(waitpid(children[1], NULL, 0), ECHILD, "%s: wait for one ends with ECHILD", how);
    is_error(waitpid(-1, NULL, 0), ECHILD, "%s: wait for any ends after the last", how);
    /* Linux gives the number back a moment after the parent may go on. */
    while (kill(children[0], 0) == 0)
        sched_yield();
    is_error(kill(children[0], 0), ESRCH, "%s: nothing is left of it", how);
}

static void test_autoreap(void)
{
    struct raw_action action = {.handler = RAW_IGNORE};
    struct timespec zero = {0, 0};
    siginfo_t info;

    raw_sigaction(SIGCHLD, &action, NULL);
    raw_wait(RAW_BIT(SIGCHLD), &info, &zero);
    reap_itself("SIGCHLD ignored");
    ok(!(raw_pending() & RAW_BIT(SIGCHLD)), "and no SIGCHLD is pending, though blocked");
    raw_handle(SIGCHLD, look, SA_SIGINFO | SA_NOCLDWAIT);
    reap_itself("SA_NOCLDWAIT");
    ok(raw_pending() & RAW_BIT(SIGCHLD), "with SA_NOCLDWAIT the signal comes");
    calls = 0;
    raw_mask(SIG_SETMASK, 0);
    is_int(calls, 1, "once");
}

int main(void)
{
    raw_mask(SIG_SETMASK, RAW_BIT(SIGCHLD));
    test_info();
    test_nocldstop();
    test_coalescing();
    test_job_race();
    test_autoreap();
    return tap_done();
}
