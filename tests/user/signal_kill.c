/* Who is meant by kill, tkill, tgkill, sigqueue and pidfd_send_signal, who may, and every error. */
#include <sys/syscall.h>

#include "raw_signal.h"
#include "tap.h"

static volatile sig_atomic_t caught;

static void count(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)info;
    (void)context;
    caught++;
}

static pid_t sleeper(void)
{
    pid_t child = fork();

    if (child == 0)
        for (;;)
            pause();
    return child;
}

static void reap_killed(pid_t child, int signal, const char *what)
{
    int status;

    waitpid(child, &status, 0);
    is_int(WIFSIGNALED(status) ? WTERMSIG(status) : -1, signal, "%s", what);
}

/* A number that no process has: that of a child which is gone. */
static pid_t dead_pid(void)
{
    pid_t child = fork();

    if (child == 0)
        _exit(0);
    waitpid(child, NULL, 0);
    return child;
}

static void test_selectors(void)
{
    pid_t child = sleeper();
    pid_t gone = dead_pid();

    is_int(kill(getpid(), 0), 0, "signal 0 to itself");
    is_int(kill(child, 0), 0, "signal 0 to a child");
    is_int(kill(0, 0), 0, "signal 0 to its group");
    is_error(kill(gone, 0), ESRCH, "signal 0 to nobody");
    is_error(kill(gone, 99), ESRCH, "a bad signal to nobody");
    is_error(kill(-gone, SIGTERM), ESRCH, "a group that does not exist");
    is_error(kill(child, 65), EINVAL, "signal 65");
    is_error(kill(child, -1), EINVAL, "signal -1");
    is_error(kill(0, 65), EINVAL, "signal 65 to the group");
    is_error(kill((pid_t)0x80000000, 0), ESRCH, "the least pid");
    kill(child, SIGTERM);
    reap_killed(child, SIGTERM, "SIGTERM kills the child");
}

static void test_zombie(void)
{
    siginfo_t info;
    pid_t child = fork();
    int status;

    if (child == 0)
        _exit(5);
    waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT);
    is_int(kill(child, 0), 0, "signal 0 to a zombie");
    is_int(kill(child, SIGKILL), 0, "SIGKILL to a zombie");
    is_int(syscall(SYS_tgkill, child, child, SIGTERM), 0, "tgkill to a zombie");
    is_error(kill(child, 65), EINVAL, "signal 65 to a zombie");
    waitpid(child, &status, 0);
    is_int(WEXITSTATUS(status), 5, "its status stays");
    is_error(kill(child, 0), ESRCH, "reaped: nobody");
}

static void test_group(void)
{
    pid_t first = sleeper();
    pid_t second;

    setpgid(first, first);
    second = sleeper();
    setpgid(second, first);
    is_int(kill(-first, 0), 0, "signal 0 to a group");
    is_int(kill(-first, SIGUSR1), 0, "a signal to a group");
    reap_killed(first, SIGUSR1, "its first member dies of it");
    reap_killed(second, SIGUSR1, "and its second");
    is_error(kill(-first, 0), ESRCH, "the group is gone");
}

static void test_own_group(void)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        pid_t inner;

        setpgid(0, 0);
        raw_handle(SIGUSR1, count, SA_SIGINFO);
        inner = fork();
        if (inner == 0) {
            while (!caught)
                ;
            _exit(21);
        }
        kill(0, SIGUSR1);
        waitpid(inner, &status, 0);
        _exit(caught == 1 && WEXITSTATUS(status) == 21 ? 0 : 1);
    }
    waitpid(child, &status, 0);
    is_int(status, 0, "kill(0) reaches the caller and its child");
}

