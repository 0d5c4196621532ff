/*
 * The timers of a process: setitimer's three, RLIMIT_CPU, and those of timer_create
 * (posix_timer.h).
 *
 * Everything here is under the signal lock of the process. The machine's timers (sched/timer.h)
 * only say "look now": one that expires with nothing due is ignored, so that settings never have to
 * wait for an expiry that is under way on another CPU.
 */
#pragma once

#include <stdint.h>

#include "lib/compiler.h"
#include "proc/process.h"
#include "sched/timer.h"

/* Of the clock that it counts on, in ns. expiry 0: not set. */
struct interval_setting {
    uint64_t expiry;
    uint64_t interval;
};

enum interval_timer { INTERVAL_REAL, INTERVAL_VIRTUAL, INTERVAL_PROFILING, INTERVAL_COUNT };

struct process_timers {
    struct process *process; /* (const) the owner: it outlives its timers */
    struct timer real;
    struct timer cpu; /* when CPU time could have reached the first of what counts on it */
    struct interval_setting intervals[INTERVAL_COUNT]; /* (lock) by enum interval_timer */
    uint64_t cpu_seen;                                 /* (lock) CPU time at the last look */
    struct list posix;                                 /* (lock) struct posix_timer by link */
    int next_id;                                       /* (lock) */
};

/* The current process's, made if there are none; NULL if memory is short. */
struct process_timers *process_timers_obtain(void) MUST_CHECK;
/* Looks at what counts on CPU time, and arms for the next. Thread context or interrupt. */
void process_timers_check_cpu_locked(struct process_timers *timers);
/* Up to now, of all threads. */
struct cpu_times {
    uint64_t user, system;
};
struct cpu_times process_cpu_times_locked(struct process *process);

/* setitimer(2), getitimer(2): times in ns; new_setting's expiry is relative. NULL: not wanted.
 * -ENOMEM */
int process_set_interval(enum interval_timer which, const struct interval_setting *new_setting,
                         struct interval_setting *old);

/* RLIMIT_CPU of `process` has changed: enforces it from now on. -ENOMEM. family_lock may be held.
 */
int process_timers_limit_changed(struct process *process);

/* --- life, called by the signal code --- */
/* A child with RLIMIT_CPU is watched too. -ENOMEM */
int process_timers_inherit(struct process *child);
void process_timers_exec(struct process *process);
void process_timers_exit(struct process *process);
void process_timers_forget_thread_locked(struct process *process, struct user_thread *thread);
/* A SIGALRM has been taken: ITIMER_REAL's next period begins. */
void process_timers_alarm_taken_locked(struct process *process);
