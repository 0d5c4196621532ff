/*
 * The simulated machine as scenarios see it. Scenarios are kernel code: they include kernel headers
 * and this, and none of the C library's.
 *
 * A run starts a fresh kernel on `cpus` simulated CPUs and calls scenario->run on a kernel thread.
 * At every lock, unlock, sleep, wake, switch, interrupt and atomic access somebody decides which
 * CPU goes on: a seed, or the explorer. A run is a function of that and of nothing else.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/compiler.h"
#include "port.h"

struct sim_scenario {
    const char *name;
    void (*run)(void);
    /* A kernel with these floors up: runs on the boot CPU with interrupts masked, after
     * sched_init(). NULL: sched alone. */
    void (*boot)(void);
    unsigned cpus;
    unsigned preemptions;  /* what the explorer goes up to by default; 0: not explored */
    unsigned seeds;        /* random schedules in a default run */
    uint64_t step_limit;   /* 0: the default */
    bool atomics;          /* the explorer branches at atomic accesses too */
    bool fail_allocations; /* run it with the first, the second ... allocation failing */
};

extern const struct sim_scenario sim_scenarios[];
extern const size_t sim_scenario_count;

/* Ends the run as failed. */
_Noreturn COLD void sim_fail(const char *format, ...) PRINTF_LIKE(1, 2);
#define SIM_CHECK(condition)                                                                       \
    do {                                                                                           \
        if (unlikely(!(condition)))                                                                \
            sim_fail("%s:%d: %s: check failed: %s", __FILE__, __LINE__, __func__, #condition);     \
    } while (0)
#define SIM_CHECK_EQUAL(a, b)                                                                      \
    do {                                                                                           \
        long long sim_a = (long long)(a), sim_b = (long long)(b);                                  \
        if (unlikely(sim_a != sim_b))                                                              \
            sim_fail("%s:%d: %s: %s is %lld, expected %s, %lld", __FILE__, __LINE__, __func__, #a, \
                     sim_a, #b, sim_b);                                                            \
    } while (0)

/* --- The schedule --- */

/* The explorer branches, and random runs switch CPUs, only between these two; before and after,
 * each CPU runs until it has nothing to do. Random runs and the explorer start with it open, unless
 * a scenario sets itself up first with sim_window_close(). */
void sim_window_open(void);
void sim_window_close(void);
/* A point of the scenario's own where others may interleave. */
void sim_point(void);
/* The scenario's dice, 0..bound-1, from the seed; constant under the explorer. */
uint64_t sim_random(uint64_t bound);
/* A branch of the schedule itself, 0..options-1: the explorer tries all. */
unsigned sim_branch(unsigned options);
/* Gives the CPU away until condition(argument) holds; false if it never does. */
bool sim_poll(bool (*condition)(void *argument), void *argument);
/* The same, but then the run fails. */
void sim_wait_until(bool (*condition)(void *argument), void *argument);
/* Gives the CPU away until nobody else has anything to do, but for waiting for time to pass. */
void sim_settle(void);
/* Runs function(argument) as the handler of a device interrupt on that CPU. */
void sim_post_interrupt(unsigned cpu, void (*function)(void *argument), void *argument);
/* The same at some time from now on: when it comes is part of the schedule, as with a timer. One at
 * a time. */
void sim_post_interrupt_later(unsigned cpu, void (*function)(void *argument), void *argument);
/* Adds to a count that is shown with the scenario's result. The name is not copied. */
void sim_count(const char *name, uint64_t amount);
/* Remarks in the trace. */
void sim_note(const char *format, ...) PRINTF_LIKE(1, 2);
/* A name for the trace. The string is not copied. */
void sim_name_object(const void *object, size_t size, const char *name);

/* --- Memory --- */

/* Between these two allocations may fail, when the run is one of those in which one should. */
void sim_faults_open(void);
void sim_faults_close(void);
/* Has an allocation of this run been refused? */
bool sim_allocation_refused(void);
/* Everything alive that was allocated through the seam: objects, frames, spaces, stacks. */
struct sim_memory {
    uint64_t objects, frames, spaces, stacks;
};
void sim_memory_now(struct sim_memory *memory);
/* Waits until dying threads are gone, then fails the run, with a list, if there is more than
 * before. */
void sim_check_leaks(const struct sim_memory *before);

/* --- User programs --- */

/* Makes the new user thread run program(argument) when it first enters user mode. */
void sim_set_program(struct thread *thread, sim_program *program, uintptr_t argument);
/* In a program: a system call that runs function(arguments) in the kernel, and all that stands
 * around one. Restarted as long as the kernel's way back says so. */
int64_t sim_call(int64_t (*function)(const uint64_t arguments[6]), const uint64_t arguments[6]);
/* What the machine cannot call by name, as scenarios without processes do without; set by the boot
 * function of those with. A program's return, exit_group(2); rt_sigreturn(2); restart_syscall(2);
 * the value of sigaltstack(2) for "none". */
extern void (*sim_program_returned)(void);
extern int64_t (*sim_signal_return)(struct user_frame *frame);
extern int64_t (*sim_restart_call)(const uint64_t arguments[6]);
extern void (*sim_no_alternate_stack)(struct sigaltstack *stack);
#define SIM_SIGNAL_INFO_SIZE 48
/* Addresses below this are bad for user copies; so is the range set here (NULL, 0: none). */
#define SIM_BAD_ADDRESS_END 4096
void sim_set_bad_range(const void *start, size_t size);
