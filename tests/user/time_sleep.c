/* nanosleep and clock_nanosleep: how long, how interrupted, how resumed. */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "tap.h"
#include "waiting.h"

#define MS 1000000ll

static long long now_ns(clockid_t clock)
{
    struct timespec time = {0, 0};

    clock_gettime(clock, &time);
    return time.tv_sec * 1000000000ll + time.tv_nsec;
}

static struct timespec spec(long long ns)
{
    return (struct timespec){.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
}

static long sys_nanosleep(const struct timespec *time, struct timespec *left)
{
    return syscall(SYS_nanosleep, time, left);
}

static long sys_clock_nanosleep(clockid_t clock, int flags, const struct timespec *time,
                                struct timespec *left)
{
    return syscall(SYS_clock_nanosleep, clock, flags, time, left);
}

static void test_errors(void)
{
    struct timespec good = {0, 1000}, big = {0, 1000000000}, negative = {0, -1}, past = {-1, 0};

    is_error(sys_nanosleep((void *)8, NULL), EFAULT, "nanosleep: bad address");
    is_error(sys_nanosleep(&big, NULL), EINVAL, "nanosleep: a second of ns");
    is_error(sys_nanosleep(&negative, NULL), EINVAL, "nanosleep: negative ns");
    is_error(sys_nanosleep(&past, NULL), EINVAL, "nanosleep: negative seconds");
    is_int(sys_nanosleep(&(struct timespec){0, 0}, NULL), 0, "nanosleep: nothing");
    is_int(sys_nanosleep(&good, (void *)8), 0, "nanosleep: what is left is not written on success");
    for (int clock = 0; clock <= 13; clock++)
        if (clock != CLOCK_PROCESS_CPUTIME_ID)
            tap_line("# clock %d: %s\n", clock,
                     error_name(sys_clock_nanosleep(clock, 0, &good, NULL) == 0 ? 0 : errno));
    is_error(sys_clock_nanosleep(CLOCK_MONOTONIC, 0, (void *)8, NULL), EFAULT,
             "clock_nanosleep: bad address");
    is_error(sys_clock_nanosleep(99, 0, (void *)8, NULL), EINVAL,
             "clock_nanosleep: the clock is looked at first");
    is_error(sys_clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, (void *)8, NULL), EOPNOTSUPP,
             "clock_nanosleep: before the address");
    is_error(sys_clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &big, NULL), EINVAL,
             "clock_nanosleep: absolute, a second of ns");
    is_int(sys_clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &good, NULL), 0,
           "clock_nanosleep: a time in the past");
    is_int(sys_clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &good, NULL), 0,
           "clock_nanosleep: a wall time in the past");
    is_error(sys_clock_nanosleep((int)(~(unsigned)getpid() << 3 | 6), 0, &good, NULL), EINVAL,
             "clock_nanosleep: on one's own thread's CPU time");
}

static void test_duration(void)
{
    static const long long durations[] = {1000, 100000, 1 * MS, 5 * MS, 20 * MS};
    static const clockid_t clocks[] = {CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME};

    for (size_t i = 0; i < sizeof(durations) / sizeof(durations[0]); i++) {
        struct timespec time = spec(durations[i]);
        long long start = now_ns(CLOCK_MONOTONIC);

        nanosleep(&time, NULL);
        ok(now_ns(CLOCK_MONOTONIC) - start >= durations[i], "nanosleep of %lld ns is not too short",
           durations[i]);
    }
    for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
        long long until = now_ns(clocks[i]) + 10 * MS;
        struct timespec time = spec(until);

        is_int(clock_nanosleep(clocks[i], TIMER_ABSTIME, &time, NULL), 0,
               "until a time of clock %d", clocks[i]);
        ok(now_ns(clocks[i]) >= until, "which is not too early");
    }
}

static void on_alarm(int signal)
{
    (void)signal;
}

