/*
 * Run queues: the READY threads of one CPU, and what each policy class keeps about them. Private to
 * kernel/sched; other floors use sched.h and thread.h.
 *
 * Everything is guarded by the queue's lock, except that the counters tagged (atomic) are read by
 * other CPUs to compare loads: a stale value costs a worse choice, never a wrong one.
 */
#pragma once

#include "lib/bitset.h"
#include "lib/list.h"
#include "lib/rbtree.h"
#include "sched/spinlock.h"

struct thread;

enum sched_policy_class {
    SCHED_CLASS_REALTIME, /* runs before all below */
    SCHED_CLASS_FAIR,
    SCHED_CLASS_IDLE,
    SCHED_CLASS_COUNT
};

#define REALTIME_PRIORITY_MIN 1
#define REALTIME_PRIORITY_MAX 99

struct realtime_queue {
    uint64_t occupied[BITSET_WORDS(REALTIME_PRIORITY_MAX + 1)];
    struct list lists[REALTIME_PRIORITY_MAX + 1]; /* struct thread by run_link, next first */
};

/*
 * What shares a CPU by weight: a thread, or a group of threads (struct fair_share), which is an
 * entity in its parent's queue and has a queue of its own. Virtual runtime is time on the CPU in
 * cycles, scaled by FAIR_WEIGHT_UNIT / weight: whoever has the least runs next.
 */
struct fair_entity {
    struct rb_node node;
    uint64_t virtual_runtime; /* wraps around: compare differences; relative between two CPUs */
    uint64_t weight;
    bool is_share;
};

#define FAIR_WEIGHT_UNIT 1024

struct fair_queue {
    struct rb_tree entities; /* struct fair_entity by virtual runtime; the running one is not in */
    _Atomic uint64_t weight; /* (atomic) sum over the tree */
    _Atomic uint64_t
        virtual_minimum; /* (atomic) never falls: newcomers and sleepers are placed by it */
};

/* A group that shares the CPUs as one, on one CPU. It is in its parent's queue exactly while its
 * own is not empty, so the thread that runs does not count. */
struct fair_share {
    struct fair_entity entity;
    struct fair_queue queue;
    struct fair_share *parent; /* NULL: in the CPU's own queue */
    struct group_share *group;
    uint64_t runnable; /* weight of all threads below that are queued or run on this CPU */
};

struct run_queue {
    struct spinlock lock;          /* rank RUN_QUEUE */
    struct thread *current;        /* what runs on this CPU; changes just before the switch to it */
    struct thread *left;           /* whom the switch in progress leaves */
    _Atomic uint32_t ready_count;  /* (atomic) threads queued in all classes */
    _Atomic uint32_t current_rank; /* (atomic) see thread->rank; 0 while idle */
    _Atomic uint64_t current_weight; /* (atomic) 0 while idle */
    uint32_t class_count[SCHED_CLASS_COUNT];
    uint64_t charged;   /* port_cycles() up to which `current` has been charged by its policy */
    uint64_t slice_end; /* cycles; when `current` must give way to its peers; SLICE_ENDLESS */
    uint64_t watch_end; /* cycles; when its group's limits must be looked at; SLICE_ENDLESS */
    uint64_t tick; /* cycles; the machine's timer is armed for then or earlier; UINT64_MAX: not */
    uint64_t balanced;         /* cycles; when this CPU last compared its load with the others' */
    _Atomic uint64_t switches; /* (atomic) since boot */
    _Atomic uint64_t timer_interrupts; /* (atomic) since boot */
    struct realtime_queue realtime;
    struct fair_queue fair;
    struct list idle_class; /* struct thread by run_link */
};

#define SLICE_ENDLESS UINT64_MAX
