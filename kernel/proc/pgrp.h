/*
 * Process groups and sessions. All links under family_lock.
 *
 * A group is named by the pid of its first leader and exists while it has a member, zombies
 * included; a session exists while it has a group, or the terminal refers to it.
 *
 * A group is orphaned when no living member has a parent in another group of the same session
 * (POSIX XBD 3.264). Such a member is an anchor here; each group counts its anchors, so that exit
 * need not look at the other members.
 */
#pragma once

#include "proc/process.h"

struct session {
    struct refcount refs;
    struct pid *pid;        /* (const) reference */
    struct process *leader; /* (F) NULL once it has exited */
    void *terminal;         /* (F) the controlling terminal: fs's; NULL if none */
    struct pid *foreground; /* (F) reference to the terminal's foreground group's number, or NULL */
};

struct process_group {
    struct pid *pid;         /* (const) reference */
    struct session *session; /* (const) reference */
    struct list members;     /* (F) struct process by group_link */
    uint32_t member_count;   /* (F) */
    uint32_t anchors;        /* (F) */
};

/* A group of a new or the given session that becomes visible with pgrp_join_locked()'s first
 * member. NULL if memory is short. Takes its own references. */
struct process_group *pgrp_allocate(struct pid *pid, struct session *session) MUST_CHECK;
struct session *session_allocate(struct pid *pid) MUST_CHECK;
void session_get(struct session *session);
/* The last reference of a session that was linked goes under family_lock. */
void session_put(struct session *session);

/* Joins, or changes to, a group. A group that loses its last member is freed. */
void pgrp_join_locked(struct process *process, struct process_group *group) REQUIRES(family_lock);
void pgrp_leave_locked(struct process *process) REQUIRES(family_lock);
/* Something that decides whether the process is an anchor has changed: its parent, its own or its
 * parent's group, its death. Returns true if that left the group orphaned. */
bool pgrp_update_anchor_locked(struct process *process) REQUIRES(family_lock);
/* A group newly orphaned by an exit: if a member is stopped, all get SIGHUP and SIGCONT. */
void pgrp_hang_up_if_stopped_locked(struct process_group *group) REQUIRES(family_lock);
bool process_group_is_orphaned_locked(struct process_group *group) REQUIRES(family_lock);

/* The group with that number, NULL if there is none. */
struct process_group *pgrp_find_locked(pid_number number) REQUIRES(family_lock);

/* setpgid(2), for the current process: -EINVAL -ESRCH -EPERM -EACCES -ENOMEM. */
int process_set_group(pid_number pid, pid_number group);
/* setsid(2): the session's number, or -EPERM, -ENOMEM. */
int process_set_session(void);
/* getpgid(2), getsid(2); 0 is the caller. -ESRCH. */
int process_get_group(pid_number pid);
int process_get_session(pid_number pid);
