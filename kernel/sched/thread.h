/*
 * Threads: what runs. Process-level things (signals, files, credentials) are not here: a user thread
 * is embedded in proc's struct user_thread.
 *
 * Field tags: (RQ) lock of the run queue of thread->cpu; (self) only the thread itself; (atomic);
 * (const) set before thread_start().
 */
#pragma once

#include "lib/list.h"
#include "lib/rbtree.h"
#include "port.h"
#include "sched/timer.h"

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
    THREAD_WORK_RESCHEDULE = 1 << 0, /* another thread should run; set by sched only */
    THREAD_WORK_SIGNAL = 1 << 1,     /* a signal may be deliverable: ends SLEEP_INTERRUPTIBLE */
    THREAD_WORK_KILL = 1 << 2,       /* is to die: ends SLEEP_KILLABLE too */
    THREAD_WORK_FREEZE = 1 << 3,     /* is to park on its way to user mode */
    THREAD_WORK_RESTORE_MASK = 1 << 4, /* sigsuspend and its kin put the old mask back */
};

#define THREAD_NAME_SIZE 16

/* CPU time in cycles (port_cycles); read by others without a lock, each field whole. */
struct thread_usage {
    _Atomic uint64_t user_cycles;
    _Atomic uint64_t system_cycles;
    _Atomic uint64_t ready_cycles; /* waited to run */
    _Atomic uint64_t voluntary_switches;
    _Atomic uint64_t involuntary_switches;
    _Atomic uint64_t migrations;
};

enum sched_policy_class { SCHED_CLASS_REALTIME, SCHED_CLASS_FAIR, SCHED_CLASS_IDLE, SCHED_CLASS_COUNT };

struct sched_attributes {
    int policy;   /* SCHED_OTHER, SCHED_FIFO, SCHED_RR, SCHED_BATCH, SCHED_IDLE (sched(7)) */
    int priority; /* 1..99 for FIFO and RR, else 0 */
    int nice;     /* -20..19 */
};

struct thread {
    struct machine_thread machine;
    _Atomic uint32_t work;       /* (atomic) enum thread_work */
    enum thread_state state;     /* (RQ), written by thread_state.c only */
    enum sleep_mode sleep_mode;  /* (self), read by wakers under RQ */
    bool on_cpu;                 /* (RQ) its registers are live on thread->cpu */
    bool is_user;                /* (const) */
    struct cpu *cpu;             /* (RQ) the CPU whose queue it belongs to */
    uint64_t affinity;           /* (RQ) bit per CPU; never empty */
    struct address_space *space; /* (self) borrowed from the process; NULL for kernel threads */
    struct sched_attributes attributes; /* (RQ) */
    /* What the policies keep. (RQ) */
    struct rb_node run_node;
    struct list run_link;
    uint64_t virtual_runtime;
    uint64_t weight;
    uint64_t slice_end; /* cycles */
    uint64_t cycle_mark; /* when the present stretch of user, system or ready time began */
    struct thread_usage usage;
    char name[THREAD_NAME_SIZE]; /* for people; comm of prctl(2) */
    /* By the CPU that left the dead thread for good, interrupts masked, no lock held: frees it. The
     * kernel stack is already gone. (const) */
    void (*release)(struct thread *thread);
};

/* Kernel stack, initial scheduling attributes: those of the creator (kernel threads: nice 0, all
 * CPUs). -ENOMEM. The thread is NEW: thread_start() or thread_abandon() must follow. */
int thread_init(struct thread *thread, const char *name, void (*entry)(void *), void *argument,
                bool user, void (*release)(struct thread *));
void thread_abandon(struct thread *thread);
/* Makes it READY on a CPU of its affinity. Any lock may be held that ranks below RUN_QUEUE. */
void thread_start(struct thread *thread);
/* Ends the current thread. Its accounts are final before its release function is called. */
_Noreturn void thread_exit(void);

/* A sleeping thread becomes READY; for any other nothing happens. Returns whether it woke it. Any
 * context, any lock below RUN_QUEUE. The caller guarantees that the thread is not freed meanwhile. */
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

/* Times in ns, up to now for a running thread. Any context. */
uint64_t thread_user_ns(const struct thread *thread);
uint64_t thread_system_ns(const struct thread *thread);

/* sched_setattr and its kin, checked by the caller. Any thread; no lock held. */
void thread_set_attributes(struct thread *thread, const struct sched_attributes *attributes);
/* Moves it at once if it is on a CPU outside the mask. -EINVAL if no CPU of the mask is online. */
int thread_set_affinity(struct thread *thread, uint64_t affinity);

/* Kernel threads: run `function`, end when it returns. NULL if memory is short. */
struct thread *kernel_thread_start(const char *name, void (*function)(void *), void *argument);
