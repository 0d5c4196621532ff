/*
 * The process: what lives, owns and dies. Theory in proc/README.md.
 *
 * struct process is deliberately small: memory, files, handlers and threads are objects of their
 * own, given up when it exits, so that a zombie is this record and nothing else.
 *
 * Field tags: (F) family_lock; (F/R) written under family_lock by the process itself, so the
 * process itself may read without; (S) signal_lock; (self) only its own threads; (atomic); (const)
 * never changes after process_link().
 */
#pragma once

#include <stdint.h>

#include "lib/list.h"
#include "lib/refcount.h"
#include "mm/address_space.h"
#include "proc/cred.h"
#include "proc/job_place.h"
#include "proc/pid.h"
#include "proc/rlimit.h"
#include "proc/signal.h"
#include "proc/usage.h"
#include "sched/thread.h"
#include "sched/wait.h"

enum process_state {
    PROCESS_NEW,     /* built privately by fork; nobody can find it */
    PROCESS_ALIVE,   /* linked */
    PROCESS_EXITING, /* its last thread gives things up; no longer takes signals */
    PROCESS_ZOMBIE,  /* final: status and usage wait for the parent */
    PROCESS_DEAD,    /* reaped (or nobody wanted it); only references keep the record */
    PROCESS_STATE_COUNT
};

/* News of a living child that its parent has not waited for yet. The later replaces the earlier. */
enum process_change { CHANGE_NONE, CHANGE_STOPPED, CHANGE_CONTINUED };

struct file_table;
struct path_context;
struct job;

struct process {
    struct refcount refs;
    enum process_state state; /* (F), written by state.c only */
    struct pid *pid;          /* (const) one reference */
    uint64_t unique_id;       /* (const) never reused */
    uint64_t start_ns;        /* (const) port_clock_ns() at birth */

    /* Family. Children are in exactly one of two lists, and in `changed` as well while a stop or
     * continue waits to be reported. */
    struct process *parent;     /* (F) no reference: a parent outlives its link */
    struct list living;         /* (F) children, by sibling, oldest first */
    struct list zombies;        /* (F) children, by sibling, first dead first */
    struct list changed;        /* (F) living children, by changed_link */
    struct list sibling;        /* (F) in parent->living or parent->zombies */
    struct list changed_link;   /* (F) in parent->changed, while change is not CHANGE_NONE */
    enum process_change change; /* (F) */
    uint32_t child_count;       /* (F) living + zombies */
    uint32_t
        clone_child_count;   /* (F) of these, with an exit_signal other than SIGCHLD (__WCLONE) */
    int exit_signal;         /* (F) told to the parent at death; 0: none */
    bool wait_claimed;       /* (F) a waiter copies this zombie's status out */
    bool is_subreaper;       /* (F) PR_SET_CHILD_SUBREAPER */
    bool is_orphan;          /* (F) has been given to another parent */
    bool has_execed;         /* (F) setpgid by the parent is EACCES from then on */
    int parent_death_signal; /* (F) PR_SET_PDEATHSIG */
    struct wait_queue child_wait; /* its threads in wait4/waitid */
    struct wait_queue exit_wait;  /* pidfd pollers: woken when it becomes a zombie */

    struct process_group *group; /* (F) */
    struct list group_link;      /* (F) members, zombies included */
    bool is_anchor;              /* (F) counted in group->anchors; see pgrp.h */

    /* Threads. */
    uint32_t thread_count;      /* (F) */
    struct list threads;        /* (F) struct user_thread by process_link */
    struct user_thread *leader; /* (F) NULL once it has exited */

    /* Death. */
    int exit_status;                  /* (F) wait(2) encoding, final at PROCESS_ZOMBIE */
    char last_name[THREAD_NAME_SIZE]; /* (F) of the thread that exited last: a zombie's comm */
    bool dumpable;                    /* (self) PR_SET_DUMPABLE */
    bool no_new_privileges;

    struct process_signals signals; /* (S) */

    struct credentials *credentials; /* (F/R) reference */
    struct rlimits limits;           /* own lock: rlimit.c */
    struct process_usage usage;      /* own rules: usage.c */

    /* What is given up at exit. References; NULL afterwards. */
    struct address_space *space;   /* (F/R) */
    struct file_table *files;      /* (F/R) fs's */
    struct path_context *paths;    /* (F/R) fs's: root, working directory, umask */
    struct executable *executable; /* (F/R) fs's: what /proc/<pid>/exe names */

    /* vfork: the parent sleeps until this is true. */
    struct vfork_gate *vfork_gate; /* (F) on the parent's stack; NULL once opened; fork.h */

    /* Job. A member holds a reference; a zombie, which is none any more, does not. */
    struct job *job;        /* (F) the immediate job */
    struct list job_link;   /* (F) in job->members, or job->zombies */
    uint64_t job_time_seen; /* (F) user time in cycles when its limits were looked at last */
    struct job_place place; /* (const) while NEW: where it will be a member */
};

/* What runs in a process. */
struct user_thread {
    struct thread thread;
    struct process *process;  /* (const) reference */
    struct pid *tid;          /* (const) reference; the leader's is the process's pid */
    struct list process_link; /* (F) */
    struct thread_signals signals;
    uintptr_t set_child_tid;   /* (self) CLONE_CHILD_SETTID: stored by the newborn itself */
    uintptr_t clear_child_tid; /* (self) set_tid_address(2) */
    uintptr_t robust_list;     /* (self) set_robust_list(2) */
    struct restart_block {
        int64_t (*restart)(struct restart_block *block); /* NULL: -EINTR */
        uint64_t arguments[5];
    } restart; /* (self) restart_syscall(2) */
};

/* The one lock of all links between processes. Held for short work, never across a sleep or a user
 * copy; taken with interrupts enabled, never by interrupt handlers. */
extern struct spinlock family_lock;

static inline struct user_thread *current_user_thread(void)
{
    return container_of(current_thread(), struct user_thread, thread);
}

static inline struct process *current_process(void)
{
    return current_user_thread()->process;
}

static inline pid_number process_number(const struct process *process)
{
    return pid_number_of(process->pid);
}

/* getppid(2): 0 for pid 1. */
pid_number process_parent_number(const struct process *process);

void process_get(struct process *process);
void process_put(struct process *process);

/* A reference to the process (living or zombie) with that number, NULL if there is none. O(1). */
struct process *process_find(pid_number number) MUST_CHECK;
/* Under family_lock: no reference is taken. */
struct process *process_find_locked(pid_number number) REQUIRES(family_lock);

/* exec and exit: the thread leaves memory that others may still use, as set_tid_address(2) asks. */
void user_thread_clear_child_tid(struct user_thread *thread);
/* At most THREAD_NAME_SIZE - 1 bytes are kept. The thread itself, or its creator. */
void user_thread_set_name(struct user_thread *thread, const char *name);

/* pid 1. */
extern struct process *init_process;

static inline bool process_is_alive(const struct process *process)
{
    return process->state == PROCESS_ALIVE;
}
