/* Policies, priorities, affinity: what the calls take, keep and refuse. */
#define _GNU_SOURCE
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "tap.h"

#ifndef SCHED_BATCH
#define SCHED_BATCH 3
#endif
#ifndef SCHED_IDLE
#define SCHED_IDLE 5
#endif
#ifndef SCHED_RESET_ON_FORK
#define SCHED_RESET_ON_FORK 0x40000000
#endif

#define NOBODY 0x3ffffff

/* The C library has its own ideas about some of these. */
static long set_policy(int pid, int policy, int priority)
{
    return syscall(SYS_sched_setscheduler, pid, policy, &priority);
}

static long get_policy(int pid)
{
    return syscall(SYS_sched_getscheduler, pid);
}

static int get_priority(int pid)
{
    int priority = -1;

    syscall(SYS_sched_getparam, pid, &priority);
    return priority;
}

/* Every policy × some priorities. */
static void test_set_table(void)
{
    static const int policies[] = {-1,
                                   SCHED_OTHER,
                                   SCHED_FIFO,
                                   SCHED_RR,
                                   SCHED_BATCH,
                                   4,
                                   SCHED_IDLE,
                                   6,
                                   7,
                                   SCHED_RESET_ON_FORK,
                                   SCHED_RESET_ON_FORK | SCHED_RR,
                                   SCHED_RESET_ON_FORK | 4,
                                   0x20000000};
    static const int priorities[] = {-1, 0, 1, 50, 99, 100};

    for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]); i++)
        for (size_t j = 0; j < sizeof(priorities) / sizeof(priorities[0]); j++) {
            int error = set_policy(0, policies[i], priorities[j]) == 0 ? 0 : errno;

            tap_line("# policy %#x, priority %d: %s, then policy %#lx, priority %d\n",
                     (unsigned)policies[i], priorities[j], error_name(error), get_policy(0),
                     get_priority(0));
        }
    set_policy(0, SCHED_OTHER, 0);
}

static void test_errors(void)
{
    int priority = 0;

    is_error(syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, NULL), EINVAL,
             "setscheduler: no param");
    is_error(syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, (void *)8), EFAULT,
             "setscheduler: bad address");
    is_error(syscall(SYS_sched_setscheduler, -1, SCHED_OTHER, (void *)8), EINVAL,
             "setscheduler: negative pid");
    is_error(syscall(SYS_sched_setscheduler, NOBODY, 77, &priority), ESRCH, "setscheduler: nobody");
    is_error(syscall(SYS_sched_setparam, 0, NULL), EINVAL, "setparam: no param");
    is_error(syscall(SYS_sched_setparam, -1, &priority), EINVAL, "setparam: negative pid");
    is_error(syscall(SYS_sched_setparam, NOBODY, &priority), ESRCH, "setparam: nobody");
    is_int(syscall(SYS_sched_setparam, 0, &priority), 0, "setparam: 0 for an ordinary process");
    priority = 1;
    is_error(syscall(SYS_sched_setparam, 0, &priority), EINVAL,
             "setparam: 1 for an ordinary process");
    is_error(syscall(SYS_sched_getscheduler, -1), EINVAL, "getscheduler: negative pid");
    is_error(syscall(SYS_sched_getscheduler, NOBODY), ESRCH, "getscheduler: nobody");
    is_error(syscall(SYS_sched_getparam, 0, NULL), EINVAL, "getparam: no param");
    is_error(syscall(SYS_sched_getparam, 0, (void *)8), EFAULT, "getparam: bad address");
    is_error(syscall(SYS_sched_getparam, -1, &priority), EINVAL, "getparam: negative pid");
    is_error(syscall(SYS_sched_getparam, NOBODY, &priority), ESRCH, "getparam: nobody");
    for (int policy = -1; policy <= 6; policy++) {
        long max = syscall(SYS_sched_get_priority_max, policy);
        long min = syscall(SYS_sched_get_priority_min, policy);

        tap_line("# policy %d: priorities %ld to %ld\n", policy, min, max);
    }
}

static void test_interval(void)
{
    struct timespec time = {-1, -1};

    set_policy(0, SCHED_RR, 1);
    syscall(SYS_sched_rr_get_interval, 0, &time);
    is_int(time.tv_sec * 1000000000 + time.tv_nsec, 100000000, "the round robin interval");
    set_policy(0, SCHED_FIFO, 1);
    syscall(SYS_sched_rr_get_interval, 0, &time);
    is_int(time.tv_sec * 1000000000 + time.tv_nsec, 0, "none for FIFO");
    set_policy(0, SCHED_OTHER, 0);
    is_int(syscall(SYS_sched_rr_get_interval, 0, &time), 0, "an interval for everybody");
    is_error(syscall(SYS_sched_rr_get_interval, 0, (void *)8), EFAULT, "interval: bad address");
    is_error(syscall(SYS_sched_rr_get_interval, -1, &time), EINVAL, "interval: negative pid");
    is_error(syscall(SYS_sched_rr_get_interval, NOBODY, &time), ESRCH, "interval: nobody");
}

/* In a child, whose exit status counts failed checks; its lines are the parent's. */
static void in_child(void (*test)(void))
{
    int status, count = tap_count;
    pid_t child = fork();

    if (child == 0) {
        test();
        _exit(tap_count - count + (tap_failed ? 100 : 0));
    }
    waitpid(child, &status, 0);
    if (WEXITSTATUS(status) >= 100)
        tap_failed++;
    tap_count = count + WEXITSTATUS(status) % 100;
}

static void check_inherited(void)
{
    is_int(get_policy(0), SCHED_RR, "a child has its parent's policy");
    is_int(get_priority(0), 7, "and priority");
    is_int(getpriority(PRIO_PROCESS, 0), 3, "and nice value");
}

