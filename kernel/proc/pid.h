/*
 * Process numbers. A struct pid is one number and everything it names: a process or thread, a
 * process group, a session. The number is not reused while any of them, or a reference, is left.
 */
#pragma once

#include <stdint.h>

#include "lib/compiler.h"
#include "lib/list.h"
#include "lib/refcount.h"
#include "lib/thread_safety.h"

typedef int32_t pid_number;

/* As Linux's default: numbers are 1..PID_MAX-1, given in rising order and wrapped around to
 * PID_RESERVED after the end. */
#define PID_MAX      32768
#define PID_RESERVED 300

struct process;
struct process_group;
struct session;
struct user_thread;

struct pid {
    struct refcount refs;
    pid_number number;           /* (const) */
    struct list hash_link;       /* (pid table lock) */
    struct process *process;     /* (family_lock) from link to reaping */
    struct user_thread *thread;  /* (family_lock) from link to thread exit */
    struct process_group *group; /* (family_lock) */
    struct session *session;     /* (family_lock) */
};

/* A new number, one reference. NULL: *error is -EAGAIN (no number free) or -ENOMEM. */
struct pid *pid_allocate(int *error) MUST_CHECK;
void pid_get(struct pid *pid);
/* The last reference frees the number. */
void pid_put(struct pid *pid);
/* A reference, or NULL. O(1); any context below LOCK_RANK_PID. */
struct pid *pid_find(pid_number number) MUST_CHECK;

/* A reference to the pid with the smallest number >= from that is in use, NULL after the last: for
 * listings (/proc, process dumps). */
struct pid *pid_next(pid_number from) MUST_CHECK;
/* The number given last (/proc/loadavg). */
pid_number pid_last_number(void);

static inline pid_number pid_number_of(const struct pid *pid)
{
    return pid->number;
}