static void test_threads(void)
{
    pid_t child = sleeper();
    pid_t gone = dead_pid();
    pid_t self = getpid();

    raw_handle(SIGUSR1, count, SA_SIGINFO);
    caught = 0;
    is_int(syscall(SYS_tkill, self, SIGUSR1), 0, "tkill itself");
    is_int(syscall(SYS_tgkill, self, self, SIGUSR1), 0, "tgkill itself");
    is_int(caught, 2, "both are handled");
    is_error(syscall(SYS_tkill, 0, SIGUSR1), EINVAL, "tkill(0)");
    is_error(syscall(SYS_tkill, -1, SIGUSR1), EINVAL, "tkill(-1)");
    is_error(syscall(SYS_tkill, gone, SIGUSR1), ESRCH, "tkill nobody");
    is_error(syscall(SYS_tkill, self, 65), EINVAL, "tkill with signal 65");
    is_error(syscall(SYS_tgkill, 0, self, SIGUSR1), EINVAL, "tgkill(0)");
    is_error(syscall(SYS_tgkill, self, 0, SIGUSR1), EINVAL, "tgkill of thread 0");
    is_error(syscall(SYS_tgkill, self, child, SIGUSR1), ESRCH, "tgkill of another's thread");
    is_int(syscall(SYS_tgkill, child, child, 0), 0, "tgkill with signal 0");
    is_int(syscall(SYS_tgkill, child, child, SIGKILL), 0, "tgkill SIGKILL");
    reap_killed(child, SIGKILL, "kills the whole process");
}

static void test_queue(void)
{
    pid_t child = sleeper();
    pid_t gone = dead_pid();

    is_error(raw_queue(child, SIGTERM, SI_USER, 0), EPERM, "sigqueue may not pretend SI_USER");
    is_error(raw_queue(child, SIGTERM, SI_TKILL, 0), EPERM, "nor SI_TKILL");
    is_error(raw_queue(child, SIGTERM, SI_KERNEL, 0), EPERM, "nor SI_KERNEL");
    is_int(raw_queue(getpid(), 0, SI_USER, 0), 0, "but to itself it may");
    is_int(raw_queue(child, 0, SI_QUEUE, 0), 0, "signal 0");
    is_error(raw_queue(child, 65, SI_QUEUE, 0), EINVAL, "signal 65");
    is_error(raw_queue(gone, SIGTERM, SI_QUEUE, 0), ESRCH, "nobody");
    is_error(raw_queue(-1, SIGTERM, SI_QUEUE, 0), ESRCH, "pid -1 names nobody");
    is_error(syscall(SYS_rt_sigqueueinfo, child, SIGTERM, (void *)8), EFAULT, "a bad info");
    is_error(syscall(SYS_rt_tgsigqueueinfo, child, 0, SIGTERM, NULL), EFAULT, "a bad info first");
    is_int(raw_queue(child, SIGTERM, SI_QUEUE, 0), 0, "SIGTERM");
    reap_killed(child, SIGTERM, "kills the child");
}

static void test_pidfd(void)
{
    pid_t child = sleeper();
    int descriptor = (int)syscall(SYS_pidfd_open, child, 0);
    siginfo_t info = {.si_signo = SIGUSR2, .si_code = SI_QUEUE};

    is_int(syscall(SYS_pidfd_send_signal, descriptor, 0, NULL, 0), 0, "pidfd: signal 0");
    is_error(syscall(SYS_pidfd_send_signal, descriptor, SIGTERM, NULL, 1u << 31), EINVAL, "flags");
    is_error(syscall(SYS_pidfd_send_signal, 999, SIGTERM, NULL, 0), EBADF, "a bad descriptor");
    is_error(syscall(SYS_pidfd_send_signal, 0, SIGTERM, NULL, 0), EBADF, "one of another kind");
    is_error(syscall(SYS_pidfd_send_signal, descriptor, 65, NULL, 0), EINVAL, "signal 65");
    is_error(syscall(SYS_pidfd_send_signal, descriptor, SIGTERM, &info, 0), EINVAL,
             "a siginfo of another signal");
    is_error(syscall(SYS_pidfd_send_signal, descriptor, SIGTERM, (void *)8, 0), EFAULT,
             "a bad siginfo");
    info.si_code = SI_USER;
    is_error(syscall(SYS_pidfd_send_signal, descriptor, SIGUSR2, &info, 0), EPERM,
             "a siginfo that pretends");
    info.si_code = SI_QUEUE;
    is_int(syscall(SYS_pidfd_send_signal, descriptor, SIGUSR2, &info, 0), 0, "a siginfo");
    reap_killed(child, SIGUSR2, "kills the child");
    is_error(syscall(SYS_pidfd_send_signal, descriptor, 0, NULL, 0), ESRCH, "reaped: nobody");
    close(descriptor);
}

