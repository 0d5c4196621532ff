/* Building a process record: for fork.c and first.c only. */
#pragma once

#include "proc/process.h"

/* NEW, one reference, everything empty; takes its own reference to `pid`. NULL if memory is short.
 */
struct process *process_allocate(struct pid *pid) MUST_CHECK;
/* A thread of the process, not in its list yet, with references to the process and its pid. `entry`
 * gets the user_thread. NULL if memory is short. */
struct user_thread *user_thread_create(struct process *process, const char *name,
                                       void (*entry)(void *)) MUST_CHECK;
/* Destroys a thread that was never started. */
void user_thread_abandon(struct user_thread *thread);
