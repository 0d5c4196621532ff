/*
 * Signals: generation, pending sets, dispositions. Delivery to handlers is in signal_deliver.c,
 * stop and continue in stop.c; docs/signals.md tells the whole way.
 *
 * The signal lock of a process (rank SIGNAL, interrupts masked) guards its dispositions, both kinds
 * of pending set and the masks of all its threads. It ranks above family_lock. Two signal locks are
 * never held at once.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <linux/signal.h>

#include "lib/list.h"
#include "lib/refcount.h"
#include "lib/thread_safety.h"
#include "port.h"
#include "sched/spinlock.h"
#include "sched/thread.h"
#include "sched/wait.h"

struct posix_timer;
struct process;
struct process_group;
struct process_timers;
struct user_account;
struct user_thread;

extern struct spinlock family_lock;

#define SIGNAL_COUNT 64
/* Bit n-1 is signal n, as the kernel's sigset_t on x86_64. */
typedef uint64_t signal_set;
#define SIGNAL_BIT(n) (1ull << ((n)-1))

/* Neither blocked, ignored nor handled, whatever a program asks for. */
#define SIGNALS_UNBLOCKABLE (SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP))

/* The start of a siginfo_t, byte for byte; the rest of one is always zero. */
struct signal_info {
    int signal;
    int error;
    int code;
    int unused;
    union {
        struct {
            int32_t pid;
            uint32_t uid;
            union {
                int32_t status; /* SIGCHLD */
                uint64_t value; /* sigval: SI_QUEUE, SI_TIMER */
            };
            int64_t user_ticks; /* SIGCHLD, in 1/100 s */
            int64_t system_ticks;
        };
        struct {
            int32_t timer_id; /* SI_TIMER */
            int32_t overrun;
        };
        uint64_t address; /* faults */
    };
};

struct queued_signal {
    struct list link; /* (signal lock) */
    /* (signal lock) Whose expiry it announces; it belongs to that timer and is not freed. */
    struct posix_timer *timer;
    bool is_embedded; /* (const) part of its queue or thread: not freed */
    struct signal_info info;
};

struct signal_queue {
    signal_set pending;
    /* struct queued_signal by link, in order of sending. A standard signal has at most one; it may
     * have none (bit only), if memory or RLIMIT_SIGPENDING ran out: then its siginfo is SI_USER,
     * zeros. */
    struct list queued;
    struct queued_signal spare; /* for a standard signal that no limit applies to: no allocation */
};

/* Dispositions. A fork's child has its parent's table until one of the two changes it: nobody
 * writes to a table with more than one reference, unless it is common, with CLONE_SIGHAND. */
struct signal_actions {
    struct refcount refs;
    bool is_common;      /* (signal lock) who shares it sees the others' changes */
    signal_set assigned; /* (signal lock) the others are default, without flags or mask */
    struct kernel_sigaction {
        uintptr_t handler; /* SIG_DFL, SIG_IGN or an address */
        uint64_t flags;    /* SA_* */
        uintptr_t restorer;
        signal_set mask;
    } actions[SIGNAL_COUNT]; /* (signal lock of each process that shares them) [n-1] */
};

/* Where those wait who look for signals without a handler: poll and read of signalfds by one
 * process. An epoll may keep an entry here for longer than the process lives, hence an object of
 * its own. */
struct signal_channel {
    struct refcount refs;
    struct wait_queue wait;
};

struct process_signals {
    struct spinlock lock;           /* the signal lock */
    struct list threads;            /* (lock) thread_signals by link: who can take signals */
    struct signal_queue shared;     /* (lock) pending for the process */
    struct signal_actions *actions; /* (lock) reference; NULL once it exits: takes no more */
    struct user_account *account;   /* (lock) reference: who pays for what is queued */
    uint32_t charged;               /* (lock) queued signals counted in the account */
    bool autoreaped;                /* (lock) what the actions said of SIGCHLD when they went */
    bool is_protected;              /* (lock) pid 1: default actions do not happen */
    bool exiting_by_signal;         /* (lock) a fatal signal was taken; all threads are to die */
    int fatal_signal;               /* (lock) */