static void check_reset(void)
{
    is_int(get_policy(0), SCHED_OTHER, "reset on fork: an ordinary child");
    is_int(get_priority(0), 0, "without priority");
    is_int(getpriority(PRIO_PROCESS, 0), 0, "at nice 0");
}

static void check_reset_nice(void)
{
    is_int(get_policy(0), SCHED_BATCH, "reset on fork: batch stays");
    is_int(getpriority(PRIO_PROCESS, 0), 0, "a negative nice value does not");
}

static void test_inheritance(void)
{
    setpriority(PRIO_PROCESS, 0, 3);
    set_policy(0, SCHED_RR, 7);
    in_child(check_inherited);
    set_policy(0, SCHED_RR | SCHED_RESET_ON_FORK, 7);
    in_child(check_reset);
    set_policy(0, SCHED_BATCH | SCHED_RESET_ON_FORK, 0);
    setpriority(PRIO_PROCESS, 0, -4);
    in_child(check_reset_nice);
    setpriority(PRIO_PROCESS, 0, 0);
    set_policy(0, SCHED_OTHER, 0);
}

static void check_user(void)
{
    if (setuid(65534) != 0)
        _exit(101);
    is_error(set_policy(0, SCHED_RR, 1), EPERM, "a user: no realtime");
    is_error(set_policy(0, SCHED_RR, 0), EINVAL, "a user: what is invalid is looked at first");
    is_int(set_policy(0, SCHED_OTHER, 0), 0, "a user: ordinary");
    is_int(set_policy(0, SCHED_IDLE, 0), 0, "a user: idle");
    is_error(set_policy(0, SCHED_OTHER, 0), EPERM, "a user: and not back");
    is_error(set_policy(getppid(), SCHED_OTHER, 0), EPERM, "a user: another's process");
    is_error(sched_setaffinity(getppid(), sizeof(cpu_set_t), &(cpu_set_t){{~0ul}}), EPERM,
             "a user: another's affinity");
    is_int(get_policy(getppid()), SCHED_OTHER, "a user: may look");
}

static void check_user_reset(void)
{
    if (setuid(65534) != 0)
        _exit(101);
    is_int(set_policy(0, SCHED_BATCH | SCHED_RESET_ON_FORK, 0), 0, "a user: reset on fork");
    is_error(set_policy(0, SCHED_BATCH, 0), EPERM, "a user: which stays");
}

static void test_affinity(void)
{
    unsigned long mask[16] = {0}, one, none = 0, far[16] = {0};
    unsigned first, cpu = 99, node = 99;
    long size = syscall(SYS_sched_getaffinity, 0, sizeof(mask), mask);

    ok(size >= 8 && size % 8 == 0, "getaffinity returns the size of the mask");
    ok(mask[0] != 0, "with a CPU in it");
    first = (unsigned)__builtin_ctzl(mask[0]);
    one = 1ul << first;
    is_error(syscall(SYS_sched_getaffinity, 0, 0, mask), EINVAL, "getaffinity: no room");
    is_error(syscall(SYS_sched_getaffinity, 0, 9, mask), EINVAL, "getaffinity: part of a word");
    is_error(syscall(SYS_sched_getaffinity, 0, sizeof(mask), (void *)8), EFAULT,
             "getaffinity: bad address");
    is_error(syscall(SYS_sched_getaffinity, NOBODY, sizeof(mask), mask), ESRCH,
             "getaffinity: nobody");
    is_error(syscall(SYS_sched_setaffinity, 0, sizeof(one), (void *)8), EFAULT,
             "setaffinity: bad address");
    is_error(syscall(SYS_sched_setaffinity, NOBODY, sizeof(one), &one), ESRCH,
             "setaffinity: nobody");
    is_error(syscall(SYS_sched_setaffinity, 0, sizeof(none), &none), EINVAL, "setaffinity: no CPU");
    is_error(syscall(SYS_sched_setaffinity, 0, 0, &one), EINVAL, "setaffinity: an empty mask");
    far[15] = 1;
    is_error(syscall(SYS_sched_setaffinity, 0, sizeof(far), far), EINVAL,
             "setaffinity: a CPU that is not there");
    is_int(syscall(SYS_sched_setaffinity, 0, sizeof(one), &one), 0, "setaffinity: that CPU");
    is_int(syscall(SYS_getcpu, &cpu, &node, NULL), 0, "getcpu");
    is_int(cpu, first, "it is on it");
    is_int(node, 0, "of node 0");
    mask[0] = 0;
    syscall(SYS_sched_getaffinity, 0, sizeof(mask), mask);
    ok(mask[0] == one, "the mask is kept");
    is_int(syscall(SYS_sched_setaffinity, 0, first / 8 + 1, &one), 0,
           "setaffinity: no more bytes of mask than it takes");
    far[0] = ~0ul;
    is_int(syscall(SYS_sched_setaffinity, 0, sizeof(far), far), 0, "setaffinity: all CPUs");
    is_error(syscall(SYS_getcpu, (void *)8, NULL, NULL), EFAULT, "getcpu: bad address");
    is_error(syscall(SYS_getcpu, NULL, (void *)8, NULL), EFAULT, "getcpu: bad node address");
    is_int(syscall(SYS_getcpu, NULL, NULL, NULL), 0, "getcpu: nothing asked");
    is_int(syscall(SYS_sched_yield), 0, "yield");
}

int main(void)
{
    is_int(get_policy(0), SCHED_OTHER, "an ordinary process");
    is_int(get_priority(0), 0, "has no priority");
    test_errors();
    test_set_table();
    test_interval();
    test_inheritance();
    in_child(check_user);
    in_child(check_user_reset);
    test_affinity();
    return tap_done();
}
