/*
 * Every call that takes a pointer, with pointers that no program may use: EFAULT each time, and the
 * kernel stays whole. A row names the argument under test as BAD.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>

#include "tap.h"

#define PAGE 4096ul
#define BAD  0xbadbadbadul

enum { REGULAR = 20, DIRECTORY, PIPE_READ, PIPE_WRITE, EPOLL, EVENT, PIDFD };

static const struct {
    const char *name;
    uintptr_t address;
} addresses[] = {
    {"first page", 0x10},
    {"end of the user half", 0x7ffffffff000},
    {"non-canonical", 0x800000000000},
    {"direct map", 0xffff800000001000},
    {"kernel text", 0xffffffff80200000},
    {"last page", 0xfffffffffffff000},
    {"unmapped", 0},     /* filled in */
    {"inaccessible", 0}, /* filled in */
};

static char good[PAGE];
static struct iovec bad_vector; /* its base is under test */

#define GOOD ((uintptr_t)good)

static const struct row {
    const char *name;
    long number;
    uintptr_t arguments[6];
} rows[] = {
    {"read", SYS_read, {REGULAR, BAD, 16}},
    {"read a pipe", SYS_read, {PIPE_READ, BAD, 16}},
    {"read an eventfd", SYS_read, {EVENT, BAD, 8}},
    {"write", SYS_write, {REGULAR, BAD, 16}},
    {"write a pipe", SYS_write, {PIPE_WRITE, BAD, 16}},
    {"write an eventfd", SYS_write, {EVENT, BAD, 8}},
    {"pread64", SYS_pread64, {REGULAR, BAD, 16, 0}},
    {"pwrite64", SYS_pwrite64, {REGULAR, BAD, 16, 0}},
    {"readv", SYS_readv, {REGULAR, BAD, 1}},
    {"writev", SYS_writev, {REGULAR, BAD, 1}},
    {"open", SYS_open, {BAD, O_RDONLY}},
    {"openat", SYS_openat, {(uintptr_t)AT_FDCWD, BAD, O_RDONLY}},
    {"stat", SYS_stat, {BAD, GOOD}},
    {"stat, result", SYS_stat, {(uintptr_t) "/", BAD}},
    {"lstat", SYS_lstat, {BAD, GOOD}},
    {"fstat", SYS_fstat, {REGULAR, BAD}},
    {"newfstatat", SYS_newfstatat, {(uintptr_t)AT_FDCWD, BAD, GOOD, 0}},
    {"newfstatat, result", SYS_newfstatat, {(uintptr_t)AT_FDCWD, (uintptr_t) "/", BAD, 0}},
    {"getdents64", SYS_getdents64, {DIRECTORY, BAD, 1024}},
    {"getcwd", SYS_getcwd, {BAD, 1024}},
    {"chdir", SYS_chdir, {BAD}},
    {"readlink", SYS_readlink, {BAD, GOOD, 100}},
    {"readlink, result", SYS_readlink, {(uintptr_t) "/proc/self/exe", BAD, 100}},
    {"access", SYS_access, {BAD, 0}},
    {"mkdir", SYS_mkdir, {BAD, 0}},
    {"rmdir", SYS_rmdir, {BAD}},
    {"unlink", SYS_unlink, {BAD}},
    {"rename, old", SYS_rename, {BAD, GOOD}},
    {"link", SYS_link, {BAD, GOOD}},
    {"symlink", SYS_symlink, {BAD, (uintptr_t) "/tmp/x"}},
    {"chmod", SYS_chmod, {BAD, 0}},
    {"chown", SYS_chown, {BAD, 0, 0}},
    {"truncate", SYS_truncate, {BAD, 0}},
    {"execve", SYS_execve, {BAD, 0, 0}},
    {"execve, argv", SYS_execve, {(uintptr_t) "/proc/self/exe", BAD, 0}},
    {"execve, envp", SYS_execve, {(uintptr_t) "/proc/self/exe", 0, BAD}},
    {"pipe2", SYS_pipe2, {BAD, 0}},
    {"poll", SYS_poll, {BAD, 1, 0}},
    {"ppoll, time", SYS_ppoll, {GOOD, 0, BAD, 0, 8}},
    {"select", SYS_select, {1, BAD, 0, 0, 0}},
    {"select, time", SYS_select, {0, 0, 0, 0, BAD}},
    {"epoll_ctl", SYS_epoll_ctl, {EPOLL, EPOLL_CTL_ADD, PIPE_READ, BAD}},
    {"fcntl F_GETLK", SYS_fcntl, {REGULAR, F_GETLK, BAD}},
    {"uname", SYS_uname, {BAD}},
    {"sysinfo", SYS_sysinfo, {BAD}},
    {"getrusage", SYS_getrusage, {0, BAD}},
    {"times", SYS_times, {BAD}},
    {"getrlimit", SYS_getrlimit, {0, BAD}},
    {"setrlimit", SYS_setrlimit, {0, BAD}},
    {"prlimit64, new", SYS_prlimit64, {0, 0, BAD, 0}},
    {"prlimit64, old", SYS_prlimit64, {0, 0, 0, BAD}},
    {"getrandom", SYS_getrandom, {BAD, 16, 0}},
    {"clock_gettime", SYS_clock_gettime, {CLOCK_REALTIME, BAD}},
    {"clock_getres", SYS_clock_getres, {CLOCK_REALTIME, BAD}},
    {"clock_nanosleep", SYS_clock_nanosleep, {CLOCK_REALTIME, 0, BAD, 0}},
    {"nanosleep", SYS_nanosleep, {BAD, 0}},
    {"gettimeofday", SYS_gettimeofday, {BAD, 0}},
    {"rt_sigaction, new", SYS_rt_sigaction, {SIGUSR1, BAD, 0, 8}},
    {"rt_sigaction, old", SYS_rt_sigaction, {SIGUSR1, 0, BAD, 8}},
    {"rt_sigprocmask, new", SYS_rt_sigprocmask, {SIG_BLOCK, BAD, 0, 8}},
    {"rt_sigprocmask, old", SYS_rt_sigprocmask, {SIG_BLOCK, 0, BAD, 8}},
    {"rt_sigpending", SYS_rt_sigpending, {BAD, 8}},
    {"rt_sigsuspend", SYS_rt_sigsuspend, {BAD, 8}},
    {"rt_sigtimedwait", SYS_rt_sigtimedwait, {BAD, 0, 0, 8}},
    {"rt_sigqueueinfo", SYS_rt_sigqueueinfo, {1, SIGUSR1, BAD}},
    {"sigaltstack, new", SYS_sigaltstack, {BAD, 0}},
    {"sigaltstack, old", SYS_sigaltstack, {0, BAD}},
    {"setitimer, new", SYS_setitimer, {0, BAD, 0}},
    {"getitimer", SYS_getitimer, {0, BAD}},
    {"getresuid", SYS_getresuid, {BAD, GOOD, GOOD}},
    {"getresgid, last", SYS_getresgid, {GOOD, GOOD, BAD}},
    {"setgroups", SYS_setgroups, {3, BAD}},
    {"sched_getaffinity", SYS_sched_getaffinity, {0, 128, BAD}},
    {"sched_setaffinity", SYS_sched_setaffinity, {0, 128, BAD}},
    {"sched_getparam", SYS_sched_getparam, {0, BAD}},
    {"sched_setscheduler", SYS_sched_setscheduler, {0, 0, BAD}},
    {"prctl PR_SET_NAME", SYS_prctl, {15, BAD}},
    {"prctl PR_GET_NAME", SYS_prctl, {16, BAD}},
    {"prctl PR_GET_PDEATHSIG", SYS_prctl, {2, BAD}},
    {"clone3", SYS_clone3, {BAD, 64}},
    {"pidfd_send_signal", SYS_pidfd_send_signal, {PIDFD, 0, BAD, 0}},
};

