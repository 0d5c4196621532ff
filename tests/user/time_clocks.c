/* The clocks: which there are, what they refuse, how they go. */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/wait.h>
#include <time.h>

#include "tap.h"

static long long to_ns(const struct timespec *time)
{
    return time->tv_sec * 1000000000ll + time->tv_nsec;
}

static long long now_ns(clockid_t clock)
{
    struct timespec time = {0, 0};

    if (syscall(SYS_clock_gettime, clock, &time) != 0)
        return -1;
    return to_ns(&time);
}

static int outcome(long result)
{
    return result == 0 ? 0 : errno;
}

/* Straight to the kernel: the C library must not answer itself. */
static void test_table(void)
{
    struct timespec time;

    for (int clock = -1; clock <= 13; clock++) {
        int gettime = outcome(syscall(SYS_clock_gettime, clock, &time));
        int getres = outcome(syscall(SYS_clock_getres, clock, &time));

        tap_line("# clock %d: gettime %s, getres %s %ld\n", clock, error_name(gettime),
                 error_name(getres), getres == 0 ? (long)to_ns(&time) : 0L);
    }
    is_error(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, (void *)8), EFAULT,
             "gettime: bad address");
    is_error(syscall(SYS_clock_gettime, 99, (void *)8), EINVAL,
             "gettime: the clock is looked at first");
    is_error(syscall(SYS_clock_getres, CLOCK_MONOTONIC, (void *)8), EFAULT, "getres: bad address");
    is_int(syscall(SYS_clock_getres, CLOCK_MONOTONIC, NULL), 0, "getres: no address is fine");
}

static void test_settime_errors(void)
{
    struct timespec good = {1000000000, 0}, bad = {1000000000, 1000000000}, old = {0, 0};

    is_error(syscall(SYS_clock_settime, CLOCK_MONOTONIC, &good), EINVAL, "settime: monotonic");
    is_error(syscall(SYS_clock_settime, CLOCK_PROCESS_CPUTIME_ID, &good), EINVAL,
             "settime: CPU time");
    is_error(syscall(SYS_clock_settime, 99, &good), EINVAL, "settime: no such clock");
    is_error(syscall(SYS_clock_settime, CLOCK_REALTIME, (void *)8), EFAULT, "settime: bad address");
    is_error(syscall(SYS_clock_settime, CLOCK_REALTIME, &bad), EINVAL, "settime: a second of ns");
    is_error(syscall(SYS_clock_settime, (int)(~(unsigned)getpid() << 3 | 2), &good), EPERM,
             "settime: a process's CPU clock");
    is_error(syscall(SYS_clock_settime, (int)(~0x3ffffffu << 3 | 2), &good), EINVAL,
             "settime: nobody's CPU clock");
    if (fork() == 0) {
        if (setuid(65534) != 0)
            _exit(1);
        is_error(syscall(SYS_clock_settime, CLOCK_REALTIME, &good), EPERM, "settime: a user");
        is_error(syscall(SYS_clock_settime, CLOCK_REALTIME, &bad), EINVAL,
                 "settime: a user, invalid time");
        _exit(0);
    }
    wait(NULL);
    tap_count += 2;
    is_error(syscall(SYS_clock_settime, CLOCK_REALTIME, &old), EINVAL, "settime: before the start");
}

static void test_monotonic(void)
{
    static const clockid_t clocks[] = {CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_BOOTTIME,
                                       CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID};

    for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
        long long last = now_ns(clocks[i]), first = last;
        bool rises = true;

        for (int round = 0; round < 20000; round++) {
            long long now = now_ns(clocks[i]);

            rises = rises && now >= last;
            last = now;
        }
        ok(rises && last > first, "clock %d never goes back, and moves", clocks[i]);
    }
}

static void test_agreement(void)
{
    long long before = now_ns(CLOCK_REALTIME), after;
    struct timeval of_day;
    time_t seconds = 0, result;
    long long us;

    syscall(SYS_gettimeofday, &of_day, NULL);
    after = now_ns(CLOCK_REALTIME);
    us = of_day.tv_sec * 1000000ll + of_day.tv_usec;
    ok(us >= before / 1000 && us <= after / 1000, "gettimeofday agrees with the clock");
    result = (time_t)syscall(SYS_time, &seconds);
    after = now_ns(CLOCK_REALTIME);
    /* Linux's time() is that of the last tick. */
    ok(result == seconds && seconds >= before / 1000000000 - 1 && seconds <= after / 1000000000,
       "time agrees with the clock");
    ok(before / 1000000000 > 1600000000, "the year is this century's");
    is_error(syscall(SYS_gettimeofday, (void *)8, NULL), EFAULT, "gettimeofday: bad address");
    is_error(syscall(SYS_gettimeofday, NULL, (void *)8), EFAULT, "gettimeofday: bad zone address");
    is_int(syscall(SYS_gettimeofday, NULL, NULL), 0, "gettimeofday: no address is fine");
    is_error(syscall(SYS_time, (void *)8), EFAULT, "time: bad address");
}

