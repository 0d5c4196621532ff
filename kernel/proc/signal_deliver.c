/*
 * Delivery: on its way to user mode, a thread takes what is pending for it and acts: handler, stop,
 * death. Runs in the thread itself, with no lock held; interrupts enabled.
 *
 * One handler frame is pushed per call; the machine looks at the work bits again and comes back
 * while there is more, so of several signals the last taken runs first, as on Linux.
 */
#include "lib/errno.h"
#include "proc/exit.h"
#include "proc/signal_internal.h"

struct delivery {
    struct kernel_sigaction action;
    signal_set old_mask; /* before the handler's came into force */
    struct signal_info info;
};

enum next_step { NEXT_NOTHING, NEXT_HANDLER, NEXT_STOP, NEXT_JOIN_STOP, NEXT_CONTINUE, NEXT_DEATH };

/* SA_RESETHAND. Without memory for a table of its own the process cannot go on as it asked to. */
static bool reset_handler_locked(struct process *process, int signal)
{
    struct kernel_sigaction *action = signal_action_to_change_locked(process, signal);

    if (action)
        action->handler = (uintptr_t)SIG_DFL;
    else
        signal_start_death_locked(process, SIGKILL);
    return action != NULL;
}

/* What the disposition says about a signal that was just taken. NEXT_NOTHING: it is ignored. */
static enum next_step decide_locked(struct user_thread *self, int signal, struct delivery *delivery)
{
    struct process *process = self->process;
    struct process_signals *signals = &process->signals;
    const struct kernel_sigaction *action = &signals->actions->actions[signal - 1];

    if (action->handler == (uintptr_t)SIG_IGN)
        return NEXT_NOTHING;
    if (action->handler != (uintptr_t)SIG_DFL) {
        delivery->action = *action;
        delivery->old_mask = self->signals.blocked;
        if ((action->flags & SA_RESETHAND) && !reset_handler_locked(process, signal))
            return NEXT_DEATH;
        action = &delivery->action;
        signal_set_mask_locked(self, self->signals.blocked | action->mask |
                                         ((action->flags & SA_NODEFER) ? 0 : SIGNAL_BIT(signal)));
        return NEXT_HANDLER;
    }
    if (signal_is_in(signal, SIGNALS_IGNORED_BY_DEFAULT) || signals->is_protected)
        return NEXT_NOTHING;
    if (signal_is_in(signal, SIGNALS_STOPPING))
        return NEXT_STOP;
    signal_start_death_locked(process, signal);
    return NEXT_DEATH;
}

static enum next_step next_locked(struct user_thread *self, struct delivery *delivery)
{
    struct process *process = self->process;
    struct process_signals *signals = &process->signals;
    int signal;

    if (signals->exiting_by_signal)
        return NEXT_DEATH;
    if (signals->continue_due)
        return NEXT_CONTINUE;
    if (signals->stopping)
        return NEXT_JOIN_STOP;
    for (;;) {
        enum next_step step;

        signal = 0;
        if (self->signals.own.pending & SIGNALS_SYNCHRONOUS)
            signal = signal_take_synchronous_locked(self, &delivery->info);
        if (!signal)
            signal = signal_take_locked(self, self->signals.blocked, &delivery->info);
        if (!signal)
            break;
        step = decide_locked(self, signal, delivery);
        if (step != NEXT_NOTHING)
            return step;
    }
    thread_clear_work(&self->thread, THREAD_WORK_SIGNAL);
    return NEXT_NOTHING;
}

/* Stops and dies as often as needed. True: a handler is to be run, *delivery says which. */
static bool find_handler(struct user_thread *self, struct delivery *delivery)
{
    struct process *process = self->process;
    struct process_signals *signals = &process->signals;

    for (;;) {
        irq_state_t state = signal_lock(process);
        enum next_step step = next_locked(self, delivery);
        uint32_t continues = signals->continues;
        int fatal_signal = signals->fatal_signal;

        signal_unlock(process, state);
        switch (step) {
        case NEXT_NOTHING:
            return false;
        case NEXT_HANDLER:
            return true;
        case NEXT_STOP:
            stop_current_process(delivery->info.signal, continues);
            break;
        case NEXT_JOIN_STOP:
            stop_join();
            break;
        case NEXT_CONTINUE:
            stop_settle_continue(process);
            break;
        case NEXT_DEATH:
            process_exit_by_signal(fatal_signal);
        }
    }
}

