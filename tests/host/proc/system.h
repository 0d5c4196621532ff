/*
 * A simulated system with processes: init, and what a scenario runs in it.
 *
 * A scenario's program runs in pid 1 or, by system_run_child(), in a child of it, whose orphans
 * init reaps. When it is done nothing may be left: neither processes nor memory.
 */
#pragma once

#include "calls.h"

/* The boot function of scenarios with processes. */
void boot_processes(void);

/* Runs program() as pid 1, checks the family (proc_check) and that nothing is left of its children.
 */
void system_run(void (*program)(void));
/* Runs program() in a child of an init that reaps whatever it inherits, until that child and all
 * orphans are gone. */
void system_run_child(void (*program)(void));
/* What the child of system_run_child() ended with, in wait4's encoding. */
extern int system_child_status;

/* Called in each process that gives up its files, early in its death. NULL: nothing. */
extern void (*system_on_exit)(struct process *process);

/* Waits, for the program of pid 1, until all children are reaped. */
void reap_all_children(void);
