/*
 * Sending signals: from any context, under the signal lock of the receiving process alone. Who may
 * send is decided in signal_kill.c; what the receiver then does, in signal_deliver.c.
 */
#include <asm/poll.h>

#include "lib/errno.h"
#include "lib/string.h"
#include "proc/pgrp.h"
#include "proc/signal_internal.h"

_Static_assert(sizeof(struct signal_info) == 48, "the part of siginfo_t that the kernel keeps");
_Static_assert(offsetof(struct signal_info, status) == offsetof(siginfo_t, si_status), "layout");
_Static_assert(offsetof(struct signal_info, value) == offsetof(siginfo_t, si_value), "layout");
_Static_assert(offsetof(struct signal_info, user_ticks) == offsetof(siginfo_t, si_utime), "layout");
_Static_assert(offsetof(struct signal_info, address) == offsetof(siginfo_t, si_addr), "layout");

static const struct signal_info kernel_info = {.code = SI_KERNEL};

void signal_start_death_locked(struct process *process, int signal)
{
    struct process_signals *signals = &process->signals;
    struct thread_signals *thread;

    spin_assert_held(&signals->lock);
    signals->exiting_by_signal = true;
    signals->fatal_signal = signal;
    signals->stopping = false;
    list_for_each (thread, &signals->threads, link)
        thread_post_work(&signal_thread_of(thread)->thread, THREAD_WORK_SIGNAL | THREAD_WORK_KILL);
}

/* Should this thread be the one to take a signal for the process? One that has a signal to take
 * already will look at the pending sets anyway. */
static bool wants_locked(struct process *process, struct user_thread *thread, int signal)
{
    const struct thread_signals *signals = &thread->signals;

    if (signal_is_in(signal, signal_mask_of(signals) & ~signals->waiting_for))
        return false;
    if (signal == SIGKILL)
        return true;
    return !process->signals.stopped && !thread_has_work(&thread->thread, THREAD_WORK_SIGNAL);
}

static struct user_thread *choose_thread_locked(struct process *process, int signal)
{
    struct thread_signals *thread;

    list_for_each (thread, &process->signals.threads, link)
        if (wants_locked(process, signal_thread_of(thread), signal))
            return signal_thread_of(thread);
    return NULL;
}

/* A signal that ends the process, whatever else is pending: it need not be taken in turn. */
static bool is_fatal_locked(struct process *process, struct user_thread *thread, int signal)
{
    const struct kernel_sigaction *action = &process->signals.actions->actions[signal - 1];

    if (signal_is_in(signal, signal_mask_of(&thread->signals)))
        return false;
    return action->handler == (uintptr_t)SIG_DFL && !process->signals.is_protected &&
           !signal_is_in(signal, SIGNALS_STOPPING | SIGNALS_IGNORED_BY_DEFAULT | SIGNALS_DUMPING);
}

void signal_announce_locked(struct process *process, struct user_thread *thread, int signal)
{
    struct user_thread *target = thread;

    /* The pending bit is set, now the masks are looked at: see signal_mask.c. */
    atomic_thread_fence(memory_order_seq_cst);
    if (process->signals.channel)
        wait_queue_wake_all(&process->signals.channel->wait, POLLIN);
    if (!thread)
        target = choose_thread_locked(process, signal);
    else if (!wants_locked(process, thread, signal))
        target = NULL;
    if (!target)
        return;
    if (is_fatal_locked(process, target, signal))
        signal_start_death_locked(process, signal);
    else
        thread_post_work(&target->thread, THREAD_WORK_SIGNAL);
}

static inline int send_locked(struct process *process, struct user_thread *thread, int signal,
                              const struct signal_info *info)
{
    struct process_signals *signals = &process->signals;
    struct signal_queue *queue = thread ? &thread->signals.own : &signals->shared;
    int error;

    spin_assert_held(&signals->lock);
    if (list_is_empty(&signals->threads) || signals->exiting_by_signal)
        return 0;
    if (signal_is_in(signal, SIGNALS_STOPPING | SIGNAL_BIT(SIGCONT)))
        stop_prepare_send_locked(process, signal);
    if (signal_is_discarded_locked(process, thread ? thread : signal_first_thread_locked(process),
                                   signal))
        return 0;
    if (signal < SIGNAL_FIRST_REALTIME && signal_is_in(signal, queue->pending))
        return 0;
    if (signal == SIGKILL)
        queue->pending |= SIGNAL_BIT(SIGKILL);
    else if ((error = signal_queue_add_locked(process, queue, signal, info)) != 0)
        return error;
    signal_announce_locked(process, thread, signal);
    return 0;
}

int signal_send_locked(struct process *process, struct user_thread *thread, int signal,
                       const struct signal_info *info)
{
    return send_locked(process, thread, signal, info);
}

int signal_post_process(struct process *process, int signal, const struct signal_info *info)
{
    irq_state_t state = signal_lock(process);
    int error = send_locked(process, NULL, signal, info);

    signal_unlock(process, state);
    return error;
}

