/*
 * Accounts of a process: CPU time, faults, switches, I/O: its live threads' + those of threads that
 * have exited + (apart) those of children that were waited for.
 */
#pragma once

#include <stdint.h>

#include "sched/group.h"

struct address_space;
struct process;
struct rusage;
struct thread;

/* A sum of finished things. There is no disk: no fault waits for one, no block is moved. */
struct usage_totals {
    uint64_t user_ns, system_ns;
    uint64_t ready_ns; /* waited to run */
    uint64_t voluntary_switches, involuntary_switches;
    uint64_t minor_faults;
    uint64_t peak_resident_pages; /* a maximum, not a sum */
};

struct process_usage {
    struct usage_totals self;       /* (F) threads that exited; all of it at PROCESS_ZOMBIE */
    uint64_t counts[THREAD_COUNTS]; /* (F) the same, of what is counted */
    struct usage_totals children;   /* (F) waited-for descendants */
};

/* The process so far, its live threads included. No spinlock held; the space is asked after the
 * family lock is dropped, so the parts may be an instant apart. */
void usage_of_process(struct process *process, struct usage_totals *totals);
void usage_of_children(struct process *process, struct usage_totals *totals);
/* The end of a thread's accounts: what it uses from now on is nobody's. *used: its time in cycles.
 */
void usage_close_thread(struct process_usage *usage, struct thread *thread, struct cpu_time *used);
/* What a thread, or an address space, has used up to now. */
void usage_add_thread(struct usage_totals *sum, const struct thread *thread);
void usage_add_space(struct usage_totals *sum, struct address_space *space);
void usage_add(struct usage_totals *sum, const struct usage_totals *part);
void usage_to_rusage(const struct usage_totals *totals, struct rusage *rusage);
