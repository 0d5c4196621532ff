/*
 * What limits do: they refuse what would exceed them, tell, and act. Counts are checked here, along
 * the chain; others call when theirs is reached. Under family_lock.
 */
#include "lib/errno.h"
#include "proc/job.h"

static void emit_limit_locked(struct job *job, struct job *limited, enum job_action_index index)
    REQUIRES(family_lock);
static void emit_limit_locked(struct job *job, struct job *limited, enum job_action_index index)
{
    struct process *self = current_process();
    struct job_event event = {
        .type = JOB_EVENT_LIMIT,
        .limit_job = limited->id,
        .puid = self->unique_id,
        .pid = process_number(self),
        .cause = (uint16_t)index,
        .count = 1,
    };

    job_emit_locked(job, &event);
    limited->limit_is_news = true;
    wait_queue_wake_all(&limited->wait, 0);
}

/* The times that were used when a limit on them was noticed: by how much it was overrun. */
static void emit_time_locked(struct job *limited, struct process *process, enum job_event_type type,
                             enum job_action_index index) REQUIRES(family_lock);
static void emit_time_locked(struct job *limited, struct process *process, enum job_event_type type,
                             enum job_action_index index)
{
    struct job_event event = {
        .type = (uint16_t)type, .limit_job = limited->id, .cause = (uint16_t)index, .count = 1};

    if (process) {
        event.puid = process->unique_id;
        event.pid = process_number(process);
    }
    if (type == JOB_EVENT_PROC_TIME) {
        event.use.user_ns = thread_user_ns(&process->leader->thread);
        event.use.kern_ns = thread_system_ns(&process->leader->thread);
    } else {
        job_get_period_locked(limited, &event.use);
    }
    job_emit_locked(process ? process->job : limited, &event);
    limited->limit_is_news = true;
    wait_queue_wake_all(&limited->wait, 0);
}

static void signal_members_locked(struct job *job, int signal) REQUIRES(family_lock);
static void signal_members_locked(struct job *job, int signal)
{
    struct process *member;

    for (struct job *at = job; at; at = job_next_locked(at, job))
        list_for_each (member, &at->members, job_link)
            job_signal_member_locked(member, signal);
}

/* What was reached is the process's own, or all the job's. */
static void act_locked(struct job *limited, struct process *process, bool is_jobs,
                       enum job_action action) REQUIRES(family_lock);
static void act_locked(struct job *limited, struct process *process, bool is_jobs,
                       enum job_action action)
{
    if (action == JOB_ACTION_KILL_JOB) {
        job_kill_members_locked(limited);
    } else if (action == JOB_ACTION_FREEZE) {
        job_freeze_by_limit_locked(limited);
    } else if (action == JOB_ACTION_SIGXCPU && is_jobs) {
        signal_members_locked(limited, SIGXCPU);
    } else if (action == JOB_ACTION_SIGXCPU && process) {
        signal_send_process(process, SIGXCPU, NULL);
    } else if (action == JOB_ACTION_KILL_PROC && process) {
        limited->limit_killed++;
        signal_kill_process(process);
    }
}

bool job_limit_reached_locked(struct job *limited, struct job *job, enum job_action_index index)
{
    enum job_action action = limited->limits.action[index];

    spin_assert_held(&family_lock);
    if (limited->disarmed & (1u << index))
        return false;
    limited->refused += action != JOB_ACTION_NOTIFY;
    emit_limit_locked(job, limited, index);
    if (action == JOB_ACTION_NOTIFY) {
        limited->disarmed |= 1u << index;
        return false;
    }
    act_locked(limited, current_process(), false, action);
    return true;
}

void job_limit_act_locked(struct job *limited, struct process *process, enum job_event_type type,
                          enum job_action_index index)
{
    spin_assert_held(&family_lock);
    emit_time_locked(limited, process, type, index);
    act_locked(limited, process, type == JOB_EVENT_JOB_TIME, limited->limits.action[index]);
}

static bool over(uint64_t used, uint64_t more, uint64_t limit, uint64_t unlimited)
{
    return limit != unlimited && used + more > limit;
}

/* Who joins would have no time. What was to happen has happened when it was used up. */
static bool refuses_for_time_locked(struct job *limited, struct job *job) REQUIRES(family_lock);
static bool refuses_for_time_locked(struct job *limited, struct job *job)
{
    enum job_action_index index;

    if (!job_time_is_used_up_locked(limited, &index))
        return false;
    limited->refused++;
    emit_limit_locked(job, limited, index);
    return true;
}

int job_check_counts_below_locked(struct job *job, const struct job *top, uint32_t processes,
                                  uint32_t threads)
{
    spin_assert_held(&family_lock);
    for (struct job *at = job; at != top; at = at->parent) {
        const struct job_limits *limits = &at->limits;

        if (unlikely(over((uint64_t)at->active + at->reserved, processes, limits->max_procs,
                          JOB_UNLIMITED_COUNT)) &&
            job_limit_reached_locked(at, job, JOB_ON_PROCS))
            return -EAGAIN;
        if (unlikely(over(at->threads, threads, limits->max_threads, JOB_UNLIMITED_COUNT)) &&
            job_limit_reached_locked(at, job, JOB_ON_THREADS))
            return -EAGAIN;
        if (unlikely(limits->mask & (JOB_LIMIT_JOB_USER | JOB_LIMIT_JOB_CPU)) &&
            refuses_for_time_locked(at, job))
            return -EDQUOT;
    }
    return 0;
}

int job_check_counts_locked(struct job *job, uint32_t processes, uint32_t threads)
{
    return job_check_counts_below_locked(job, NULL, processes, threads);
}

int job_check_child_locked(struct job *parent)
{
    spin_assert_held(&family_lock);
    for (struct job *at = parent; at; at = at->parent) {
        if (over(at->descendants, 1, at->limits.max_jobs, JOB_UNLIMITED_COUNT))
            return -EAGAIN;
        if (parent->depth + 1 - at->depth > at->limits.max_depth)
            return -EAGAIN;
    }
    return 0;
}
