/*
 * The family tree: who is whose child. All under family_lock.
 *
 * A process is in its parent's `living` list from link to death, then in `zombies` until it is
 * reaped. A stop or continue that the parent has not yet been told is an entry in its `changed`
 * list.
 */
#pragma once

#include "proc/process.h"

/* The newborn becomes ALIVE and visible: pid table, parent's children, group. Takes over the
 * caller's reference. The parent is ALIVE. */
void process_link_locked(struct process *process, struct process *parent,
                         struct process_group *group) REQUIRES(family_lock);
/* Out of every list; the number no longer finds it. Returns the reference that the family held. */
void process_unlink_locked(struct process *process) REQUIRES(family_lock);

/* From living to zombies of its parent. */
void tree_move_to_zombies_locked(struct process *process) REQUIRES(family_lock);

/* Gives all children of the exiting process to the nearest living subreaper above it, else to init.
 * Zombies whose new parent does not want them are unlinked and put in `orphans` by sibling: the
 * caller puts their references, after the lock. */
void tree_reparent_children_locked(struct process *process, struct list *orphans)
    REQUIRES(family_lock);

/* The parent is (not) to be told of a stop or continue. Queues once; wakes its waiters. */
void process_report_stop_locked(struct process *process) REQUIRES(family_lock);
void process_report_continue_locked(struct process *process) REQUIRES(family_lock);
void process_clear_report_locked(struct process *process) REQUIRES(family_lock);

/* PR_SET_CHILD_SUBREAPER. */
void process_set_subreaper(struct process *process, bool enabled);
void tree_forget_subreaper_locked(struct process *process) REQUIRES(family_lock);

static inline bool process_is_clone_child(const struct process *process)
{
    return process->exit_signal != SIGCHLD;
}