/* Sender × receiver, by uids (real, effective, saved): as kill(2) has it. */
static const struct permission {
    uid_t sender[3], target[3];
    int error;
} permissions[] = {
    {{0, 0, 0}, {1000, 1000, 1000}, 0},          {{1000, 1000, 1000}, {0, 0, 0}, EPERM},
    {{1000, 1000, 1000}, {1000, 1000, 1000}, 0}, {{1000, 1000, 1000}, {1001, 1001, 1001}, EPERM},
    {{1000, 1001, 1001}, {1001, 1002, 1002}, 0}, {{1000, 1001, 1001}, {1002, 1001, 1002}, EPERM},
    {{1000, 1001, 1001}, {1002, 1002, 1001}, 0}, {{1000, 1001, 1001}, {1000, 1002, 1002}, 0},
    {{1000, 1001, 1000}, {1002, 1002, 1000}, 0}, {{1000, 1001, 1003}, {1002, 1002, 1003}, EPERM},
};

static void test_permissions(void)
{
    for (size_t i = 0; i < sizeof(permissions) / sizeof(permissions[0]); i++) {
        const struct permission *row = &permissions[i];
        int ready[2], status;
        pid_t target, sender;
        char byte;

        if (pipe(ready) != 0)
            tap_bail_out("pipe");
        target = fork();
        if (target == 0) {
            if (setresuid(row->target[0], row->target[1], row->target[2]) != 0 ||
                write(ready[1], "r", 1) != 1)
                _exit(1);
            for (;;)
                pause();
        }
        if (read(ready[0], &byte, 1) != 1)
            tap_bail_out("target");
        sender = fork();
        if (sender == 0) {
            if (setresuid(row->sender[0], row->sender[1], row->sender[2]) != 0)
                _exit(1);
            if ((kill(target, 0) == 0 ? 0 : errno) != row->error)
                _exit(2);
            /* Within a session SIGCONT is always allowed. */
            _exit(kill(target, SIGCONT) == 0 ? 0 : 3);
        }
        waitpid(sender, &status, 0);
        is_int(status, 0, "permission row %zu: %s, but SIGCONT always", i,
               row->error ? "EPERM" : "allowed");
        kill(target, SIGKILL);
        waitpid(target, NULL, 0);
        close(ready[0]);
        close(ready[1]);
    }
}

/* SIGCONT to another session needs permission as any. */
static void test_other_session(void)
{
    int ready[2], status;
    char byte;
    pid_t target, sender;

    if (pipe(ready) != 0)
        tap_bail_out("pipe");
    target = fork();
    if (target == 0) {
        setsid();
        if (setresuid(1000, 1000, 1000) != 0 || write(ready[1], "r", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    if (read(ready[0], &byte, 1) != 1)
        tap_bail_out("target");
    sender = fork();
    if (sender == 0) {
        if (setresuid(1001, 1001, 1001) != 0)
            _exit(1);
        _exit(kill(target, SIGCONT) != 0 && errno == EPERM ? 0 : 2);
    }
    waitpid(sender, &status, 0);
    is_int(status, 0, "SIGCONT to another session is EPERM");
    kill(target, SIGKILL);
    waitpid(target, NULL, 0);
}

int main(void)
{
    test_selectors();
    test_zombie();
    test_group();
    test_own_group();
    test_threads();
    test_queue();
    test_pidfd();
    if (getuid() == 0) {
        test_permissions();
        test_other_session();
    }
    return tap_done();
}