static void spin_for_cpu(long long ns)
{
    long long end = now_ns(CLOCK_THREAD_CPUTIME_ID) + ns;

    while (now_ns(CLOCK_THREAD_CPUTIME_ID) < end)
        ;
}

static void test_cpu_clocks(void)
{
    long long monotonic = now_ns(CLOCK_MONOTONIC), process = now_ns(CLOCK_PROCESS_CPUTIME_ID);
    struct timespec pause = {0, 30000000};
    long long thread;
    clockid_t clock = 0;

    spin_for_cpu(10000000);
    ok(now_ns(CLOCK_PROCESS_CPUTIME_ID) - process >= 10000000, "process time counts work");
    ok(now_ns(CLOCK_PROCESS_CPUTIME_ID) - process <= now_ns(CLOCK_MONOTONIC) - monotonic,
       "one thread's work takes no longer than it does");
    thread = now_ns(CLOCK_THREAD_CPUTIME_ID);
    nanosleep(&pause, NULL);
    ok(now_ns(CLOCK_THREAD_CPUTIME_ID) - thread < 25000000, "sleep is no CPU time");

    is_int(clock_getcpuclockid(0, &clock), 0, "clock_getcpuclockid of oneself");
    ok(now_ns(clock) >= now_ns(CLOCK_PROCESS_CPUTIME_ID) - 1000000000, "which is readable");
    ok(now_ns((int)(~(unsigned)gettid() << 3 | 6)) > 0, "the clock of one's own thread, by number");
    is_int(clock_getcpuclockid(1, &clock), 0, "clock_getcpuclockid of pid 1");
    is_error(syscall(SYS_clock_getres, (int)(~0x3ffffffu << 3 | 2), NULL), EINVAL,
             "the clock of nobody");
    ok(now_ns((int)(~(unsigned)getpid() << 3 | 1)) >= 0, "user time of oneself by number");
    is_error(syscall(SYS_clock_gettime, (int)(~1u << 3 | 6), &pause), EINVAL,
             "the thread clock of another process's thread");
}

/* A child's CPU clock, seen by its parent. */
static void test_other_process(void)
{
    volatile int *go = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    clockid_t clock;
    long long first;
    pid_t child = fork();

    if (child == 0) {
        *go = 1;
        for (;;)
            ;
    }
    while (!*go)
        usleep(1000);
    is_int(clock_getcpuclockid(child, &clock), 0, "clock_getcpuclockid of a child");
    first = now_ns(clock);
    while (now_ns(clock) < first + 5000000)
        usleep(1000);
    ok(true, "a running child's clock moves");
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    is_error(syscall(SYS_clock_gettime, clock, &(struct timespec){0}), EINVAL,
             "a reaped child has no clock");
}

static void test_times(void)
{
    struct tms times_before, times_after;
    long long start = now_ns(CLOCK_MONOTONIC), elapsed;
    clock_t before = times(&times_before), after;
    pid_t child;

    spin_for_cpu(60000000);
    child = fork();
    if (child == 0) {
        spin_for_cpu(60000000);
        _exit(0);
    }
    waitpid(child, NULL, 0);
    after = times(&times_after);
    elapsed = (now_ns(CLOCK_MONOTONIC) - start) / 10000000;
    ok(after - before >= 10 && after - before <= elapsed + 1, "times returns ticks of 10 ms");
    ok(times_after.tms_utime + times_after.tms_stime >=
           times_before.tms_utime + times_before.tms_stime + 5,
       "times: own");
    ok(times_after.tms_cutime + times_after.tms_cstime >= 5,
       "times: of a child that was waited for");
    is_error(syscall(SYS_times, (void *)8), EFAULT, "times: bad address");
    ok(syscall(SYS_times, NULL) >= after, "times: no address is fine");
}

int main(void)
{
    test_table();
    test_settime_errors();
    test_monotonic();
    test_agreement();
    test_cpu_clocks();
    test_other_process();
    test_times();
    return tap_done();
}
