/*
 * A storm: many processes signal one another at random. Every real-time signal that was sent is
 * received once, and those of one sender and number in the order of sending; nothing is lost,
 * nothing is left.
 *
 *     signal_storm [PROCESSES [MILLISECONDS]]     8 for 300 ms; the issue's: 64 60000
 *
 * First without, then with SIGSTOP and SIGCONT among what is sent; in the end all are killed in the
 * midst.
 */
#include <sched.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>

#include "raw_signal.h"
#include "tap.h"

#define PROCESS_MAX 64
#define FIRST       40 /* real-time signals that are counted: FIRST .. FIRST + KINDS - 1 */
#define KINDS       8
#define OUTSTANDING                                                                                \
    32 /* at most, of each process to each: RLIMIT_SIGPENDING is not for this test */

struct counters {
    _Atomic uint32_t sent, received;
};

static struct shared {
    _Atomic int ready, stop_sending, senders_done, finished, errors;
    pid_t pids[PROCESS_MAX];
    struct counters counters[PROCESS_MAX][PROCESS_MAX][KINDS]; /* [from][to][kind] */
    _Atomic uint64_t standard_received;
} * shared;

static int processes, self;

/* The value is from << 24 | number of this sender and kind, counted from 0. */
static void receive(int signal, siginfo_t *info, void *context)
{
    int kind = signal - FIRST;
    uint32_t value = (uint32_t)info->si_value.sival_int;
    int from = (int)(value >> 24);
    struct counters *counters;

    (void)context;
    if (info->si_code != SI_QUEUE || from >= processes || info->si_pid != shared->pids[from]) {
        shared->errors++;
        return;
    }
    counters = &shared->counters[from][self][kind];
    if ((counters->received & 0xffffff) != (value & 0xffffff))
        shared->errors++;
    counters->received++;
}

static void standard(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)info;
    (void)context;
    shared->standard_received++;
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void send_counted(int to, int kind)
{
    struct counters *counters = &shared->counters[self][to][kind];
    uint32_t number = counters->sent;

    if (number - counters->received >= OUTSTANDING)
        return;
    counters->sent = number + 1;
    while (raw_queue(shared->pids[to], FIRST + kind, SI_QUEUE,
                     (intptr_t)((uint32_t)self << 24 | (number & 0xffffff))) != 0)
        if (errno != EAGAIN) {
            shared->errors++;
            return;
        }
}

static void act(uint64_t random, bool with_stops)
{
    static const int standards[] = {SIGUSR1, SIGUSR2, SIGHUP, SIGINT, SIGTERM, SIGWINCH, SIGCHLD};
    int to = (int)((random >> 8) % (unsigned)processes);

    switch (random & 7) {
    case 0:
        kill(shared->pids[to], standards[(random >> 16) % 7]);
        break;
    case 1:
        raw_mask(SIG_SETMASK, random >> 20 & 0xffffffffffull);
        break;
    case 2:
        raw_mask(SIG_SETMASK, 0);
        break;
    case 3:
        if (with_stops && to != self)
            kill(shared->pids[to], random & 0x1000000 ? SIGSTOP : SIGCONT);
        else
            kill(shared->pids[to], 0);
        break;
    default:
        send_counted(to, (int)((random >> 16) % KINDS));
    }
}

static void handle_everything(void)
{
    struct raw_action action = {.flags = SA_SIGINFO | SA_RESTART | SA_RESTORER,
                                .restorer = raw_restorer};

    action.mask = ~0ull; /* so that handlers run in the order in which signals are taken */
    for (int signal = 1; signal <= 64; signal++) {
        bool counted = signal >= FIRST && signal < FIRST + KINDS;

        action.handler = counted ? receive : standard;
        if (signal != SIGKILL && signal != SIGSTOP && signal != SIGSEGV)
            raw_sigaction(signal, &action, NULL);
    }
}

static void member(bool with_stops)
{
    uint64_t random = 0x9e3779b97f4a7c15ull * (uint64_t)(self + 1);

    handle_everything();
    raw_mask(SIG_SETMASK, 0);
    shared->ready++;
    while (shared->ready < processes)
        sched_yield();
    while (!shared->stop_sending)
        act(next_random(&random), with_stops);
    raw_mask(SIG_SETMASK, 0);
    shared->senders_done++;
    /* Others may still be sending: whatever comes is received here. */
    while (!shared->finished)
        sched_yield();
    _exit(0);
}

static uint64_t balance(void)
{
    uint64_t missing = 0;

    for (int from = 0; from < processes; from++)
        for (int to = 0; to < processes; to++)
            for (int kind = 0; kind < KINDS; kind++)
                missing += shared->counters[from][to][kind].sent -
                           shared->counters[from][to][kind].received;
    return missing;
}

static void sleep_ms(int ms)
{
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};

    while (nanosleep(&time, &time) != 0)
        ;
}

static void start(bool with_stops)
{
    for (self = 0; self < processes; self++) {
        pid_t child = fork();

        if (child == 0) {
            shared->pids[self] = getpid();
            member(with_stops);
        }
        shared->pids[self] = child;
    }
}

static void continue_all(void)
{
    for (int i = 0; i < processes; i++)
        kill(shared->pids[i], SIGCONT);
}

/* All that stand still go on, until all have stopped sending; those that the last one stopped, too.
 */
static void finish_sending(void)
{
    shared->stop_sending = 1;
    while (shared->senders_done < processes) {
        continue_all();
        sleep_ms(1);
    }
    continue_all();
}

static int reap(int expected_signal)
{
    int wrong = 0, status;

    for (int i = 0; i < processes; i++) {
        waitpid(shared->pids[i], &status, 0);
        wrong += expected_signal ? !WIFSIGNALED(status) || WTERMSIG(status) != expected_signal
                                 : status != 0;
    }
    return wrong;
}

static void storm(int ms, bool with_stops)
{
    memset(shared, 0, sizeof(*shared));
    start(with_stops);
    sleep_ms(ms);
    finish_sending();
    for (int patience = 0; balance() != 0 && patience < 60000; patience++)
        sleep_ms(1);
    is_int((long long)balance(), 0, "every real-time signal sent was received%s",
           with_stops ? ", through stops" : "");
    is_int(shared->errors, 0, "once, in order, from whom it says");
    shared->finished = 1;
    is_int(reap(0), 0, "all %d processes ended well", processes);
}

/* SIGKILL in the middle of it all. */
static void massacre(int ms)
{
    memset(shared, 0, sizeof(*shared));
    start(true);
    sleep_ms(ms);
    for (int i = 0; i < processes; i++)
        kill(shared->pids[i], SIGKILL);
    is_int(reap(SIGKILL), 0, "%d processes killed in the storm", processes);
    is_error(waitpid(-1, NULL, 0), ECHILD, "nobody is left");
}

int main(int count, char **arguments)
{
    int ms = count > 2 ? atoi(arguments[2]) : 300;

    processes = count > 1 ? atoi(arguments[1]) : 8;
    if (processes > PROCESS_MAX)
        processes = PROCESS_MAX;
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        tap_bail_out("mmap");
    storm(ms, false);
    storm(ms, true);
    massacre(ms);
    return tap_done();
}
