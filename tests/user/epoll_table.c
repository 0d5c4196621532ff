/* epoll: level and edge, one-shot, changes, closed files, epolls in epolls, errors. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "tap.h"
#include "waiting.h"

static volatile sig_atomic_t caught;

static void note(int signal)
{
    caught = signal;
}

static int watch(int epoll, int file, unsigned events)
{
    struct epoll_event event = {.events = events, .data.u64 = (uint64_t)file + 1000};

    return epoll_ctl(epoll, EPOLL_CTL_ADD, file, &event);
}

static int rewatch(int epoll, int file, unsigned events)
{
    struct epoll_event event = {.events = events, .data.u64 = (uint64_t)file + 1000};

    return epoll_ctl(epoll, EPOLL_CTL_MOD, file, &event);
}

static int unwatch(int epoll, int file)
{
    return epoll_ctl(epoll, EPOLL_CTL_DEL, file, NULL);
}

static int count(int epoll)
{
    struct epoll_event events[8];

    return epoll_wait(epoll, events, 8, 0);
}

static void test_errors(void)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC), ends[2], directory = open("/", O_RDONLY);
    struct epoll_event event = {.events = EPOLLIN};

    pipe(ends);
    is_error(syscall(SYS_epoll_create, 0), EINVAL, "epoll_create(0)");
    is_error(epoll_create1(1), EINVAL, "epoll_create1 with an unknown flag");
    is_int(fcntl(epoll, F_GETFD), FD_CLOEXEC, "EPOLL_CLOEXEC");
    is_error(watch(epoll, 999, EPOLLIN), EBADF, "a file that is not open");
    is_error(watch(999, ends[0], EPOLLIN), EBADF, "an epoll that is not open");
    is_error(watch(ends[1], ends[0], EPOLLIN), EINVAL, "an epoll that is none");
    is_error(watch(epoll, epoll, EPOLLIN), EINVAL, "itself");
    is_error(watch(epoll, directory, EPOLLIN), EPERM, "a directory");
    is_error(epoll_ctl(epoll, 9, ends[0], &event), EINVAL, "an unknown operation");
    is_error(epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], (void *)8), EFAULT, "a bad address");
    is_error(rewatch(epoll, ends[0], EPOLLIN), ENOENT, "a change of what is not watched");
    is_error(unwatch(epoll, ends[0]), ENOENT, "the end of what is not watched");
    is_int(watch(epoll, ends[0], EPOLLIN), 0, "watched");
    is_error(watch(epoll, ends[0], EPOLLIN), EEXIST, "twice");
    is_error(epoll_wait(epoll, &event, 0, 0), EINVAL, "room for no event");
    is_error(epoll_wait(ends[0], &event, 1, 0), EINVAL, "waiting on something else");
    is_error(epoll_wait(999, &event, 1, 0), EBADF, "waiting on nothing");
    is_error(rewatch(epoll, ends[0], EPOLLIN | EPOLLEXCLUSIVE), EINVAL, "exclusive too late");
    is_error(watch(epoll, ends[1], EPOLLOUT | EPOLLEXCLUSIVE | EPOLLONESHOT), EINVAL,
             "exclusive and one-shot");
    is_error(read(epoll, &event, 1), EINVAL, "read");
    close(directory);
    close(epoll);
    close(ends[0]);
    close(ends[1]);
}

static void test_level_and_edge(void)
{
    int epoll = epoll_create1(0), ends[2];
    struct epoll_event event;
    char byte;

    pipe(ends);
    watch(epoll, ends[0], EPOLLIN);
    is_int(count(epoll), 0, "nothing yet");
    write(ends[1], "ab", 2);
    is_int(epoll_wait(epoll, &event, 1, -1), 1, "level: ready");
    is_int(event.events, EPOLLIN, "to be read");
    is_int((long long)event.data.u64, ends[0] + 1000, "with its data");
    is_int(count(epoll), 1, "level: still ready");
    read(ends[0], &byte, 1);
    is_int(count(epoll), 1, "level: while there is something");
    rewatch(epoll, ends[0], EPOLLIN | EPOLLET);
    is_int(count(epoll), 1, "edge: a change reports once");
    is_int(count(epoll), 0, "edge: and not again");
    write(ends[1], "c", 1);
    is_int(count(epoll), 1, "edge: with new bytes");
    is_int(count(epoll), 0, "edge: once");
    rewatch(epoll, ends[0], EPOLLIN | EPOLLONESHOT);
    is_int(count(epoll), 1, "one-shot: once");
    write(ends[1], "d", 1);
    is_int(count(epoll), 0, "one-shot: then silent");
    rewatch(epoll, ends[0], EPOLLIN | EPOLLONESHOT);
    is_int(count(epoll), 1, "one-shot: armed again");
    rewatch(epoll, ends[0], 0);
    is_int(count(epoll), 0, "watched for nothing");
    close(ends[1]);
    epoll_wait(epoll, &event, 1, -1);
    is_int(event.events, EPOLLHUP, "but EPOLLHUP is always reported");
    unwatch(epoll, ends[0]);
    is_int(count(epoll), 0, "no longer watched");
    close(ends[0]);
    close(epoll);
}

static void test_order(void)
{
    int epoll = epoll_create1(0), files[3];
    struct epoll_event events[3];

    for (int i = 0; i < 3; i++) {
        files[i] = eventfd(0, 0);
        watch(epoll, files[i], EPOLLIN);
    }
    eventfd_write(files[2], 1);
    eventfd_write(files[0], 1);
    eventfd_write(files[1], 1);
    is_int(epoll_wait(epoll, events, 2, 0), 2, "two at a time");
    ok((int)events[0].data.u64 == files[2] + 1000 && (int)events[1].data.u64 == files[0] + 1000,
       "first come, first reported");
    epoll_wait(epoll, events, 2, 0);
    is_int((long long)events[0].data.u64, files[1] + 1000, "then those that had to wait");
    for (int i = 0; i < 3; i++)
        close(files[i]);
    is_int(count(epoll), 0, "closed files are forgotten");
    close(epoll);
}

static void test_closed(void)
{
    int epoll = epoll_create1(0), file = eventfd(1, 0), copy = dup(file);

    watch(epoll, file, EPOLLIN);
    is_int(watch(epoll, copy, EPOLLIN), 0, "a copy is watched apart");
    is_int(count(epoll), 2, "both are ready");
    close(copy);
    is_int(count(epoll), 2, "closing a copy changes nothing");
    close(file);
    is_int(count(epoll), 0, "closing the last one ends it");
    close(epoll);
}

static void test_nested(void)
{
    enum { DEPTH = 5 };
    int epolls[DEPTH], event = eventfd(0, 0);
    struct pollfd list;

    for (int i = 0; i < DEPTH; i++)
        epolls[i] = epoll_create1(0);
    for (int i = 0; i + 1 < DEPTH; i++)
        is_int(watch(epolls[i], epolls[i + 1], EPOLLIN), 0, "an epoll watches an epoll: %d", i);
    is_error(watch(epolls[DEPTH - 1], epolls[0], EPOLLIN), ELOOP, "a loop");
    watch(epolls[DEPTH - 1], event, EPOLLIN);
    is_int(count(epolls[0]), 0, "nothing yet");
    eventfd_write(event, 1);
    is_int(count(epolls[0]), 1, "news travel up");
    list = (struct pollfd){.fd = epolls[2], .events = POLLIN};
    is_int(poll(&list, 1, 0), 1, "poll sees them");
    eventfd_t value;

    eventfd_read(event, &value);
    is_int(count(epolls[0]), 0, "and that they are gone");
    is_int(poll(&list, 1, 0), 0, "poll too");
    pid_t parent = getpid(), child = fork();

    if (child == 0) {
        await_sleep(parent);
        eventfd_write(event, 1);
        _exit(0);
    }
    struct epoll_event news;

    is_int(epoll_wait(epolls[0], &news, 1, -1), 1, "news wake a waiter at the top");
    waitpid(child, NULL, 0);
    for (int i = 0; i < DEPTH; i++)
        close(epolls[i]);
    close(event);
}

static void test_signals(void)
{
    int epoll = epoll_create1(0);
    struct epoll_event event;
    struct sigaction action = {.sa_handler = note, .sa_flags = SA_RESTART};
    sigset_t blocked, none;

    sigaction(SIGALRM, &action, NULL);
    is_error(INTERRUPTED(epoll_wait(epoll, &event, 1, -1)), EINTR, "a signal ends epoll_wait");
    sigemptyset(&none);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGALRM);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    caught = 0;
    raise(SIGALRM);
    is_error(epoll_pwait(epoll, &event, 1, -1, &none), EINTR, "epoll_pwait lets one through");
    is_int(caught, SIGALRM, "the handler ran");
    is_int(epoll_wait(epoll, &event, 1, 20), 0, "a time-out");
    struct timespec time = {.tv_nsec = 20000000}, bad = {.tv_nsec = -1};

    is_int(syscall(SYS_epoll_pwait2, epoll, &event, 1, &time, NULL, 8), 0, "epoll_pwait2");
    is_error(syscall(SYS_epoll_pwait2, epoll, &event, 1, &bad, NULL, 8), EINVAL, "a bad time");
    sigprocmask(SIG_UNBLOCK, &blocked, NULL);
    close(epoll);
}

int main(void)
{
    test_errors();
    test_level_and_edge();
    test_order();
    test_closed();
    test_nested();
    test_signals();
    return tap_done();
}
