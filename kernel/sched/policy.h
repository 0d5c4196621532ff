/*
 * A scheduling policy: who of the READY threads of one class on one CPU runs next, and for how
 * long. Adding a policy is one file with one of these tables. All functions run under the queue's
 * lock with interrupts masked and touch only their own part of the run queue and of the thread.
 */
#pragma once

#include "sched/cpu.h"
#include "sched/thread.h"

/* Linux's numbers of the policies (linux/sched.h would bring in far more). */
#define SCHED_OTHER 0
#define SCHED_FIFO  1
#define SCHED_RR    2
#define SCHED_BATCH 3
#define SCHED_IDLE  5

/* thread->rank: of two threads that want the CPU the one of higher rank has it at once. Realtime
 * ones add their priority. */
enum sched_rank { RANK_CPU_IDLE, RANK_IDLE, RANK_FAIR, RANK_REALTIME };

enum enqueue_reason {
    ENQUEUE_NEW,       /* its first time */
    ENQUEUE_WAKE,      /* slept */
    ENQUEUE_PREEMPTED, /* ran until now, and would go on */
    ENQUEUE_MOVED,     /* comes from another CPU's queue, or from another class */
};

struct sched_policy {
    enum sched_policy_class class;
    void (*enqueue)(struct run_queue *queue, struct thread *thread, enum enqueue_reason reason);
    void (*dequeue)(struct run_queue *queue, struct thread *thread);
    /* The class is not empty: takes the next one out. */
    struct thread *(*pick)(struct run_queue *queue);
    /* The running thread used that many cycles. */
    void (*charge)(struct run_queue *queue, struct thread *current, uint64_t cycles);
    /* How many cycles it may run from now on while others of its class wait; SLICE_ENDLESS. */
    uint64_t (*slice)(struct run_queue *queue, const struct thread *current);
    /* The running thread offers the CPU to its peers; it is enqueued as PREEMPTED afterwards. */
    void (*yield)(struct run_queue *queue, struct thread *current);
    /* Should `woken`, of the same rank as `current`, run at once? */
    bool (*preempts)(struct run_queue *queue, const struct thread *current,
                     const struct thread *woken);
    /* A queued thread that may run on a CPU of the mask and weighs less than the limit; NULL if
     * there is none among the first few. */
    struct thread *(*find_movable)(struct run_queue *queue, uint64_t cpus, uint64_t weight_limit);
};

extern const struct sched_policy sched_policy_realtime, sched_policy_fair, sched_policy_idle;

/* By sched_policy_class. */
extern const struct sched_policy *const sched_policies[SCHED_CLASS_COUNT];

/* How many threads find_movable() looks at. */
#define MOVABLE_SEARCH_LIMIT 16

/* For the policies that keep lists: the first movable thread of one. `budget` counts down the
 * search. */
struct thread *policy_find_in_list(struct list *list, uint64_t cpus, unsigned *budget);

/* The weight of a nice value, -20..19: Linux's table, 10% of CPU time a step. */
uint64_t fair_weight_of_nice(int nice);

static inline uint64_t fair_virtual_minimum(const struct fair_queue *fair)
{
    return atomic_load_explicit(&fair->virtual_minimum, memory_order_relaxed);
}

/* Slices in cycles, converted once at boot. */
extern struct sched_slices {
    uint64_t fair_period;   /* in which each fair thread of a CPU runs once, if that leaves … */
    uint64_t fair_minimum;  /* … each one at least this */
    uint64_t wakeup_margin; /* by how much the running thread must be ahead of a woken one */
    uint64_t round_robin;
    uint64_t balance;       /* between two comparisons of loads */
    uint64_t watch_minimum; /* between two looks at a group's limits */
} sched_slices;
#define ROUND_ROBIN_NS 100000000ull
