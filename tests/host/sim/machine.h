/* The state of a run, shared by machine.c, turns.c, interrupts.c and scenario_api.c. */
#pragma once

#include "internal.h"
#include "sched/cpu.h"

struct machine {
    const struct sim_scenario *scenario;
    const struct sim_plan *plan;
    unsigned cpu_count;
    uint64_t clock_ns;
    uint64_t progress;      /* steps that were more than waiting */
    uint64_t next_deadline; /* the first timer's */
    bool window;            /* see sim_window_open() */
};
extern struct machine machine;
extern struct cpu machine_cpus[CPU_MAX];

static inline struct machine_cpu *machine_of(unsigned index)
{
    return &machine_cpus[index].machine;
}

/* --- turns.c --- */
/* A step of the present CPU, after which another may go on. */
void turns_pass_point(const char *what, const void *object, void *caller, void *caller2);
void turns_count_step(void);
/* Whoever is chosen goes on; returns when this CPU is chosen again. */
void turns_go_on(void);
/* For who polls: the next CPU in turn goes on, and if there is none, time does. No decision. */
void turns_let_others_go(void);
/* A timer was set. */
void turns_update_deadline(void);

/* --- interrupts.c --- */
void interrupts_begin_run(void);
/* Of sim_post_interrupt_later(). */
uint64_t interrupts_deadline(void);
void interrupts_expire(void);

/* The return address of the caller, and of the caller's caller by frame pointers. */
#define CALLER() __builtin_return_address(0)
#define CALLERS_CALLER()                                                                           \
    (*(void **)__builtin_frame_address(0) ? (*(void ***)__builtin_frame_address(0))[1] : NULL)
