/*
 * Death, in stages. Each stage gives up one kind of thing, and what is given up first is what costs
 * the machine most; the last one, under family_lock, makes the process a zombie: from then on
 * nothing about it changes until it is reaped.
 */
#include "proc/exit.h"

#include "lib/assert.h"
#include "lib/string.h"
#include "proc/exec.h"
#include "proc/fork.h"
#include "proc/job.h"
#include "proc/pgrp.h"
#include "proc/resource_list.h"
#include "proc/state.h"
#include "proc/tree.h"

/* clock_t of siginfo counts in 1/100 s. */
#define NS_PER_CLOCK_TICK 10000000ull

void exit_fill_child_info(siginfo_t *info, struct process *child, int code, int status)
{
    const struct usage_totals *usage = &child->usage.self;

    memset(info, 0, sizeof(*info));
    info->si_signo = SIGCHLD;
    info->si_code = code;
    info->si_pid = process_number(child);
    info->si_uid = child->credentials->user.real;
    info->si_status = status;
    info->si_utime = (__kernel_clock_t)(usage->user_ns / NS_PER_CLOCK_TICK);
    info->si_stime = (__kernel_clock_t)(usage->system_ns / NS_PER_CLOCK_TICK);
}

static int child_code(int exit_status, int *status)
{
    int signal = exit_status & 0x7f;

    *status = signal ? signal : exit_status >> 8;
    return signal == 0 ? CLD_EXITED : CLD_KILLED;
}

void exit_tell_parent_locked(struct process *zombie, struct list *orphans)
{
    struct process *parent = zombie->parent;
    bool reaped_by_itself = false;
    siginfo_t info;
    int status;
    int code;

    spin_assert_held(&family_lock);
    if (zombie->exit_signal == SIGCHLD)
        reaped_by_itself = signal_children_autoreap(parent) || job_autoreaps_locked(zombie);
    /* With SA_NOCLDWAIT the signal still comes; if it is ignored it does not, even where blocked.
     */
    if (zombie->exit_signal > 0 && zombie->exit_signal <= SIGNAL_COUNT &&
        !(reaped_by_itself && signal_is_ignored(parent, SIGCHLD))) {
        code = child_code(zombie->exit_status, &status);
        exit_fill_child_info(&info, zombie, code, status);
        info.si_signo = zombie->exit_signal;
        signal_send_process(parent, zombie->exit_signal, &info);
    }
    if (reaped_by_itself) {
        process_set_state(zombie, PROCESS_DEAD);
        process_unlink_locked(zombie);
        list_push_back(orphans, &zombie->sibling);
    }
    wait_queue_wake_all(&parent->child_wait, 0);
}

void exit_send_parent_death_signal_locked(struct process *child, struct process *parent)
{
    siginfo_t info;

    memset(&info, 0, sizeof(info));
    info.si_signo = child->parent_death_signal;
    info.si_code = SI_USER;
    info.si_pid = process_number(parent);
    info.si_uid = parent->credentials->user.real;
    signal_send_process(child, child->parent_death_signal, &info);
}

void exit_put_orphans(struct list *orphans)
{
    struct list *link;

    while ((link = list_pop_front(orphans)))
        process_put(list_entry(link, struct process, sibling));
}

static void enter_exit(struct process *process, int status)
{
    spin_lock(&family_lock);
    process_set_state(process, PROCESS_EXITING);
    process->exit_status = status;
    process_clear_report_locked(process);
    tree_forget_subreaper_locked(process);
    spin_unlock(&family_lock);
}

static void give_up_memory(struct process *process, struct user_thread *self)
{
    struct address_space *space = process->space;
    struct usage_totals used = {0};

    user_thread_clear_child_tid(self);
    usage_add_space(&used, space);
    spin_lock(&family_lock);
    usage_add(&process->usage.self, &used);
    process->space = NULL;
    spin_unlock(&family_lock);
    address_space_use(NULL);
    address_space_put(space);
    fork_open_vfork_gate(process);
}

static void leave_session_locked(struct process *process) REQUIRES(family_lock);
static void leave_session_locked(struct process *process)
{
    struct session *session = process->group->session;

    if (session->leader == process)
        session->leader = NULL;
}

/* The thread's accounts are closed here: the few instructions that it still runs are nobody's. */
static struct cpu_time close_accounts_locked(struct process *process, struct user_thread *self)
    REQUIRES(family_lock);
static struct cpu_time close_accounts_locked(struct process *process, struct user_thread *self)
{
    struct cpu_time used;

    usage_close_thread(&process->usage, &self->thread, &used);
    list_remove(&self->process_link);
    process->thread_count--;
    memcpy(process->last_name, self->thread.name, sizeof(process->last_name));
    process->leader = NULL;
    process->pid->thread = NULL;
    return used;
}

static void become_zombie(struct process *process, struct user_thread *self)
{
    struct list orphans = LIST_INITIALIZER(orphans);
    struct process_group *group;
    struct cpu_time used;
    struct job *job;

    spin_lock(&family_lock);
    group = process->group;
    tree_reparent_children_locked(process, &orphans);
    used = close_accounts_locked(process, self);
    leave_session_locked(process);
    job = job_exit_locked(process, &used);
    process_set_state(process, PROCESS_ZOMBIE);
    tree_move_to_zombies_locked(process);
    if (pgrp_update_anchor_locked(process))
        pgrp_hang_up_if_stopped_locked(group);
    exit_tell_parent_locked(process, &orphans);
    wait_queue_wake_all(&process->exit_wait, 0);
    spin_unlock(&family_lock);
    exit_put_orphans(&orphans);
    job_put(job);
}

static _Noreturn void exit_with(int status)
{
    struct user_thread *self = current_user_thread();
    struct process *process = self->process;

    if (process == init_process)
        port_init_died(status);
    enter_exit(process, status);
    signals_thread_exit(self);
    signals_exit(process);
    give_up_memory(process, self);
    process_resources_exit(process);
    exec_drop_executable(process);
    become_zombie(process, self);
    thread_exit();
}

void process_exit(int status)
{
    exit_with((status & 0xff) << 8);
}

void process_exit_by_signal(int signal)
{
    exit_with(signal & 0x7f);
}
