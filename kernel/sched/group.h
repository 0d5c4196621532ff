/*
 * Groups of threads, in a tree: what the threads of a group have used together, which time they may
 * use, with which weight they share the CPUs, and what bounds their attributes. Whoever has groups
 * (a job) embeds one, and keeps it until no thread and no group below is in it.
 *
 * Times in here are in cycles (port_cycles), so that sums are exact and a switch converts nothing.
 *
 * Field tags: (owner) the lock of whoever keeps the groups, held for every function below that
 * changes one; a thread of a group sees a change when the owner calls thread_regroup() for it.
 */
#pragma once

#include "lib/compiler.h"
#include "sched/bandwidth.h"

struct thread;
struct group_share;

/* What is counted besides time; thread_count(). */
enum thread_count {
    COUNT_FAULTS,
    COUNT_READS,
    COUNT_WRITES,
    COUNT_CONTROLS,
    COUNT_READ_BYTES,
    COUNT_WRITTEN_BYTES,
    THREAD_COUNTS
};

struct sched_group {
    struct sched_group *parent; /* (const) outlives this one; NULL: the topmost */

    /* group_account.c: what threads have used, added whenever they stop running. So reading it does
     * not look at threads, except at those that run at this moment, at most one a CPU. */
    _Atomic uint64_t user, system, ready;
    _Atomic uint64_t counts[THREAD_COUNTS];

    /* group_limit.c */
    bool is_watched;                          /* (owner) it or one above limits time */
    _Atomic uint64_t user_alarm, total_alarm; /* (owner) sums at which its owner wants to know */
    struct bandwidth bandwidth;

    /* group_share.c */
    struct group_share *own_share; /* (owner) shares the CPUs as one; NULL: by thread */
    struct group_share *share;     /* (owner) own_share, or that of the nearest above; or NULL */

    /* What holds for its threads, by its own wishes and those above: attributes.c. */
    uint64_t cpus;        /* (owner) they run on these only */
    int nice_floor;       /* (owner) -20..19: their nice value is never less */
    unsigned slice_class; /* (owner) 0..9: their slices are (slice_class + 1) / 6 of the usual */
};

#define SLICE_CLASS_MAX     9
#define SLICE_CLASS_DEFAULT 5
#define ALARM_NEVER         UINT64_MAX

struct cpu_time {
    uint64_t user, system, ready;
};

struct group_usage {
    struct cpu_time time;
    uint64_t counts[THREAD_COUNTS];
};

/* Without limits, of zeroed memory. */
void sched_group_init(struct sched_group *group, struct sched_group *parent);
/* No thread and no group is in it any more. */
void sched_group_destroy(struct sched_group *group);

/* The thread, which nobody else knows yet, is in the group from its start. */
void thread_init_group(struct thread *thread, struct sched_group *group);
/* The thread is in the group from now on; what it used before has been added to the old one. NULL:
 * in none. It may be running; takes its run queue's lock. *used, unless NULL: what it had used by
 * then in its life. */
void thread_set_group(struct thread *thread, struct sched_group *group, struct group_usage *used);
/* The group's share or bounds have changed. */
void thread_regroup(struct thread *thread);

/* The sum, and what running threads have not added yet. None is counted twice; only if threads stop
 * running time and again while it is read may one be missing with its last stretch. Takes each run
 * queue's lock in turn. */
void sched_group_read(const struct sched_group *group, struct group_usage *usage);

/* --- Time limits --- */

/* Threads of the group whose CPU is in use get THREAD_WORK_CPU_LIMIT when the group's user time, or
 * its user and system time, passes its alarm, when their own user time passes theirs, or when a
 * bandwidth of theirs is used up. */
void sched_group_set_alarms(struct sched_group *group, uint64_t user, uint64_t total);
void thread_set_user_alarm(struct thread *thread, uint64_t user);
/* quota_ns 0: unlimited. period_ns > 0. What was used before does not count. */
void sched_group_set_bandwidth(struct sched_group *group, uint64_t quota_ns, uint64_t period_ns,
                               uint64_t burst_ns);
/* The limits of watched groups have changed: each CPU looks anew. */
void sched_group_limits_changed(void);
/* When the group may run again as far as bandwidth goes, in port_clock_ns() time; 0: now. */
uint64_t sched_group_throttled_until(struct sched_group *group);

/* --- Shares --- */

/* From now on the group shares the CPUs as one, with that weight (FAIR_WEIGHT_UNIT: as much as a
 * thread of nice 0); until it is destroyed. `share` of the groups below it, and their threads, are
 * the caller's to follow up: sched_group_inherit_share(), thread_regroup(). -ENOMEM */
int sched_group_create_share(struct sched_group *group, uint64_t weight);
/* Takes that back before any thread has seen it; or does nothing. */
void sched_group_abandon_share(struct sched_group *group);
void sched_group_set_weight(struct sched_group *group, uint64_t weight);
/* Finds its share anew; parents first. */
void sched_group_inherit_share(struct sched_group *group);

/* --- For the scheduler itself --- */

/* The thread, which has a group, leaves its CPU: run queue lock held. Its user and system clocks
 * stand; its ready clock may run already, and is added the next time then. */
void group_account_stopped(struct thread *thread, uint64_t now);
/* The same for one that may be running: its run queue's lock held. */
void group_account_flush(struct thread *thread, uint64_t now);
struct cpu;
/* This CPU's current thread is in a watched group: posts its work if a limit has been reached, and
 * arms the tick for the earliest moment at which one can be. Run queue locked. */
void group_limit_watch(struct cpu *cpu, uint64_t now);
/* Limits have changed, or the tick came: first adds what the current thread has used. */
void group_limit_look(struct cpu *cpu, uint64_t now);
/* A thread of the watched group has used that much. Run queue locked. */
void group_limit_charge(struct sched_group *group, uint64_t cycles, uint64_t now);
