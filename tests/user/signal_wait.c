/* sigsuspend, sigtimedwait and signalfd: what they take, what they leave, and the races around
 * them. */
#include <poll.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <time.h>

#include "raw_signal.h"
#include "tap.h"
#include "waiting.h"

#define ROUNDS 2000

static volatile sig_atomic_t caught;

static void note(int signal, siginfo_t *info, void *context)
{
    (void)info;
    (void)context;
    caught = signal;
}

static void count(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)info;
    (void)context;
    caught++;
}

static void test_suspend(void)
{
    raw_handle(SIGUSR1, note, SA_SIGINFO);
    raw_mask(SIG_SETMASK, RAW_BIT(SIGUSR1) | RAW_BIT(SIGUSR2));
    kill(getpid(), SIGUSR1);
    caught = 0;
    is_error(raw_suspend(0), EINTR, "sigsuspend with a pending signal ends at once");
    is_int(caught, SIGUSR1, "after its handler");
    ok(raw_mask(SIG_BLOCK, 0) == (RAW_BIT(SIGUSR1) | RAW_BIT(SIGUSR2)), "the mask is back");
    raw_mask(SIG_SETMASK, 0);
}

/* Two processes wake each other by SIGUSR1, with the signal blocked but in sigsuspend: no wake-up
 * may be lost, or this lasts for ever. */
static void test_ping_pong(void)
{
    pid_t parent = getpid();
    int status;
    pid_t child;

    raw_handle(SIGUSR1, note, SA_SIGINFO);
    raw_mask(SIG_BLOCK, RAW_BIT(SIGUSR1));
    child = fork();
    if (child == 0) {
        for (int i = 0; i < ROUNDS; i++) {
            raw_suspend(0);
            kill(parent, SIGUSR1);
        }
        _exit(0);
    }
    for (int i = 0; i < ROUNDS; i++) {
        kill(child, SIGUSR1);
        raw_suspend(0);
    }
    waitpid(child, &status, 0);
    is_int(status, 0, "%d round trips with sigsuspend", ROUNDS);
    raw_mask(SIG_SETMASK, 0);
}

static void test_timedwait(void)
{
    struct timespec zero = {0, 0}, little = {0, 5000000}, bad = {0, 1000000000};
    siginfo_t info;
    int status;
    pid_t child;

    raw_mask(SIG_SETMASK, RAW_BIT(SIGUSR1) | RAW_BIT(SIGCHLD));
    is_error(raw_wait(RAW_BIT(SIGUSR1), &info, &zero), EAGAIN, "sigtimedwait polls");
    is_error(raw_wait(RAW_BIT(SIGUSR1), &info, &little), EAGAIN, "and times out");
    is_error(raw_wait(RAW_BIT(SIGUSR1), &info, &bad), EINVAL, "a bad time");
    is_error(syscall(SYS_rt_sigtimedwait, NULL, NULL, NULL, 8), EFAULT, "no set");
    is_error(syscall(SYS_rt_sigtimedwait, NULL, NULL, NULL, 7), EINVAL, "a wrong size");
    raw_queue(getpid(), SIGUSR1, SI_QUEUE, 5);
    is_int(raw_wait(RAW_BIT(SIGUSR1), &info, NULL), SIGUSR1, "takes a pending signal");
    is_int(info.si_value.sival_int, 5, "with its siginfo");
    is_int(info.si_pid, getpid(), "and its sender");
    child = fork();
    if (child == 0)
        _exit(3);
    is_int(raw_wait(RAW_BIT(SIGCHLD), &info, NULL), SIGCHLD, "waits for SIGCHLD");
    is_int(info.si_code, CLD_EXITED, "CLD_EXITED");
    is_int(info.si_status, 3, "the exit status");
    ok(info.si_pid == child, "of the child");
    waitpid(child, &status, 0);
    raw_queue(getpid(), SIGUSR1, SI_QUEUE, 5);
    is_error(raw_wait(RAW_BIT(SIGUSR1), (siginfo_t *)8, NULL), EFAULT, "a bad info address");
    is_error(raw_wait(RAW_BIT(SIGUSR1), &info, &zero), EAGAIN, "the signal is gone");
    raw_mask(SIG_SETMASK, 0);
}

/* Not blocked but waited for: taken by the wait, not by the handler; another one interrupts. */
static void test_timedwait_unblocked(void)
{
    pid_t parent = getpid();
    siginfo_t info;
    int status, result;
    pid_t child;

    raw_handle(SIGUSR1, note, SA_SIGINFO);
    raw_handle(SIGUSR2, note, SA_SIGINFO | SA_RESTART);
    caught = 0;
    child = fork();
    if (child == 0) {
        await_sleep(parent);
        kill(parent, SIGUSR1);
        _exit(0);
    }
    result = raw_wait(RAW_BIT(SIGUSR1), &info, NULL);
    is_int(result, SIGUSR1, "a signal that is not blocked");
    is_int(caught, 0, "its handler does not run");
    waitpid(child, &status, 0);
    raw_mask(SIG_SETMASK, RAW_BIT(SIGUSR1));
    child = fork();
    if (child == 0) {
        await_sleep(parent);
        kill(parent, SIGUSR2);
        _exit(0);
    }
    is_error(raw_wait(RAW_BIT(SIGUSR1), &info, NULL), EINTR, "another signal interrupts");
    is_int(caught, SIGUSR2, "and its handler runs");
    waitpid(child, &status, 0);
    raw_mask(SIG_SETMASK, 0);
}

