/*
 * Limits of jobs: kept under family_lock, checked along the chain where something is given out. A
 * limit refuses what would exceed it; what else happens at it is its action.
 */
#include "lib/errno.h"
#include "lib/string.h"
#include "proc/job.h"

/* What job_set() can change. The rest of the structure belongs to limits that are not there yet. */
#define LIMITS_SUPPORTED                                                                           \
    (JOB_LIMIT_FLAGS | JOB_LIMIT_PROCS | JOB_LIMIT_THREADS | JOB_LIMIT_JOBS | JOB_LIMIT_DEPTH |    \
     JOB_LIMIT_PROC_MEM | JOB_LIMIT_JOB_MEM | JOB_LIMIT_ACTIONS)
#define FLAGS_SETTABLE                                                                             \
    (JOB_KILL_ON_CLOSE | JOB_BREAKAWAY_OK | JOB_SILENT_BREAKAWAY | JOB_AUTOREAP | JOB_FROZEN)

void job_limits_init(struct job_limits *limits)
{
    memset(limits, 0, sizeof(*limits));
    limits->max_procs = limits->max_threads = limits->max_jobs = JOB_UNLIMITED_COUNT;
    limits->max_depth = JOB_DEPTH_MAX;
    limits->proc_user_ns = limits->job_user_ns = limits->job_cpu_ns = JOB_UNLIMITED;
    limits->proc_mem_bytes = limits->job_mem_bytes = JOB_UNLIMITED;
    limits->weight = 100;
    limits->sched_class = 5;
    limits->nice_floor = -20;
    limits->affinity = UINT64_MAX;
}

/* --- reaching a limit --- */

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

bool job_limit_reached_locked(struct job *limited, struct job *job, enum job_action_index index)
{
    enum job_action action = limited->limits.action[index];

    spin_assert_held(&family_lock);
    if (limited->disarmed & (1u << index))
        return false;
    limited->refused += action != JOB_ACTION_NOTIFY;
    emit_limit_locked(job, limited, index);
    switch (action) {
    case JOB_ACTION_NOTIFY:
        limited->disarmed |= 1u << index;
        return false;
    case JOB_ACTION_KILL_PROC:
        limited->limit_killed++;
        signal_kill_process(current_process());
        break;
    case JOB_ACTION_KILL_JOB:
        job_kill_members_locked(limited);
        break;
    case JOB_ACTION_FREEZE:
        job_freeze_by_limit_locked(limited);
        break;
    case JOB_ACTION_SIGXCPU:
        signal_send_process(current_process(), SIGXCPU, NULL);
        break;
    default:
        break;
    }
    return true;
}

