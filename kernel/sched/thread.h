/*
 * Threads: what runs. Process-level things (signals, files, credentials) are not here: a user
 * thread is embedded in proc's struct user_thread.
 *
 * Field tags: (RQ) lock of the run queue of thread->cpu; (self) only the thread itself; (atomic);
 * (const) set before thread_start().
 */
#pragma once

#include "lib/list.h"
#include "lib/rbtree.h"
#include "port.h"
#include "sched/group.h"
#include "sched/run_queue.h"
#include "sched/timer.h"
#include "sched/wait.h"

enum thread_state {
    THREAD_NEW,      /* being built; on no queue */
    THREAD_READY,    /* on a run queue */
    THREAD_RUNNING,  /* on a CPU */
    THREAD_SLEEPING, /* waits for thread_wake(); mode in sleep_mode */
    THREAD_DEAD,     /* will never run again; may still be on its stack for the last switch */
    THREAD_STATE_COUNT
};

/* Reasons not to go (back) to user mode at once; see thread_post_work(). */
enum thread_work {
    THREAD_WORK_RESCHEDULE = 1 << 0,   /* another thread should run; set by sched only */
    THREAD_WORK_SIGNAL = 1 << 1,       /* a signal may be deliverable: ends SLEEP_INTERRUPTIBLE */
    THREAD_WORK_KILL = 1 << 2,         /* is to die: ends SLEEP_KILLABLE too */
    THREAD_WORK_FREEZE = 1 << 3,       /* is to park on its way to user mode */
    THREAD_WORK_RESTORE_MASK = 1 << 4, /* sigsuspend and its kin put the old mask back */
    THREAD_WORK_CPU_LIMIT = 1 << 5,    /* its group has reached a limit on CPU time; set by sched */
};

#define THREAD_NAME_SIZE 16

/*
 * CPU time in cycles (port_cycles). Each is one word, written by the thread's CPU only and read by
 * others without a lock: a finished total, or, while the clock runs for it, the total minus the
 * time at which it began, which is negative. thread_user_ns() and its kin read them.
 */
struct thread_usage {
    _Atomic uint64_t user_cycles;
    _Atomic uint64_t system_cycles;
    _Atomic uint64_t ready_cycles; /* waited to run */
    _Atomic uint64_t voluntary_switches;
    _Atomic uint64_t involuntary_switches;
    _Atomic uint64_t migrations;
    _Atomic uint64_t counts[THREAD_COUNTS];
};

#define NICE_MIN (-20)
#define NICE_MAX 19

struct sched_attributes {
    int policy;         /* SCHED_OTHER, SCHED_FIFO, SCHED_RR, SCHED_BATCH, SCHED_IDLE (sched(7)) */
    int priority;       /* 1..99 for FIFO and RR, else 0 */
    int nice;           /* -20..19 */
    bool reset_on_fork; /* SCHED_RESET_ON_FORK: children start with the defaults */
};

struct sched_policy;

struct thread {
    struct machine_thread machine;
    _Atomic uint32_t work;       /* (atomic) enum thread_work */
    _Atomic bool may_sleep;      /* set by (self), cleared by wakers: see wait.c */
    bool on_queue;               /* (RQ) in a run queue; READY without it: on the way to one */
    bool on_cpu;                 /* (RQ) its registers are live on thread->cpu */
    bool is_user;                /* (const) */
    bool is_watched;             /* (RQ) its group's limits on time are looked at */
    enum thread_state state;     /* (RQ), written by thread_set_state() only */
    enum sleep_mode sleep_mode;  /* (self) of the present or last sleep; read by wakers */
    _Atomic(struct cpu *) cpu;   /* (RQ) the CPU whose queue lock guards this thread */
    uint64_t affinity;           /* (RQ) bit per CPU; never empty; within the group's */
    uint64_t own_affinity;       /* (RQ) what was asked for */
    struct address_space *space; /* (self) borrowed from the process; NULL for kernel threads */
    struct sched_attributes attributes; /* (RQ) what was asked for */
    const struct sched_policy *policy;  /* (RQ) by `attributes`, within the group's bounds */
    uint32_t rank;           /* (RQ) who of two threads runs at once; equal: the policy says */
    struct list run_link;    /* (RQ) of the realtime and idle classes */
    struct fair_entity fair; /* (RQ) of the fair class */
    uint64_t slice_left;     /* (RQ) SCHED_RR: cycles, kept over a preemption */
    void (*entry)(void *);   /* (const) */
    void *argument;          /* (const) */
#if KIN_DEBUG
    struct lock_stack mutexes; /* (self) what it holds, for the rank check */
#endif
    struct thread_usage usage;
    struct sched_group *group;    /* (RQ) borrowed: whoever groups threads keeps it; may be NULL */
    struct group_share *share;    /* (RQ) of a fair thread's group: it shares the CPUs as one */
    unsigned slice_class;         /* (RQ) the group's: scales the slices of a fair thread */
    struct group_usage flushed;   /* (RQ) what has been added to the group */
    _Atomic bool has_faulted;     /* (self) since its counts were last added */
    _Atomic bool has_transferred; /* (self) the same, for the other counts */
    _Atomic uint64_t user_alarm;  /* user time in cycles at which the group wants to know */
    char name[THREAD_NAME_SIZE];  /* for people; comm of prctl(2) */
    /* By the CPU that left the dead thread for good, interrupts masked, no lock held: frees it. The
     * kernel stack is already gone. (const) */
    void (*release)(struct thread *thread);
};