int signal_post_thread(struct user_thread *thread, int signal, const struct signal_info *info)
{
    irq_state_t state = signal_lock(thread->process);
    int error = 0;

    if (list_is_linked(&thread->signals.link))
        error = signal_send_locked(thread->process, thread, signal, info);
    signal_unlock(thread->process, state);
    return error;
}

int signal_post_process_locked(struct process *process, int signal, const struct signal_info *info)
{
    int error = signal_post_process(process, signal, info);

    if (signal == SIGCONT)
        stop_settle_continue_family_locked(process);
    return error;
}

int signal_post_thread_locked(struct user_thread *thread, int signal,
                              const struct signal_info *info)
{
    int error = signal_post_thread(thread, signal, info);

    if (signal == SIGCONT)
        stop_settle_continue_family_locked(thread->process);
    return error;
}

static const struct signal_info *compact(struct signal_info *compacted, const siginfo_t *info)
{
    if (!info)
        return &kernel_info;
    memcpy(compacted, info, sizeof(*compacted));
    return compacted;
}

int signal_send_process(struct process *process, int signal, const siginfo_t *info)
{
    struct signal_info compacted;

    return signal_post_process(process, signal, compact(&compacted, info));
}

int signal_send_thread(struct user_thread *thread, int signal, const siginfo_t *info)
{
    struct signal_info compacted;

    return signal_post_thread(thread, signal, compact(&compacted, info));
}

int signal_send_group_locked(struct process_group *group, int signal, const siginfo_t *info)
{
    struct signal_info compacted;
    const struct signal_info *sent = compact(&compacted, info);
    struct process *member;
    int error = 0;

    spin_assert_held(&family_lock);
    list_for_each (member, &group->members, group_link) {
        int result = signal_post_process_locked(member, signal, sent);

        if (result)
            error = result;
    }
    return error;
}

void signal_info_from_current(struct signal_info *info, int signal, int code)
{
    struct process *self = current_process();

    info->signal = signal;
    info->error = 0;
    info->code = code;
    info->unused = 0;
    info->pid = process_number(self);
    info->uid = self->credentials->user.real;
    info->value = 0;
    info->user_ticks = 0;
    info->system_ticks = 0;
}

void signal_raise(int signal)
{
    struct signal_info info;

    signal_info_from_current(&info, signal, SI_USER);
    signal_post_thread(current_user_thread(), signal, &info);
}

void signal_kill_process(struct process *process)
{
    irq_state_t state = signal_lock(process);

    if (!list_is_empty(&process->signals.threads) && !process->signals.exiting_by_signal) {
        process->signals.shared.pending |= SIGNAL_BIT(SIGKILL);
        signal_start_death_locked(process, SIGKILL);
    }
    signal_unlock(process, state);
}

/* Sends without an allocation: each thread has a slot for it, which is free again before the thread
 * can fault anew, because faults are taken first. */
static void send_forced_locked(struct user_thread *self, int signal, const struct signal_info *info)
{
    struct queued_signal *slot = &self->signals.forced;
    struct signal_queue *queue = &self->signals.own;

    if (signal_is_in(signal, queue->pending))
        return;
    if (list_is_linked(&slot->link)) {
        queue->pending |= SIGNAL_BIT(signal);
        return;
    }
    slot->info = *info;
    slot->info.signal = signal;
    signal_queue_add_slot_locked(queue, slot);
}

/* The signal's default action is to happen. */
static void make_default_locked(struct process *process, int signal)
{
    struct kernel_sigaction *action = signal_action_to_change_locked(process, signal);

    if (action)
        action->handler = (uintptr_t)SIG_DFL;
    else
        signal_start_death_locked(process, signal); /* which is what it comes to */
}

void signal_force_info(int signal, const struct signal_info *info, enum force_mode mode)
{
    struct user_thread *self = current_user_thread();
    struct process *process = self->process;
    irq_state_t state = signal_lock(process);
    bool blocked = signal_is_in(signal, self->signals.blocked);
    uintptr_t handler = process->signals.actions->actions[signal - 1].handler;

    if (blocked || handler == (uintptr_t)SIG_IGN || mode == FORCE_DEFAULT_ACTION) {
        if (handler != (uintptr_t)SIG_DFL)
            make_default_locked(process, signal);
        handler = (uintptr_t)SIG_DFL;
    }
    if (blocked)
        __atomic_fetch_and(&self->signals.blocked, ~SIGNAL_BIT(signal), __ATOMIC_RELAXED);
    if (handler == (uintptr_t)SIG_DFL)
        process->signals.is_protected = false;
    send_forced_locked(self, signal, info);
    thread_post_work(&self->thread, THREAD_WORK_SIGNAL);
    signal_unlock(process, state);
}

void signal_force(int signal, const siginfo_t *info)
{
    struct signal_info compacted;

    signal_force_info(signal, compact(&compacted, info), FORCE_TO_HANDLER);
}
