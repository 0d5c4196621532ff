/*
 * Dispositions: what a process has said about each signal. Guarded by its signal lock. Processes
 * that share a table (CLONE_SIGHAND) each use their own lock: a change by one may be seen half done
 * by the other, which then runs the handler with the flags of the old one, as if the change had
 * come between.
 */
#include "lib/errno.h"
#include "mm/slab.h"
#include "proc/signal_internal.h"

#define KNOWN_FLAGS                                                                                \
    (SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_ONSTACK | SA_RESTART | SA_NODEFER |             \
     SA_RESETHAND | SA_EXPOSE_TAGBITS | SA_RESTORER)

static SLAB_CACHE(actions_cache, struct signal_actions);

struct signal_actions *signal_actions_create(void)
{
    struct signal_actions *actions = slab_alloc(&actions_cache);

    if (actions)
        refcount_init(&actions->refs);
    return actions;
}

struct signal_actions *signal_actions_copy(const struct signal_actions *actions)
{
    struct signal_actions *copy = slab_alloc(&actions_cache);

    if (!copy)
        return NULL;
    *copy = *actions;
    refcount_init(&copy->refs);
    return copy;
}

void signal_actions_put(struct signal_actions *actions)
{
    if (refcount_put(&actions->refs))
        slab_free(&actions_cache, actions);
}

int signal_set_action(int signal, const struct kernel_sigaction *new_action,
                      struct kernel_sigaction *old)
{
    struct process *process = current_process();
    struct kernel_sigaction *action;
    irq_state_t state;

    if (signal < 1 || signal > SIGNAL_COUNT)
        return -EINVAL;
    if (new_action && signal_is_in(signal, SIGNALS_UNBLOCKABLE))
        return -EINVAL;
    action = &process->signals.actions->actions[signal - 1];
    state = signal_lock(process);
    if (old)
        *old = *action;
    if (new_action) {
        *action = *new_action;
        action->flags &= KNOWN_FLAGS;
        action->mask &= ~SIGNALS_UNBLOCKABLE;
        /* POSIX 2.4.3: what is pending of a signal that becomes ignored is discarded. */
        if (signal_action_ignores(action, signal))
            signal_flush_everywhere_locked(process, SIGNAL_BIT(signal));
    }
    signal_unlock(process, state);
    return 0;
}

/* A copy of one disposition; default if the process has exited. */
static struct kernel_sigaction action_of(struct process *process, int signal)
{
    struct kernel_sigaction action = {.handler = (uintptr_t)SIG_DFL};
    irq_state_t state = signal_lock(process);

    if (process->signals.actions)
        action = process->signals.actions->actions[signal - 1];
    signal_unlock(process, state);
    return action;
}

bool signal_autoreaps_locked(const struct process_signals *signals)
{
    const struct kernel_sigaction *action;

    if (!signals->actions)
        return signals->autoreaped;
    action = &signals->actions->actions[SIGCHLD - 1];
    return action->handler == (uintptr_t)SIG_IGN || (action->flags & SA_NOCLDWAIT);
}

bool signal_children_autoreap(struct process *parent)
{
    irq_state_t state = signal_lock(parent);
    bool autoreaps = signal_autoreaps_locked(&parent->signals);

    signal_unlock(parent, state);
    return autoreaps;
}

bool signal_wants_child_stops(struct process *parent)
{
    struct kernel_sigaction action = action_of(parent, SIGCHLD);

    return action.handler != (uintptr_t)SIG_IGN && !(action.flags & SA_NOCLDSTOP);
}

bool signal_is_ignored(struct process *process, int signal)
{
    return action_of(process, signal).handler == (uintptr_t)SIG_IGN;
}

bool signal_is_ignored_or_blocked(int signal)
{
    return signal_is_in(signal, current_user_thread()->signals.blocked) ||
           signal_is_ignored(current_process(), signal);
}
