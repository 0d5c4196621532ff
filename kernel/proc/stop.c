/*
 * Stop and continue, and what the parent is told of them.
 *
 * A stop signal's default action is taken by one thread (signal_deliver.c), which asks all others
 * to park; the last one to park makes the process stopped and reports it. A parked thread is inside
 * the kernel, on its way to user mode, until SIGCONT or death. SIGCONT takes effect when it is
 * sent, under the signal lock, whatever its disposition.
 *
 * `stopped` and its companions are under the signal lock. Reports to the parent need family_lock,
 * which a sender in an interrupt cannot take: then the continued thread reports. Both orders of a
 * stop and a SIGCONT end well, because each makes void what the other left pending: a SIGCONT
 * counts `continues`, and a stop taken before that count was reached does not happen.
 */
#include "proc/exit.h"
#include "proc/pgrp.h"
#include "proc/signal_internal.h"
#include "proc/tree.h"

/* Wakes whoever is parked. */
static void release_parked_locked(struct process *process)
{
    struct thread_signals *thread;

    list_for_each (thread, &process->signals.threads, link) {
        thread_post_work(&signal_thread_of(thread)->thread, THREAD_WORK_SIGNAL);
        thread_wake(&signal_thread_of(thread)->thread);
    }
}

static void continue_locked(struct process *process)
{
    struct process_signals *signals = &process->signals;

    signals->continues++;
    signal_flush_everywhere_locked(process, SIGNALS_STOPPING);
    if (!signals->stopped && !signals->stopping)
        return;
    signals->stopped = false;
    signals->stopping = false;
    signals->continue_due = true;
    release_parked_locked(process);
}

void stop_prepare_send_locked(struct process *process, int signal)
{
    if (signal == SIGCONT)
        continue_locked(process);
    else
        signal_flush_everywhere_locked(process, SIGNAL_BIT(SIGCONT));
}

static void tell_parent_locked(struct process *process, int code, int status) REQUIRES(family_lock);
static void tell_parent_locked(struct process *process, int code, int status)
{
    siginfo_t info;

    if (!process->parent || !signal_wants_child_stops(process->parent))
        return;
    exit_fill_child_info(&info, process, code, status);
    signal_send_process(process->parent, SIGCHLD, &info);
}

void stop_settle_continue_family_locked(struct process *process)
{
    irq_state_t state = signal_lock(process);
    bool due = process->signals.continue_due;

    process->signals.continue_due = false;
    signal_unlock(process, state);
    if (!due)
        return;
    process_report_continue_locked(process);
    tell_parent_locked(process, CLD_CONTINUED, SIGCONT);
}

void stop_settle_continue(struct process *process)
{
    spin_lock(&family_lock);
    stop_settle_continue_family_locked(process);
    spin_unlock(&family_lock);
}

/* Under family_lock, so that the report of this stop and of the SIGCONT that ends it keep their
 * order. */
static void report_locked(struct process *process) REQUIRES(family_lock);
static void report_locked(struct process *process)
{
    irq_state_t state = signal_lock(process);
    bool still_stopped = process->signals.stopped;
    int signal = process->signals.stop_signal;

    signal_unlock(process, state);
    if (!still_stopped)
        return;
    process_report_stop_locked(process);
    tell_parent_locked(process, CLD_STOPPED, signal);
}

void stop_report(struct process *process)
{
    spin_lock(&family_lock);
    report_locked(process);
    spin_unlock(&family_lock);
}

/* One thread fewer runs. True: that was the last, the process is now stopped and must be reported.
 */
bool stop_leave_locked(struct process *process)
{
    struct process_signals *signals = &process->signals;

    if (!signals->stopping || --signals->running_count > 0)
        return false;
    signals->stopping = false;
    signals->stopped = true;
    return true;
}

static bool may_go_on(void *argument)
{
    const struct process_signals *signals = argument;

    return !__atomic_load_n(&signals->stopped, __ATOMIC_ACQUIRE) &&
           !__atomic_load_n(&signals->stopping, __ATOMIC_ACQUIRE);
}

/* SIGKILL ends it too: thread_sleep() then returns early, and delivery goes on to die. */
static void park(struct process *process)
{
    if (thread_sleep(may_go_on, &process->signals, SLEEP_KILLABLE, DEADLINE_NEVER) != 0)
        return;
}

/* Starts the stop, unless something made it void since it was taken. */
static bool begin_locked(struct process *process, int signal, uint32_t continues)
{
    struct process_signals *signals = &process->signals;
    struct thread_signals *thread;

    if (signals->continues != continues || signals->exiting_by_signal || signals->stopping ||
        signals->stopped)
        return false;
    signals->stopping = true;
    signals->stop_signal = signal;
    signals->running_count = 0;
    list_for_each (thread, &signals->threads, link) {
        signals->running_count++;
        thread_post_work(&signal_thread_of(thread)->thread, THREAD_WORK_SIGNAL);
    }
    return true;
}

void stop_current_process(int signal, uint32_t continues)
{
    struct process *process = current_process();
    irq_state_t state;
    bool begun = false;
    bool complete = false;

    spin_lock(&family_lock);
    /* POSIX 2.4.3: nobody could continue a member of an orphaned group that the terminal stopped.
     */
    if (signal == SIGSTOP || !process_group_is_orphaned_locked(process->group)) {
        state = signal_lock(process);
        begun = begin_locked(process, signal, continues);
        complete = begun && stop_leave_locked(process);
        signal_unlock(process, state);
    }
    if (complete)
        report_locked(process);
    spin_unlock(&family_lock);
    if (begun)
        park(process);
}

void stop_join(void)
{
    struct process *process = current_process();
    irq_state_t state = signal_lock(process);
    bool wanted = process->signals.stopping;
    bool complete = stop_leave_locked(process);

    signal_unlock(process, state);
    if (complete)
        stop_report(process);
    if (wanted)
        park(process);
}
