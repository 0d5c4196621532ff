/*
 * Signals: generation, pending sets, dispositions. Delivery to handlers is in signal_deliver.c, stop and
 * continue in stop.c.
 *
 * The signal lock of a process (rank SIGNAL, interrupts masked) guards its dispositions, both kinds of
 * pending set and the masks of all its threads. It ranks above family_lock.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <asm/siginfo.h>
#include <asm/signal.h>

#include "lib/list.h"
#include "lib/refcount.h"
#include "sched/spinlock.h"
#include "sched/wait.h"

struct process;
struct process_group;
struct user_thread;
struct user_frame;

#define SIGNAL_COUNT 64
/* Bit n-1 is signal n, as the kernel's sigset_t on x86_64. */
typedef uint64_t signal_set;
#define SIGNAL_BIT(n) (1ull << ((n)-1))

struct signal_queue {
    signal_set pending;
    /* struct queued_signal by link, in order of sending. A standard signal has at most one; it may have
     * none (bit only), if memory or RLIMIT_SIGPENDING ran out: then its siginfo is SI_USER, zeros. */
    struct list queued;
};

/* Dispositions; shared with CLONE_SIGHAND, copied by fork. */
struct signal_actions {
    struct refcount refs;
    struct kernel_sigaction {
        uintptr_t handler; /* SIG_DFL, SIG_IGN or an address */
        uint64_t flags;    /* SA_* */
        uintptr_t restorer;
        signal_set mask;
    } actions[SIGNAL_COUNT]; /* (signal lock) [n-1] */
};

struct process_signals {
    struct spinlock lock; /* the signal lock */
    struct signal_queue shared;     /* (lock) pending for the process */
    struct signal_actions *actions; /* (lock) reference; NULL once it exits */
    /* Group stop: see stop.c. */
    bool stopped;            /* (family_lock and lock to write, either to read) */
    int stop_signal;         /* (same) for the parent's WUNTRACED */
    bool exiting_by_signal;  /* (lock) a fatal signal was taken; the rest of the threads are to die */
    int fatal_signal;        /* (lock) */
    struct wait_queue signalfd_wait; /* signalfd pollers and readers */
};

struct thread_signals {
    struct signal_queue own; /* (lock) pending for this thread */
    signal_set blocked;      /* (lock to write; the thread itself may read) */
    signal_set saved_mask;   /* (self) with THREAD_WORK_RESTORE_MASK */
    stack_t alternate_stack; /* (self) sigaltstack(2) */
    signal_set waiting_for;  /* (lock) sigtimedwait */
};

/* --- life --- */
void signals_init_first(struct process *process); /* pid 1: all default. Allocates; panics at boot only. */
/* The child is private. -ENOMEM. Shares actions with CLONE_SIGHAND; pending sets start empty, the
 * mask is the caller's; clears the alternate stack for CLONE_VM without CLONE_VFORK. */
int signals_fork(struct process *child, struct user_thread *thread, uint64_t clone_flags);
void signals_undo_fork(struct process *child, struct user_thread *thread);
/* Handlers become default, ignored stay ignored; unshares actions first (that part may fail: call
 * signals_exec_prepare before the point of no return). */
int signals_exec_prepare(struct process *process);
void signals_exec(struct process *process);
/* The process takes no more signals; frees what is queued and the actions. Sending to it from now on
 * succeeds and does nothing. family_lock not held. */
void signals_exit(struct process *process);
void signals_thread_exit(struct user_thread *thread);

/* --- sending --- */
/* Who sends: NULL info = SI_KERNEL. Checks no permission. Coalesces, queues, discards what is ignored,
 * applies stop/continue side effects, wakes. 0, or -EAGAIN for a real-time signal that cannot be
 * queued. family_lock may be held or not; the process must be referenced or protected by family_lock. */
int signal_send_process(struct process *process, int signal, const siginfo_t *info);
int signal_send_thread(struct user_thread *thread, int signal, const siginfo_t *info);
/* A synchronous fault of the current thread: cannot be blocked or ignored. */
void signal_force(int signal, const siginfo_t *info);
/* SIGKILL that nothing can refuse. */
void signal_kill_process(struct process *process);
/* Every member, in one hold of family_lock: a fork is wholly before or wholly after it. */
int signal_send_group_locked(struct process_group *group, int signal, const siginfo_t *info);

/* May `sender` signal `target`? kill(2): real or effective uid equals real or saved uid, or root; SIGCONT
 * within a session. 0 or -EPERM. */
int signal_check_permission(struct process *target, int signal);

/* --- being asked --- */
/* Is one deliverable to the current thread now? (a sleeping call should end) */
bool signal_is_pending(void);
bool signal_fatal_is_pending(void);
/* Recomputes THREAD_WORK_SIGNAL / KILL after a change of mask or pending sets. Signal lock held. */
void signal_recalculate_locked(struct user_thread *thread);
/* Is SIGCHLD ignored, or SA_NOCLDWAIT set: do children vanish unreaped? And SA_NOCLDSTOP? */
bool signal_children_autoreap(struct process *parent);
bool signal_wants_child_stops(struct process *parent);

/* The mask of the current thread. KILL and STOP are silently left out. */
void signal_set_mask(signal_set mask);
/* Until the next way to user mode or handler (sigsuspend, ppoll, pselect). */
void signal_set_mask_temporarily(signal_set mask);

/* --- on the way to user mode: port_handlers.user_return calls it when SIGNAL or KILL work is set --- */
/* Takes pending signals one by one: pushes a handler frame, stops, continues, or exits (never returns);
 * settles the restart of an interrupted call. */
void signal_deliver(struct user_frame *frame);
