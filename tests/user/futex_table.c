/* Waiting on words of memory that processes share: futex(2) itself, and the libraries' semaphores,
 * mutexes, conditions and barriers that stand on it. */
#define _GNU_SOURCE
#include "tap.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#define WORKERS 4
#define TURNS   2000

static struct shared {
    _Atomic int word, other;
    sem_t empty, full;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    pthread_barrier_t barrier;
    long counter;
    int turn;
    _Atomic int arrived;
} * shared;

static long futex(volatile void *word, int operation, int value, const struct timespec *time,
                  unsigned bits)
{
    return syscall(SYS_futex, word, operation, value, time, NULL, bits);
}

static int exit_status(pid_t child)
{
    int status = -1;

    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/* Wakes until `count` are awake: they may not sleep yet. */
static void wake_all(volatile void *word, int operation, int count, unsigned bits)
{
    while (count > 0) {
        long woken = futex(word, operation, count, NULL, bits);

        if (woken < 0 || woken > count)
            tap_bail_out("FUTEX_WAKE");
        count -= (int)woken;
        sched_yield();
    }
}

static void test_errors(void)
{
    static const struct timespec none = {0, 0}, negative = {-1, 0}, much = {0, 1000000000};
    char *bytes = (char *)&shared->word;

    shared->word = 1;
    is_error(futex(&shared->word, FUTEX_WAIT, 2, NULL, 0), EAGAIN, "another value");
    is_error(futex(&shared->word, FUTEX_WAIT_PRIVATE, 2, NULL, 0), EAGAIN, "the same, private");
    is_error(futex(&shared->word, FUTEX_WAIT, 1, &none, 0), ETIMEDOUT, "no time");
    is_error(futex(&shared->word, FUTEX_WAIT_BITSET, 1, &none, 1), ETIMEDOUT, "a past moment");
    is_error(futex(&shared->word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 1, &none, 1), ETIMEDOUT,
             "a past moment of wall time");
    is_error(futex(&shared->word, FUTEX_WAIT, 1, &negative, 0), EINVAL, "negative time");
    is_error(futex(&shared->word, FUTEX_WAIT, 1, &much, 0), EINVAL, "a second of nanoseconds");
    is_error(futex(&shared->word, FUTEX_WAIT, 1, (void *)8, 0), EFAULT, "a bad time");
    is_error(futex(bytes + 1, FUTEX_WAIT, 1, NULL, 0), EINVAL, "unaligned");
    is_error(futex(bytes + 2, FUTEX_WAKE, 1, NULL, 0), EINVAL, "unaligned to wake");
    is_error(futex((void *)16, FUTEX_WAIT, 0, NULL, 0), EFAULT, "nothing mapped");
    is_error(futex((void *)16, FUTEX_WAKE, 1, NULL, 0), EFAULT, "nothing mapped to wake");
    is_int(futex((void *)16, FUTEX_WAKE_PRIVATE, 1, NULL, 0), 0, "the same, private");
    is_error(futex((void *)(1ul << 63), FUTEX_WAKE_PRIVATE, 1, NULL, 0), EFAULT, "the kernel's");
    is_error(futex(&shared->word, FUTEX_WAIT_BITSET, 1, NULL, 0), EINVAL, "no bits");
    is_error(futex(&shared->word, FUTEX_WAKE_BITSET, 1, NULL, 0), EINVAL, "no bits to wake");
    is_error(futex(&shared->word, 100, 1, NULL, 0), ENOSYS, "an operation that does not exist");
    is_error(futex(&shared->word, FUTEX_WAKE | FUTEX_CLOCK_REALTIME, 1, NULL, 0), ENOSYS,
             "a clock to wake");
    is_int(futex(&shared->word, FUTEX_WAKE, INT_MAX, NULL, 0), 0, "nobody waits");
}

static pid_t start_waiter(volatile void *word, int operation, int value, unsigned bits)
{
    pid_t child = fork();

    if (child == 0)
        _exit(futex(word, operation, value, NULL, bits) == 0 ? 0 : errno);
    return child;
}

static void test_waiters(void)
{
    pid_t children[WORKERS];
    int zero = 0;

    shared->word = 5;
    children[0] = start_waiter(&shared->word, FUTEX_WAIT, 5, 0);
    wake_all(&shared->word, FUTEX_WAKE, 1, 0);
    is_int(exit_status(children[0]), 0, "another process wakes");
    for (int i = 0; i < WORKERS; i++)
        children[i] = start_waiter(&shared->word, FUTEX_WAIT, 5, 0);
    wake_all(&shared->word, FUTEX_WAKE, WORKERS, 0);
    for (int i = 0; i < WORKERS; i++)
        is_int(exit_status(children[i]), 0, "waiter %d of several", i);
    for (int i = 0; i < WORKERS; i++)
        children[i] = start_waiter(&shared->word, FUTEX_WAIT_BITSET, 5, 1u << i);
    for (int i = WORKERS - 1; i >= 0; i--) {
        wake_all(&shared->word, FUTEX_WAKE_BITSET, 1, 1u << i);
        is_int(exit_status(children[i]), 0, "the waiter with bit %d", i);
    }
    children[0] = start_waiter(&shared->word, FUTEX_WAIT, 5, 0);
    is_int(futex(&shared->other, FUTEX_WAKE, INT_MAX, NULL, 0), 0, "another word");
    is_int(futex(&shared->word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, 0), 0, "a private wake-up");
    is_int(futex(&zero, FUTEX_WAKE, INT_MAX, NULL, 0), 0, "memory of one's own");
    while (futex(&shared->word, FUTEX_WAKE, 0, NULL, 0) == 0)
        sched_yield();
    is_int(exit_status(children[0]), 0, "a count of 0 wakes one");
    children[0] = start_waiter(&shared->word, FUTEX_WAIT, 5, 0);
    kill(children[0], SIGKILL);
    is_int(exit_status(children[0]), 1000 + SIGKILL, "a waiter is killed");
    is_int(futex(&shared->word, FUTEX_WAKE, INT_MAX, NULL, 0), 0, "and waits no more");
}

/* One file, mapped twice: the word is the same at both addresses. */
static void test_file(void)
{
    int file = (int)syscall(SYS_memfd_create, "futex", 0);

    if (file < 0 || ftruncate(file, 3 * 4096))
        tap_bail_out("memfd");
    char *first = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    char *second = mmap(NULL, 4096, PROT_READ, MAP_SHARED, file, 4096);
    pid_t child = start_waiter(first + 4096 + 8, FUTEX_WAIT, 0, 0);

    is_int(futex(first + 8, FUTEX_WAKE, 1, NULL, 0), 0, "another page");
    wake_all(second + 8, FUTEX_WAKE, 1, 0);
    is_int(exit_status(child), 0, "woken by another mapping of the file");
    munmap(first, 3 * 4096);
    munmap(second, 4096);
    close(file);
}

/* --- Signals --- */

static volatile sig_atomic_t handled;

static void on_signal(int signal)
{
    handled = signal;
    shared->arrived++;
}

static int wait_with_handler(int flags, const struct timespec *time)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = flags};

    sigaction(SIGUSR1, &action, NULL);
    shared->other = 1;
    return futex(&shared->word, FUTEX_WAIT, 5, time, 0) == 0 ? 0 : errno;
}

