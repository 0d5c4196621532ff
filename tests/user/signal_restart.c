/*
 * Every sleeping call × interrupted by a handler with SA_RESTART and by one without. A timer
 * interrupts again and again until the call ends.
 */
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>

#include "raw_signal.h"
#include "tap.h"
#include "waiting.h"

static volatile sig_atomic_t ticks;
static volatile bool lets_end;
static int empty_pipe[2], full_pipe[2], event_descriptor, full_event, timer_descriptor;
static pid_t child;

/* After the third interruption the world is changed so that a call that is to be restarted can end.
 */
static void tick(int signal, siginfo_t *info, void *context)
{
    (void)info;
    (void)context;
    if (++ticks != 3 || !lets_end)
        return;
    struct itimerspec at_once = {.it_value = {0, 1}};
    uint64_t one = 1;
    char buffer[4096];

    if (write(empty_pipe[1], "x", 1) != 1 || write(event_descriptor, &one, 8) != 8)
        _exit(90);
    while (read(full_pipe[0], buffer, sizeof(buffer)) > 0)
        ;
    if (read(full_event, &one, 8) != 8)
        _exit(91);
    timerfd_settime(timer_descriptor, 0, &at_once, NULL);
    kill(child, SIGKILL);
}

static int call_read_pipe(void)
{
    char byte;

    return (int)read(empty_pipe[0], &byte, 1);
}

static int call_write_pipe(void)
{
    return (int)write(full_pipe[1], "y", 1);
}

static int call_read_eventfd(void)
{
    uint64_t value;

    return (int)read(event_descriptor, &value, sizeof(value));
}

static int call_write_eventfd(void)
{
    uint64_t value = 10;

    return (int)write(full_event, &value, sizeof(value));
}

static int call_wait4(void)
{
    int status;

    return waitpid(child, &status, 0) == child ? 1 : -1;
}

static int call_waitid(void)
{
    siginfo_t info;

    return waitid(P_PID, (id_t)child, &info, WEXITED);
}

static int call_poll(void)
{
    struct pollfd item = {.fd = empty_pipe[0], .events = POLLIN};

    return poll(&item, 1, -1);
}

static int call_ppoll(void)
{
    struct pollfd item = {.fd = empty_pipe[0], .events = POLLIN};

    return ppoll(&item, 1, NULL, NULL);
}

static int call_select(void)
{
    fd_set set;

    FD_ZERO(&set);
    FD_SET(empty_pipe[0], &set);
    return select(empty_pipe[0] + 1, &set, NULL, NULL, NULL);
}

static int call_pselect(void)
{
    fd_set set;

    FD_ZERO(&set);
    FD_SET(empty_pipe[0], &set);
    return pselect(empty_pipe[0] + 1, &set, NULL, NULL, NULL, NULL);
}

static int call_epoll_wait(void)
{
    struct epoll_event event = {.events = EPOLLIN};
    int epoll = epoll_create1(0);
    int result;

    epoll_ctl(epoll, EPOLL_CTL_ADD, empty_pipe[0], &event);
    result = epoll_wait(epoll, &event, 1, -1);
    int saved = errno;

    close(epoll);
    errno = saved;
    return result;
}

static int call_pause(void)
{
    return pause();
}

static int call_sigsuspend(void)
{
    return raw_suspend(0);
}

static int call_sigtimedwait(void)
{
    siginfo_t info;

    return raw_wait(RAW_BIT(SIGUSR2), &info, NULL);
}

static int call_nanosleep(void)
{
    struct timespec time = {1000, 0};

    return (int)syscall(SYS_nanosleep, &time, NULL);
}

static int call_clock_nanosleep(void)
{
    struct timespec time = {1000, 0};

    return (int)syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &time, NULL);
}

static int call_clock_nanosleep_until(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    time.tv_sec += 1000;
    return (int)syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
}

static int call_poll_timed(void)
{
    return poll(NULL, 0, 1000000);
}

static int call_signalfd(void)
{
    sigset_t set;
    struct signalfd_siginfo info;
    int descriptor, result, saved;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    descriptor = signalfd(-1, &set, 0);
    result = (int)read(descriptor, &info, sizeof(info));
    saved = errno;
    close(descriptor);
    errno = saved;
    return result;
}

