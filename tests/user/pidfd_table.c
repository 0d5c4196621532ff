/* Pidfds: opening, polling, waiting, taking descriptors. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "tap.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

static int pidfd_of(pid_t pid, unsigned flags)
{
    return (int)syscall(SYS_pidfd_open, pid, flags);
}

static int take(int pidfd, int descriptor, unsigned flags)
{
    return (int)syscall(SYS_pidfd_getfd, pidfd, descriptor, flags);
}

static int events(int file, int time_ms)
{
    struct pollfd list = {.fd = file, .events = POLLIN | POLLOUT};

    return poll(&list, 1, time_ms) < 0 ? -1 : list.revents;
}

int main(void)
{
    int ends[2], pidfd;
    char byte;
    siginfo_t info;

    is_error(pidfd_of(0, 0), EINVAL, "pid 0");
    is_error(pidfd_of(-5, 0), EINVAL, "a negative pid");
    is_error(pidfd_of(getpid(), 1), EINVAL, "an unknown flag");
    is_error(pidfd_of(4000000, 0), ESRCH, "nobody");
    pidfd = pidfd_of(getpid(), O_NONBLOCK);
    is_int(fcntl(pidfd, F_GETFD), FD_CLOEXEC, "close-on-exec");
    is_int(fcntl(pidfd, F_GETFL) & O_NONBLOCK, O_NONBLOCK, "PIDFD_NONBLOCK");
    is_error(read(pidfd, &byte, 1), EINVAL, "read");
    is_error(write(pidfd, &byte, 1), EINVAL, "write");
    is_int(events(pidfd, 0), 0, "we live");
    close(pidfd);

    pipe(ends);
    pid_t child = fork();

    if (child == 0) {
        close(ends[1]);
        read(ends[0], &byte, 1);
        _exit(7);
    }
    pidfd = pidfd_of(child, 0);
    is_int(events(pidfd, 0), 0, "the child lives");
    int taken = take(pidfd, ends[0], 0);

    ok(taken >= 0, "pidfd_getfd");
    is_int(fcntl(taken, F_GETFD), FD_CLOEXEC, "what it gives closes on exec");
    is_error(take(pidfd, 999, 0), EBADF, "a descriptor that is not open");
    is_error(take(pidfd, 0, 1), EINVAL, "pidfd_getfd with a flag");
    is_error(take(ends[0], 0, 0), EBADF, "pidfd_getfd from no pidfd");
    close(taken);
    memset(&info, 0, sizeof(info));
    is_int(waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG), 0, "waitid: not yet");
    is_int(info.si_pid, 0, "nobody");
    int impatient = pidfd_of(child, O_NONBLOCK);

    is_error(waitid(P_PIDFD, (id_t)impatient, &info, WEXITED), EAGAIN, "PIDFD_NONBLOCK: no wait");
    close(impatient);
    memset(&info, 0xff, sizeof(info));
    is_error(waitid(P_PID, 4000000, &info, WEXITED), ECHILD, "waitid for nobody");
    is_int(info.si_signo + info.si_pid, 0, "clears the structure");
    close(ends[1]);
    is_int(events(pidfd, 10000), POLLIN, "readable when it ends");
    is_int(waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOWAIT), 0, "waitid");
    is_int(info.si_status, 7, "its status");
    is_int(events(pidfd, 0), POLLIN, "a zombie is readable");
    is_int(syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0), 0, "a zombie can be signalled");
    is_int(waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED), 0, "waitid reaps");
    is_int(events(pidfd, 0) & POLLIN, POLLIN, "what has been reaped is readable");
    is_error(syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0), ESRCH, "and cannot be signalled");
    is_error(waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED), ECHILD, "or waited for");
    is_error(take(pidfd, 0, 0), ESRCH, "and has nothing to take");
    close(pidfd);
    close(ends[0]);
    is_error(waitid(P_PIDFD, 999, &info, WEXITED), EBADF, "waitid on nothing");
    is_error(waitid(P_PIDFD, 1, &info, WEXITED), EBADF, "waitid on no pidfd");
    return tap_done();
}