    /* Group stop: see stop.c. */
    bool stopped;           /* (lock) no thread runs user code until SIGCONT */
    bool stopping;          /* (lock) a stop was taken, some threads are still on their way */
    bool continue_due;      /* (lock) the parent is still to be told of a SIGCONT */
    uint32_t running_count; /* (lock) while stopping: threads not parked yet */
    uint32_t continues;     /* (lock) SIGCONTs so far: a stop taken before one is void */
    int stop_signal;        /* (lock to write; also read under family_lock after the report) */

    struct signal_channel *channel; /* (lock) reference; NULL until a signalfd is used */
    struct process_timers *timers;  /* (lock) itimer.c; NULL until one is used */
    uint64_t retired_user_ns;       /* (lock) CPU time of threads that have exited */
    uint64_t retired_system_ns;
};

struct thread_signals {
    struct list link;            /* (lock) in the process's threads */
    struct signal_queue own;     /* (lock) pending for this thread */
    struct queued_signal forced; /* (lock) for a fault: never needs an allocation */
    signal_set blocked;      /* (self to write, atomic; others read it under lock): signal_mask.c */
    signal_set waiting_for;  /* (lock) sigtimedwait: as if not blocked, but not acted upon */
    signal_set saved_mask;   /* (self) with THREAD_WORK_RESTORE_MASK */
    stack_t alternate_stack; /* (self) sigaltstack(2); ss_size 0: none */
};

/* --- life --- */
/* pid 1, whose leader is set: all default, nothing blocked. Panics if memory is short: only at
 * boot. */
void signals_init_first(struct process *process);
/* The child is private. -ENOMEM. Shares actions with CLONE_SIGHAND; pending sets start empty, the
 * mask is the caller's; clears the alternate stack for CLONE_VM without CLONE_VFORK. */
int signals_fork(struct process *child, struct user_thread *thread, uint64_t clone_flags);
void signals_undo_fork(struct process *child, struct user_thread *thread);
/* exec. Handlers become default, ignored stay ignored; timers of timer_create go. The table for it
 * is made first: that part may fail with -ENOMEM, so it comes before the point of no return. */
int signals_exec_prepare(struct process *process) MUST_CHECK;
void signals_exec(struct process *process);
/* The process takes no more signals; frees what is queued, the actions and the timers. Sending to
 * it from now on succeeds and does nothing. No spinlock held. */
void signals_exit(struct process *process);
/* The thread takes no more signals; what was pending for it alone is gone. */
void signals_thread_exit(struct user_thread *thread);
/* setuid(2): from now on this account pays. Takes its own reference. No spinlock held. */
void signals_change_account(struct process *process, struct user_account *account);

/* --- sending --- */
/* Who sends: NULL info = SI_KERNEL. Checks no permission. Coalesces, queues, discards what is
 * ignored, applies stop/continue side effects, wakes. 0, or -EAGAIN for a real-time signal that
 * cannot be queued. Any context; family_lock may be held or not; the process must be referenced or
 * protected by family_lock. A SIGCONT is reported to the parent by the continued thread. */
int signal_send_process(struct process *process, int signal, const siginfo_t *info);
int signal_send_thread(struct user_thread *thread, int signal, const siginfo_t *info);
/* The same in the kernel's own form; the info's signal field is ignored. */
int signal_post_process(struct process *process, int signal, const struct signal_info *info);
int signal_post_thread(struct user_thread *thread, int signal, const struct signal_info *info);
/* The same, and a SIGCONT's report to the parent is made before it returns. */
int signal_post_process_locked(struct process *process, int signal, const struct signal_info *info)
    REQUIRES(family_lock);
int signal_post_thread_locked(struct user_thread *thread, int signal,
                              const struct signal_info *info) REQUIRES(family_lock);
/* As if the current thread had sent it to itself: SIGPIPE, SIGXFSZ. */
void signal_raise(int signal);
/* A synchronous fault of the current thread: cannot be blocked or ignored. NULL: SI_KERNEL. */
void signal_force(int signal, const siginfo_t *info);
/* SIGKILL that nothing can refuse. Any context. */
void signal_kill_process(struct process *process);
/* Every member, in one hold of family_lock: a fork is wholly before or wholly after it. */
int signal_send_group_locked(struct process_group *group, int signal, const siginfo_t *info)
    REQUIRES(family_lock);

/* kill(2) and tgkill(2): who is meant, permission, and sending; signal 0 only checks. `info` says
 * who sends. -EINVAL -ESRCH -EPERM -EAGAIN. process_id 0 for any (tkill). No spinlock held. */
