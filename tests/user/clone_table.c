/* fork, vfork, clone, clone3: flags that are refused, and what the others do. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "tap.h"

static char stack[65536] __attribute__((aligned(16)));

static long raw_clone(unsigned long flags, void *parent_tid, void *child_tid)
{
    return syscall(SYS_clone, flags, 0, parent_tid, child_tid, 0);
}

/* A child made by these flags exits with 9; how does its parent see it? */
static void outcome(const char *name, unsigned long flags)
{
    int status = 0;
    long child = raw_clone(flags, NULL, NULL);
    pid_t reaped;

    if (child == 0)
        _exit(9);
    if (child == -1) {
        ok(true, "clone %s: %s", name, error_name(errno));
        return;
    }
    reaped = waitpid((pid_t)child, &status, __WALL);
    ok(true, "clone %s: %s, status %#x", name, reaped == child ? "reaped" : error_name(errno),
       status);
}

static void flags_table(void)
{
    signal(SIGUSR1, SIG_IGN);
#define OUTCOME(flags) outcome(#flags, flags)
    OUTCOME(SIGCHLD);
    OUTCOME(0);
    OUTCOME(SIGUSR1);
    OUTCOME(255);
    OUTCOME(CLONE_SIGHAND | SIGCHLD);
    OUTCOME(CLONE_FILES | SIGCHLD);
    OUTCOME(CLONE_FS | SIGCHLD);
    OUTCOME(CLONE_FILES | CLONE_FS | CLONE_IO | CLONE_SYSVSEM | SIGCHLD);
    OUTCOME(CLONE_PIDFD | CLONE_PARENT_SETTID | SIGCHLD);
    OUTCOME(CLONE_PIDFD | CLONE_DETACHED | SIGCHLD);
    OUTCOME(CLONE_PIDFD | SIGCHLD);
    OUTCOME(CLONE_PARENT_SETTID | SIGCHLD);
    OUTCOME(CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD);
}

static void tids(void)
{
    int *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int parent_tid = 0;
    long child = raw_clone(CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | SIGCHLD, &parent_tid, shared);

    if (child == 0)
        _exit(shared[0] == getpid() && syscall(SYS_gettid) == getpid() ? 0 : 1);
    int status;

    waitpid((pid_t)child, &status, 0);
    is_int(status, 0, "CLONE_CHILD_SETTID: the child finds its number in its memory");
    is_int(shared[0], child, "in shared memory the parent sees it too");
    is_int(parent_tid, child, "CLONE_PARENT_SETTID");
    munmap(shared, 4096);
}

static int vfork_child(void *argument)
{
    *(volatile int *)argument = 42;
    return 12;
}

static void shared_memory(void)
{
    volatile int seen = 0;
    int status;
    pid_t child =
        clone(vfork_child, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | SIGCHLD, (void *)&seen);

    is_int(seen, 42, "CLONE_VM|CLONE_VFORK: the parent goes on when the child has ended");
    is_int(waitpid(child, &status, 0), child, "and reaps it");
    is_int(status, 12 << 8, "with the function's result");
}

static void vforked_exec(void)
{
    int status;
    pid_t child = vfork();

    if (child == 0) {
        execl("/proc/self/exe", "clone_table", "exit21", NULL);
        _exit(99);
    }
    is_int(waitpid(child, &status, 0), child, "vfork and exec");
    is_int(status, 21 << 8, "runs the new program");
}

static int sibling(void *argument)
{
    return getppid() == *(pid_t *)argument ? 0 : 1;
}

static void clone_parent(void)
{
    pid_t self = getpid();
    int status;
    pid_t middle = fork();

    if (middle == 0) {
        pid_t made = clone(sibling, stack + sizeof(stack), CLONE_PARENT | SIGCHLD, &self);

        _exit(made > 0 && waitpid(made, &status, 0) == -1 && errno == ECHILD ? 0 : 1);
    }
    waitpid(middle, &status, 0);
    is_int(status, 0, "CLONE_PARENT: the maker has no child");
    ok(wait(&status) > 0, "its parent has");
    is_int(status, 0, "as the sibling sees it");
}

