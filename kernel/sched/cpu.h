/* What each CPU has for itself. */
#pragma once

#include "sched/run_queue.h"
#include "sched/thread.h"
#include "sched/timer.h"

struct cpu {
    struct machine_cpu machine; /* first: the machine finds it at fixed offsets */
    unsigned id;                /* (const) 0..CPU_MAX-1; set by the machine */
    _Atomic bool online;        /* threads may be placed here */
    struct thread *idle;        /* (const) once online */
    struct run_queue run_queue;
    struct timer_queue timers;
    _Atomic uint64_t reschedule_interrupts; /* how many came: sched_quiesce_user_mode() */
#if KIN_DEBUG
    struct lock_stack locks; /* (self) spinlocks that this CPU holds, for the rank check */
#endif
};

static inline struct cpu *this_cpu(void)
{
    return port_this_cpu();
}