int signal_kill(int32_t selector, int signal, const struct signal_info *info);
int signal_kill_thread(int32_t process_id, int32_t thread_id, int signal,
                       const struct signal_info *info);
/* pidfd_send_signal(2). */
int signal_kill_process_checked(struct process *target, int signal, const struct signal_info *info);
/* SI_USER, SI_TKILL ... from the current process. */
void signal_info_from_current(struct signal_info *info, int signal, int code);
/* May the current process signal `target`? kill(2): real or effective uid equals real or saved uid,
 * or root; SIGCONT within a session. 0 or -EPERM. */
int signal_check_permission_locked(struct process *target, int signal) REQUIRES(family_lock);

/* --- being asked --- */
/* Is one deliverable to the current thread now? (a sleeping call should end) */
static inline bool signal_is_pending(void)
{
    return thread_has_work(port_current(), THREAD_WORK_SIGNAL | THREAD_WORK_KILL);
}

static inline bool signal_fatal_is_pending(void)
{
    return thread_has_work(port_current(), THREAD_WORK_KILL);
}

/* Recomputes the current thread's THREAD_WORK_SIGNAL after a change of mask or pending sets; for
 * another thread only sets it. Signal lock held. */
void signal_recalculate_locked(struct user_thread *thread);
/* Is SIGCHLD ignored, or SA_NOCLDWAIT set: do children vanish unreaped? And SA_NOCLDSTOP? */
bool signal_children_autoreap(struct process *parent);
bool signal_wants_child_stops(struct process *parent);
/* Is the disposition SIG_IGN? A parent that ignores SIGCHLD is not sent one, blocked or not. Nor is
 * the terminal's SIGTTIN sent to who ignores or blocks it. */
bool signal_is_ignored(struct process *process, int signal);
bool signal_is_ignored_or_blocked(int signal); /* for the current thread */
/* What rt_sigpending(2) and /proc/<pid>/status show. */
signal_set signal_pending_set(void);

/* --- dispositions and masks --- */
/* rt_sigaction(2): new_action and old may be NULL. -EINVAL, -ENOMEM. */
int signal_set_action(int signal, const struct kernel_sigaction *new_action,
                      struct kernel_sigaction *old);
/* The mask of the current thread. KILL and STOP are silently left out. */
void signal_set_mask(signal_set mask);
/* Until the next way to user mode or handler (sigsuspend, ppoll, pselect). */
void signal_set_mask_temporarily(signal_set mask);
/* The end of a call that set one: if it was interrupted the old mask waits until the handler has
 * been started, else it is back at once. */
void signal_restore_mask_unless(bool interrupted);
/* sigaltstack(2): -EPERM -EINVAL -ENOMEM. Both may be NULL. */
int signal_set_alternate_stack(const stack_t *new_stack, stack_t *old, uintptr_t stack_pointer);

/* --- waiting --- */
/* rt_sigsuspend(2): -ERESTARTNOHAND. pause(2) likewise. */
int signal_suspend(signal_set mask);
int signal_pause(void);
/* rt_sigtimedwait(2), deadline 0 does not wait: the signal's number with its info, -EAGAIN or
 * -EINTR. */
int signal_wait(signal_set wanted, uint64_t deadline, struct signal_info *info);
/* Takes one of `wanted` for the current thread; 0 if none is pending. For signalfd. */
int signal_take(signal_set wanted, struct signal_info *info);
bool signal_any_pending(signal_set wanted);
/* The current process's channel, with a reference; NULL if memory is short. */
struct signal_channel *signal_channel_obtain(void) MUST_CHECK;
void signal_channel_put(struct signal_channel *channel);

/* --- on the way to user mode: port_handlers.user_return calls it when SIGNAL, KILL or RESTORE_MASK
 * work is set --- */
/* Takes pending signals one by one: pushes a handler frame, stops, continues, or exits (never
 * returns); settles the restart of an interrupted call. */
void signal_deliver(struct user_frame *frame);
/* rt_sigreturn(2): the result that the interrupted code sees in its result register. */
int64_t signal_return(struct user_frame *frame);

/* --- faults: port_handlers.page_fault_failed and user_fault --- */
void signal_page_fault(uintptr_t address, enum port_access access, int error);
void signal_user_fault(enum port_fault fault, uintptr_t address, uint64_t error_code);