static void pidfds(void)
{
    int gate[2], pidfd = -1, status;
    struct pollfd poll_one;
    siginfo_t info;
    long child;
    char byte;

    if (pipe(gate) != 0)
        tap_bail_out("pipe");
    child = raw_clone(CLONE_PIDFD | SIGCHLD, &pidfd, NULL);
    if (child == 0) {
        close(gate[1]);
        _exit(read(gate[0], &byte, 1) == 0 ? 3 : 4);
    }
    close(gate[0]);
    ok(pidfd >= 0, "CLONE_PIDFD gives a descriptor");
    is_int(fcntl(pidfd, F_GETFD), FD_CLOEXEC, "that is close-on-exec");
    poll_one = (struct pollfd){.fd = pidfd, .events = POLLIN};
    is_int(poll(&poll_one, 1, 0), 0, "not readable while it runs");
    close(gate[1]);
    is_int(poll(&poll_one, 1, -1), 1, "readable when it has ended");
    is_int(poll_one.revents, POLLIN, "by POLLIN");
    is_int(waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED), 0, "waitid on it");
    is_int(info.si_pid, child, "names the child");
    is_int(info.si_status, 3, "and its status");
    close(pidfd);
    is_error(syscall(SYS_pidfd_open, 999999, 0), ESRCH, "pidfd_open of nobody");
    is_error(syscall(SYS_pidfd_open, -1, 0), EINVAL, "pidfd_open(-1)");
    is_error(syscall(SYS_pidfd_open, getpid(), 1), EINVAL, "pidfd_open with a flag");
    is_error(waitpid((pid_t)child, &status, 0), ECHILD, "the child was reaped");
}

static void clone3_call(void)
{
    struct clone_args arguments = {.exit_signal = SIGCHLD};
    char larger[sizeof(arguments) + 8] = {0};
    int status;
    long child;

    child = syscall(SYS_clone3, &arguments, sizeof(arguments));
    if (child == 0)
        _exit(8);
    is_int(waitpid((pid_t)child, &status, 0), child, "clone3 as fork");
    is_int(status, 8 << 8, "its status");
    is_error(syscall(SYS_clone3, &arguments, 63), EINVAL, "clone3: a structure too small");
    is_error(syscall(SYS_clone3, &arguments, 8192), E2BIG, "clone3: a structure too large");
    memcpy(larger, &arguments, sizeof(arguments));
    larger[sizeof(larger) - 1] = 1;
    is_error(syscall(SYS_clone3, larger, sizeof(larger)), E2BIG, "clone3: an unknown tail");
    is_error(syscall(SYS_clone3, (void *)16, sizeof(arguments)), EFAULT, "clone3: a bad address");
    arguments.exit_signal = 65;
    is_error(syscall(SYS_clone3, &arguments, sizeof(arguments)), EINVAL, "clone3: signal 65");
    arguments = (struct clone_args){.exit_signal = SIGCHLD, .stack = 4096};
    is_error(syscall(SYS_clone3, &arguments, sizeof(arguments)), EINVAL,
             "clone3: a stack without a size");
    arguments = (struct clone_args){.flags = SIGCHLD};
    is_error(syscall(SYS_clone3, &arguments, sizeof(arguments)), EINVAL,
             "clone3: a signal among the flags");
    arguments = (struct clone_args){.flags = CLONE_SIGHAND | CLONE_CLEAR_SIGHAND | CLONE_VM};
    is_error(syscall(SYS_clone3, &arguments, sizeof(arguments)), EINVAL,
             "clone3: CLONE_SIGHAND|CLONE_CLEAR_SIGHAND");
}

static void copies(void)
{
    static int in_data = 1;
    int on_stack = 2, status;
    int *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int *private = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    *shared = *private = 3;
    if (fork() == 0) {
        in_data = on_stack = *shared = *private = 77;
        _exit(0);
    }
    wait(&status);
    is_int(in_data, 1, "a child's data is its own");
    is_int(on_stack, 2, "and its stack");
    is_int(*private, 3, "and private mappings");
    is_int(*shared, 77, "shared mappings are shared");
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "exit21") == 0)
        return 21;
    flags_table();
    tids();
    shared_memory();
    vforked_exec();
    clone_parent();
    pidfds();
    clone3_call();
    copies();
    return tap_done();
}
