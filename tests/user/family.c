/* Orphans: init, subreapers, parent-death signals, orphaned process groups, automatic reaping. */
#define _GNU_SOURCE
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "tap.h"

static volatile sig_atomic_t caught;

static void note(int signal)
{
    caught = signal;
}

static void write_int(int to, int value)
{
    if (write(to, &value, sizeof(value)) != sizeof(value))
        _exit(1);
}

static int read_int(int from)
{
    int value;

    return read(from, &value, sizeof(value)) == sizeof(value) ? value : -1;
}

static void open_pipe(int ends[2])
{
    if (pipe(ends) != 0)
        tap_bail_out("pipe");
}

/* parent → child → grandchild; the child ends at once, the grandchild tells its new parent's pid.
 */
static pid_t orphan(int report, const int hold[2], int child_is_subreaper)
{
    pid_t child = fork();

    if (child == 0) {
        if (child_is_subreaper)
            prctl(PR_SET_CHILD_SUBREAPER, 1);
        pid_t middle = getpid();

        if (fork() == 0) {
            char byte;

            close(hold[1]);
            while (getppid() == middle)
                sched_yield();
            write_int(report, getppid());
            if (read(hold[0], &byte, 1) < 0)
                _exit(1);
            _exit(33);
        }
        _exit(0);
    }
    return child;
}

static void subreaper(void)
{
    int report[2], hold[2];
    int status, value = -1;
    pid_t child;

    open_pipe(report);
    open_pipe(hold);
    is_int(prctl(PR_SET_CHILD_SUBREAPER, 1), 0, "become a subreaper");
    prctl(PR_GET_CHILD_SUBREAPER, &value);
    is_int(value, 1, "it says so");
    child = orphan(report[1], hold, 0);
    close(hold[0]);
    is_int(waitpid(child, &status, 0), child, "the middle process is reaped");
    is_int(read_int(report[0]), getpid(), "the orphan's new parent is the subreaper");
    close(hold[1]);
    child = waitpid(-1, &status, 0);
    ok(child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 33, "who reaps it");
    is_error(waitpid(-1, &status, 0), ECHILD, "there is nobody else");
    close(report[0]);
    close(report[1]);
    prctl(PR_SET_CHILD_SUBREAPER, 0);
}

/* A subreaper's death hands its adopted children on to the next one above. */
static void nested_subreapers(void)
{
    int report[2], hold[2];
    int status;
    pid_t child;

    open_pipe(report);
    open_pipe(hold);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    child = orphan(report[1], hold, 1);
    close(hold[0]);
    waitpid(child, &status, 0);
    is_int(read_int(report[0]), getpid(), "a dead subreaper's child goes to the next subreaper");
    close(hold[1]);
    ok(waitpid(-1, &status, 0) > 0 && WEXITSTATUS(status) == 33, "and is reaped there");
    prctl(PR_SET_CHILD_SUBREAPER, 0);
    close(report[0]);
    close(report[1]);
}

static void zombie_is_inherited(void)
{
    int status;
    siginfo_t info;
    pid_t child, grandchild;
    int report[2];

    open_pipe(report);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    child = fork();
    if (child == 0) {
        grandchild = fork();
        if (grandchild == 0)
            _exit(44);
        waitid(P_PID, (id_t)grandchild, &info, WEXITED | WNOWAIT);
        write_int(report[1], grandchild);
        _exit(0);
    }
    grandchild = read_int(report[0]);
    waitpid(child, &status, 0);
    is_int(waitpid(grandchild, &status, 0), grandchild, "a zombie is handed on");
    is_int(status, 44 << 8, "with its status");
    prctl(PR_SET_CHILD_SUBREAPER, 0);
    close(report[0]);
    close(report[1]);
}

static void parent_death_signal(void)
{
    int ready[2], report[2];
    int value = -1;
    pid_t child;

    open_pipe(ready);
    open_pipe(report);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    child = fork();
    if (child == 0) {
        if (fork() == 0) {
            sigset_t set;
            siginfo_t info;

            sigemptyset(&set);
            sigaddset(&set, SIGUSR1);
            sigprocmask(SIG_BLOCK, &set, NULL);
            prctl(PR_SET_PDEATHSIG, SIGUSR1);
            prctl(PR_GET_PDEATHSIG, &value);
            write_int(ready[1], value);
            sigwaitinfo(&set, &info);
            write_int(report[1], info.si_signo);
            write_int(report[1], info.si_code);
            _exit(0);
        }
        read_int(ready[0]);
        _exit(0);
    }
    waitpid(child, NULL, 0);
    is_int(read_int(report[0]), SIGUSR1, "the parent's death sends the chosen signal");
    is_int(read_int(report[0]), SI_USER, "as if by kill");
    waitpid(-1, NULL, 0);
    is_error(prctl(PR_SET_PDEATHSIG, 65), EINVAL, "signal 65 is none");
    is_int(prctl(PR_SET_PDEATHSIG, 0), 0, "0 clears it");
    prctl(PR_SET_CHILD_SUBREAPER, 0);
    close(ready[0]);
    close(ready[1]);
    close(report[0]);
    close(report[1]);
}

