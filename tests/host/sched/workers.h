/*
 * Threads for scenarios: start some, wait until all are gone.
 *
 * A worker's record is the scenario's own, so that others may name the thread until workers_join().
 */
#pragma once

#include "sched/thread.h"
#include "sched/wait.h"
#include "sim.h"

#define WORKERS_MAX 16

struct worker {
    struct thread thread;
    void (*function)(struct worker *self);
    void *argument;
    unsigned index;
    bool released; /* its release function has run: it is on no CPU, its stack is gone */
    bool user;
};

extern struct worker workers[WORKERS_MAX];
extern unsigned worker_count;

/* NULL if memory is short, which only happens in a fault window. */
struct worker *worker_start(const char *name, void (*function)(struct worker *), void *argument);
/* As worker_start() in two halves. */
struct worker *worker_create(const char *name, void (*function)(struct worker *), void *argument);
/* A user thread: runs the program, which must end with worker_program_exit(). */
struct worker *worker_start_program(const char *name, sim_program *program, uintptr_t argument);
void worker_program_exit(void);
/* Waits for all to be released, then for nothing to be left of them. */
void workers_join(void);