static bool over(uint64_t used, uint64_t more, uint64_t limit, uint64_t unlimited)
{
    return limit != unlimited && used + more > limit;
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

/* --- job_set --- */

static int check_limits(const struct job_limits *limits)
{
    if (limits->mask & ~LIMITS_SUPPORTED)
        return -EINVAL;
    if (limits->restrict_bits || limits->deadline_ns || limits->rss_max_bytes || limits->pad ||
        limits->note_mem_bytes || limits->note_cpu_ns || limits->note_rd_bytes ||
        limits->note_wr_bytes)
        return -EINVAL;
    if ((limits->mask & JOB_LIMIT_FLAGS) && (limits->flags & ~FLAGS_SETTABLE))
        return -EINVAL;
    if ((limits->mask & JOB_LIMIT_DEPTH) && limits->max_depth > JOB_DEPTH_MAX)
        return -EINVAL;
    for (unsigned i = 0; (limits->mask & JOB_LIMIT_ACTIONS) && i < JOB_ON_COUNT; i++)
        if (limits->action[i] >= JOB_ACTION_COUNT)
            return -EINVAL;
    return 0;
}

/* JOB_SET_STRICT: nothing may be set below what is in use. */
static bool is_below_use_locked(const struct job *job, const struct job_limits *limits)
    REQUIRES(family_lock);
static bool is_below_use_locked(const struct job *job, const struct job_limits *limits)
{
    uint64_t mask = limits->mask;

    return ((mask & JOB_LIMIT_PROCS) && job->active + job->reserved > limits->max_procs) ||
           ((mask & JOB_LIMIT_THREADS) && job->threads > limits->max_threads) ||
           ((mask & JOB_LIMIT_JOBS) && job->descendants > limits->max_jobs) ||
           ((mask & JOB_LIMIT_JOB_MEM) && job_memory_bytes(job) > limits->job_mem_bytes);
}

static void set_flags_locked(struct job *job, uint64_t flags) REQUIRES(family_lock);
static void set_flags_locked(struct job *job, uint64_t flags)
{
    /* The token of a job that was born frozen. */
    if ((job->flags & JOB_FROZEN) && !(flags & JOB_FROZEN))
        job_thaw_locked(job);
    /* Freezing goes by job_freeze(), which waits until it is so. */
    job->flags = (flags & ~JOB_FROZEN) | (job->flags & flags & JOB_FROZEN);
}

/* A limit that is set anew notifies again, and lets go what it froze. */
static void rearm_locked(struct job *job) REQUIRES(family_lock);
static void rearm_locked(struct job *job)
{
    job->disarmed = 0;
    job_thaw_by_limit_locked(job);
}

static void apply_locked(struct job *job, const struct job_limits *limits) REQUIRES(family_lock);
static void apply_locked(struct job *job, const struct job_limits *limits)
{
    struct job_limits *own = &job->limits;
    uint64_t mask = limits->mask;

    if (mask & JOB_LIMIT_FLAGS)
        set_flags_locked(job, limits->flags);
    if (mask & JOB_LIMIT_PROCS)
        own->max_procs = limits->max_procs;
    if (mask & JOB_LIMIT_THREADS)
        own->max_threads = limits->max_threads;
    if (mask & JOB_LIMIT_JOBS)
        own->max_jobs = limits->max_jobs;
    if (mask & JOB_LIMIT_DEPTH)
        own->max_depth = limits->max_depth;
    if (mask & JOB_LIMIT_PROC_MEM)
        own->proc_mem_bytes = limits->proc_mem_bytes;
    if (mask & JOB_LIMIT_JOB_MEM)
        own->job_mem_bytes = limits->job_mem_bytes;
    if (mask & JOB_LIMIT_ACTIONS)
        memcpy(own->action, limits->action, sizeof(own->action));
    own->mask |= mask;
    if (mask & (JOB_LIMIT_PROC_MEM | JOB_LIMIT_JOB_MEM))
        job_memory_set_limits(job->memory, own->proc_mem_bytes, own->job_mem_bytes);
    rearm_locked(job);
}

int job_set_limits(struct job *job, const struct job_limits *limits, uint32_t flags)
{
    int error = check_limits(limits);

    if (error || (flags & ~JOB_SET_STRICT))
        return error ? error : -EINVAL;
    if (!job->parent)
        return -EPERM;
    spin_lock(&family_lock);
    if ((flags & JOB_SET_STRICT) && is_below_use_locked(job, limits))
        error = -EBUSY;
    else
        apply_locked(job, limits);
    spin_unlock(&family_lock);
    return error;
}

/* --- job_get --- */

static void bind(struct job_limits *limits, uint64_t bit, const struct job *job)
{
    limits->binding_job[__builtin_ctzll(bit)] = job->id;
}

static void tighten_32(struct job_limits *limits, uint64_t bit, __u32 *value, uint32_t other,
                       const struct job *job)
{
    if (other >= *value)
        return;
    *value = other;
    bind(limits, bit, job);
}

static void tighten_64(struct job_limits *limits, uint64_t bit, __u64 *value, uint64_t other,
                       const struct job *job)
{
    if (other >= *value)
        return;
    *value = other;
    bind(limits, bit, job);
}

/* What is left of `above`'s depth below `job`. */
static uint32_t depth_left(const struct job *job, const struct job *above)
{
    uint32_t distance = job->depth - above->depth;

    return above->limits.max_depth > distance ? above->limits.max_depth - distance : 0;
}

static void get_effective_locked(struct job *job, struct job_limits *limits) REQUIRES(family_lock);
static void get_effective_locked(struct job *job, struct job_limits *limits)
{
    job_limits_init(limits);
    memcpy(limits->action, job->limits.action, sizeof(limits->action));
    for (const struct job *at = job; at; at = at->parent) {
        const struct job_limits *own = &at->limits;

        limits->mask |= own->mask;
        tighten_32(limits, JOB_LIMIT_PROCS, &limits->max_procs, own->max_procs, at);
        tighten_32(limits, JOB_LIMIT_THREADS, &limits->max_threads, own->max_threads, at);
        tighten_32(limits, JOB_LIMIT_JOBS, &limits->max_jobs, own->max_jobs, at);
        tighten_32(limits, JOB_LIMIT_DEPTH, &limits->max_depth, depth_left(job, at), at);
        tighten_64(limits, JOB_LIMIT_PROC_MEM, &limits->proc_mem_bytes, own->proc_mem_bytes, at);
        tighten_64(limits, JOB_LIMIT_JOB_MEM, &limits->job_mem_bytes, own->job_mem_bytes, at);
    }
}

void job_get_limits(struct job *job, struct job_limits *limits, bool effective)
{
    spin_lock(&family_lock);
    if (effective)
        get_effective_locked(job, limits);
    else
        *limits = job->limits;
    limits->flags = job->flags;
    spin_unlock(&family_lock);
}
