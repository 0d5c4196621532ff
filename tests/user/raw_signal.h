/*
 * Signals by the system calls themselves. C libraries keep some signals (32..34) to themselves and
 * hide SA_RESTORER; a truth table of all 64 must go below them.
 */
#pragma once

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SA_RESTORER
#define SA_RESTORER 0x04000000
#endif

struct raw_action {
    void (*handler)(int, siginfo_t *, void *);
    unsigned long flags;
    void (*restorer)(void);
    uint64_t mask;
};

#define RAW_DEFAULT ((void (*)(int, siginfo_t *, void *))0)
#define RAW_IGNORE  ((void (*)(int, siginfo_t *, void *))1)
#define RAW_BIT(n)  (1ull << ((n)-1))

void raw_restorer(void);
__asm__(".text\n.globl raw_restorer\n.type raw_restorer, @function\n"
        "raw_restorer: mov $15, %eax\n syscall\n");

__attribute__((unused)) static int raw_sigaction(int signal, const struct raw_action *action,
                                                 struct raw_action *old)
{
    return (int)syscall(SYS_rt_sigaction, signal, action, old, 8);
}

__attribute__((unused)) static int raw_handle(int signal, void (*handler)(int, siginfo_t *, void *),
                                              unsigned long flags)
{
    struct raw_action action = {
        .handler = handler, .flags = flags | SA_RESTORER, .restorer = raw_restorer};

    return raw_sigaction(signal, &action, NULL);
}

__attribute__((unused)) static uint64_t raw_mask(int how, uint64_t set)
{
    uint64_t old = 0;

    syscall(SYS_rt_sigprocmask, how, &set, &old, 8);
    return old;
}

__attribute__((unused)) static uint64_t raw_pending(void)
{
    uint64_t set = 0;

    syscall(SYS_rt_sigpending, &set, 8);
    return set;
}

__attribute__((unused)) static int raw_suspend(uint64_t mask)
{
    return (int)syscall(SYS_rt_sigsuspend, &mask, 8);
}

__attribute__((unused)) static int raw_wait(uint64_t set, siginfo_t *info,
                                            const struct timespec *timeout)
{
    return (int)syscall(SYS_rt_sigtimedwait, &set, info, timeout, 8);
}

__attribute__((unused)) static int raw_queue(pid_t process, int signal, int code, intptr_t value)
{
    siginfo_t info;

    memset(&info, 0, sizeof(info));
    info.si_signo = signal;
    info.si_code = code;
    info.si_pid = getpid();
    info.si_uid = getuid();
    info.si_value.sival_ptr = (void *)value;
    return (int)syscall(SYS_rt_sigqueueinfo, process, signal, &info);
}

/* How a child ended, without the core flag, which depends on the machine. */
__attribute__((unused)) static const char *raw_outcome(int status, char text[32])
{

    if (WIFEXITED(status))
        snprintf(text, 32, "exited %d", WEXITSTATUS(status));
    else if (WIFSIGNALED(status))
        snprintf(text, 32, "killed %d", WTERMSIG(status));
    else if (WIFSTOPPED(status))
        snprintf(text, 32, "stopped %d", WSTOPSIG(status));
    else
        snprintf(text, 32, "continued");
    return text;
}
