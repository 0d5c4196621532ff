/*
 * What the calls of processes and signals cost, in ns of CLOCK_MONOTONIC. Under QEMU's -icount
 * shift=0 a nanosecond is one guest instruction, so the figures are exact and repeatable:
 *
 *     tools/kin run --icount --smp 1 build/tests/bench/cost
 *
 * Static, so that it runs unmodified on any Linux too. One line a figure: name, tab, instructions.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *program;
static const char *only;

static inline long call0(long number)
{
    long result;

    __asm__ volatile("syscall" : "=a"(result) : "a"(number) : "rcx", "r11", "memory");
    return result;
}

static inline long call2(long number, long a, long b)
{
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b)
                     : "rcx", "r11", "memory");
    return result;
}

static inline long call4(long number, long a, long b, long c, long d)
{
    register long r10 __asm__("r10") = d;
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
                     : "rcx", "r11", "memory");
    return result;
}

static uint64_t now(void)
{
    struct timespec time;

    call2(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void report(const char *name, uint64_t total, uint64_t count)
{
    printf("%s\t%lu\n", name, (unsigned long)(total / count));
    fflush(stdout);
}

/* Runs the body `count` times after one round to warm up. */
#define MEASURE(name, count, body)                                                                 \
    do {                                                                                           \
        uint64_t start;                                                                            \
                                                                                                   \
        body;                                                                                      \
        start = now();                                                                             \
        for (int round = 0; round < (count); round++)                                              \
            body;                                                                                  \
        report(name, now() - start, count);                                                        \
    } while (0)

static void calls(void)
{
    struct timespec time;
    uint64_t mask = 0;

    MEASURE("null call (getppid)", 1000, call0(SYS_getppid));
    MEASURE("clock_gettime", 1000, call2(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&time));
    MEASURE("sched_yield alone", 1000, call0(SYS_sched_yield));
    MEASURE("kill(pid, 0)", 1000, call2(SYS_kill, getpid(), 0));
    MEASURE("rt_sigprocmask", 1000, call4(SYS_rt_sigprocmask, SIG_BLOCK, (long)&mask, 0, 8));
}

/* Two processes that yield to each other: a call is a switch. */
static void yield_switch(void)
{
    enum { ROUNDS = 2000 };
    volatile int *stop =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    uint64_t start;
    pid_t child = fork();

    if (child == 0) {
        while (!*stop)
            call0(SYS_sched_yield);
        _exit(0);
    }
    for (int i = 0; i < 100; i++)
        call0(SYS_sched_yield);
    start = now();
    for (int i = 0; i < ROUNDS; i++)
        call0(SYS_sched_yield);
    report("sched_yield switch", now() - start, 2 * ROUNDS);
    *stop = 1;
    waitpid(child, NULL, 0);
}

