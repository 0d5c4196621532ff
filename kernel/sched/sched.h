/* The scheduler, as the rest of the kernel uses it. */
#pragma once

#include "sched/thread.h"

/* Boot CPU, before any thread: run queues. Then each CPU, on what becomes its idle thread. */
void sched_init(void);
_Noreturn void sched_run_idle(void);

/* Gives the CPU away if others should run; called at named points of long kernel work, and on the
 * way to user mode when THREAD_WORK_RESCHEDULE is set. Thread context, no spinlock held. */
void sched_point(void);
/* sched_yield(2). */
void sched_yield_current(void);
/* The thread goes to sleep (its state says so) or gives way. Interrupts masked or not. */
void schedule(void);

/* Hooks of struct port_handlers. */
void sched_kernel_enter(void);
void sched_kernel_leave(void);
void sched_timer_interrupt(void);
void sched_reschedule_interrupt(void);
