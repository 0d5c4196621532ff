/* poll, ppoll, select, pselect: what is ready, time-outs, signals, errors. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "tap.h"
#include "waiting.h"

static volatile sig_atomic_t caught;

static void note(int signal)
{
    caught = signal;
}

static long long now_ms(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000ll + time.tv_nsec / 1000000;
}

static void handle_alarm(int flags)
{
    struct sigaction action = {.sa_handler = note, .sa_flags = flags};

    sigaction(SIGALRM, &action, NULL);
}

static void test_poll_results(void)
{
    int ends[2];

    if (pipe(ends) != 0)
        tap_bail_out("pipe");
    struct pollfd list[4] = {
        {.fd = ends[0], .events = POLLIN},
        {.fd = ends[1], .events = POLLOUT | POLLIN},
        {.fd = -1, .events = POLLIN, .revents = 99},
        {.fd = 999, .events = POLLIN},
    };

    is_int(poll(list, 4, 0), 2, "poll counts what is ready");
    is_int(list[0].revents, 0, "an empty pipe");
    is_int(list[1].revents, POLLOUT, "a writable pipe");
    is_int(list[2].revents, 0, "a negative descriptor is ignored");
    is_int(list[3].revents, POLLNVAL, "one that is not open is invalid");
    write(ends[1], "x", 1);
    is_int(poll(list, 3, -1), 2, "poll");
    is_int(list[0].revents, POLLIN, "a pipe with a byte");
    list[0].events = POLLIN | POLLRDNORM | POLLPRI;
    poll(list, 1, 0);
    is_int(list[0].revents, POLLIN | POLLRDNORM, "only what is asked for");
    list[0].events = 0;
    is_int(poll(list, 1, 0), 0, "asked for nothing");
    close(ends[1]);
    is_int(poll(list, 1, 0), 1, "but POLLHUP comes anyway");
    is_int(list[0].revents, POLLHUP, "POLLHUP");
    close(ends[0]);
    int file = open("/", O_RDONLY);
    struct pollfd directory = {.fd = file, .events = POLLIN | POLLOUT};

    is_int(poll(&directory, 1, -1), 1, "what cannot wait is always ready");
    is_int(directory.revents, POLLIN | POLLOUT, "for both");
    close(file);
}

static void test_poll_errors(void)
{
    struct rlimit limit, small = {.rlim_cur = 8};

    is_error(poll((struct pollfd *)8, 1, 0), EFAULT, "poll of a bad address");
    is_int(poll(NULL, 0, 0), 0, "poll of nothing");
    getrlimit(RLIMIT_NOFILE, &limit);
    small.rlim_max = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &small);
    struct pollfd list[9];

    memset(list, 0xff, sizeof(list));
    is_int(poll(list, 8, 0), 0, "as many as RLIMIT_NOFILE");
    is_error(poll(list, 9, 0), EINVAL, "more than RLIMIT_NOFILE");
    setrlimit(RLIMIT_NOFILE, &limit);
}

static void test_poll_time(void)
{
    long long start = now_ms();

    is_int(poll(NULL, 0, 30), 0, "poll times out");
    ok(now_ms() - start >= 30, "not too early");
    handle_alarm(0);
    caught = 0;
    is_error(INTERRUPTED(poll(NULL, 0, -1)), EINTR, "a signal ends poll");
    is_int(caught, SIGALRM, "with its handler run");
    handle_alarm(SA_RESTART);
    is_error(INTERRUPTED(poll(NULL, 0, 1000000)), EINTR, "even with SA_RESTART");
    struct timespec left = {.tv_sec = 1000};

    is_error(INTERRUPTED(ppoll(NULL, 0, &left, NULL)), EINTR, "a signal ends ppoll");
    is_int(left.tv_sec, 1000, "the C library hides what is left");
    struct timespec raw = {.tv_sec = 1000};

    is_error(INTERRUPTED(syscall(SYS_ppoll, NULL, 0, &raw, NULL, 8)), EINTR,
             "a signal ends the call itself");
    ok(raw.tv_sec >= 900 && raw.tv_sec < 1000, "which tells what is left");
    struct timespec bad = {.tv_nsec = 1000000000};

    is_error(ppoll(NULL, 0, &bad, NULL), EINVAL, "ppoll with a bad time");
    struct timespec negative = {.tv_sec = -1};

    is_error(ppoll(NULL, 0, &negative, NULL), EINVAL, "ppoll with a negative time");
}

/* A stop and a continue do not end a poll without handlers. */
static void test_poll_restart(void)
{
    int ends[2];

    pipe(ends);
    pid_t child = fork();

    if (child == 0) {
        struct pollfd list = {.fd = ends[0], .events = POLLIN};
        int result = poll(&list, 1, 1000000);

        _exit(result == 1 ? 0 : 1);
    }
    int status;

    await_sleep(child);
    kill(child, SIGSTOP);
    waitpid(child, &status, WUNTRACED);
    kill(child, SIGCONT);
    await_sleep(child);
    write(ends[1], "x", 1);
    waitpid(child, &status, 0);
    is_int(status, 0, "poll goes on after a stop");
    close(ends[0]);
    close(ends[1]);
}