static int call_timerfd(void)
{
    uint64_t value;

    return (int)read(timer_descriptor, &value, sizeof(value));
}

/* What Linux answers: without SA_RESTART, with it. never: a restart would last for ever. */
static const struct row {
    const char *name;
    int (*call)(void);
    const char *plain, *restarted;
} rows[] = {
    {"read of a pipe", call_read_pipe, "EINTR", "1"},
    {"write to a full pipe", call_write_pipe, "EINTR", "1"},
    {"read of an eventfd", call_read_eventfd, "EINTR", "8"},
    {"write to a full eventfd", call_write_eventfd, "EINTR", "8"},
    {"read of a timerfd", call_timerfd, "EINTR", "8"},
    {"read of a signalfd", call_signalfd, "EINTR", "never"},
    {"wait4", call_wait4, "EINTR", "1"},
    {"waitid", call_waitid, "EINTR", "0"},
    {"poll", call_poll, "EINTR", "EINTR"},
    {"poll with a time-out", call_poll_timed, "EINTR", "EINTR"},
    {"ppoll", call_ppoll, "EINTR", "EINTR"},
    {"select", call_select, "EINTR", "EINTR"},
    {"pselect", call_pselect, "EINTR", "EINTR"},
    {"epoll_wait", call_epoll_wait, "EINTR", "EINTR"},
    {"pause", call_pause, "EINTR", "EINTR"},
    {"sigsuspend", call_sigsuspend, "EINTR", "EINTR"},
    {"sigtimedwait", call_sigtimedwait, "EINTR", "EINTR"},
    {"nanosleep", call_nanosleep, "EINTR", "EINTR"},
    {"clock_nanosleep", call_clock_nanosleep, "EINTR", "EINTR"},
    {"clock_nanosleep until", call_clock_nanosleep_until, "EINTR", "EINTR"},
};

static void fill(int descriptor)
{
    char buffer[4096] = {0};

    fcntl(descriptor, F_SETFL, O_NONBLOCK);
    while (write(descriptor, buffer, sizeof(buffer)) > 0)
        ;
    fcntl(descriptor, F_SETFL, 0);
}

static void set_up(void)
{
    if (pipe(empty_pipe) != 0 || pipe(full_pipe) != 0)
        tap_bail_out("pipe");
    fill(full_pipe[1]);
    fcntl(full_pipe[0], F_SETFL, O_NONBLOCK);
    event_descriptor = eventfd(0, 0);
    full_event = eventfd(0, 0);
    timer_descriptor = timerfd_create(CLOCK_MONOTONIC, 0);
    uint64_t most = UINT64_MAX - 1;

    if (write(full_event, &most, 8) != 8)
        tap_bail_out("eventfd");
    ticks = 0;
    child = fork();
    if (child == 0)
        for (;;)
            pause();
}

static void tear_down(void)
{
    kill(child, SIGKILL);
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
        ;
    close(empty_pipe[0]);
    close(empty_pipe[1]);
    close(full_pipe[0]);
    close(full_pipe[1]);
    close(event_descriptor);
    close(full_event);
    close(timer_descriptor);
}

static void run(const struct row *row, unsigned long flags, const char *expected, const char *how)
{
    char text[32];
    long result;

    set_up();
    lets_end = strcmp(expected, "EINTR") != 0;
    raw_handle(SIGALRM, tick, SA_SIGINFO | flags);
    result = INTERRUPTED(row->call());
    if (result < 0)
        snprintf(text, sizeof(text), "%s", errno == EINTR ? "EINTR" : strerror(errno));
    else
        snprintf(text, sizeof(text), "%ld", result);
    is_string(text, expected, "%s, a handler %s: %s", row->name, how, expected);
    tear_down();
}

int main(void)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        run(&rows[i], 0, rows[i].plain, "without SA_RESTART");
        if (strcmp(rows[i].restarted, "never") != 0)
            run(&rows[i], SA_RESTART, rows[i].restarted, "with SA_RESTART");
    }
    return tap_done();
}
