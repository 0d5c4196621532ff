/* What the files of the signal code share; everything here is under the signal lock of the process.
 */
#pragma once

#include "proc/process.h"
#include "proc/signal.h"

/* Default actions, as sets (signal(7)); what is in none of them terminates. */
#define SIGNALS_STOPPING                                                                           \
    (SIGNAL_BIT(SIGSTOP) | SIGNAL_BIT(SIGTSTP) | SIGNAL_BIT(SIGTTIN) | SIGNAL_BIT(SIGTTOU))
#define SIGNALS_IGNORED_BY_DEFAULT                                                                 \
    (SIGNAL_BIT(SIGCONT) | SIGNAL_BIT(SIGCHLD) | SIGNAL_BIT(SIGWINCH) | SIGNAL_BIT(SIGURG))
/* Those with a core file elsewhere: here they only die, but in their turn among what is pending. */
#define SIGNALS_DUMPING                                                                            \
    (SIGNAL_BIT(SIGQUIT) | SIGNAL_BIT(SIGILL) | SIGNAL_BIT(SIGTRAP) | SIGNAL_BIT(SIGABRT) |        \
     SIGNAL_BIT(SIGFPE) | SIGNAL_BIT(SIGSEGV) | SIGNAL_BIT(SIGBUS) | SIGNAL_BIT(SIGSYS) |          \
     SIGNAL_BIT(SIGXCPU) | SIGNAL_BIT(SIGXFSZ))
/* Caused by the thread's own instruction: taken before all others. */
#define SIGNALS_SYNCHRONOUS                                                                        \
    (SIGNAL_BIT(SIGSEGV) | SIGNAL_BIT(SIGBUS) | SIGNAL_BIT(SIGILL) | SIGNAL_BIT(SIGTRAP) |         \
     SIGNAL_BIT(SIGFPE) | SIGNAL_BIT(SIGSYS))

#define SIGNAL_FIRST_REALTIME 32

static inline bool signal_is_in(int signal, signal_set set)
{
    return (set & SIGNAL_BIT(signal)) != 0;
}

static inline struct user_thread *signal_thread_of(struct thread_signals *signals)
{
    return container_of(signals, struct user_thread, signals);
}

/* The thread that stands for the process when no thread is named: its first. */
static inline struct user_thread *signal_first_thread_locked(struct process *process)
{
    return signal_thread_of(list_first(&process->signals.threads, struct thread_signals, link));
}

static inline irq_state_t signal_lock(struct process *process) ACQUIRES(process->signals.lock)
{
    return spin_lock_irq_save(&process->signals.lock);
}

static inline void signal_unlock(struct process *process, irq_state_t state)
    RELEASES(process->signals.lock)
{
    spin_unlock_irq_restore(&process->signals.lock, state);
}

/* The mask, which its thread may be changing: see signal_mask.c. */
static inline signal_set signal_mask_of(const struct thread_signals *signals)
{
    return __atomic_load_n(&signals->blocked, __ATOMIC_RELAXED);
}

/* --- signal_queue.c --- */
void signal_queue_init(struct signal_queue *queue);
/* Marks the signal pending and keeps its info. -EAGAIN: a real-time signal that cannot be queued.
 */
int signal_queue_add_locked(struct process *process, struct signal_queue *queue, int signal,
                            const struct signal_info *info);
/* The same in a slot that the caller provides; it is in no queue. */
static inline void signal_queue_add_slot_locked(struct signal_queue *queue,
                                                struct queued_signal *slot)
{
    list_push_back(&queue->queued, &slot->link);
    queue->pending |= SIGNAL_BIT(slot->info.signal);
}
/* Takes the next signal of the thread outside `blocked`: 0 if there is none. */
int signal_take_locked(struct user_thread *thread, signal_set blocked, struct signal_info *info);
/* The same, but only a fault of the thread itself. */
int signal_take_synchronous_locked(struct user_thread *thread, struct signal_info *info);
/* Forgets what is pending of the set; in one queue, or in all of the process. */
void signal_queue_flush_locked(struct process *process, struct signal_queue *queue, signal_set set);
void signal_flush_everywhere_locked(struct process *process, signal_set set);
/* For timers, which own one queued signal each. NULL: the limit or memory is short. */
struct queued_signal *queued_signal_allocate_locked(struct process *process) MUST_CHECK;
void queued_signal_free_locked(struct process *process, struct queued_signal *queued);

/* --- signal_action.c --- */
struct signal_actions *signal_actions_create(void) MUST_CHECK;
void signal_actions_put(struct signal_actions *actions);
/* A reference to what a child of the current process begins with. NULL: memory is short. */
struct signal_actions *signal_actions_inherit(uint64_t clone_flags) MUST_CHECK;
/* One disposition, to be changed: in a copy of the table if others must not see it. NULL: memory is
 * short. */
struct kernel_sigaction *signal_action_to_change_locked(struct process *process,
                                                        int signal) MUST_CHECK;
/* After signals_exec_prepare(). */
void signal_actions_exec_locked(struct process *process);

static inline bool signal_action_ignores(const struct kernel_sigaction *action, int signal)
{
    return action->handler == (uintptr_t)SIG_IGN ||
           (action->handler == (uintptr_t)SIG_DFL &&
            signal_is_in(signal, SIGNALS_IGNORED_BY_DEFAULT));
}

/* Would it be thrown away at once? Never if the thread blocks it. */
static inline bool signal_is_discarded_locked(struct process *process, struct user_thread *thread,
                                              int signal)
{
    const struct kernel_sigaction *action = &process->signals.actions->actions[signal - 1];

    if (signal_is_in(signal, signal_mask_of(&thread->signals)))
        return false;
    if (process->signals.is_protected && action->handler == (uintptr_t)SIG_DFL)
        return true;
    return signal_action_ignores(action, signal);
}

/* Do its children vanish unreaped? Also while it dies, when its actions are gone already. */
bool signal_autoreaps_locked(const struct process_signals *signals);

/* --- signal_mask.c --- */
/* Sets the mask and looks again at what is pending, even if the mask stays as it is. */
void signal_settle_mask(signal_set mask);
void signal_set_mask_locked(struct user_thread *self, signal_set mask);

/* --- signal.c --- */
/* All threads are to die of `signal`. */
void signal_start_death_locked(struct process *process, int signal);
/* `thread` NULL: to the process. */
int signal_send_locked(struct process *process, struct user_thread *thread, int signal,
                       const struct signal_info *info);
/* Wakes the thread that should take it. */
void signal_announce_locked(struct process *process, struct user_thread *thread, int signal);
enum force_mode { FORCE_TO_HANDLER, FORCE_DEFAULT_ACTION };
void signal_force_info(int signal, const struct signal_info *info, enum force_mode mode);

/* --- stop.c --- */
/* The side effects of sending a stop signal or SIGCONT, even if it is then ignored. */
void stop_prepare_send_locked(struct process *process, int signal);
/* Tells the parent of a SIGCONT that ended a stop, if it has not been told. */
void stop_settle_continue(struct process *process);
void stop_settle_continue_family_locked(struct process *process) REQUIRES(family_lock);
/* The default action of a stop signal, taken when `continues` was the count: parks the current
 * thread until SIGCONT or death. No lock held. */
void stop_current_process(int signal, uint32_t continues);
/* A stop that another thread took: parks too. */
void stop_join(void);
/* A thread that exits does not keep the others from having stopped. */
bool stop_leave_locked(struct process *process);
void stop_report(struct process *process);
