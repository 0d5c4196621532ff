/* The parts of the simulated machine among themselves. */
#pragma once

#include "fiber.h"
#include "port.h"
#include "sim.h"

enum sim_mode { SIM_RANDOM, SIM_EXPLORE };

/* How one run goes. */
struct sim_plan {
    enum sim_mode mode;
    uint64_t seed;            /* RANDOM */
    unsigned preemptions;     /* EXPLORE: the budget */
    uint64_t fail_allocation; /* which one is refused, from 1; 0: none */
    unsigned cpus;
    uint64_t step_limit;
    bool atomics; /* EXPLORE: branch at atomic accesses too */
};

enum sim_result { SIM_PASSED, SIM_FAILED };

/* --- machine.c --- */
enum sim_result sim_run(const struct sim_scenario *scenario, const struct sim_plan *plan);
extern uint64_t sim_steps; /* of the present run */
unsigned sim_cpu_total(void);
const char *sim_failure(void); /* why the last run failed */
_Noreturn void sim_end_run(enum sim_result result);
/* Ends the run from wherever it is; the message was already made. */
_Noreturn void sim_fail_with(const char *message);
void sim_return_to_user(void);

/* --- boot.c, user.c --- */
void sim_machine_boot(const struct sim_scenario *scenario);

/* --- choice.c: who decides --- */
void choice_begin_run(const struct sim_plan *plan);
/* One of `options`; with free_first the option 0 means going on undisturbed and the rest cost a
 * preemption; the last `costly` options always cost one. */
unsigned choice_take(unsigned options, bool free_first, unsigned costly);
/* Is it worth to ask? Random runs skip most points, here. */
bool choice_wanted(void);
bool choice_timer_wanted(void);
/* Are atomic accesses points too, besides those that the kernel names? */
bool choice_atomics(void);
uint64_t choice_random(uint64_t bound);
/* The explorer: prepares the next schedule; false when all were run. */
void explorer_reset(void);
bool explorer_next(unsigned preemptions);
/* "12:1,40:2": at the 12th decision option 1, ... and the default elsewhere. */
void choice_print_schedule(char *buffer, size_t size);
bool choice_set_schedule(const char *text);
uint64_t choice_count(void);

/* --- trace.c --- */
void trace_reset(void);
void trace_add(const char *what, const void *object, void *caller, void *caller2);
void trace_note(const char *text);
void trace_print(size_t last);
void trace_name_object(const void *object, size_t size, const char *name);

/* --- race.c of the race build; nothing elsewhere (no_race.c) --- */
bool race_is_on(void);
void race_begin_run(void);
/* The present CPU's doings after and before those of all CPUs that called this. */
void race_machine_order(void);
void race_forget(const void *address, size_t size);

/* --- symbols.c --- */
/* "name" or "name+0x12"; false if unknown. */
bool symbols_name(const void *address, char *buffer, size_t size);

/* --- snapshot.c --- */
void snapshot_take(void);
void snapshot_restore(void);

/* --- memory.c --- */
void memory_begin_run(uint64_t fail_allocation);
void memory_end_run(void); /* frees whatever the run left */
bool memory_refuse(void);  /* is this the allocation that fails? */
void memory_print_live(uint64_t above_sequence);
const char *memory_describe(const void *address, char *buffer, size_t size);
uint64_t memory_sequence(void);
uint64_t memory_allocations(void); /* inside the fault window */
