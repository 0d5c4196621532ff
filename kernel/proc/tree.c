/* The family tree: links, reparenting, and what a parent is told. Everything under family_lock. */
#include "proc/tree.h"

#include "lib/assert.h"
#include "proc/account.h"
#include "proc/exit.h"
#include "proc/job.h"
#include "proc/pgrp.h"
#include "proc/state.h"

/* Living processes with is_subreaper: while there is none, no orphan needs to look for one. */
static uint32_t subreaper_count GUARDED_BY(family_lock);

static void adopt_locked(struct process *child, struct process *parent) REQUIRES(family_lock);
static void disown_locked(struct process *child) REQUIRES(family_lock);

/* Counts the child with its parent, and queues a change that is still to be reported. */
static void adopt_locked(struct process *child, struct process *parent)
{
    child->parent = parent;
    parent->child_count++;
    if (process_is_clone_child(child))
        parent->clone_child_count++;
    if (child->change != CHANGE_NONE)
        list_push_back(&parent->changed, &child->changed_link);
}

static void disown_locked(struct process *child)
{
    struct process *parent = child->parent;

    list_remove(&child->sibling);
    list_remove(&child->changed_link);
    assert(parent->child_count > 0);
    parent->child_count--;
    if (process_is_clone_child(child))
        parent->clone_child_count--;
}

void process_link_locked(struct process *process, struct process *parent,
                         struct process_group *group)
{
    spin_assert_held(&family_lock);
    process_set_state(process, PROCESS_ALIVE);
    process->pid->process = process;
    process->pid->thread = process->leader;
    list_push_back(&process->threads, &process->leader->process_link);
    process->thread_count = 1;
    if (parent) {
        adopt_locked(process, parent);
        list_push_back(&parent->living, &process->sibling);
    }
    pgrp_join_locked(process, group);
}

void process_unlink_locked(struct process *process)
{
    spin_assert_held(&family_lock);
    disown_locked(process);
    pgrp_leave_locked(process);
    job_forget_zombie_locked(process);
    process->pid->process = NULL;
    process->parent = NULL;
    account_remove_process(process->credentials->account);
}

void tree_move_to_zombies_locked(struct process *process)
{
    spin_assert_held(&family_lock);
    process_clear_report_locked(process);
    list_remove(&process->sibling);
    list_push_back(&process->parent->zombies, &process->sibling);
}

static struct process *find_reaper_locked(struct process *process) REQUIRES(family_lock);
static struct process *find_reaper_locked(struct process *process)
{
    if (subreaper_count > 0)
        for (struct process *ancestor = process->parent; ancestor; ancestor = ancestor->parent)
            if (ancestor->is_subreaper && process_is_alive(ancestor))
                return ancestor;
    return init_process;
}

static void reparent_locked(struct process *child, struct process *reaper) REQUIRES(family_lock);
static void reparent_locked(struct process *child, struct process *reaper)
{
    disown_locked(child);
    child->exit_signal = SIGCHLD;
    child->is_orphan = true;
    adopt_locked(child, reaper);
    if (pgrp_update_anchor_locked(child))
        pgrp_hang_up_if_stopped_locked(child->group);
}

void tree_reparent_children_locked(struct process *process, struct list *orphans)
{
    struct process *reaper;
    struct process *child;
    struct process *next;

    spin_assert_held(&family_lock);
    if (process->child_count == 0)
        return;
    reaper = find_reaper_locked(process);
    list_for_each_safe (child, next, &process->living, sibling) {
        reparent_locked(child, reaper);
        list_push_back(&reaper->living, &child->sibling);
        if (child->parent_death_signal)
            exit_send_parent_death_signal_locked(child, process);
        if (child->change != CHANGE_NONE)
            wait_queue_wake_all(&reaper->child_wait, 0);
    }
    list_for_each_safe (child, next, &process->zombies, sibling) {
        reparent_locked(child, reaper);
        list_push_back(&reaper->zombies, &child->sibling);
        exit_tell_parent_locked(child, orphans);
    }
    assert(process->child_count == 0);
}

static void report_locked(struct process *process, enum process_change change)
    REQUIRES(family_lock);
static void report_locked(struct process *process, enum process_change change)
{
    process_clear_report_locked(process);
    if (!process->parent || !process_is_alive(process))
        return;
    process->change = change;
    list_push_back(&process->parent->changed, &process->changed_link);
    wait_queue_wake_all(&process->parent->child_wait, 0);
}

void process_report_stop_locked(struct process *process)
{
    report_locked(process, CHANGE_STOPPED);
}

void process_report_continue_locked(struct process *process)
{
    report_locked(process, CHANGE_CONTINUED);
}

void process_clear_report_locked(struct process *process)
{
    spin_assert_held(&family_lock);
    process->change = CHANGE_NONE;
    list_remove(&process->changed_link);
}

void process_set_subreaper(struct process *process, bool enabled)
{
    spin_lock(&family_lock);
    if (process->is_subreaper != enabled) {
        process->is_subreaper = enabled;
        subreaper_count += enabled ? 1 : -1u;
    }
    spin_unlock(&family_lock);
}

void tree_forget_subreaper_locked(struct process *process)
{
    spin_assert_held(&family_lock);
    if (process->is_subreaper)
        subreaper_count--;
    process->is_subreaper = false;
}
