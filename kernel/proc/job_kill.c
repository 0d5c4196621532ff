/*
 * Killing and signalling a whole job. Both walk the members in one hold of family_lock, the lock
 * that birth's commit and adoption take, so nobody is missed: who is linked before is hit, who
 * comes after finds the door closed or the generation changed.
 */
#include "lib/assert.h"
#include "lib/errno.h"
#include "proc/job.h"

/* Dead when killed, without members, and every job below is dead: so children die first. */
static bool is_finished_locked(const struct job *job) REQUIRES(family_lock);
static bool is_finished_locked(const struct job *job)
{
    return job->state == JOB_KILLING && job->active == 0 && job->living_descendants == 0;
}

static void become_dead_locked(struct job *job) REQUIRES(family_lock);
static void become_dead_locked(struct job *job)
{
    job_set_state_locked(job, JOB_DEAD);
    job_emit_about_locked(job, JOB_EVENT_DEAD, NULL, (uint16_t)job->cause);
    wait_queue_wake_all(&job->wait, 0);
}

void job_note_departure_locked(struct job *job)
{
    spin_assert_held(&family_lock);
    for (struct job *at = job; at; at = at->parent) {
        if (at->active == 0 && at->empty_ns == 0) {
            at->empty_ns = port_clock_ns();
            job_emit_about_locked(at, JOB_EVENT_EMPTY, NULL, 0);
            wait_queue_wake_all(&at->wait, 0);
        }
        if (is_finished_locked(at))
            become_dead_locked(at);
    }
}

/* Jobs below are dead before those above: from the last in preorder backwards would need a stack;
 * instead each one that has no living job below is finished, and then its ancestors are looked at.
 */
static void settle_deaths_locked(struct job *root) REQUIRES(family_lock);
static void settle_deaths_locked(struct job *root)
{
    for (struct job *job = root; job; job = job_next_locked(job, root))
        for (struct job *at = job; at && is_finished_locked(at); at = at->parent)
            become_dead_locked(at);
}

static void close_door_locked(struct job *job, bool keep, enum job_cause cause, uint64_t now)
    REQUIRES(family_lock);
static void close_door_locked(struct job *job, bool keep, enum job_cause cause, uint64_t now)
{
    /* A dead job's certificate stays as it is, whoever asks for it. */
    if (job->state == JOB_DEAD)
        return;
    job->kill_gen++;
    if (job->asked_ns == 0 || job->empty_ns > job->asked_ns)
        job->asked_ns = now;
    if (keep || job->state != JOB_OPEN)
        return;
    job->cause = cause;
    job_set_state_locked(job, JOB_KILLING);
}

int job_kill(struct job *job, bool keep, enum job_cause cause)
{
    uint64_t now = port_clock_ns();
    struct process *member;

    if (!job->parent)
        return -EPERM;
    spin_lock(&family_lock);
    for (struct job *at = job; at; at = job_next_locked(at, job))
        close_door_locked(at, keep, cause, now);
    for (struct job *at = job; at; at = job_next_locked(at, job))
        list_for_each (member, &at->members, job_link)
            signal_kill_process(member);
    settle_deaths_locked(job);
    wait_queue_wake_all(&job->wait, 0);
    spin_unlock(&family_lock);
    return 0;
}

void job_kill_members_locked(struct job *job)
{
    struct process *member;

    spin_assert_held(&family_lock);
    for (struct job *at = job; at; at = job_next_locked(at, job))
        list_for_each (member, &at->members, job_link) {
            job->limit_killed++;
            signal_kill_process(member);
        }
}

static bool is_empty(void *argument)
{
    const struct job *job = argument;

    return job->active == 0 && job->state != JOB_KILLING;
}

int job_wait_empty(struct job *job, uint64_t deadline)
{
    int error;

    spin_lock(&family_lock);
    error = wait_queue_sleep_locked(&job->wait, &family_lock, is_empty, job, SLEEP_INTERRUPTIBLE,
                                    deadline);
    spin_unlock(&family_lock);
    return error;
}

void job_certify(struct job *job, struct job_cert *cert)
{
    spin_lock(&family_lock);
    *cert = (struct job_cert){
        .job_id = job->id,
        .kill_gen = job->kill_gen,
        .ev_seq = job->event_seq,
        .entered = job->entered,
        .exited = job->exited,
        .live = job->active,
        .asked_ns = job->asked_ns,
        .empty_ns = job->empty_ns,
    };
    spin_unlock(&family_lock);
}

/* As kill(2) by the current process would; the right stands for the permission. */
void job_signal_member_locked(struct process *member, int signal)
{
    siginfo_t info = {.si_signo = signal, .si_code = SI_USER};

    spin_assert_held(&family_lock);
    info.si_pid = process_number(current_process());
    info.si_uid = current_credentials()->user.real;
    signal_send_process(member, signal, &info);
}

int64_t job_signal(struct job *job, int signal)
{
    struct process *member;
    int64_t reached;

    if (signal < 0 || signal > SIGNAL_COUNT)
        return -EINVAL;
    spin_lock(&family_lock);
    reached = job->active;
    for (struct job *at = job; signal && at; at = job_next_locked(at, job)) {
        at->signal_gen++;
        at->last_signal = signal;
        list_for_each (member, &at->members, job_link)
            job_signal_member_locked(member, signal);
    }
    spin_unlock(&family_lock);
    return reached ? reached : -ESRCH;
}
