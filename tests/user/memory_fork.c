/* What fork copies and what it shares; the stack; many generations. */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "memory_probe.h"

#define RW (PROT_READ | PROT_WRITE)

static char *map(size_t pages, int type)
{
    return mmap(NULL, pages * PAGE, RW, type | MAP_ANONYMOUS, -1, 0);
}

static int wait_status(pid_t child)
{
    int status;

    if (waitpid(child, &status, 0) != child)
        tap_bail_out("waitpid");
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* Parent and child write to every second page, in either order. */
static void test_private(bool parent_first)
{
    enum { PAGES = 64 };
    char *a = map(PAGES, MAP_PRIVATE);
    int ends[2], good = 0;
    pid_t child;
    char go = 0;

    if (pipe(ends))
        tap_bail_out("pipe");
    for (int i = 0; i < PAGES; i++)
        a[i * PAGE] = i;
    child = fork();
    if (child == 0) {
        if (read(ends[0], &go, 1) != 1)
            _exit(99);
        for (int i = 0; i < PAGES; i++)
            good += a[i * PAGE] == i;
        for (int i = 0; i < PAGES; i += 2)
            a[i * PAGE] = 100;
        for (int i = 0; i < PAGES; i++)
            good += a[i * PAGE] == (i % 2 ? i : 100);
        _exit(good);
    }
    if (!parent_first && write(ends[1], &go, 1) != 1)
        tap_bail_out("write");
    for (int i = 1; i < PAGES; i += 2)
        a[i * PAGE] = 101;
    if (parent_first && write(ends[1], &go, 1) != 1)
        tap_bail_out("write");
    is_int(wait_status(child), 2 * PAGES, "the child sees its own, %s",
           parent_first ? "parent first" : "at once");
    for (int i = 0; i < PAGES; i++)
        good += a[i * PAGE] == (i % 2 ? 101 : i);
    is_int(good, PAGES, "the parent too");
    munmap(a, PAGES * PAGE);
    close(ends[0]);
    close(ends[1]);
}

static void test_shared(void)
{
    char *touched = map(1, MAP_SHARED);
    char *untouched = map(600, MAP_SHARED);
    pid_t child;

    touched[0] = 'a';
    child = fork();
    if (child == 0) {
        char before = touched[0];

        touched[0] = 'b';
        untouched[599 * PAGE] = 'c';
        _exit(before);
    }
    is_int(wait_status(child), 'a', "the child sees shared memory");
    is_int(touched[0], 'b', "the parent sees the child's writing");
    is_int(untouched[599 * PAGE], 'c', "also where nobody had been");
    munmap(touched, PAGE);
    munmap(untouched, 600 * PAGE);
}

/* Each generation adds one to a private and a shared counter. */
static void test_generations(void)
{
    int *shared = (int *)map(1, MAP_SHARED);
    int private = 0;
    int depth = 0;

    while (depth < 20) {
        pid_t child = fork();

        if (child != 0) {
            int status = wait_status(child);

            if (depth != 0)
                _exit(status == private + 1 ? private : 255);
            is_int(status, private + 1, "20 generations, each with its own counter");
            break;
        }
        depth++;
        private++;
        ++*shared;
    }
    if (depth == 20)
        _exit(private);
    is_int(*shared, 20, "and one that all share");
    munmap(shared, PAGE);
}

static __attribute__((noinline)) int use_stack(int depth)
{
    volatile char frame[8000];

    memset((char *)frame, depth, sizeof(frame));
    return depth == 0 ? frame[0] : use_stack(depth - 1) + (frame[4000] == (char)depth);
}

static void test_stack(void)
{
    pid_t child;

    is_int(use_stack(500), 500, "4 MB of stack");
    child = fork();
    if (child == 0)
        _exit(use_stack(800) == 800);
    is_int(wait_status(child), 1, "6 MB in a child");
    child = fork();
    if (child == 0)
        _exit(use_stack(100000));
    is_int(wait_status(child), -SIGSEGV, "800 MB: the limit");
    child = fork();
    if (child == 0) {
        struct rlimit limit = {1 << 20, RLIM_INFINITY};

        setrlimit(RLIMIT_STACK, &limit);
        _exit(use_stack(900));
    }
    is_int(wait_status(child), -SIGSEGV, "7 MB where the limit is 1: the limit");
}

/* The limit as of exec decides where the stack has room to grow. */
static void test_large_stack(const char *self)
{
    struct rlimit limit;
    pid_t child = fork();

    if (child == 0) {
        getrlimit(RLIMIT_STACK, &limit);
        limit.rlim_cur = 200 << 20;
        setrlimit(RLIMIT_STACK, &limit);
        execl("/proc/self/exe", self, "stack", NULL);
        _exit(99);
    }
    is_int(wait_status(child), 1, "100 MB of stack after exec with a limit of 200");
    child = fork();
    if (child == 0) {
        getrlimit(RLIMIT_STACK, &limit);
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_STACK, &limit);
        execl("/proc/self/exe", self, "stack", NULL);
        _exit(99);
    }
    is_int(wait_status(child), 1, "and without a limit");
}

/* Signals on an alternate stack, since there is no other left. */
static void on_overflow(int signal)
{
    (void)signal;
    _exit(77);
}

static void test_overflow_handler(void)
{
    pid_t child = fork();

    if (child == 0) {
        stack_t stack = {.ss_sp = map(4, MAP_PRIVATE), .ss_size = 4 * PAGE};
        struct sigaction action = {.sa_handler = on_overflow, .sa_flags = SA_ONSTACK};

        sigaltstack(&stack, NULL);
        sigaction(SIGSEGV, &action, NULL);
        _exit(use_stack(100000));
    }
    is_int(wait_status(child), 77, "a handler for a stack that is full");
}

/* A child that only reads, and one that dies in the middle. */
static void test_death(void)
{
    char *a = map(100, MAP_PRIVATE);
    int sum = 0;
    pid_t child;

    memset(a, 1, 100 * PAGE);
    for (int i = 0; i < 30; i++) {
        child = fork();
        if (child == 0) {
            for (int j = 0; j < 3 * i; j++)
                a[j * PAGE] = 2;
            if (i % 3 == 0)
                raise(SIGKILL);
            _exit(a[99 * PAGE] + a[0]);
        }
        sum += wait_status(child);
    }
    is_int(sum, 20 * 3 - 10 * SIGKILL, "thirty children, a third of them killed");
    for (int j = 0; j < 100; j++)
        sum += a[j * PAGE];
    is_int(sum, 20 * 3 - 10 * SIGKILL + 100, "none of which touched its parent");
    munmap(a, 100 * PAGE);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return use_stack(12000) == 12000;
    test_private(false);
    test_private(true);
    test_shared();
    test_generations();
    test_stack();
    test_large_stack(argv[0]);
    test_overflow_handler();
    test_death();
    return tap_done();
}
