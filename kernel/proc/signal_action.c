/*
 * Dispositions: what a process has said about each signal. Guarded by its signal lock. Processes
 * that have a table in common (CLONE_SIGHAND) each use their own lock: a change by one may be seen
 * half done by the other, which then runs the handler with the flags of the old one, as if the
 * change had come between.
 */
#include <linux/sched.h>

#include "lib/errno.h"
#include "lib/string.h"
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

static struct signal_actions *copy_of(const struct signal_actions *actions)
{
    struct signal_actions *copy = signal_actions_create();

    if (!copy)
        return NULL;
    copy->assigned = actions->assigned;
    memcpy(copy->actions, actions->actions, sizeof(copy->actions));
    return copy;
}

void signal_actions_put(struct signal_actions *actions)
{
    if (refcount_put(&actions->refs))
        slab_free(&actions_cache, actions);
}

/* Gives the process a table of its own. NULL: memory is short, nothing has changed. */
static struct signal_actions *separate_locked(struct process *process)
{
    struct signal_actions *shared = process->signals.actions;
    struct signal_actions *copy = copy_of(shared);

    if (!copy)
        return NULL;
    process->signals.actions = copy;
    signal_actions_put(shared);
    return copy;
}

/* The table, to be changed; NULL: memory is short. */
static struct signal_actions *writable_locked(struct process *process)
{
    struct signal_actions *actions = process->signals.actions;

    return actions->is_common || refcount_is_sole(&actions->refs) ? actions
                                                                  : separate_locked(process);
}

struct kernel_sigaction *signal_action_to_change_locked(struct process *process, int signal)
{
    struct signal_actions *actions = writable_locked(process);

    if (!actions)
        return NULL;
    actions->assigned |= SIGNAL_BIT(signal);
    return &actions->actions[signal - 1];
}

/* --- A new process, a new program --- */

static struct kernel_sigaction after_exec(const struct kernel_sigaction *action)
{
    bool stays = action->handler == (uintptr_t)SIG_IGN;

    return (struct kernel_sigaction){.handler = stays ? (uintptr_t)SIG_IGN : (uintptr_t)SIG_DFL};
}

static bool is_as_after_exec(const struct signal_actions *actions)
{
    for (signal_set rest = actions->assigned; rest; rest &= rest - 1) {
        const struct kernel_sigaction *action = &actions->actions[__builtin_ctzll(rest)];
        struct kernel_sigaction cleared = after_exec(action);

        if (memcmp(action, &cleared, sizeof(cleared)) != 0)
            return false;
    }
    return true;
}

static void clear_handlers(struct signal_actions *actions)
{
    for (signal_set rest = actions->assigned; rest; rest &= rest - 1) {
        struct kernel_sigaction *action = &actions->actions[__builtin_ctzll(rest)];

        *action = after_exec(action);
    }
}

static struct signal_actions *inherit_locked(struct process *parent, uint64_t clone_flags)
{
    struct signal_actions *actions = parent->signals.actions;

    if (clone_flags & CLONE_SIGHAND) {
        actions = writable_locked(parent);
        if (!actions)
            return NULL;
        actions->is_common = true;
    } else if (actions->is_common || (clone_flags & CLONE_CLEAR_SIGHAND)) {
        actions = copy_of(actions);
        if (actions && (clone_flags & CLONE_CLEAR_SIGHAND))
            clear_handlers(actions);
        return actions;
    }
    refcount_get(&actions->refs);
    return actions;
}

struct signal_actions *signal_actions_inherit(uint64_t clone_flags)
{
    struct process *parent = current_process();
    irq_state_t state = signal_lock(parent);
    struct signal_actions *actions = inherit_locked(parent, clone_flags);

    signal_unlock(parent, state);
    return actions;
}

int signals_exec_prepare(struct process *process)
{
    irq_state_t state = signal_lock(process);
    struct signal_actions *actions = process->signals.actions;
    bool stays =
        refcount_is_sole(&actions->refs) || (!actions->is_common && is_as_after_exec(actions));
    int error = stays || separate_locked(process) ? 0 : -ENOMEM;

    signal_unlock(process, state);
    return error;
}

void signal_actions_exec_locked(struct process *process)
{
    struct signal_actions *actions = process->signals.actions;

    /* Else it is as it should be. */
    if (refcount_is_sole(&actions->refs)) {
        actions->is_common = false;
        clear_handlers(actions);
    }
}

/* --- Change --- */

static int change_locked(struct process *process, int signal, struct kernel_sigaction action)
{
    struct kernel_sigaction *place = &process->signals.actions->actions[signal - 1];

    action.flags &= KNOWN_FLAGS;
    action.mask &= ~SIGNALS_UNBLOCKABLE;
    if (memcmp(place, &action, sizeof(action)) != 0) {
        place = signal_action_to_change_locked(process, signal);
        if (!place)
            return -ENOMEM;
        *place = action;
    }
    /* POSIX 2.4.3: what is pending of a signal that becomes ignored is discarded. */
    if (signal_action_ignores(&action, signal))
        signal_flush_everywhere_locked(process, SIGNAL_BIT(signal));
    return 0;
}

int signal_set_action(int signal, const struct kernel_sigaction *new_action,
                      struct kernel_sigaction *old)
{
    struct process *process = current_process();
    irq_state_t state;
    int error = 0;

    if (signal < 1 || signal > SIGNAL_COUNT)
        return -EINVAL;
    if (new_action && signal_is_in(signal, SIGNALS_UNBLOCKABLE))
        return -EINVAL;
    state = signal_lock(process);
    if (old)
        *old = process->signals.actions->actions[signal - 1];
    if (new_action)
        error = change_locked(process, signal, *new_action);
    signal_unlock(process, state);
    return error;
}

/* --- Questions --- */

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
