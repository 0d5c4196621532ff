/*
 * A stop and a continue in the middle of a sleeping call: no handler runs, so the call goes on as
 * if nothing had been, to the same deadline; but for the few that Linux ends with EINTR.
 */
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <time.h>

#include "raw_signal.h"
#include "tap.h"
#include "waiting.h"

static int data[2];

static int call_read(void)
{
    char byte;

    return (int)read(data[0], &byte, 1);
}

static int call_poll(void)
{
    struct pollfd item = {.fd = data[0], .events = POLLIN};

    return poll(&item, 1, -1);
}

static int call_poll_timed(void)
{
    return poll(NULL, 0, 60);
}

static int call_select(void)
{
    fd_set set;

    FD_ZERO(&set);
    FD_SET(data[0], &set);
    return select(data[0] + 1, &set, NULL, NULL, NULL);
}

static int call_epoll_wait(void)
{
    struct epoll_event event = {.events = EPOLLIN};
    int epoll = epoll_create1(0);

    epoll_ctl(epoll, EPOLL_CTL_ADD, data[0], &event);
    return epoll_wait(epoll, &event, 1, -1);
}

static int call_nanosleep(void)
{
    struct timespec time = {0, 60000000};

    return (int)syscall(SYS_nanosleep, &time, NULL);
}

static int call_sigtimedwait(void)
{
    struct timespec time = {10, 0};

    return raw_wait(RAW_BIT(SIGUSR2), NULL, &time);
}

static const struct row {
    const char *name;
    int (*call)(void);
    const char *expected;
} rows[] = {
    {"read", call_read, "1"},
    {"poll", call_poll, "1"},
    {"poll with a time-out", call_poll_timed, "0"},
    {"select", call_select, "1"},
    {"epoll_wait", call_epoll_wait, "EINTR"},
    {"nanosleep", call_nanosleep, "0"},
    {"sigtimedwait", call_sigtimedwait, "EINTR"},
};

/*
 * The child tells how its call ended, but not before it may: of a child that has gone on and died,
 * wait tells only the death.
 */
static void child_main(const struct row *row, int ready, int may_exit)
{
    char text[32], byte;
    int result;

    setpgid(0, 0);
    if (write(ready, "r", 1) != 1)
        _exit(1);
    result = row->call();
    if (result < 0)
        snprintf(text, sizeof(text), "%s", errno == EINTR ? "EINTR" : strerror(errno));
    else
        snprintf(text, sizeof(text), "%d", result);
    if (read(may_exit, &byte, 1) != 1)
        _exit(1);
    _exit(strcmp(text, row->expected) == 0 ? 0 : 1);
}

static void run(const struct row *row, int signal)
{
    int ready[2], may_exit[2], status;
    char byte;
    pid_t child;

    if (pipe(data) != 0 || pipe(ready) != 0 || pipe(may_exit) != 0)
        tap_bail_out("pipe");
    child = fork();
    if (child == 0)
        child_main(row, ready[1], may_exit[0]);
    if (read(ready[0], &byte, 1) != 1)
        tap_bail_out("child");
    /* In the call, or behind one that a time-out has ended. */
    await_sleep(child);
    kill(child, signal);
    waitpid(child, &status, WUNTRACED);
    is_int(WIFSTOPPED(status) ? WSTOPSIG(status) : -1, signal, "%s: stopped by signal %d",
           row->name, signal);
    kill(child, SIGCONT);
    waitpid(child, &status, WCONTINUED);
    ok(WIFCONTINUED(status), "%s: continued", row->name);
    await_sleep(child);
    if (write(data[1], "d", 1) != 1 || write(may_exit[1], "x", 1) != 1)
        tap_bail_out("write");
    waitpid(child, &status, 0);
    ok(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s: ends with %s", row->name, row->expected);
    close(data[0]);
    close(data[1]);
    close(ready[0]);
    close(ready[1]);
    close(may_exit[0]);
    close(may_exit[1]);
}

int main(void)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        run(&rows[i], SIGSTOP);
        run(&rows[i], SIGTSTP);
    }
    return tap_done();
}
