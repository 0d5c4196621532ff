/* The signal state of a process and its threads from birth to death. */
#include <linux/sched.h>

#include "lib/errno.h"
#include "proc/account.h"
#include "proc/process_timers.h"
#include "proc/signal_internal.h"

static void init_process_part(struct process_signals *signals)
{
    spin_init(&signals->lock, LOCK_RANK_SIGNAL);
    list_init(&signals->threads);
    signal_queue_init(&signals->shared);
}

static void init_thread_part(struct user_thread *thread)
{
    struct thread_signals *signals = &thread->signals;

    signal_queue_init(&signals->own);
    list_init(&signals->forced.link);
    signals->forced.is_embedded = true;
    list_push_back(&thread->process->signals.threads, &signals->link);
}

static void set_account(struct process *process, struct user_account *account)
{
    account_get(account);
    process->signals.account = account;
}

void signals_init_first(struct process *process)
{
    struct process_signals *signals = &process->signals;

    init_process_part(signals);
    init_thread_part(process->leader);
    set_account(process, process->credentials->account);
    signals->is_protected = true;
    signals->actions = signal_actions_create();
    if (!signals->actions)
        panic("no memory for the first process's signals");
}

int signals_fork(struct process *child, struct user_thread *thread, uint64_t clone_flags)
{
    const struct thread_signals *own = &current_user_thread()->signals;

    init_process_part(&child->signals);
    init_thread_part(thread);
    child->signals.actions = signal_actions_inherit(clone_flags);
    if (!child->signals.actions)
        return -ENOMEM;
    thread->signals.blocked = own->blocked;
    if (thread_has_work(current_thread(), THREAD_WORK_RESTORE_MASK))
        thread->signals.blocked = own->saved_mask;
    if (!(clone_flags & CLONE_VM) || (clone_flags & CLONE_VFORK))
        thread->signals.alternate_stack = own->alternate_stack;
    set_account(child, child->credentials->account);
    if (process_timers_inherit(child) == 0)
        return 0;
    signals_undo_fork(child, thread);
    return -ENOMEM;
}

void signals_undo_fork(struct process *child, struct user_thread *thread)
{
    signals_thread_exit(thread);
    signals_exit(child);
}

void signals_exec(struct process *process)
{
    irq_state_t state = signal_lock(process);

    signal_actions_exec_locked(process);
    signal_unlock(process, state);
    current_user_thread()->signals.alternate_stack = (stack_t){0};
    process_timers_exec(process);
}

void signals_thread_exit(struct user_thread *thread)
{
    struct process *process = thread->process;
    struct process_signals *signals = &process->signals;
    irq_state_t state = signal_lock(process);
    bool stop_complete = false;

    signals->retired_user_ns += thread_user_ns(&thread->thread);
    signals->retired_system_ns += thread_system_ns(&thread->thread);
    list_remove(&thread->signals.link);
    signal_queue_flush_locked(process, &thread->signals.own, ~0ull);
    process_timers_forget_thread_locked(process, thread);
    if (!list_is_empty(&signals->threads)) {
        signal_recalculate_locked(signal_first_thread_locked(process));
        stop_complete = stop_leave_locked(process);
    }
    signal_unlock(process, state);
    if (stop_complete)
        stop_report(process);
}

void signals_exit(struct process *process)
{
    struct process_signals *signals = &process->signals;
    struct signal_actions *actions;
    struct signal_channel *channel;
    struct user_account *account;
    irq_state_t state;

    process_timers_exit(process);
    state = signal_lock(process);
    signal_queue_flush_locked(process, &signals->shared, ~0ull);
    actions = signals->actions;
    account = signals->account;
    channel = signals->channel;
    signals->autoreaped = actions && signal_autoreaps_locked(signals);
    signals->actions = NULL;
    signals->channel = NULL;
    signals->account = NULL;
    signals->stopped = false;
    signals->continue_due = false;
    signal_unlock(process, state);
    if (actions)
        signal_actions_put(actions);
    if (account)
        account_put(account);
    if (channel)
        signal_channel_put(channel);
}

void signals_change_account(struct process *process, struct user_account *account)
{
    struct process_signals *signals = &process->signals;
    struct user_account *old;
    irq_state_t state;

    account_get(account);
    state = signal_lock(process);
    old = signals->account;
    atomic_fetch_sub_explicit(&old->queued_signals, signals->charged, memory_order_relaxed);
    atomic_fetch_add_explicit(&account->queued_signals, signals->charged, memory_order_relaxed);
    signals->account = account;
    signal_unlock(process, state);
    account_put(old);
}
