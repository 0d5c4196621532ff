/*
 * timer_create(2) and its family. Under the signal lock of the process.
 *
 * A periodic timer is armed for its next expiry only when the signal of the last one is taken; how
 * many periods have passed meanwhile is its overrun. Thus no period, however short, can flood the
 * machine.
 */
#pragma once

#include "proc/process_timers.h"

struct posix_timer {
    struct list link;                /* (lock) in process_timers.posix */
    struct process_timers *owner;    /* (const) */
    struct timer timer;              /* clocks of wall time */
    int id;                          /* (const) */
    int clock;                       /* (const) CLOCK_* */
    int notify;                      /* (const) SIGEV_* */
    int signal;                      /* (const) */
    uint64_t value;                  /* (const) sigev_value */
    struct user_thread *target;      /* (lock) SIGEV_THREAD_ID; NULL once it has exited */
    struct user_thread *cpu_thread;  /* (lock) CLOCK_THREAD_CPUTIME_ID; NULL once it has exited */
    struct queued_signal *queued;    /* (const) its one signal */
    struct interval_setting setting; /* (lock) expiry in ns of its clock: monotonic or CPU time */
    bool awaits_taking;              /* (lock) the period goes on when its signal is taken */
    int64_t overrun;                 /* (lock) since the last signal taken */
    int last_overrun;                /* (lock) timer_getoverrun(2) */
};

struct posix_timer_request {
    int clock;
    int notify;
    int signal;
    uint64_t value;
    bool value_is_id; /* sigevent NULL */
    int32_t thread;   /* SIGEV_THREAD_ID */
};

/* The id, or -EINVAL -EOPNOTSUPP -EAGAIN. */
int posix_timer_create(const struct posix_timer_request *request);
int posix_timer_delete(int id); /* -EINVAL */
/* Times in ns; `expiry` 0 disarms. Absolute: on the timer's clock. -EINVAL */
int posix_timer_set(int id, bool absolute, const struct interval_setting *new_setting,
                    struct interval_setting *old);
int posix_timer_get(int id, struct interval_setting *setting);
int posix_timer_overrun(int id);

/* --- for the rest of the signal and timer code --- */
/* Its signal was taken out of the queue: fills the overrun, begins the next period. */
void posix_timer_taken_locked(struct process *process, struct posix_timer *timer,
                              struct signal_info *info);
/* Does it count on CPU time? Then: how much is left, after firing if that is nothing. */
bool posix_timer_is_cpu(const struct posix_timer *timer);
uint64_t posix_timer_check_cpu_locked(struct posix_timer *timer, const struct cpu_times *times);
/* All of them: exec and exit. No lock held; nobody else creates any meanwhile. */
void posix_timers_delete_all(struct process *process, struct process_timers *timers);
