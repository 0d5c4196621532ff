/*
 * Freezing. Each freeze is a token that its job holds; a process is frozen while any job of its
 * chain holds one. Frozen threads park on their way to user mode, where nothing of the kernel is
 * held; a thread that sleeps in a call is not disturbed, since it cannot pass that point either.
 */
#include "lib/errno.h"
#include "proc/job.h"
#include "sched/sched.h"

bool job_is_frozen_locked(const struct job *job)
{
    spin_assert_held(&family_lock);
    for (; job; job = job->parent)
        if (job->freeze_tokens > 0)
            return true;
    return false;
}

static void post_to_members_locked(struct job *job) REQUIRES(family_lock);
static void post_to_members_locked(struct job *job)
{
    struct user_thread *thread;
    struct process *member;

    for (struct job *at = job; at; at = job_next_locked(at, job))
        list_for_each (member, &at->members, job_link)
            list_for_each (thread, &member->threads, process_link)
                thread_post_work(&thread->thread, THREAD_WORK_FREEZE);
}

static void take_token_locked(struct job *job) REQUIRES(family_lock);
static void take_token_locked(struct job *job)
{
    if (job->freeze_tokens++ > 0)
        return;
    job->frozen_since = port_clock_ns();
    post_to_members_locked(job);
    job_emit_about_locked(job, JOB_EVENT_FROZEN, NULL, 0);
}

int job_freeze(struct job *job)
{
    int error = 0;

    spin_lock(&family_lock);
    if (job_is_in_subtree(current_process()->job, job))
        error = -EDEADLK;
    else
        take_token_locked(job);
    spin_unlock(&family_lock);
    /* A member that was in user mode has been in the kernel by then, and sees its work on the way
     * out. */
    if (error == 0)
        sched_quiesce_user_mode();
    return error;
}

/* A limit's token; whoever is in user mode runs on to its next entry, as with any signal. */
void job_freeze_by_limit_locked(struct job *job)
{
    spin_assert_held(&family_lock);
    if (job->frozen_by_limit)
        return;
    job->frozen_by_limit = true;
    take_token_locked(job);
}

void job_thaw_by_limit_locked(struct job *job)
{
    spin_assert_held(&family_lock);
    if (!job->frozen_by_limit)
        return;
    job->frozen_by_limit = false;
    job_thaw_locked(job);
}

void job_wake_subtree_locked(struct job *job)
{
    spin_assert_held(&family_lock);
    for (struct job *at = job; at; at = job_next_locked(at, job))
        wait_queue_wake_all(&at->wait, 0);
}

void job_thaw_locked(struct job *job)
{
    spin_assert_held(&family_lock);
    if (--job->freeze_tokens > 0)
        return;
    job->frozen_ns += port_clock_ns() - job->frozen_since;
    job_emit_about_locked(job, JOB_EVENT_THAWED, NULL, 0);
    job_wake_subtree_locked(job);
}

void job_thaw(struct job *job)
{
    spin_lock(&family_lock);
    job_thaw_locked(job);
    spin_unlock(&family_lock);
}

/* Thawed, or moved by adoption to another job, at whose queue it is to wait then. */
static bool is_thawed_or_moved(void *argument) REQUIRES(family_lock);
static bool is_thawed_or_moved(void *argument)
{
    struct job *job = current_process()->job;

    return job != argument || !job_is_frozen_locked(job);
}

void job_park(void)
{
    struct thread *thread = current_thread();
    int interrupted = 0;

    spin_lock(&family_lock);
    while (!interrupted && job_is_frozen_locked(current_process()->job)) {
        struct job *job = current_process()->job;

        job_get(job);
        interrupted = wait_queue_sleep_locked(&job->wait, &family_lock, is_thawed_or_moved, job,
                                              SLEEP_KILLABLE, DEADLINE_NEVER);
        spin_unlock(&family_lock);
        job_put(job);
        spin_lock(&family_lock);
    }
    if (!interrupted)
        thread_clear_work(thread, THREAD_WORK_FREEZE);
    spin_unlock(&family_lock);
}
