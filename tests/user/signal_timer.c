/* alarm, setitimer, getitimer, timer_create and its family, timerfd, RLIMIT_CPU: what a program
 * sees. */
#include <poll.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>

#include "raw_signal.h"
#include "tap.h"

static volatile sig_atomic_t calls, code, value, timer_seen, overruns;

static void note(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)context;
    calls++;
    code = info->si_code;
    value = info->si_value.sival_int;
    timer_seen = info->si_timerid;
    overruns = info->si_overrun;
}

static void await(int wanted)
{
    while (calls < wanted)
        raw_suspend(0);
}

static void sleep_ms(int ms)
{
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};

    while (nanosleep(&time, &time) != 0)
        ;
}

static uint64_t now_us(clockid_t clock)
{
    struct timespec time;

    clock_gettime(clock, &time);
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

/* What alarm says of `seconds` that were set at `since`: rounded to the next whole second. */
static bool is_rest(unsigned said, unsigned seconds, uint64_t since)
{
    uint64_t elapsed = now_us(CLOCK_MONOTONIC) - since;

    return said <= seconds && said + (elapsed + 500000) / 1000000 >= seconds;
}

/* --- alarm and ITIMER_REAL --- */

static void test_real(void)
{
    struct itimerval setting = {{0, 0}, {0, 5000}}, old, off = {{0, 0}, {0, 0}};
    uint64_t since = now_us(CLOCK_MONOTONIC);
    struct timespec zero = {0, 0};

    raw_handle(SIGALRM, note, SA_SIGINFO);
    is_int(alarm(0), 0, "no alarm is set");
    is_int(alarm(100), 0, "an alarm in 100 s");
    ok(is_rest(alarm(500), 100, since), "which the next one replaces");
    since = now_us(CLOCK_MONOTONIC);
    is_int(getitimer(ITIMER_REAL, &old), 0, "getitimer shows it");
    ok(old.it_value.tv_sec >= 400 && old.it_value.tv_sec < 500 && old.it_interval.tv_sec == 0,
       "less than 500 s are left");
    ok(is_rest(alarm(0), 500, since), "taken back");
    calls = 0;
    is_int(setitimer(ITIMER_REAL, &setting, NULL), 0, "5 ms");
    await(1);
    is_int(code, SI_KERNEL, "SIGALRM by the kernel");
    getitimer(ITIMER_REAL, &old);
    ok(old.it_value.tv_sec == 0 && old.it_value.tv_usec == 0, "then it is over");
    setting.it_interval.tv_usec = 2000;
    setitimer(ITIMER_REAL, &setting, NULL);
    calls = 0;
    await(5);
    ok(true, "five periods");
    setitimer(ITIMER_REAL, &off, &old);
    is_int(old.it_interval.tv_usec, 2000, "the old interval");
    raw_wait(RAW_BIT(SIGALRM), NULL, &zero); /* of a period that had passed by then */
    setting = (struct itimerval){{500, 0}, {0, 5000}};
    calls = 0;
    setitimer(ITIMER_REAL, &setting, NULL);
    await(1);
    setitimer(ITIMER_REAL, &off, &old);
    is_int(old.it_interval.tv_sec, 500, "and a longer one");
    ok(old.it_value.tv_sec >= 400 && old.it_value.tv_sec <= 500, "and what was left of it");
    raw_mask(SIG_SETMASK, 0);
    calls = 0;
    sleep_ms(5);
    is_int(calls, 0, "none comes after that");
    raw_mask(SIG_SETMASK, RAW_BIT(SIGALRM));
}

static void test_real_errors(void)
{
    struct itimerval setting = {{0, 0}, {0, 1000000}};

    is_error(setitimer(ITIMER_REAL, &setting, NULL), EINVAL, "a million microseconds");
    setting.it_value.tv_usec = -1;
    is_error(setitimer(ITIMER_REAL, &setting, NULL), EINVAL, "negative ones");
    setting = (struct itimerval){{0, 0}, {-1, 0}};
    is_error(setitimer(ITIMER_REAL, &setting, NULL), EINVAL, "negative seconds");
    is_error(syscall(SYS_setitimer, 3, NULL, NULL), EINVAL, "a timer that does not exist");
    is_error(syscall(SYS_getitimer, 3, &setting), EINVAL, "nor to getitimer");
    is_error(syscall(SYS_setitimer, ITIMER_REAL, (void *)8, NULL), EFAULT, "a bad address");
    is_error(syscall(SYS_getitimer, ITIMER_REAL, (void *)8), EFAULT, "a bad result address");
    is_int(syscall(SYS_setitimer, ITIMER_REAL, NULL, NULL), 0, "no new value is zero");
}

/* Centuries, and an interval without a first expiry: what each timer then tells. */
static void test_long_intervals(void)
{
    static const struct itimerval settings[] = {
        {{0x1ffffffff, 20}, {30, 40}},
        {{0x1ffffffff, 20}, {0, 0}},
        {{1l << 40, 0}, {1l << 40, 0}},
    };
    struct itimerval off = {{0, 0}, {0, 0}}, old;

    for (int which = ITIMER_REAL; which <= ITIMER_PROF; which++)
        for (size_t i = 0; i < sizeof(settings) / sizeof(*settings); i++) {
            is_int(setitimer(which, &settings[i], NULL), 0, "timer %d, setting %zu", which, i);
            setitimer(which, &off, &old);
            ok(true, "an interval of %ld s and %ld us; %s", old.it_interval.tv_sec,
               old.it_interval.tv_usec, old.it_value.tv_sec ? "armed" : "not armed");
        }
}

static void spin_until(int wanted)
{
    while (calls < wanted)
        ;
}

static void test_cpu_intervals(void)
{
    struct itimerval setting = {{0, 20000}, {0, 20000}}, off = {{0, 0}, {0, 0}};
    uint64_t before;

    raw_handle(SIGVTALRM, note, SA_SIGINFO);
    raw_handle(SIGPROF, note, SA_SIGINFO);
    calls = 0;
    before = now_us(CLOCK_PROCESS_CPUTIME_ID);
    setitimer(ITIMER_VIRTUAL, &setting, NULL);
    spin_until(3);
    setitimer(ITIMER_VIRTUAL, &off, NULL);
    ok(now_us(CLOCK_PROCESS_CPUTIME_ID) - before >= 30000, "SIGVTALRM: three times 20 ms of CPU");
    calls = 0;
    before = now_us(CLOCK_PROCESS_CPUTIME_ID);
    setitimer(ITIMER_PROF, &setting, NULL);
    spin_until(3);
    setitimer(ITIMER_PROF, &off, NULL);
    ok(now_us(CLOCK_PROCESS_CPUTIME_ID) - before >= 30000, "SIGPROF: three times 20 ms of CPU");
    setting = (struct itimerval){{0, 0}, {0, 50000}};
    calls = 0;
    setitimer(ITIMER_VIRTUAL, &setting, NULL);
    sleep_ms(60);
    is_int(calls, 0, "asleep, no CPU time passes");
    setitimer(ITIMER_VIRTUAL, &off, NULL);
}

static void test_inheritance(void)
{
    struct itimerval setting = {{0, 0}, {100, 0}}, inherited;
    uint64_t since = now_us(CLOCK_MONOTONIC);
    int status;
    pid_t child;

    setitimer(ITIMER_REAL, &setting, NULL);
    child = fork();
    if (child == 0) {
        getitimer(ITIMER_REAL, &inherited);
        _exit(inherited.it_value.tv_sec == 0 && inherited.it_value.tv_usec == 0 ? 0 : 1);
    }
    waitpid(child, &status, 0);
    is_int(status, 0, "a child inherits no interval timer");
    ok(is_rest(alarm(0), 100, since), "the parent's goes on");
}

/* --- timer_create --- */

static int create(clockid_t clock, int notify, int signal, int *id)
{
    struct sigevent event = {.sigev_notify = notify, .sigev_signo = signal};

    event.sigev_value.sival_int = 1234;
    return (int)syscall(SYS_timer_create, clock, &event, id);
}

static int set(int id, int flags, long value_ms, long interval_us, struct itimerspec *old)
{
    struct itimerspec setting = {
        .it_value = {value_ms / 1000, value_ms % 1000 * 1000000},
        .it_interval = {interval_us / 1000000, interval_us % 1000000 * 1000},
    };

    return (int)syscall(SYS_timer_settime, id, flags, &setting, old);
}

static void test_posix(void)
{
    struct itimerspec setting;
    int first, second;

    raw_handle(40, note, SA_SIGINFO);
    raw_mask(SIG_BLOCK, RAW_BIT(40));
    is_int(create(CLOCK_MONOTONIC, SIGEV_SIGNAL, 40, &first), 0, "a timer");
    is_int(create(CLOCK_REALTIME, SIGEV_SIGNAL, 40, &second), 0, "another");
    is_int(second - first, 1, "their ids follow each other");
    is_int(syscall(SYS_timer_gettime, first, &setting), 0, "it is not armed");
    ok(setting.it_value.tv_sec == 0 && setting.it_value.tv_nsec == 0, "at first");
    calls = 0;
    is_int(set(first, 0, 5, 0, NULL), 0, "5 ms");
    await(1);
    is_int(code, SI_TIMER, "SI_TIMER");
    is_int(value, 1234, "with its value");
    is_int(timer_seen, first, "and its id");
    is_int(overruns, 0, "and no overrun");
    is_int(set(second, 0, 500000, 5000, NULL), 0, "500 s, then every 5 ms");
    is_int(set(second, 0, 0, 0, &setting), 0, "disarmed");
    ok(setting.it_value.tv_sec >= 400 && setting.it_value.tv_sec < 500, "less than 500 s are left");
    is_int(setting.it_interval.tv_nsec, 5000000, "the interval is told");
    is_int(syscall(SYS_timer_getoverrun, first), 0, "timer_getoverrun");
    is_int(syscall(SYS_timer_delete, first), 0, "deleted");
    is_error(syscall(SYS_timer_delete, first), EINVAL, "it is gone");
    is_error(syscall(SYS_timer_gettime, first, &setting), EINVAL, "for timer_gettime");
    is_error(set(first, 0, 1, 0, NULL), EINVAL, "and for timer_settime");
    syscall(SYS_timer_delete, second);
}

/* Blocked for many periods: one signal, whose overrun says how many. */
static void test_overrun(void)
{
    uint64_t since = now_us(CLOCK_MONOTONIC), before, periods;
    struct timespec zero = {0, 0};
    siginfo_t info;
    int id, overrun;

    create(CLOCK_MONOTONIC, SIGEV_SIGNAL, 41, &id);
    raw_mask(SIG_BLOCK, RAW_BIT(41));
    set(id, 0, 1, 1000, NULL);
    sleep_ms(25);
    is_int(raw_wait(RAW_BIT(41), &info, &zero), 41, "one signal for many periods");
    before = now_us(CLOCK_MONOTONIC);
    periods = (before - since) / 1000;
    overrun = info.si_overrun;
    ok(overrun >= 20 && overrun <= (int)periods, "its overrun tells the others");
    is_int(syscall(SYS_timer_getoverrun, id), overrun, "as timer_getoverrun does");
    sleep_ms(5);
    is_int(raw_wait(RAW_BIT(41), &info, &zero), 41, "the periods go on");
    periods = (now_us(CLOCK_MONOTONIC) - since) / 1000;
    ok(info.si_overrun >= 1 && overrun + info.si_overrun < (int)periods, "counted anew");
    set(id, 0, 0, 0, NULL);
    raw_wait(RAW_BIT(41), &info, &zero);
    sleep_ms(3);
    is_error(raw_wait(RAW_BIT(41), &info, &zero), EAGAIN, "disarmed, none comes");
    set(id, 0, 1, 0, NULL);
    sleep_ms(4);
    syscall(SYS_timer_delete, id);
    ok(true, "a timer with a pending signal is deleted");
    raw_wait(RAW_BIT(41), &info, &zero);
}

static void test_notify(void)
{
    struct sigevent event = {.sigev_notify = 4, .sigev_signo = 42};
    struct itimerspec setting;
    struct timespec until;
    siginfo_t info;
    int id;

    raw_mask(SIG_BLOCK, RAW_BIT(42) | RAW_BIT(SIGALRM));
    is_int(create(CLOCK_MONOTONIC, SIGEV_NONE, 0, &id), 0, "SIGEV_NONE");
    set(id, 0, 2, 0, NULL);
    sleep_ms(4);
    syscall(SYS_timer_gettime, id, &setting);
    ok(setting.it_value.tv_sec == 0 && setting.it_value.tv_nsec == 0, "runs out silently");
    set(id, 0, 2, 500000000, NULL);
    sleep_ms(4);
    syscall(SYS_timer_gettime, id, &setting);
    ok(setting.it_value.tv_sec >= 400 && setting.it_value.tv_sec < 500 &&
           setting.it_interval.tv_sec == 500,
       "or goes on");
    syscall(SYS_timer_delete, id);
    memcpy((char *)&event + 16, &(int){(int)syscall(SYS_gettid)}, 4);
    is_int(syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &id), 0, "SIGEV_THREAD_ID");
    clock_gettime(CLOCK_MONOTONIC, &until);
    setting = (struct itimerspec){.it_value = until};
    syscall(SYS_timer_settime, id, TIMER_ABSTIME, &setting, NULL);
    is_int(raw_wait(RAW_BIT(42), &info, NULL), 42, "an absolute time that has passed");
    syscall(SYS_timer_delete, id);
    is_int(syscall(SYS_timer_create, CLOCK_REALTIME, NULL, &id), 0, "no sigevent");
    set(id, 0, 1, 0, NULL);
    is_int(raw_wait(RAW_BIT(SIGALRM), &info, NULL), SIGALRM, "is SIGALRM");
    is_int(info.si_value.sival_int, id, "with the id as value");
    syscall(SYS_timer_delete, id);
}

