/*
 * Birth: fork(2), vfork(2), clone(2), clone3(2), in three steps so that the caller can tell the
 * parent the child's number, and fail, before anybody can see the child:
 *
 *     prepare   builds the child privately; every allocation happens here
 *     commit    links it at one point under family_lock, then starts it
 *     abort     instead of commit: undoes prepare
 */
#pragma once

#include "proc/process.h"

struct fork_request {
    uint64_t flags;  /* CLONE_*, without the exit signal; fork_check_flags() has accepted them */
    int exit_signal; /* 0: none; clone(2) takes any byte, and sends nothing if it is no signal */
    uintptr_t stack; /* the child's stack pointer; 0: as the parent's */
    struct job_birth birth;    /* which job */
    const uintptr_t *tls;      /* the child's TLS base; NULL: as the parent's */
    uintptr_t set_child_tid;   /* CLONE_CHILD_SETTID: where the child stores its number; else 0 */
    uintptr_t clear_child_tid; /* CLONE_CHILD_CLEARTID, as set_tid_address(2); else 0 */
};

/* A parent in vfork, until the child has given up the address space. Lives on the parent's stack.
 */
struct vfork_gate {
    struct wait_queue wait;
    bool open; /* (family_lock) */
};

/* -EINVAL for combinations that Linux refuses, and for what is not supported yet (threads,
 * namespaces). */
int fork_check_flags(uint64_t flags);
/* -EAGAIN (RLIMIT_NPROC, no number free), -ENOMEM. The child is reachable by nobody else. */
int fork_prepare(const struct fork_request *request, struct process **child);
/* Links and starts the child; for CLONE_VFORK returns when it has released the address space. The
 * caller's reference is used up either way. -ERESTARTNOINTR if a signal came first: then there
 * is no child, so that none can escape a group kill. Returns the child's number. */
int fork_commit(const struct fork_request *request, struct process *child);
void fork_abort(struct process *child);

/* The child's memory is no longer shared with the parent who waits in vfork: exec and exit. */
void fork_open_vfork_gate(struct process *child);
