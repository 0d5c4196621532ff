/*
 * CPU time of groups of threads, in a tree: what a thread has used is added to its account, and to
 * every one above, whenever it stops running. So reading an account does not look at its threads,
 * except at those that run at this moment, at most one a CPU.
 *
 * All times here are in cycles (port_cycles), so that sums are exact and a switch converts nothing.
 */
#pragma once

#include <stdint.h>

struct thread;

struct cpu_account {
    struct cpu_account *parent; /* (const) outlives this one; NULL: the topmost */
    _Atomic uint64_t user, system, ready;
};

struct cpu_time {
    uint64_t user, system, ready;
};

/* By the scheduler, when the thread leaves its CPU: run queue lock held. Its user and system clocks
 * stand; its ready clock may run already, and is added the next time then. */
void cpu_account_flush_stopped(struct thread *thread);
/* From now on the thread adds to `account`; what it used before goes to the old one. NULL: to
 * nobody. The thread may be running; takes its run queue's lock. Returns what it had used by then.
 */
struct cpu_time thread_set_account(struct thread *thread, struct cpu_account *account);
/* The sum, and what running threads have not added yet. None is counted twice; only if threads stop
 * running time and again while it is read may one be missing with its last stretch. Takes each run
 * queue's lock in turn. */
void cpu_account_read(const struct cpu_account *account, struct cpu_time *time);
