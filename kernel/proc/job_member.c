/*
 * Members of jobs: how a process enters at birth, leaves at death, and moves down by adoption. A
 * birth first reserves its place along the chain, so that a refusal costs nothing and a success
 * cannot be refused later; the place becomes membership at fork's commit point.
 */
#include "lib/assert.h"
#include "lib/errno.h"
#include "proc/job.h"

/* The nearest ancestor that does not let its members out by this flag. */
static struct job *above_flag(struct job *job, uint64_t flag)
{
    while ((job->flags & flag) && job->parent)
        job = job->parent;
    return job;
}

/* Leaving `from` for `to`: every job that is left must permit it. */
static bool may_leave_for(const struct job *from, const struct job *to)
{
    for (; from && !job_is_in_subtree(to, from); from = from->parent)
        if (!(from->flags & JOB_BREAKAWAY_OK))
            return false;
    return true;
}

static int choose_locked(const struct job_birth *birth, struct job *own, struct job **chosen)
    REQUIRES(family_lock);
static int choose_locked(const struct job_birth *birth, struct job *own, struct job **chosen)
{
    *chosen = own;
    if (birth->into) {
        *chosen = birth->into;
        return may_leave_for(own, birth->into) ? 0 : -EXDEV;
    }
    if (birth->breakaway) {
        *chosen = above_flag(own, JOB_BREAKAWAY_OK);
        return own->flags & JOB_BREAKAWAY_OK ? 0 : -EPERM;
    }
    if (own->flags & JOB_SILENT_BREAKAWAY)
        *chosen = above_flag(own, JOB_SILENT_BREAKAWAY);
    return 0;
}

int job_reserve(const struct job_birth *birth, struct job_place *place)
{
    struct job *own;
    struct job *job;
    int error;

    spin_lock(&family_lock);
    own = current_process()->job;
    error = choose_locked(birth, own, &job);
    if (error == 0 && job->state != JOB_OPEN)
        error = -ENODEV;
    if (error == 0)
        error = job_check_counts_locked(job, 1, 1);
    if (error == 0) {
        for (struct job *at = job; at; at = at->parent) {
            at->reserved++;
            at->threads++;
        }
        job_get(job);
        *place = (struct job_place){
            .job = job, .origin = own, .kill_gen = job->kill_gen, .signal_gen = job->signal_gen};
    }
    spin_unlock(&family_lock);
    return error;
}

void job_cancel(struct job_place *place)
{
    spin_lock(&family_lock);
    for (struct job *at = place->job; at; at = at->parent) {
        at->reserved--;
        at->threads--;
    }
    spin_unlock(&family_lock);
    job_put(place->job);
}

void job_count_in_locked(struct job *job, uint32_t threads)
{
    job->empty_ns = 0;
    job->active++;
    job->entered++;
    job->threads += threads;
    if (job->peak_active < job->active)
        job->peak_active = job->active;
}

int job_check_place_locked(const struct job_place *place, const struct user_thread *thread)
{
    const struct job *job = place->job;

    spin_assert_held(&family_lock);
    if (job->state != JOB_OPEN)
        return -ENODEV;
    if (place->origin != current_process()->job || place->kill_gen != job->kill_gen ||
        job->signal_gen - place->signal_gen > 1)
        return -ERESTARTNOINTR;
    return job_cpu_check_thread_locked(job, thread);
}

void job_enter_locked(struct job_place *place, struct process *process)
{
    struct job *job = place->job;
    uint32_t freeze_tokens = 0;
    uint32_t streams = 0;

    spin_assert_held(&family_lock);
    for (struct job *at = job; at; at = at->parent) {
        at->reserved--;
        job_count_in_locked(at, 0); /* its thread was counted with the place */
        freeze_tokens |= at->freeze_tokens;
        streams |= job_number_event_locked(at);
    }
    process->job = job;
    thread_init_group(&process->leader->thread, &job->group);
    job_time_enter_locked(process, NULL);
    list_push_back(&job->members, &process->job_link);
    if (freeze_tokens)
        thread_post_work(&process->leader->thread, THREAD_WORK_FREEZE);
    /* A broadcast that came while the child was being built reaches it now, as if it had been
     * there. */
    if (job->signal_gen != place->signal_gen)
        job_signal_member_locked(process, job->last_signal);
    if (streams)
        job_tell_about_locked(job, JOB_EVENT_NEW, process, 0);
}

void job_enter_root_locked(struct process *process)
{
    spin_assert_held(&family_lock);
    job_get(root_job);
    process->job = root_job;
    thread_init_group(&process->leader->thread, &root_job->group);
    job_count_in_locked(root_job, 1);
    list_push_back(&root_job->members, &process->job_link);
}

struct job *job_exit_locked(struct process *process, const struct cpu_time *used)
{
    struct job *job = process->job;
    struct job_usage use;
    uint32_t streams = 0;
    bool is_emptied = false;

    spin_assert_held(&family_lock);
    job_account_fold_locked(job, process, used, &use);
    if (unlikely(job->group.is_watched))
        job_time_check_locked(job, NULL);
    for (struct job *at = job; at; at = at->parent) {
        assert(at->active > 0);
        at->active--;
        at->threads--;
        at->exited++;
        is_emptied |= at->active == 0;
        streams |= job_number_event_locked(at);
    }
    list_remove(&process->job_link);
    list_push_back(&job->zombies, &process->job_link);
    if (streams)
        job_tell_exit_locked(job, process, &use);
    if (is_emptied)
        job_note_departure_locked(job);
    return job;
}

bool job_autoreaps_locked(const struct process *zombie)
{
    spin_assert_held(&family_lock);
    if (!zombie->is_orphan)
        return false;
    for (const struct job *job = zombie->job; job; job = job->parent)
        if ((job->flags & JOB_AUTOREAP) && !job_is_in_subtree(zombie->parent->job, job))
            return true;
    return false;
}

void job_forget_zombie_locked(struct process *process)
{
    spin_assert_held(&family_lock);
    if (!process->job)
        return;
    list_remove(&process->job_link);
    process->job = NULL;
}