static long call(const struct row *row, uintptr_t bad)
{
    uintptr_t arguments[6];

    for (int i = 0; i < 6; i++)
        arguments[i] = row->arguments[i] == BAD ? bad : row->arguments[i];
    return syscall(row->number, arguments[0], arguments[1], arguments[2], arguments[3],
                   arguments[4], arguments[5]);
}

/* Linux 6.1 says the same for all: a call that checks something else first has no row. */
static void try_row(const struct row *row, const uintptr_t *bad)
{
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        long result = call(row, bad[i]);

        is_int(result < 0 ? errno : -result, EFAULT, "%s: %s", row->name, addresses[i].name);
    }
}

static void try_vector_base(const uintptr_t *bad)
{
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        bad_vector = (struct iovec){(void *)bad[i], 16};
        is_error(syscall(SYS_writev, PIPE_WRITE, &bad_vector, 1), EFAULT, "writev, base: %s",
                 addresses[i].name);
    }
}

/* A structure or a string that begins well and runs into a page that is not there. */
static void try_page_end(char *end)
{
    is_error(syscall(SYS_uname, end - 8), EFAULT, "uname over the end of a page");
    is_error(syscall(SYS_fstat, REGULAR, end - 8), EFAULT, "fstat over the end of a page");
    is_error(syscall(SYS_open, memset(end - 8, 'x', 8), O_RDONLY), EFAULT,
             "open: a path without an end");
    is_error(syscall(SYS_rt_sigaction, SIGUSR1, end - 8, 0, 8), EFAULT,
             "rt_sigaction over the end of a page");
    is_int(syscall(SYS_write, REGULAR, end - 8, 8), 8, "write up to the end of a page");
}

static void open_all(void)
{
    int pipes[2];

    if (dup2(open("/tmp", O_RDWR | O_TMPFILE, 0600), REGULAR) < 0)
        dup2(open("/tmp/bad_pointers", O_RDWR | O_CREAT, 0600), REGULAR);
    unlink("/tmp/bad_pointers");
    ok(write(REGULAR, good, sizeof(good)) == sizeof(good) && lseek(REGULAR, 0, SEEK_SET) == 0,
       "a file");
    dup2(open("/", O_RDONLY | O_DIRECTORY), DIRECTORY);
    ok(pipe(pipes) == 0 && write(pipes[1], good, 100) == 100, "a pipe");
    dup2(pipes[0], PIPE_READ);
    dup2(pipes[1], PIPE_WRITE);
    dup2(epoll_create1(0), EPOLL);
    dup2((int)syscall(SYS_pidfd_open, getpid(), 0), PIDFD);
    dup2(eventfd(1000, EFD_SEMAPHORE), EVENT); /* a read takes one even if it fails */
}

int main(void)
{
    uintptr_t bad[sizeof(addresses) / sizeof(addresses[0])];
    char *pages = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    munmap(pages + PAGE, PAGE);
    mprotect(pages + 2 * PAGE, PAGE, PROT_NONE);
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
        bad[i] = addresses[i].address;
    bad[6] = (uintptr_t)pages + PAGE;
    bad[7] = (uintptr_t)pages + 2 * PAGE;

    open_all();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        try_row(&rows[i], bad);
    try_vector_base(bad);
    try_page_end(pages + PAGE);
    return tap_done();
}