/* Signals until the handler has run while it slept: until it ends, or twice. */
static void test_signals(void)
{
    static const struct timespec hour = {3600, 0};
    static const struct {
        int flags;
        const struct timespec *time;
        bool goes_on;
        const char *what;
    } cases[] = {
        {0, NULL, false, "interrupted"},
        {SA_RESTART, NULL, true, "restarted"},
        {0, &hour, false, "with a time-out, interrupted"},
        {SA_RESTART, &hour, false, "with a time-out, interrupted for all SA_RESTART"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        shared->word = 5;
        shared->other = shared->arrived = 0;
        pid_t child = fork();

        if (child == 0)
            _exit(wait_with_handler(cases[i].flags, cases[i].time));
        while (shared->other == 0)
            sched_yield();
        if (cases[i].goes_on) {
            kill(child, SIGUSR1);
            while (shared->arrived == 0)
                sched_yield();
            wake_all(&shared->word, FUTEX_WAKE, 1, 0);
            is_int(exit_status(child), 0, "%s", cases[i].what);
            continue;
        }
        int status = 0;

        while (waitpid(child, &status, WNOHANG) == 0) {
            kill(child, SIGUSR1);
            usleep(1000);
        }
        is_int(WEXITSTATUS(status), EINTR, "%s", cases[i].what);
    }
}

/* --- A child in the same memory --- */

static int end_at_once(void *argument)
{
    *(int *)argument = 17;
    return 3;
}

static void test_clear_child_tid(void)
{
    static char stack[65536] __attribute__((aligned(16)));
    static volatile int number = -1;
    static int seen;
    int flags = CLONE_VM | CLONE_CHILD_CLEARTID | SIGCHLD, known;
    pid_t child = clone(end_at_once, stack + sizeof(stack), flags, &seen, NULL, NULL, &number);

    while ((known = number) != 0)
        futex(&number, FUTEX_WAIT, known, NULL, 0);
    is_int(seen, 17, "the child's number is cleared when it ends, and its waiter woken");
    is_int(exit_status(child), 3, "its status");
}

/* --- The libraries' objects --- */

static void produce(void)
{
    for (int i = 0; i < TURNS; i++) {
        while (sem_wait(&shared->empty))
            ;
        shared->counter += i;
        sem_post(&shared->full);
    }
}

static void test_semaphores(void)
{
    static const struct timespec past = {1, 0};
    long sum = 0, before = 0;

    sem_init(&shared->empty, 1, 1);
    sem_init(&shared->full, 1, 0);
    shared->counter = 0;
    pid_t child = fork();

    if (child == 0) {
        produce();
        _exit(0);
    }
    for (int i = 0; i < TURNS; i++) {
        while (sem_wait(&shared->full))
            ;
        sum += shared->counter - before == i;
        before = shared->counter;
        sem_post(&shared->empty);
    }
    is_int(sum, TURNS, "two processes take turns by semaphores");
    is_int(exit_status(child), 0, "the producer");
    is_error(sem_timedwait(&shared->full, &past), ETIMEDOUT, "sem_timedwait");
    is_error(sem_trywait(&shared->full), EAGAIN, "sem_trywait");
}

static void work(int me)
{
    for (int i = 0; i < TURNS; i++) {
        pthread_mutex_lock(&shared->mutex);
        shared->counter++;
        pthread_mutex_unlock(&shared->mutex);
    }
    pthread_barrier_wait(&shared->barrier);
    pthread_mutex_lock(&shared->mutex);
    while (shared->turn != me)
        pthread_cond_wait(&shared->changed, &shared->mutex);
    shared->turn++;
    pthread_cond_broadcast(&shared->changed);
    pthread_mutex_unlock(&shared->mutex);
    _exit(shared->counter == (long)WORKERS * TURNS ? 0 : 1);
}

static void test_objects(void)
{
    pthread_mutexattr_t mutex;
    pthread_condattr_t condition;
    pthread_barrierattr_t barrier;
    pid_t children[WORKERS];

    pthread_mutexattr_init(&mutex);
    pthread_mutexattr_setpshared(&mutex, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&shared->mutex, &mutex);
    pthread_condattr_init(&condition);
    pthread_condattr_setpshared(&condition, PTHREAD_PROCESS_SHARED);
    pthread_cond_init(&shared->changed, &condition);
    pthread_barrierattr_init(&barrier);
    pthread_barrierattr_setpshared(&barrier, PTHREAD_PROCESS_SHARED);
    pthread_barrier_init(&shared->barrier, &barrier, WORKERS);
    shared->counter = shared->turn = 0;
    for (int i = WORKERS - 1; i >= 0; i--) {
        children[i] = fork();
        if (children[i] == 0)
            work(i);
    }
    for (int i = 0; i < WORKERS; i++)
        is_int(exit_status(children[i]), 0, "worker %d: mutex, barrier, condition", i);
    is_int(shared->turn, WORKERS, "each had its turn");
}

int main(void)
{
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    test_errors();
    test_waiters();
    test_file();
    test_signals();
    test_clear_child_tid();
    test_semaphores();
    test_objects();
    return tap_done();
}