/* A call that a handler interrupts: run it again after the handler, or let it return EINTR. */
static void settle_interrupted_call(struct user_frame *frame, const struct kernel_sigaction *action)
{
    int64_t result;

    if (!port_call_result(frame, &result))
        return;
    switch (result) {
    case -ERESTARTSYS:
        if (action->flags & SA_RESTART)
            port_call_repeat(frame);
        else
            port_call_set_result(frame, -EINTR);
        break;
    case -ERESTARTNOINTR:
        port_call_repeat(frame);
        break;
    case -ERESTARTNOHAND:
    case -ERESTART_RESTARTBLOCK:
        port_call_set_result(frame, -EINTR);
        break;
    default:
        break;
    }
}

/* A call that was disturbed, but by nothing that a handler was for. */
static void settle_disturbed_call(struct user_frame *frame)
{
    int64_t result;

    if (!port_call_result(frame, &result))
        return;
    if (result == -ERESTARTSYS || result == -ERESTARTNOINTR || result == -ERESTARTNOHAND)
        port_call_repeat(frame);
    else if (result == -ERESTART_RESTARTBLOCK)
        port_call_resume(frame);
}

static void run_handler(struct user_thread *self, struct user_frame *frame,
                        const struct delivery *delivery)
{
    struct thread_signals *signals = &self->signals;
    const struct kernel_sigaction *action = &delivery->action;
    int signal = delivery->info.signal;
    bool restores = thread_has_work(&self->thread, THREAD_WORK_RESTORE_MASK);
    struct port_signal pushed = {
        .signal = signal,
        .handler = action->handler,
        .restorer = (action->flags & SA_RESTORER) ? action->restorer : 0,
        .info = (action->flags & SA_SIGINFO) ? &delivery->info : NULL,
        .mask = restores ? signals->saved_mask : delivery->old_mask,
        .alternate_stack = &signals->alternate_stack,
        .wants_alternate = (action->flags & SA_ONSTACK) != 0,
    };

    settle_interrupted_call(frame, action);
    if (port_signal_push(frame, &pushed) != 0) {
        const struct signal_info info = {.code = SI_KERNEL};

        signal_settle_mask(delivery->old_mask);
        signal_force_info(SIGSEGV, &info,
                          signal == SIGSEGV ? FORCE_DEFAULT_ACTION : FORCE_TO_HANDLER);
        return;
    }
    if (signals->alternate_stack.ss_flags & SS_AUTODISARM)
        signals->alternate_stack = (stack_t){.ss_flags = SS_DISABLE};
    if (restores)
        thread_clear_work(&self->thread, THREAD_WORK_RESTORE_MASK);
}

void signal_deliver(struct user_frame *frame)
{
    struct user_thread *self = current_user_thread();
    struct delivery delivery;

    if (find_handler(self, &delivery)) {
        run_handler(self, frame, &delivery);
        return;
    }
    settle_disturbed_call(frame);
    signal_restore_mask_unless(false);
}

int64_t signal_return(struct user_frame *frame)
{
    struct user_thread *self = current_user_thread();
    const stack_t *own = &self->signals.alternate_stack;
    signal_set mask;
    stack_t stack;
    int error = port_signal_return(frame, &mask, &stack);

    if (error) {
        signal_force(SIGSEGV, NULL);
        return 0;
    }
    self->restart.restart = NULL; /* the call that the handler interrupted is over */
    signal_set_mask(mask);
    /* As Linux: a stack that cannot be installed (the interrupted code runs on it) is left alone.
     */
    if (stack.ss_sp != own->ss_sp || stack.ss_size != own->ss_size ||
        stack.ss_flags != own->ss_flags)
        (void)signal_set_alternate_stack(&stack, NULL, port_user_stack_pointer(frame));
    return port_call_value(frame);
}
