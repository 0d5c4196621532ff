/*
 * System calls for the programs of the proc scenarios: the thin layer that kernel/sys is in the
 * real kernel. All are to be called in user mode, from a program; pids are numbers, results and
 * errors are those of Linux.
 */
#pragma once

#include <linux/sched.h>
#include <linux/wait.h>

#include "proc/signal.h"
#include "proc/wait.h"
#include "sim.h"

/* The kernel's half of call_fork_with(): flags, exit signal, program, its argument, the job to be
 * born in (a struct job; 0: the parent's). */
int64_t do_fork(const uint64_t arguments[6]);
/* clone(2): the child runs program(argument) and exits with 0 when that returns. */
int call_fork_with(uint64_t flags, int exit_signal, sim_program *program, uintptr_t argument);
int call_fork(sim_program *program, uintptr_t argument);
_Noreturn void call_exit(int status);
int call_getpid(void);
int call_getppid(void);

struct waited {
    int pid; /* 0: WNOHANG and nothing */
    int code, status;
};
/* waitid(2), with wait4's selector: -1 any, 0 own group, > 0 a process, < -1 a group. The status is
 * wait4's encoding. 0 or -errno. */
int call_wait(int selector, int options, struct waited *waited);
/* The same, but the copy of the status to the program fails. */
int call_wait_faulting(int selector, int options);
/* Waits for any exit: the pid, or -errno. */
int call_wait_any(void);

int call_setpgid(int pid, int group);
int call_getpgid(int pid);
int call_setsid(void);
int call_set_subreaper(bool enabled);
int call_set_parent_death_signal(int signal);

int call_kill(int selector, int signal);
int call_sigqueue(int pid, int signal, uint64_t value);
typedef void signal_handler(int signal, const void *info);
#define HANDLER_DEFAULT ((signal_handler *)0)
#define HANDLER_IGNORE  ((signal_handler *)1)
int call_sigaction(int signal, signal_handler *handler, uint64_t flags);
signal_set call_sigprocmask(signal_set mask);
int call_sigsuspend(signal_set mask);
int call_pause(void);
int call_sigtimedwait(signal_set wanted, uint64_t timeout_ns, struct signal_info *info);
signal_set call_sigpending(void);
int call_yield(void);

/* Times in ns, relative. ITIMER_REAL. */
int call_setitimer(uint64_t expiry, uint64_t interval);
/* CLOCK_MONOTONIC, SIGEV_SIGNAL: the id, or -errno. */
int call_timer_create(int signal);
int call_timer_settime(int id, uint64_t expiry, uint64_t interval);
int call_timer_delete(int id);
