/* getpriority and setpriority: nice values of a thread, a group, a user. Links under family_lock.
 */
#include <linux/resource.h>

#include "proc/pgrp.h"
#include "sys/syscall.h"
#include "sys/thread_lookup.h"

/* Called for each thread that the call names. Under family_lock. */
typedef void visit_thread(struct user_thread *thread, void *argument);

static void visit_process(struct process *process, visit_thread *visit, void *argument)
{
    struct user_thread *thread;

    list_for_each (thread, &process->threads, process_link)
        visit(thread, argument);
}

static void visit_group(pid_number number, visit_thread *visit, void *argument)
{
    struct process_group *group;
    struct process *member;

    spin_lock(&family_lock);
    group = number == 0 ? current_process()->group : pgrp_find_locked(number);
    if (group)
        list_for_each (member, &group->members, group_link)
            visit_process(member, visit, argument);
    spin_unlock(&family_lock);
}

/* One process at a time: the lock is not held for a walk over all of them. */
static void visit_user(uint32_t uid, visit_thread *visit, void *argument)
{
    struct pid *pid, *next;

    if (uid == 0)
        uid = current_credentials()->user.real;
    for (pid = pid_next(1); pid; pid = next) {
        spin_lock(&family_lock);
        if (pid->process && pid->process->credentials &&
            pid->process->credentials->user.real == uid)
            visit_process(pid->process, visit, argument);
        spin_unlock(&family_lock);
        next = pid_next(pid_number_of(pid) + 1);
        pid_put(pid);
    }
}

static void visit_one(pid_number number, visit_thread *visit, void *argument)
{
    struct user_thread *thread;

    spin_lock(&family_lock);
    thread = thread_find_locked(number);
    if (thread)
        visit(thread, argument);
    spin_unlock(&family_lock);
}

/* -EINVAL if `which` is none of PRIO_*. */
static int visit_threads(int which, int who, visit_thread *visit, void *argument)
{
    switch (which) {
    case PRIO_PROCESS:
        visit_one(who, visit, argument);
        return 0;
    case PRIO_PGRP:
        visit_group(who, visit, argument);
        return 0;
    case PRIO_USER:
        visit_user((uint32_t)who, visit, argument);
        return 0;
    default:
        return -EINVAL;
    }
}

/* The call's result is 20 - nice, so that it is never negative; the best of those found. */
static void find_best(struct user_thread *thread, void *argument)
{
    int64_t *best = argument;

    if (20 - thread_nice(&thread->thread) > *best)
        *best = 20 - thread_nice(&thread->thread);
}

SYSCALL2(getpriority, int, which, int, who)
{
    int64_t best = -ESRCH;
    int error = visit_threads(which, who, find_best, &best);

    return error ? error : best;
}

struct nice_change {
    int nice;
    int64_t result; /* -ESRCH until one was changed; the last refusal */
};

static void change_nice(struct user_thread *thread, void *argument) REQUIRES(family_lock);
static void change_nice(struct user_thread *thread, void *argument)
{
    struct nice_change *change = argument;
    struct sched_attributes attributes;

    thread_get_attributes(&thread->thread, &attributes);
    if (!thread_may_schedule_locked(thread->process)) {
        change->result = -EPERM;
    } else if ((change->nice < attributes.nice &&
                !thread_may_lower_nice(thread->process, change->nice)) ||
               change->nice < thread_nice_floor(&thread->thread)) {
        change->result = -EACCES;
    } else {
        attributes.nice = change->nice;
        thread_set_attributes(&thread->thread, &attributes);
        if (change->result == -ESRCH)
            change->result = 0;
    }
}

SYSCALL3(setpriority, int, which, int, who, int, nice)
{
    struct nice_change change = {.nice = nice, .result = -ESRCH};
    int error;

    if (change.nice < NICE_MIN)
        change.nice = NICE_MIN;
    if (change.nice > NICE_MAX)
        change.nice = NICE_MAX;
    error = visit_threads(which, who, change_nice, &change);
    return error ? error : change.result;
}
