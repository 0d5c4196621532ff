/* Pending sets: coalescing, the order and values of real-time signals, RLIMIT_SIGPENDING. */
#include <sys/resource.h>
#include <time.h>

#include "raw_signal.h"
#include "tap.h"

#define RECORD_MAX 256

static volatile int recorded;
static struct {
    int signal, code, value;
} volatile records[RECORD_MAX];

static void record(int signal, siginfo_t *info, void *context)
{
    (void)context;
    if (recorded < RECORD_MAX) {
        records[recorded].signal = signal;
        records[recorded].code = info->si_code;
        records[recorded].value = info->si_value.sival_int;
    }
    recorded++;
}

static void begin(void)
{
    recorded = 0;
    raw_mask(SIG_SETMASK, ~0ull);
}

static void finish(void)
{
    raw_mask(SIG_SETMASK, 0);
}

/* A handler's frame is pushed for each signal taken; so the last taken runs first, unless the
 * handlers block each other, as here. */
static void handle_all(void)
{
    struct raw_action action = {.handler = record,
                                .flags = SA_SIGINFO | SA_RESTORER,
                                .restorer = raw_restorer,
                                .mask = ~0ull};

    for (int signal = 1; signal <= 64; signal++)
        raw_sigaction(signal, &action, NULL);
}

static void test_coalescing(void)
{
    begin();
    for (int i = 0; i < 5; i++)
        raw_queue(getpid(), SIGUSR1, SI_QUEUE, i);
    finish();
    is_int(recorded, 1, "a standard signal sent 5 times comes once");
    is_int(records[0].value, 0, "with the first one's value");
    begin();
    kill(getpid(), SIGUSR1);
    syscall(SYS_tkill, (pid_t)syscall(SYS_gettid), SIGUSR1);
    finish();
    is_int(recorded, 2, "but once for the process and once for the thread");
    is_int(records[0].code, SI_TKILL, "the thread's first");
}

static void test_order(void)
{
    static const int sent[] = {40, 35, 64, 40, 35, 32, 40};
    static const int expected[][2] = {{32, 5}, {35, 1}, {35, 4}, {40, 0},
                                      {40, 3}, {40, 6}, {64, 2}};

    begin();
    for (int i = 0; i < 7; i++)
        raw_queue(getpid(), sent[i], SI_QUEUE, i);
    finish();
    is_int(recorded, 7, "seven real-time signals sent, seven come");
    for (int i = 0; i < 7; i++) {
        is_int(records[i].signal, expected[i][0], "in order of their numbers: place %d", i);
        is_int(records[i].value, expected[i][1], "and of sending: place %d", i);
    }
}

static void test_mixed_order(void)
{
    static const int sent[] = {50, SIGTERM, SIGUSR1, SIGHUP, 33, SIGSEGV};
    static const int expected[] = {SIGSEGV, SIGHUP, SIGUSR1, SIGTERM, 33, 50};

    begin();
    for (int i = 0; i < 6; i++)
        kill(getpid(), sent[i]);
    finish();
    is_int(recorded, 6, "six different signals");
    for (int i = 0; i < 6; i++)
        is_int(records[i].signal, expected[i], "faults, then by number: place %d", i);
}

static void test_nesting_order(void)
{
    begin();
    raw_handle(SIGUSR1, record, SA_SIGINFO);
    raw_handle(SIGUSR2, record, SA_SIGINFO);
    kill(getpid(), SIGUSR1);
    kill(getpid(), SIGUSR2);
    finish();
    is_int(records[0].signal, SIGUSR2,
           "handlers that do not block each other: the last runs first");
    is_int(records[1].signal, SIGUSR1, "then the first");
    handle_all();
}

static void test_many(void)
{
    begin();
    for (int i = 0; i < 200; i++)
        raw_queue(getpid(), 42, SI_QUEUE, i);
    finish();
    is_int(recorded, 200, "200 of the same");
    int right = 0;

    for (int i = 0; i < 200; i++)
        right += records[i].value == i;
    is_int(right, 200, "all in order");
}

static void limit(unsigned value)
{
    struct rlimit new_limit = {value, 1000};

    if (setrlimit(RLIMIT_SIGPENDING, &new_limit) != 0)
        tap_bail_out("setrlimit");
}

/* In a child with a uid of its own, so that nobody else's signals count. */
static void limited(void)
{
    begin();
    limit(3);
    for (int i = 0; i < 3; i++)
        is_int(raw_queue(getpid(), 40, SI_QUEUE, i), 0, "RLIMIT_SIGPENDING 3: number %d", i);
    is_error(raw_queue(getpid(), 40, SI_QUEUE, 3), EAGAIN, "the fourth is EAGAIN");
    is_error(raw_queue(getpid(), 41, SI_QUEUE, 3), EAGAIN, "so is another signal's");
    is_int(kill(getpid(), 41), 0, "kill always succeeds");
    is_int(kill(getpid(), SIGUSR1), 0, "kill with a standard signal");
    is_int(raw_queue(getpid(), SIGUSR2, SI_QUEUE, 9), 0, "sigqueue of a standard signal");
    finish();
    is_int(recorded, 6, "six come");
    is_int(records[0].signal, SIGUSR1, "the one by kill");
    is_int(records[0].code, SI_USER, "with its siginfo");
    is_int(records[1].signal, SIGUSR2, "the standard one by sigqueue");
    is_int(records[1].code, SI_USER, "whose siginfo is lost");
    is_int(records[1].value, 0, "and its value");
    is_int(records[5].signal, 41, "and the real-time one by kill");
    begin();
    limit(0);
    is_error(raw_queue(getpid(), 40, SI_QUEUE, 0), EAGAIN, "RLIMIT_SIGPENDING 0: EAGAIN");
    is_int(kill(getpid(), 40), 0, "but not for kill");
    is_int(kill(getpid(), 40), 0, "twice");
    finish();
    is_int(recorded, 1, "which come as one");
}

static void test_limit(void)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        /* Root may become somebody; another user must do with his own account. */
        if (getuid() == 0 && setuid(54321) != 0)
            tap_bail_out("setuid");
        limited();
        _exit(tap_count);
    }
    waitpid(child, &status, 0);
    tap_count = WEXITSTATUS(status);
}

static void test_wait_order(void)
{
    siginfo_t info;
    struct timespec zero = {0, 0};

    begin();
    raw_queue(getpid(), 45, SI_QUEUE, 1);
    raw_queue(getpid(), 44, SI_QUEUE, 2);
    kill(getpid(), SIGHUP);
    is_int(raw_wait(RAW_BIT(45) | RAW_BIT(44), &info, &zero), 44, "sigtimedwait takes the lowest");
    is_int(info.si_value.sival_int, 2, "with its value");
    is_int(raw_wait(~0ull, &info, &zero), SIGHUP, "then any");
    is_int(raw_wait(~0ull, &info, &zero), 45, "and the last");
    is_error(raw_wait(~0ull, &info, &zero), EAGAIN, "then there is none");
    finish();
}

int main(void)
{
    handle_all();
    test_coalescing();
    test_order();
    test_mixed_order();
    test_nesting_order();
    test_many();
    test_limit();
    test_wait_order();
    return tap_done();
}