static int open_signalfd(uint64_t mask, int flags)
{
    return (int)syscall(SYS_signalfd4, -1, &mask, 8, flags);
}

static void test_signalfd(void)
{
    uint64_t mask = RAW_BIT(SIGUSR1) | RAW_BIT(40);
    struct signalfd_siginfo info[4];
    int descriptor;

    is_error(syscall(SYS_signalfd4, -1, &mask, 4, 0), EINVAL, "signalfd: a wrong size");
    is_error(syscall(SYS_signalfd4, -1, &mask, 8, 1), EINVAL, "unknown flags");
    is_error(syscall(SYS_signalfd4, 999, &mask, 8, 0), EBADF, "a bad descriptor");
    is_error(syscall(SYS_signalfd4, 0, &mask, 8, 0), EINVAL, "one of another kind");
    is_error(syscall(SYS_signalfd4, -1, NULL, 8, 0), EFAULT, "no mask");
    raw_mask(SIG_SETMASK, ~0ull);
    descriptor = open_signalfd(mask, SFD_NONBLOCK);
    is_error(read(descriptor, info, sizeof(info)), EAGAIN, "nothing to read");
    is_error(read(descriptor, info, 100), EINVAL, "a small buffer");
    is_error(write(descriptor, info, 128), EINVAL, "it cannot be written");
    kill(getpid(), SIGUSR1);
    raw_queue(getpid(), 40, SI_QUEUE, 77);
    raw_queue(getpid(), 40, SI_QUEUE, 78);
    kill(getpid(), SIGUSR2);
    is_int(read(descriptor, info, sizeof(info)), 3 * 128, "three records");
    is_int(info[0].ssi_signo, SIGUSR1, "the first: SIGUSR1");
    is_int(info[0].ssi_code, SI_USER, "by kill");
    is_int(info[0].ssi_pid, getpid(), "its sender");
    is_int(info[1].ssi_int, 77, "the second: its value");
    is_int(info[2].ssi_int, 78, "the third: its value");
    mask = RAW_BIT(SIGUSR2);
    is_int(syscall(SYS_signalfd4, descriptor, &mask, 8, 0), descriptor, "the mask is changed");
    is_int(read(descriptor, info, sizeof(info)), 128, "now SIGUSR2 is seen");
    is_int(info[0].ssi_signo, SIGUSR2, "it is SIGUSR2");
    close(descriptor);
    raw_mask(SIG_SETMASK, 0);
}

/* poll and epoll on a signalfd wake for signals that come while they wait; a child reads its own.
 */
static void test_signalfd_poll(void)
{
    pid_t parent = getpid();
    struct signalfd_siginfo info;
    struct epoll_event event = {.events = EPOLLIN};
    int descriptor, epoll, status;
    struct pollfd item;
    pid_t child;

    raw_mask(SIG_SETMASK, RAW_BIT(SIGUSR1));
    descriptor = open_signalfd(RAW_BIT(SIGUSR1), SFD_NONBLOCK);
    item = (struct pollfd){.fd = descriptor, .events = POLLIN};
    is_int(poll(&item, 1, 0), 0, "poll: not ready");
    child = fork();
    if (child == 0) {
        /* The signal that the parent waits for is not the child's. */
        await_sleep(parent);
        kill(parent, SIGUSR1);
        _exit(read(descriptor, &info, sizeof(info)) < 0 && errno == EAGAIN ? 0 : 1);
    }
    is_int(poll(&item, 1, -1), 1, "poll wakes");
    is_int(read(descriptor, &info, sizeof(info)), 128, "the signal is there");
    waitpid(child, &status, 0);
    is_int(status, 0, "a child sees its own signals only");
    epoll = epoll_create1(0);
    epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event);
    child = fork();
    if (child == 0) {
        await_sleep(parent);
        kill(parent, SIGUSR1);
        _exit(0);
    }
    is_int(epoll_wait(epoll, &event, 1, -1), 1, "epoll wakes");
    waitpid(child, &status, 0);
    is_int(read(descriptor, &info, sizeof(info)), 128, "the signal is there");
    close(epoll);
    close(descriptor);
    raw_mask(SIG_SETMASK, 0);
}

/* ppoll's mask: the handler runs inside the call only, and the old mask is back after it. */
static void test_ppoll(void)
{
    struct timespec zero = {0, 0};
    sigset_t none;
    int data[2];
    struct pollfd item;

    if (pipe(data) != 0 || write(data[1], "x", 1) != 1)
        tap_bail_out("pipe");
    item = (struct pollfd){.fd = data[0], .events = POLLIN};
    sigemptyset(&none);
    raw_handle(SIGUSR1, count, SA_SIGINFO);
    raw_mask(SIG_SETMASK, RAW_BIT(SIGUSR1));
    kill(getpid(), SIGUSR1);
    caught = 0;
    is_int(ppoll(&item, 1, &zero, &none), 1, "ppoll with news and a pending signal");
    is_int(caught, 0, "returns the news; the signal stays pending");
    ok(raw_pending() == RAW_BIT(SIGUSR1), "and blocked");
    is_error(ppoll(NULL, 0, NULL, &none), EINTR, "ppoll without news ends by the signal");
    is_int(caught, 1, "its handler ran");
    ok(raw_mask(SIG_SETMASK, 0) == RAW_BIT(SIGUSR1), "the mask is back");
    close(data[0]);
    close(data[1]);
}

int main(void)
{
    test_suspend();
    test_ping_pong();
    test_timedwait();
    test_timedwait_unblocked();
    test_signalfd();
    test_signalfd_poll();
    test_ppoll();
    return tap_done();
}
