/* A process's links and signal sets at one moment: see procfs_snapshot.h. */
#include "fs/procfs_snapshot.h"

#include "fs/terminal.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "proc/pgrp.h"
#include "sched/cpu.h"

const char *proc_state_word(char state)
{
    switch (state) {
    case 'R':
        return "R (running)";
    case 'S':
        return "S (sleeping)";
    case 'D':
        return "D (disk sleep)";
    case 'T':
        return "T (stopped)";
    default:
        return "Z (zombie)";
    }
}

static char state_letter(const struct process *process, const struct thread *thread)
{
    if (process->state == PROCESS_ZOMBIE || process->state == PROCESS_DEAD || !thread)
        return 'Z';
    if (process->signals.stopped)
        return 'T';
    if (thread->state != THREAD_SLEEPING)
        return 'R';
    return thread->sleep_mode == SLEEP_INTERRUPTIBLE ? 'S' : 'D';
}

static void take_group_locked(struct process_group *group, struct proc_snapshot *snapshot)
    REQUIRES(family_lock)
{
    struct session *session = group->session;
    struct terminal *terminal = session->terminal;

    snapshot->group = pid_number_of(group->pid);
    snapshot->session = pid_number_of(session->pid);
    snapshot->terminal_device = terminal ? terminal->device : 0;
    snapshot->foreground = session->foreground ? pid_number_of(session->foreground) : -1;
}

static void take_thread(struct thread *thread, struct proc_snapshot *snapshot)
{
    memcpy(snapshot->name, thread->name, sizeof(snapshot->name));
    snapshot->attributes = thread->attributes;
    snapshot->affinity = thread_get_affinity(thread);
    snapshot->cpu = thread->cpu ? thread->cpu->id : 0;
}

static void take_signals(struct process *process, const struct user_thread *leader,
                         struct proc_snapshot *snapshot)
{
    struct process_signals *signals = &process->signals;
    irq_state_t state = spin_lock_irq_save(&signals->lock);

    snapshot->pending = signals->shared.pending;
    if (leader) {
        snapshot->thread_pending = leader->signals.own.pending;
        snapshot->blocked = leader->signals.blocked;
    }
    for (int signal = 1; signals->actions && signal <= SIGNAL_COUNT; signal++) {
        uintptr_t handler = signals->actions->actions[signal - 1].handler;

        if (handler == (uintptr_t)SIG_IGN)
            snapshot->ignored |= SIGNAL_BIT(signal);
        else if (handler != (uintptr_t)SIG_DFL)
            snapshot->caught |= SIGNAL_BIT(signal);
    }
    spin_unlock_irq_restore(&signals->lock, state);
}

static void take_locked(struct process *process, struct proc_snapshot *snapshot)
    REQUIRES(family_lock)
{
    struct user_thread *leader = process->leader;

    snapshot->state = state_letter(process, leader ? &leader->thread : NULL);
    snapshot->parent = process->parent ? process_number(process->parent) : 0;
    snapshot->thread_count = process->thread_count;
    snapshot->exit_signal = process->exit_signal;
    snapshot->exit_status = process->exit_status;
    if (process->group)
        take_group_locked(process->group, snapshot);
    if (leader)
        take_thread(&leader->thread, snapshot);
    else
        memcpy(snapshot->name, process->last_name, sizeof(snapshot->name));
    take_signals(process, leader, snapshot);
}

int proc_snapshot_take(struct process *process, struct proc_snapshot *snapshot)
{
    *snapshot = (struct proc_snapshot){
        .number = process_number(process),
        .start_ns = process->start_ns,
        .foreground = -1,
    };
    spin_lock(&family_lock);
    bool gone = process->state == PROCESS_DEAD;

    if (!gone)
        take_locked(process, snapshot);
    spin_unlock(&family_lock);
    return gone ? -ESRCH : 0;
}