static void test_cpu_clock(void)
{
    uint64_t before = now_us(CLOCK_PROCESS_CPUTIME_ID);
    int id;

    raw_mask(SIG_UNBLOCK, RAW_BIT(40));
    is_int(create(CLOCK_PROCESS_CPUTIME_ID, SIGEV_SIGNAL, 40, &id), 0, "a timer of CPU time");
    calls = 0;
    set(id, 0, 20, 20000, NULL);
    spin_until(2);
    ok(now_us(CLOCK_PROCESS_CPUTIME_ID) - before >= 30000, "fires after twice 20 ms of it");
    syscall(SYS_timer_delete, id);
    raw_mask(SIG_BLOCK, RAW_BIT(40));
}

static void test_posix_errors(void)
{
    struct sigevent event = {.sigev_notify = 4, .sigev_signo = 40};
    int id;

    is_error(create(99, SIGEV_SIGNAL, 40, &id), EINVAL, "no such clock");
    is_error(create(CLOCK_MONOTONIC_COARSE, SIGEV_SIGNAL, 40, &id), EOPNOTSUPP, "a coarse clock");
    is_error(create(CLOCK_MONOTONIC, SIGEV_SIGNAL, 0, &id), EINVAL, "signal 0");
    is_error(create(CLOCK_MONOTONIC, SIGEV_SIGNAL, 65, &id), EINVAL, "signal 65");
    is_error(create(CLOCK_MONOTONIC, 7, 40, &id), EINVAL, "an unknown way to notify");
    memcpy((char *)&event + 16, &(int){1}, 4);
    is_error(syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &id), EINVAL, "another's thread");
    is_error(syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, (void *)8), EFAULT, "a bad address");
    syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, &id);
    is_error(syscall(SYS_timer_settime, id, 0, NULL, NULL), EINVAL, "no setting");
    is_error(syscall(SYS_timer_settime, id, 0, (void *)8, NULL), EFAULT, "a bad setting");
    is_error(syscall(SYS_timer_gettime, id, (void *)8), EFAULT, "a bad result");
    is_error(syscall(SYS_timer_getoverrun, -1), EINVAL, "no such timer");
    syscall(SYS_timer_delete, id);
}

int main(void)
{
    raw_mask(SIG_SETMASK, RAW_BIT(SIGALRM));
    test_real();
    test_real_errors();
    test_long_intervals();
    test_cpu_intervals();
    test_inheritance();
    test_posix();
    test_overrun();
    test_notify();
    test_cpu_clock();
    test_posix_errors();
    return tap_done();
}
