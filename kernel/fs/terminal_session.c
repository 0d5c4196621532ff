/*
 * The controlling terminal: which session a terminal serves, which group is in the foreground, and
 * what happens to the others. The links (terminal->session, session->terminal, session->foreground)
 * are guarded by family_lock.
 */
#include <asm/signal.h>

#include "fs/terminal.h"
#include "lib/errno.h"
#include "proc/cred.h"
#include "proc/resource.h"

static struct session *current_session_locked(void) REQUIRES(family_lock)
{
    return current_process()->group->session;
}

static bool is_leader_locked(const struct session *session) REQUIRES(family_lock)
{
    return session->leader == current_process();
}

static bool is_blocked_or_ignored(int signal)
{
    struct process_signals *signals = &current_process()->signals;
    irq_state_t state = spin_lock_irq_save(&signals->lock);
    bool ignored = signals->actions->actions[signal - 1].handler == (uintptr_t)SIG_IGN ||
                   (current_user_thread()->signals.blocked & SIGNAL_BIT(signal));

    spin_unlock_irq_restore(&signals->lock, state);
    return ignored;
}

int terminal_check_foreground(struct terminal *terminal, int signal)
{
    int error = 0;

    spin_lock(&family_lock);
    struct process_group *group = current_process()->group;
    struct session *session = group->session;

    if (session->terminal != terminal || !session->foreground ||
        session->foreground == group->pid) {
        spin_unlock(&family_lock);
        return 0;
    }
    if (is_blocked_or_ignored(signal)) {
        error = signal == SIGTTIN ? -EIO : 0;
    } else if (process_group_is_orphaned_locked(group)) {
        error = -EIO;
    } else {
        signal_send_group_locked(group, signal, NULL);
        error = -ERESTARTSYS;
    }
    spin_unlock(&family_lock);
    return error;
}

static void signal_foreground_locked(struct session *session, int signal) REQUIRES(family_lock)
{
    if (session && session->foreground && session->foreground->group)
        signal_send_group_locked(session->foreground->group, signal, NULL);
}

void terminal_signal_foreground(struct terminal *terminal, int signal)
{
    spin_lock(&family_lock);
    signal_foreground_locked(terminal->session, signal);
    spin_unlock(&family_lock);
}

/* NULL: none. */
static void set_foreground_locked(struct session *session, struct pid *group) REQUIRES(family_lock)
{
    struct pid *old = session->foreground;

    if (group)
        pid_get(group);
    session->foreground = group;
    if (old)
        pid_put(old);
}

static void attach_locked(struct terminal *terminal, struct session *session) REQUIRES(family_lock)
{
    terminal_get(terminal);
    terminal->session = session;
    session->terminal = terminal;
    set_foreground_locked(session, current_process()->group->pid);
}

static void detach_locked(struct session *session) REQUIRES(family_lock)
{
    struct terminal *terminal = session->terminal;

    terminal->session = NULL;
    session->terminal = NULL;
    set_foreground_locked(session, NULL);
    terminal_put(terminal);
}

void terminal_hang_up_session(struct terminal *terminal)
{
    spin_lock(&family_lock);
    struct session *session = terminal->session;

    if (session) {
        if (session->leader) {
            signal_send_process(session->leader, SIGHUP, NULL);
            signal_send_process(session->leader, SIGCONT, NULL);
        }
        detach_locked(session);
    }
    spin_unlock(&family_lock);
}

/* --- the death of a session leader, as proc tells it --- */

static int fork_nothing(struct process *parent, struct process *child, uint64_t clone_flags)
{
    return 0;
}

/* Also called for a child whose fork failed: that has no group. */
static void leader_exits(struct process *process)
{
    if (!process->group)
        return;
    spin_lock(&family_lock);
    struct session *session = process->group->session;

    if (session->leader == process && session->terminal) {
        signal_foreground_locked(session, SIGHUP);
        detach_locked(session);
    }
    spin_unlock(&family_lock);
}

void terminal_session_register(void)
{
    static struct process_resource resource = {.fork = fork_nothing, .exit = leader_exits};

    process_resource_register(&resource);
}

void terminal_adopt_on_open(struct terminal *terminal)
{
    spin_lock(&family_lock);
    struct session *session = current_session_locked();

    if (is_leader_locked(session) && !session->terminal && !terminal->session)
        attach_locked(terminal, session);
    spin_unlock(&family_lock);
}

struct terminal *terminal_of_session(void)
{
    spin_lock(&family_lock);
    struct terminal *terminal = current_session_locked()->terminal;

    if (terminal)
        terminal_get(terminal);
    spin_unlock(&family_lock);
    return terminal;
}

static int set_controlling_locked(struct terminal *terminal, bool steal) REQUIRES(family_lock)
{
    struct session *session = current_session_locked();

    if (is_leader_locked(session) && terminal->session == session)
        return 0;
    if (!is_leader_locked(session) || session->terminal)
        return -EPERM;
    if (terminal->session) {
        if (!steal || !credentials_is_privileged(current_credentials()))
            return -EPERM;
        detach_locked(terminal->session);
    }
    attach_locked(terminal, session);
    return 0;
}

int64_t terminal_set_controlling(struct terminal *terminal, bool steal)
{
    spin_lock(&family_lock);
    int error = set_controlling_locked(terminal, steal);

    spin_unlock(&family_lock);
    return error;
}

static void give_up_locked(struct session *session) REQUIRES(family_lock)
{
    signal_foreground_locked(session, SIGHUP);
    signal_foreground_locked(session, SIGCONT);
    detach_locked(session);
}

int64_t terminal_give_up_controlling(struct terminal *terminal)
{
    int64_t error = 0;

    spin_lock(&family_lock);
    struct session *session = current_session_locked();

    if (session->terminal != terminal)
        error = -ENOTTY;
    else if (is_leader_locked(session))
        give_up_locked(session);
    spin_unlock(&family_lock);
    return error;
}

pid_number terminal_foreground_number(struct terminal *terminal)
{
    pid_number number = 0;

    spin_lock(&family_lock);
    if (terminal->session && terminal->session->foreground)
        number = pid_number_of(terminal->session->foreground);
    spin_unlock(&family_lock);
    return number;
}

int64_t terminal_get_foreground(struct terminal *terminal, pid_number *number)
{
    int64_t error = 0;

    spin_lock(&family_lock);
    struct session *session = current_session_locked();

    if (session->terminal != terminal)
        error = -ENOTTY;
    else
        *number = session->foreground ? pid_number_of(session->foreground) : 0;
    spin_unlock(&family_lock);
    return error;
}

static int64_t set_foreground_number_locked(struct terminal *terminal, pid_number number)
    REQUIRES(family_lock)
{
    struct session *session = current_session_locked();

    if (session->terminal != terminal)
        return -ENOTTY;
    struct process_group *group = pgrp_find_locked(number);

    if (!group)
        return process_find_locked(number) ? -EPERM : -ESRCH;
    if (group->session != session)
        return -EPERM;
    set_foreground_locked(session, group->pid);
    return 0;
}

int64_t terminal_set_foreground(struct terminal *terminal, pid_number number)
{
    spin_lock(&family_lock);
    int64_t error = set_foreground_number_locked(terminal, number);

    spin_unlock(&family_lock);
    return error;
}

int64_t terminal_get_session(struct terminal *terminal, pid_number *number)
{
    int64_t error = 0;

    spin_lock(&family_lock);
    struct session *session = current_session_locked();

    if (session->terminal != terminal)
        error = -ENOTTY;
    else
        *number = pid_number_of(session->pid);
    spin_unlock(&family_lock);
    return error;
}
