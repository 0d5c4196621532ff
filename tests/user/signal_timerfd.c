/* timerfd, and RLIMIT_CPU. */
#include <poll.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <time.h>

#include "raw_signal.h"
#include "tap.h"

static void sleep_ms(int ms)
{
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};

    while (nanosleep(&time, &time) != 0)
        ;
}

static uint64_t now_ms(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

static void set(int descriptor, int flags, long value_ms, long interval_ms)
{
    struct itimerspec setting = {
        .it_value = {value_ms / 1000, value_ms % 1000 * 1000000},
        .it_interval = {interval_ms / 1000, interval_ms % 1000 * 1000000},
    };

    if (timerfd_settime(descriptor, flags, &setting, NULL) != 0)
        tap_bail_out("timerfd_settime");
}

static void test_reading(clockid_t clock, const char *name)
{
    int descriptor = timerfd_create(clock, TFD_NONBLOCK);
    struct pollfd item = {.fd = descriptor, .events = POLLIN};
    struct itimerspec setting;
    uint64_t ticks = 0, since;

    is_error(read(descriptor, &ticks, 8), EAGAIN, "%s: not armed", name);
    is_error(read(descriptor, &ticks, 7), EINVAL, "%s: a small buffer", name);
    is_error(write(descriptor, &ticks, 8), EINVAL, "%s: it cannot be written", name);
    set(descriptor, 0, 100000, 0);
    is_int(poll(&item, 1, 0), 0, "%s: not yet", name);
    set(descriptor, 0, 5, 0);
    is_int(poll(&item, 1, -1), 1, "%s: poll wakes", name);
    is_int(read(descriptor, &ticks, 8), 8, "%s: it is read", name);
    is_int((long long)ticks, 1, "%s: one tick", name);
    is_error(read(descriptor, &ticks, 8), EAGAIN, "%s: once", name);
    since = now_ms();
    set(descriptor, 0, 2, 2);
    sleep_ms(21);
    is_int(read(descriptor, &ticks, 8), 8, "%s: periods", name);
    ok(ticks >= 10 && ticks <= (now_ms() - since) / 2 + 1, "%s: all that have passed", name);
    timerfd_gettime(descriptor, &setting);
    ok(setting.it_interval.tv_nsec == 2000000 && setting.it_value.tv_nsec > 0 &&
           setting.it_value.tv_nsec <= 2000000,
       "%s: timerfd_gettime", name);
    set(descriptor, 0, 0, 0);
    sleep_ms(3);
    is_error(read(descriptor, &ticks, 8), EAGAIN, "%s: disarmed", name);
    timerfd_gettime(descriptor, &setting);
    is_int(setting.it_interval.tv_nsec, 0, "%s: no interval is left", name);
    close(descriptor);
}

static void test_blocking(void)
{
    int descriptor = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    struct itimerspec setting = {0};
    uint64_t ticks = 0;

    set(descriptor, 0, 5, 0);
    is_int(read(descriptor, &ticks, 8), 8, "a blocking read");
    is_int((long long)ticks, 1, "one tick");
    setting.it_value.tv_nsec = 1; /* just after boot */
    setting.it_interval.tv_nsec = 1000000;
    timerfd_settime(descriptor, TFD_TIMER_ABSTIME, &setting, NULL);
    is_int(read(descriptor, &ticks, 8), 8, "an absolute time in the past");
    ok(ticks >= 100, "with all periods since");
    close(descriptor);
}

static void test_errors(void)
{
    int descriptor = timerfd_create(CLOCK_MONOTONIC, 0);
    struct itimerspec setting = {0};

    is_error(timerfd_create(99, 0), EINVAL, "no such clock");
    is_error(timerfd_create(CLOCK_MONOTONIC, 1), EINVAL, "unknown flags");
    is_error(timerfd_create(CLOCK_PROCESS_CPUTIME_ID, 0), EINVAL, "a clock of CPU time");
    is_error(timerfd_settime(0, 0, &setting, NULL), EINVAL, "no timerfd");
    is_error(timerfd_settime(999, 0, &setting, NULL), EBADF, "a bad descriptor");
    is_error(timerfd_settime(descriptor, 8, &setting, NULL), EINVAL, "unknown flags to settime");
    setting.it_value.tv_nsec = 1000000000;
    is_error(timerfd_settime(descriptor, 0, &setting, NULL), EINVAL, "a bad time");
    is_error(syscall(SYS_timerfd_settime, descriptor, 0, (void *)8, NULL), EFAULT, "a bad address");
    is_error(syscall(SYS_timerfd_gettime, descriptor, (void *)8), EFAULT, "a bad result");
    is_error(timerfd_gettime(0, &setting), EINVAL, "timerfd_gettime of no timerfd");
    close(descriptor);
}

static volatile sig_atomic_t warnings;

static void warn(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)info;
    (void)context;
    warnings++;
}

/* The limits are whole seconds of CPU time: one to the warning, two to the end. Two children spend
 * theirs at the same time. */
static void test_cpu_limit(void)
{
    struct rlimit limit = {1, 2};
    int status;
    int ends[2];
    char byte;
    pid_t warned, killed;

    if (pipe(ends) != 0)
        tap_bail_out("pipe");
    warned = fork();
    if (warned == 0) {
        raw_handle(SIGXCPU, warn, SA_SIGINFO);
        setrlimit(RLIMIT_CPU, &limit);
        while (!warnings)
            ;
        if (write(ends[1], "w", 1) != 1)
            _exit(1);
        for (;;)
            ;
    }
    close(ends[1]);
    killed = fork();
    if (killed == 0) {
        setrlimit(RLIMIT_CPU, &limit);
        for (;;)
            ;
    }
    is_int(read(ends[0], &byte, 1), 1, "RLIMIT_CPU: SIGXCPU at the soft limit");
    waitpid(warned, &status, 0);
    is_int(WIFSIGNALED(status) ? WTERMSIG(status) : -1, SIGKILL, "SIGKILL at the hard limit");
    waitpid(killed, &status, 0);
    is_int(WIFSIGNALED(status) ? WTERMSIG(status) : -1, SIGXCPU, "SIGXCPU kills by default");
}

int main(void)
{
    test_reading(CLOCK_MONOTONIC, "monotonic");
    test_reading(CLOCK_REALTIME, "realtime");
    test_reading(CLOCK_BOOTTIME, "boottime");
    test_blocking();
    test_errors();
    test_cpu_limit();
    return tap_done();
}
