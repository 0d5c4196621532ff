/* The scheduler, as the rest of the kernel uses it. */
#pragma once

#include "sched/thread.h"

/*
 * Both are called on a CPU whose struct cpu has its id and whose port_current() is a zeroed struct
 * thread: it becomes the CPU's idle thread. Interrupts masked. sched_init() comes first, on the
 * boot CPU: from then on threads may be created and started. sched_run_idle() is where each CPU
 * ends, the boot CPU too: it runs threads from then on.
 */
void sched_init(void);
_Noreturn void sched_run_idle(void);

/* Gives the CPU away if others should run; called at named points of long kernel work, and on the
 * way to user mode when THREAD_WORK_RESCHEDULE is set. Thread context, no spinlock held. */
void sched_point(void);
/* sched_yield(2). Interrupts enabled. */
void sched_yield_current(void);
/* The thread goes to sleep (thread->may_sleep says so) or gives way. Interrupts masked or not; no
 * spinlock held. Other floors sleep through wait.h. */
void schedule(void);

/* Returns when each CPU has been in the kernel since the call: a thread that was in user mode has
 * come in, and will look at its work before it goes back. Thread context, interrupts enabled, no
 * lock held. */
void sched_quiesce_user_mode(void);

/* Hooks of struct port_handlers. */
void sched_kernel_enter(void);
void sched_kernel_leave(void);
void sched_timer_interrupt(void);
void sched_reschedule_interrupt(void);

/* For procfs and sysinfo(2); one CPU's counters since boot. Any context. */
struct sched_cpu_usage {
    uint64_t idle_ns;
    uint64_t switches;
    uint64_t timer_interrupts;
    uint32_t running; /* threads that run or are ready to */
};
void sched_cpu_usage(unsigned cpu, struct sched_cpu_usage *usage);
/* Load averages of 1, 5 and 15 minutes, in units of 1/65536 thread. */
void sched_load_averages(uint64_t averages[3]);
/* CPUs that threads may be placed on. */
uint64_t sched_online_cpus(void);
