/* getrusage and its relatives: CPU time is exact, and goes where it belongs. */
#define _GNU_SOURCE
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <time.h>

#include "tap.h"

static long long now_ns(clockid_t clock)
{
    struct timespec time = {0, 0};

    clock_gettime(clock, &time);
    return time.tv_sec * 1000000000ll + time.tv_nsec;
}

static long long to_us(const struct timeval *time)
{
    return time->tv_sec * 1000000ll + time->tv_usec;
}

static long long usage_us(int who)
{
    struct rusage usage;

    getrusage(who, &usage);
    return to_us(&usage.ru_utime) + to_us(&usage.ru_stime);
}

static void spin(long long ns)
{
    long long end = now_ns(CLOCK_PROCESS_CPUTIME_ID) + ns;

    while (now_ns(CLOCK_PROCESS_CPUTIME_ID) < end)
        ;
}

static void test_errors(void)
{
    struct rusage usage;

    is_error(syscall(SYS_getrusage, 2, &usage), EINVAL, "getrusage: no such kind");
    is_error(syscall(SYS_getrusage, -2, &usage), EINVAL, "getrusage: no such kind either");
    is_error(syscall(SYS_getrusage, RUSAGE_SELF, (void *)8), EFAULT, "getrusage: bad address");
    is_error(syscall(SYS_sysinfo, (void *)8), EFAULT, "sysinfo: bad address");
}

static void test_self(void)
{
    long long self = usage_us(RUSAGE_SELF), thread = usage_us(RUSAGE_THREAD);

    spin(20000000);
    ok(usage_us(RUSAGE_SELF) - self >= 19000, "work counts for the process");
    ok(usage_us(RUSAGE_THREAD) - thread >= 19000, "and for its thread");
    is_int(usage_us(RUSAGE_CHILDREN), 0, "not for children that it never had");
}

/* Children of any number and length: their time is in what wait4 tells, and in RUSAGE_CHILDREN. */
static void test_children(void)
{
    long long before = usage_us(RUSAGE_CHILDREN), told = 0;
    bool all_counted = true;

    for (int i = 0; i < 8; i++) {
        struct rusage usage;
        pid_t child = fork();

        if (child == 0) {
            spin(i * 2000000ll);
            _exit(0);
        }
        wait4(child, NULL, 0, &usage);
        all_counted =
            all_counted && to_us(&usage.ru_utime) + to_us(&usage.ru_stime) >= i * 2000 - 1;
        told += to_us(&usage.ru_utime) + to_us(&usage.ru_stime);
    }
    ok(all_counted, "wait4 tells each child's time");
    ok(usage_us(RUSAGE_CHILDREN) - before >= told - 10 &&
           usage_us(RUSAGE_CHILDREN) - before <= told + 20,
       "RUSAGE_CHILDREN is their sum");
}

/* A process of some microseconds has used some time. */
static void test_short_life(void)
{
    struct rusage usage;
    pid_t child = fork();

    if (child == 0)
        _exit(0);
    wait4(child, NULL, 0, &usage);
    ok(to_us(&usage.ru_utime) + to_us(&usage.ru_stime) > 0, "a short life is not free");
}

static void test_switches(void)
{
    struct timespec pause = {0, 1000000};
    struct rusage before, after;

    getrusage(RUSAGE_SELF, &before);
    for (int i = 0; i < 20; i++)
        nanosleep(&pause, NULL);
    getrusage(RUSAGE_SELF, &after);
    /* A sleep that is over before it began is none: a busy machine has some of these. */
    ok(after.ru_nvcsw - before.ru_nvcsw >= 5, "sleeps are voluntary switches");
    ok(after.ru_maxrss > 0, "some memory was resident");
    ok(after.ru_minflt > 0, "some pages were touched");
}

static void test_sysinfo(void)
{
    struct sysinfo info;
    unsigned long before = (unsigned long)now_ns(CLOCK_BOOTTIME) / 1000000000, after;

    is_int(sysinfo(&info), 0, "sysinfo");
    after = (unsigned long)now_ns(CLOCK_BOOTTIME) / 1000000000;
    /* Rounded up. */
    ok((unsigned long)info.uptime >= before && (unsigned long)info.uptime <= after + 1,
       "the uptime is that of the clock");
    ok(info.totalram > 0 && info.freeram > 0 && info.freeram < info.totalram, "memory");
    ok(info.procs > 0, "processes");
    is_int(info.mem_unit, 1, "in bytes");
}

int main(void)
{
    test_errors();
    test_self();
    test_children();
    test_short_life();
    test_switches();
    test_sysinfo();
    return tap_done();
}
