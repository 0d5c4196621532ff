/*
 * Fibers: the stacks of the simulated machine, one for each kernel or user thread and one for the
 * boot (later idle) thread of each CPU. Plain switching; who runs next is decided in machine.c.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct sim_fiber {
    void *stack_pointer; /* while not running */
    char *stack;         /* lowest usable address */
    size_t stack_size;
    void *fake_stack; /* the address sanitizer's */
    void (*entry)(void *argument);
    void *argument;
    void *entry_function; /* the thread's own, machine.c */
    void *entry_argument;
    bool on_cpu;                  /* machine.c */
    struct sim_handler *handlers; /* user.c: room for them */
    char name[16];                /* of the thread, for the trace */
    struct sim_fiber *next;       /* in use, or free */
    struct sim_fiber *previous;
};

struct sim_fiber *sim_fiber_create(void (*entry)(void *), void *argument);
/* Its stack is poisoned: who still uses it is reported. Not the running one. */
void sim_fiber_destroy(struct sim_fiber *fiber);
void sim_fiber_switch(struct sim_fiber *from, struct sim_fiber *to);
/* The fiber that stands for the host's own stack, from which a run is started. */
struct sim_fiber *sim_fiber_host(void);
/* Forgets every fiber, wherever it stands: the end of a run. From the host fiber. */
void sim_fiber_destroy_all(void);
unsigned sim_fiber_count(void);
