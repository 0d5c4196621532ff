/* Death: exit(2), exit_group(2), death by signal, and what the survivors are told. */
#pragma once

#include "proc/process.h"

/* exit_group(2): `status` is 0..255. Called by the dying process's own thread, with no lock held.
 */
_Noreturn void process_exit(int status);
/* The default action of a fatal signal. */
_Noreturn void process_exit_by_signal(int signal);

/* The rest is for tree.c. */

/* A zombie and its parent of this moment: sends the exit signal, wakes the waiters; if the parent
 * does not want zombies, unlinks it and puts it in `orphans` by sibling, for exit_put_orphans(). */
void exit_tell_parent_locked(struct process *zombie, struct list *orphans) REQUIRES(family_lock);
/* PR_SET_PDEATHSIG: `parent` is dying. */
void exit_send_parent_death_signal_locked(struct process *child, struct process *parent)
    REQUIRES(family_lock);
/* Gives up the references of unlinked zombies; no lock held. */
void exit_put_orphans(struct list *orphans);

/* The siginfo of SIGCHLD about a child: CLD_EXITED and so on, with `status` as si_status. */
void exit_fill_child_info(siginfo_t *info, struct process *child, int code, int status);