static void wait_ignored(const char *how)
{
    int status;
    pid_t child = fork();

    if (child == 0)
        _exit(5);
    is_error(waitpid(child, &status, 0), ECHILD, "%s: wait ends with ECHILD", how);
    /* Linux gives the number back a moment after the parent may go on. */
    while (kill(child, 0) == 0)
        sched_yield();
    is_error(kill(child, 0), ESRCH, "%s: no zombie is left", how);
}

static void automatic_reaping(void)
{
    struct sigaction action = {.sa_handler = note, .sa_flags = SA_NOCLDWAIT};
    struct rusage before, after;

    getrusage(RUSAGE_CHILDREN, &before);
    signal(SIGCHLD, SIG_IGN);
    wait_ignored("SIGCHLD ignored");
    getrusage(RUSAGE_CHILDREN, &after);
    is_int(after.ru_minflt, before.ru_minflt, "who was not waited for is not accounted");
    caught = 0;
    sigaction(SIGCHLD, &action, NULL);
    wait_ignored("SA_NOCLDWAIT");
    is_int(caught, SIGCHLD, "SA_NOCLDWAIT with a handler: the signal comes all the same");
    signal(SIGCHLD, SIG_DFL);
}

/* A zombie that is there already when SIGCHLD becomes ignored stays. */
static void ignoring_too_late(void)
{
    siginfo_t info;
    int status;
    pid_t child = fork();

    if (child == 0)
        _exit(6);
    waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT);
    signal(SIGCHLD, SIG_IGN);
    is_int(waitpid(child, &status, 0), child, "a zombie from before SIG_IGN can be reaped");
    is_int(status, 6 << 8, "with its status");
    signal(SIGCHLD, SIG_DFL);
}

/* A session leader's child in a group of its own stops; when the leader dies the group is orphaned:
 * SIGHUP, then SIGCONT. */
static void orphaned_group(void)
{
    int report[2];
    pid_t leader;

    open_pipe(report);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    leader = fork();
    if (leader == 0) {
        siginfo_t info;
        pid_t member;

        setsid();
        member = fork();
        if (member == 0) {
            sigset_t set;
            int count;

            setpgid(0, 0);
            sigemptyset(&set);
            sigaddset(&set, SIGHUP);
            sigaddset(&set, SIGCONT);
            sigprocmask(SIG_BLOCK, &set, NULL);
            raise(SIGSTOP);
            for (count = 0; count < 2; count++)
                write_int(report[1], sigwaitinfo(&set, &info));
            _exit(0);
        }
        waitid(P_PID, (id_t)member, &info, WSTOPPED);
        _exit(0);
    }
    waitpid(leader, NULL, 0);
    is_int(read_int(report[0]), SIGHUP, "an orphaned group with a stopped member gets SIGHUP");
    is_int(read_int(report[0]), SIGCONT, "and SIGCONT");
    ok(waitpid(-1, NULL, 0) > 0, "its member ends");
    prctl(PR_SET_CHILD_SUBREAPER, 0);
    close(report[0]);
    close(report[1]);
}

static void usage_folds_once(void)
{
    struct rusage before, after, childs;
    int status;
    pid_t child;

    getrusage(RUSAGE_CHILDREN, &before);
    child = fork();
    if (child == 0) {
        if (fork() == 0)
            _exit(0);
        wait(NULL);
        _exit(0);
    }
    wait4(child, &status, 0, &childs);
    getrusage(RUSAGE_CHILDREN, &after);
    is_int(after.ru_minflt - before.ru_minflt, childs.ru_minflt,
           "what wait4 reports is what RUSAGE_CHILDREN grows by");
    ok(childs.ru_minflt > 0, "and it is something");
}

int main(void)
{
    subreaper();
    nested_subreapers();
    zombie_is_inherited();
    parent_death_signal();
    automatic_reaping();
    ignoring_too_late();
    orphaned_group();
    usage_folds_once();
    return tap_done();
}