static void faults(void)
{
    enum { PAGES = 512 };
    char *area =
        mmap(NULL, PAGES * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint64_t start = now();
    int status;

    for (int i = 0; i < PAGES; i++)
        *(volatile char *)(area + i * 4096) = 1;
    report("touch a new anonymous page", now() - start, PAGES);
    if (fork() == 0) {
        start = now();
        for (int i = 0; i < PAGES; i++)
            *(volatile char *)(area + i * 4096) = 2;
        report("copy-on-write fault", now() - start, PAGES);
        _exit(0);
    }
    wait(&status);
    munmap(area, PAGES * 4096);
}

static uint64_t in_fork;

static void fork_exit_wait(void)
{
    uint64_t start = now();
    pid_t child = fork();

    if (child == 0)
        _exit(0);
    in_fork += now() - start;
    waitpid(child, NULL, 0);
}

static void vfork_exit_wait(void)
{
    pid_t child = vfork();

    if (child == 0)
        _exit(0);
    waitpid(child, NULL, 0);
}

static void vfork_exec_wait(void)
{
    pid_t child = vfork();

    if (child == 0) {
        execl(program, program, "-nothing", NULL);
        _exit(1);
    }
    waitpid(child, NULL, 0);
}

static void births(void)
{
    enum { ROUNDS = 50 };
    char *area;

    MEASURE("fork+exit+wait", ROUNDS, fork_exit_wait());
    in_fork = 0;
    for (int i = 0; i < ROUNDS; i++)
        fork_exit_wait();
    report("the fork call", in_fork, ROUNDS);
    MEASURE("vfork+exit+wait", ROUNDS, vfork_exit_wait());
    MEASURE("vfork+exec+wait", ROUNDS, vfork_exec_wait());
    area = mmap(NULL, 64 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (long i = 0; i < 64 << 20; i += 4096)
        area[i] = 1;
    in_fork = 0;
    for (int i = 0; i < 5; i++)
        fork_exit_wait();
    report("the fork call with 64 MiB touched", in_fork, 5);
    munmap(area, 64 << 20);
}

static void pipes(void)
{
    enum { ROUNDS = 1000 };
    int there[2], back[2];
    char byte = 'x';
    uint64_t start = 0;

    if (pipe(there) != 0 || pipe(back) != 0)
        exit(1);
    if (fork() == 0) {
        close(there[1]);
        while (read(there[0], &byte, 1) == 1)
            if (write(back[1], &byte, 1) != 1)
                _exit(1);
        _exit(0);
    }
    for (int i = 0; i < ROUNDS + 10; i++) {
        if (i == 10)
            start = now();
        if (write(there[1], &byte, 1) != 1 || read(back[0], &byte, 1) != 1)
            exit(1);
    }
    report("pipe ping-pong", now() - start, ROUNDS);
    close(there[1]);
    wait(NULL);
    close(there[0]);
    close(back[0]);
    close(back[1]);
}

/* Children that live until the pipe is closed. */
static int hold[2];

static void make_children(int count)
{
    char byte;

    if (pipe(hold) != 0)
        exit(1);
    for (int i = 0; i < count; i++) {
        pid_t child = fork();

        if (child == 0) {
            close(hold[1]);
            _exit((int)read(hold[0], &byte, 1));
        }
        if (child < 0) {
            perror("fork");
            exit(1);
        }
    }
}

static void end_children(void)
{
    close(hold[1]);
    while (waitpid(-1, NULL, 0) > 0)
        continue;
    close(hold[0]);
}

static void reap_behind(const char *name)
{
    uint64_t sum = 0;

    for (int i = 0; i < 20; i++) {
        siginfo_t info;
        pid_t child = fork();
        uint64_t start;

        if (child == 0)
            _exit(0);
        waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT);
        start = now();
        call4(SYS_wait4, -1, 0, WNOHANG, 0);
        sum += now() - start;
    }
    report(name, sum, 20);
}

static void crowds(int many)
{
    char name[80];

    make_children(1);
    MEASURE("wait4(-1, WNOHANG) with 1 child", 200, call4(SYS_wait4, -1, 0, WNOHANG, 0));
    reap_behind("reaping with 1 living child");
    MEASURE("fork+exit+wait with 1 living child", 20, fork_exit_wait());
    end_children();
    make_children(many);
    for (int i = 0; i < 3 * many; i++)
        call0(SYS_sched_yield);
    snprintf(name, sizeof(name), "wait4(-1, WNOHANG) with %d children", many);
    MEASURE(name, 200, call4(SYS_wait4, -1, 0, WNOHANG, 0));
    snprintf(name, sizeof(name), "reaping behind %d living children", many);
    reap_behind(name);
    snprintf(name, sizeof(name), "fork+exit+wait with %d living children", many);
    MEASURE(name, 20, fork_exit_wait());
    end_children();
}

static volatile sig_atomic_t handled;

static void handle(int signal)
{
    (void)signal;
    handled++;
}

static void self_signals(void)
{
    struct sigaction action = {.sa_handler = handle};

    sigaction(SIGUSR1, &action, NULL);
    MEASURE("signal to self, handler, return", 500, kill(getpid(), SIGUSR1));
}

static void signal_ping_pong(void)
{
    enum { ROUNDS = 500 };
    sigset_t block, empty;
    uint64_t start = 0;
    pid_t parent = getpid();
    pid_t child;

    sigemptyset(&empty);
    sigemptyset(&block);
    sigaddset(&block, SIGUSR1);
    sigprocmask(SIG_BLOCK, &block, NULL);
    child = fork();
    if (child == 0) {
        for (int i = 0; i < ROUNDS + 10; i++) {
            sigsuspend(&empty);
            kill(parent, SIGUSR1);
        }
        _exit(0);
    }
    for (int i = 0; i < ROUNDS + 10; i++) {
        if (i == 10)
            start = now();
        kill(child, SIGUSR1);
        sigsuspend(&empty);
    }
    report("signal ping-pong by sigsuspend", now() - start, ROUNDS);
    waitpid(child, NULL, 0);
    sigprocmask(SIG_UNBLOCK, &block, NULL);
}

static uint64_t *exit_time;
static uint64_t to_handler;

static void child_handler(int signal)
{
    (void)signal;
    to_handler += now() - *exit_time;
    handled++;
}

static void exit_to_handler(void)
{
    enum { ROUNDS = 50 };
    struct sigaction action = {.sa_handler = child_handler};
    sigset_t block, empty;

    exit_time = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    sigemptyset(&empty);
    sigemptyset(&block);
    sigaddset(&block, SIGCHLD);
    sigprocmask(SIG_BLOCK, &block, NULL);
    sigaction(SIGCHLD, &action, NULL);
    for (int i = 0; i < ROUNDS; i++) {
        pid_t child = fork();

        if (child == 0) {
            *exit_time = now();
            _exit(0);
        }
        sigsuspend(&empty);
        waitpid(child, NULL, 0);
    }
    report("child's exit to SIGCHLD handler", to_handler, ROUNDS);
    signal(SIGCHLD, SIG_DFL);
    sigprocmask(SIG_UNBLOCK, &block, NULL);
}

static bool wanted(const char *part)
{
    return !only || strcmp(only, part) == 0;
}

int main(int argc, char **argv)
{
    int many = 4000;

    if (argc == 2 && strcmp(argv[1], "-nothing") == 0)
        return 0;
    program = "/proc/self/exe";
    if (argc >= 2)
        only = argv[1];
    if (argc >= 3)
        many = atoi(argv[2]);
    if (wanted("calls"))
        calls();
    if (wanted("yield"))
        yield_switch();
    if (wanted("faults"))
        faults();
    if (wanted("births"))
        births();
    if (wanted("pipes"))
        pipes();
    if (wanted("signals")) {
        self_signals();
        signal_ping_pong();
        exit_to_handler();
    }
    if (wanted("crowds"))
        crowds(many);
    return 0;
}