static void test_interrupted(void)
{
    struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
    struct timespec left = {-1, -1}, time = {1000, 0}, wake;

    sigaction(SIGALRM, &action, NULL);
    is_error(INTERRUPTED(nanosleep(&time, &left)), EINTR,
             "a handler ends nanosleep, even with SA_RESTART");
    ok(left.tv_sec >= 900 && left.tv_sec < 1000, "what is left is told");
    left = (struct timespec){-1, -1};
    is_int(INTERRUPTED(clock_nanosleep(CLOCK_MONOTONIC, 0, &time, &left)), EINTR,
           "and clock_nanosleep");
    ok(left.tv_sec >= 900 && left.tv_sec < 1000, "what is left is told");
    wake = spec(now_ns(CLOCK_MONOTONIC) + 1000000 * MS);
    left = (struct timespec){-1, -1};
    is_int(INTERRUPTED(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &wake, &left)), EINTR,
           "and an absolute sleep");
    ok(left.tv_sec == -1 && left.tv_nsec == -1, "which tells nothing");
    is_error(INTERRUPTED(nanosleep(&time, (void *)8)), EFAULT, "a bad address for what is left");
}

/* A stop and a continue leave a sleep to its end. The child outlives its sleep, to be stopped
 * however late that is. */
static void test_stopped(clockid_t clock, int flags)
{
    int status, may_exit[2];
    char byte;
    pid_t child;

    if (pipe(may_exit) != 0)
        tap_bail_out("pipe");
    child = fork();
    if (child == 0) {
        long long end = now_ns(clock) + 60 * MS;
        struct timespec time = spec(flags ? end : 60 * MS), left = {7, 7};
        int result = clock_nanosleep(clock, flags, &time, &left);
        bool full = now_ns(clock) >= end;

        close(may_exit[1]);
        _exit(result == 0 && full && read(may_exit[0], &byte, 1) == 0 ? 0 : 1);
    }
    await_sleep(child);
    kill(child, SIGSTOP);
    waitpid(child, &status, WUNTRACED);
    ok(WIFSTOPPED(status), "a sleeper stops");
    kill(child, SIGCONT);
    close(may_exit[0]);
    close(may_exit[1]);
    waitpid(child, &status, 0);
    ok(WIFEXITED(status) && WEXITSTATUS(status) == 0, "and sleeps on to its end, flags %d", flags);
}

/* Until the process has used so much CPU time; a child's, since a sleeper uses none. */
static void test_cpu_sleep(void)
{
    volatile int *go = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t child = fork();
    clockid_t clock;
    struct timespec time;

    if (child == 0) {
        *go = 1;
        for (;;)
            ;
    }
    while (!*go)
        usleep(1000);
    clock_getcpuclockid(child, &clock);
    time = spec(now_ns(clock) + 20 * MS);
    is_int(clock_nanosleep(clock, TIMER_ABSTIME, &time, NULL), 0, "a sleep by a child's CPU clock");
    ok(now_ns(clock) >= time.tv_sec * 1000000000ll + time.tv_nsec, "which is not too short");
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    time = spec(1000 * MS);
    is_error(INTERRUPTED(sys_clock_nanosleep(CLOCK_PROCESS_CPUTIME_ID, 0, &time, &time)), EINTR,
             "a sleep by one's own CPU clock is interrupted");
}

#define SLEEPERS 100

struct wakes {
    _Atomic int woken, early;
};

/* They begin to sleep when all are there, and wake one after another. */
static void test_many(void)
{
    struct wakes *wakes =
        mmap(NULL, sizeof(*wakes), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int gate[2];
    char byte;

    if (wakes == MAP_FAILED || pipe(gate) != 0)
        tap_bail_out("mmap or pipe");
    for (int i = 0; i < SLEEPERS; i++)
        if (fork() == 0) {
            close(gate[1]);
            if (read(gate[0], &byte, 1) != 0)
                _exit(1);
            /* Not in the order of their births. */
            long long wake = now_ns(CLOCK_MONOTONIC) + i * 77 % SLEEPERS * 2 * MS;
            struct timespec time = spec(wake);

            clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
            wakes->early += now_ns(CLOCK_MONOTONIC) < wake;
            wakes->woken++;
            _exit(0);
        }
    close(gate[1]);
    while (wait(NULL) > 0)
        continue;
    is_int(wakes->woken, SLEEPERS, "all sleepers wake");
    is_int(wakes->early, 0, "none early");
}

int main(void)
{
    test_errors();
    test_duration();
    test_interrupted();
    test_stopped(CLOCK_MONOTONIC, 0);
    test_stopped(CLOCK_MONOTONIC, TIMER_ABSTIME);
    test_cpu_sleep();
    test_many();
    return tap_done();
}
