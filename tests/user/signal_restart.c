/*
 * Every sleeping call × interrupted by a handler with SA_RESTART, by one without, and by a stop and
 * continue, which no handler is for. A child that knows from /proc-less evidence that the parent
 * sleeps does not exist on both kernels, so a timer interrupts: it fires again and again until the
 * call ends.
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

#define TICK_US 2000

static volatile sig_atomic_t ticks;
static int empty_pipe[2], full_pipe[2], event_descriptor, full_event;
static pid_t child;

/* After the third interruption the world is changed so that a restarted call can end well. */
static void tick(int signal, siginfo_t *info, void *context)
{
    (void)info;
    (void)context;
    if (++ticks != 3)
        return;
    uint64_t one = 1;
    char buffer[4096];

    if (write(empty_pipe[1], "x", 1) != 1 || write(event_descriptor, &one, 8) != 8)
        _exit(90);
    while (read(full_pipe[0], buffer, sizeof(buffer)) > 0)
        ;
    if (read(full_event, &one, 8) != 8)
        _exit(91);
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
    struct timespec time = {0, 30000000};

    return (int)syscall(SYS_nanosleep, &time, NULL);
}

static int call_clock_nanosleep(void)
{
    struct timespec time = {0, 30000000};

    return (int)syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &time, NULL);
}

static int call_clock_nanosleep_until(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    time.tv_nsec += 30000000;
    if (time.tv_nsec >= 1000000000) {
        time.tv_sec++;
        time.tv_nsec -= 1000000000;
    }
    return (int)syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
}

static int call_poll_timed(void)
{
    return poll(NULL, 0, 30);
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
    struct itimerspec setting = {.it_value = {0, 30000000}};
    int descriptor = timerfd_create(CLOCK_MONOTONIC, 0);
    uint64_t value;
    int result, saved;

    timerfd_settime(descriptor, 0, &setting, NULL);
    result = (int)read(descriptor, &value, sizeof(value));
    saved = errno;
    close(descriptor);
    errno = saved;
    return result;
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
}

static void run(const struct row *row, unsigned long flags, const char *expected, const char *how)
{
    struct itimerval every = {{0, TICK_US}, {0, TICK_US}};
    struct itimerval off = {{0, 0}, {0, 0}};
    char text[32];
    int result, saved;

    set_up();
    raw_handle(SIGALRM, tick, SA_SIGINFO | flags);
    setitimer(ITIMER_REAL, &every, NULL);
    result = row->call();
    saved = errno;
    setitimer(ITIMER_REAL, &off, NULL);
    if (result < 0)
        snprintf(text, sizeof(text), "%s", saved == EINTR ? "EINTR" : strerror(saved));
    else
        snprintf(text, sizeof(text), "%d", result);
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
