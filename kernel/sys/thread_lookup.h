/* Threads by the number that scheduling calls take, and who may change them. All under family_lock.
 */
#pragma once

#include "proc/process.h"

/* 0 is the caller. NULL if there is no such thread. */
struct user_thread *thread_find_locked(pid_number number) REQUIRES(family_lock);

/* May the caller change how that process's threads run? Its effective user id equals the other's
 * real or effective one, or it is privileged. */
bool thread_may_schedule_locked(const struct process *process) REQUIRES(family_lock);
/* May a thread of that process be given that nice value, which is lower than its own? RLIMIT_NICE,
 * or the caller is privileged. */
bool thread_may_lower_nice(const struct process *process, int nice);