/* Of zeroed memory. Kernel stack, initial scheduling attributes: those of the creator (kernel
 * threads: nice 0, all CPUs). -ENOMEM. The thread is NEW: thread_start() or thread_abandon() must
 * follow. */
int thread_init(struct thread *thread, const char *name, void (*entry)(void *), void *argument,
                bool user, void (*release)(struct thread *));
void thread_abandon(struct thread *thread);
/* Makes it READY on a CPU of its affinity. Any lock may be held that ranks below RUN_QUEUE. */
void thread_start(struct thread *thread);
/* Ends the current thread. Its accounts are final before its release function is called. */
_Noreturn void thread_exit(void);

/* A sleeping thread becomes READY; for any other nothing happens. Returns whether it woke it. Any
 * context, any lock below RUN_QUEUE. The caller guarantees that the thread is not freed meanwhile.
 */
bool thread_wake(struct thread *thread);

/* Sets work bits, wakes the thread if they end its present sleep, and if it runs in user mode on
 * another CPU makes it enter the kernel. Any context, as thread_wake(). */
void thread_post_work(struct thread *thread, uint32_t bits);
void thread_clear_work(struct thread *thread, uint32_t bits);
static inline bool thread_has_work(const struct thread *thread, uint32_t bits)
{
    return (atomic_load_explicit(&thread->work, memory_order_acquire) & bits) != 0;
}

static inline struct thread *current_thread(void)
{
    return port_current();
}

/* The current thread did something that is counted. */
static inline void thread_count(enum thread_count what, uint64_t amount)
{
    struct thread *self = current_thread();

    port_add_own(&self->usage.counts[what], amount);
    atomic_store_explicit(what == COUNT_FAULTS ? &self->has_faulted : &self->has_transferred, true,
                          memory_order_relaxed);
}

/* Times in ns, up to now for a running thread. Any context. */
uint64_t thread_user_ns(const struct thread *thread);
uint64_t thread_system_ns(const struct thread *thread);
uint64_t thread_ready_ns(const struct thread *thread);
/* A counter of struct thread_usage, up to now: while it runs it is negative, see there; it is read
 * again if it stopped or started meanwhile. Any context. */
static inline uint64_t thread_read_cycles(const _Atomic uint64_t *counter)
{
    uint64_t value, now;

    do {
        value = atomic_load_explicit(counter, memory_order_acquire);
        if ((int64_t)value >= 0)
            return value;
        now = port_cycles();
    } while (value != atomic_load_explicit(counter, memory_order_acquire));
    return value + now;
}
/* Both times above in one conversion: what a CPU-time clock shows. */
uint64_t thread_cpu_ns(const struct thread *thread);

/* sched_setattr and its kin, checked by the caller. Any thread; any lock below RUN_QUEUE. */
void thread_set_attributes(struct thread *thread, const struct sched_attributes *attributes);
void thread_get_attributes(struct thread *thread, struct sched_attributes *attributes);
/* The nice value that counts: its own, or its group's floor. The owner's lock of groups held. */
int thread_nice(const struct thread *thread);
int thread_nice_floor(const struct thread *thread);
/* Moves it if it is on a CPU outside the mask; one that runs there leaves it before it is in user
 * mode again. -EINVAL if no CPU of the mask is online and the group's. Any lock below RUN_QUEUE. */
int thread_set_affinity(struct thread *thread, uint64_t affinity);
uint64_t thread_get_affinity(struct thread *thread);
/* SCHED_RR's interval in ns; the present slice of a fair thread; 0 for SCHED_FIFO. */
uint64_t thread_slice_ns(struct thread *thread);

/* Kernel threads: run `function`, end when it returns. NULL if memory is short. */
struct thread *kernel_thread_start(const char *name, void (*function)(void *), void *argument);