static void test_masks(void)
{
    sigset_t blocked, none, now;
    struct timespec time = {.tv_sec = 5}, zero = {0};

    handle_alarm(0);
    sigemptyset(&none);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGALRM);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    caught = 0;
    raise(SIGALRM);
    is_int(caught, 0, "blocked");
    is_error(ppoll(NULL, 0, &time, &none), EINTR, "ppoll lets it through");
    is_int(caught, SIGALRM, "the handler ran");
    sigprocmask(SIG_BLOCK, NULL, &now);
    ok(sigismember(&now, SIGALRM), "and the mask is back");
    caught = 0;
    raise(SIGALRM);
    is_error(pselect(0, NULL, NULL, NULL, &time, &none), EINTR, "pselect lets it through");
    is_int(caught, SIGALRM, "the handler ran");
    sigprocmask(SIG_BLOCK, NULL, &now);
    ok(sigismember(&now, SIGALRM), "and the mask is back");
    int event = eventfd(1, 0);
    struct pollfd list = {.fd = event, .events = POLLIN};

    caught = 0;
    raise(SIGALRM);
    is_int(ppoll(&list, 1, &zero, &none), 1, "with something ready");
    is_int(caught, 0, "the signal waits on");
    is_error(syscall(SYS_ppoll, &list, 1, NULL, &none, 4), EINVAL, "a mask of the wrong size");
    sigprocmask(SIG_UNBLOCK, &blocked, NULL);
    is_int(caught, SIGALRM, "until it is unblocked");
    close(event);
}

static void test_select(void)
{
    int ends[2];
    fd_set in, out, except;

    pipe(ends);
    FD_ZERO(&in);
    FD_ZERO(&out);
    FD_ZERO(&except);
    FD_SET(ends[0], &in);
    FD_SET(ends[1], &out);
    FD_SET(ends[1], &except);
    struct timeval zero = {0};

    is_int(select(ends[1] + 1, &in, &out, &except, &zero), 1, "select counts bits");
    ok(!FD_ISSET(ends[0], &in) && FD_ISSET(ends[1], &out) && !FD_ISSET(ends[1], &except),
       "and leaves those");
    write(ends[1], "x", 1);
    FD_SET(ends[0], &in);
    is_int(select(ends[1] + 1, &in, &out, NULL, NULL), 2, "select without a time");
    is_int(select(ends[1], &in, &out, NULL, &zero), ends[0] < ends[1] ? 1 : 2,
           "descriptors from the limit on are not looked at");
    close(ends[1]);
    read(ends[0], &zero, 1);
    FD_SET(ends[0], &in);
    zero = (struct timeval){0};
    is_int(select(ends[0] + 1, &in, NULL, NULL, &zero), 1, "the end of a pipe is readable");
    FD_ZERO(&in);
    FD_SET(ends[1], &in);
    is_error(select(ends[1] + 1, &in, NULL, NULL, &zero), EBADF, "a closed descriptor");
    is_error(select(-1, NULL, NULL, NULL, &zero), EINVAL, "a negative limit");
    is_error(select(10, (fd_set *)8, NULL, NULL, &zero), EFAULT, "a bad address");
    struct timeval negative = {.tv_sec = -1};

    is_error(syscall(SYS_select, 0, NULL, NULL, NULL, &negative), EINVAL, "a negative time");
    close(ends[0]);
}

static void test_select_time(void)
{
    struct timeval left = {.tv_usec = 30000};
    long long start = now_ms();

    is_int(syscall(SYS_select, 0, NULL, NULL, NULL, &left), 0, "select times out");
    ok(now_ms() - start >= 30, "when it should");
    ok(left.tv_sec == 0 && left.tv_usec == 0, "with nothing left");
    handle_alarm(SA_RESTART);
    left.tv_sec = 1000;
    is_error(INTERRUPTED(syscall(SYS_select, 0, NULL, NULL, NULL, &left)), EINTR,
             "a signal ends select");
    ok(left.tv_sec >= 900 && left.tv_sec < 1000, "which tells what is left");
    int event = eventfd(0, 0);
    fd_set in;

    FD_ZERO(&in);
    FD_SET(event, &in);
    pid_t parent = getpid(), child = fork();

    if (child == 0) {
        await_sleep(parent);
        eventfd_write(event, 1);
        _exit(0);
    }
    left = (struct timeval){.tv_sec = 1000};
    is_int(syscall(SYS_select, event + 1, &in, NULL, NULL, &left), 1, "woken by an event");
    ok(left.tv_sec >= 900 && left.tv_sec < 1000, "early");
    waitpid(child, NULL, 0);
    close(event);
}

/* More files than any fixed table. */
static void test_many(void)
{
    enum { COUNT = 200 };
    static struct pollfd list[COUNT];
    static int events[COUNT];

    for (int i = 0; i < COUNT; i++) {
        events[i] = eventfd(0, 0);
        list[i] = (struct pollfd){.fd = events[i], .events = POLLIN};
    }
    is_int(poll(list, COUNT, 0), 0, "none of 200 is ready");
    pid_t parent = getpid(), child = fork();

    if (child == 0) {
        await_sleep(parent);
        eventfd_write(events[157], 1);
        _exit(0);
    }
    is_int(poll(list, COUNT, -1), 1, "one of 200 becomes ready");
    is_int(list[157].revents, POLLIN, "the right one");
    waitpid(child, NULL, 0);
    for (int i = 0; i < COUNT; i++)
        close(events[i]);
}

int main(void)
{
    test_poll_results();
    test_poll_errors();
    test_poll_time();
    test_poll_restart();
    test_masks();
    test_select();
    test_select_time();
    test_many();
    return tap_done();
}
