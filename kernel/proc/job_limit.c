/*
 * Limits of jobs: job_set and job_get. Kept under family_lock. What limits do stands elsewhere:
 * job_limit_act.c (counts, actions), job_memory.c, job_time.c, job_cpu.c.
 */
#include "lib/errno.h"
#include "lib/string.h"
#include "proc/job.h"

#define FLAGS_SETTABLE                                                                             \
    (JOB_KILL_ON_CLOSE | JOB_BREAKAWAY_OK | JOB_SILENT_BREAKAWAY | JOB_AUTOREAP | JOB_FROZEN)

void job_limits_init(struct job_limits *limits)
{
    memset(limits, 0, sizeof(*limits));
    limits->max_procs = limits->max_threads = limits->max_jobs = JOB_UNLIMITED_COUNT;
    limits->max_depth = JOB_DEPTH_MAX;
    limits->proc_user_ns = limits->job_user_ns = limits->job_cpu_ns = JOB_UNLIMITED;
    limits->proc_mem_bytes = limits->job_mem_bytes = JOB_UNLIMITED;
    limits->quota_ns = JOB_UNLIMITED;
    limits->period_ns = 100000000;
    limits->weight = 100;
    limits->sched_class = SLICE_CLASS_DEFAULT;
    limits->nice_floor = NICE_MIN;
    limits->affinity = UINT64_MAX;
}

/* --- job_set --- */

static int check_limits(const struct job_limits *limits)
{
    int error;

    if (limits->mask & ~JOB_LIMITS_KNOWN)
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
    error = job_time_check_limits(limits);
    return error ? error : job_cpu_check(limits);
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
           ((mask & JOB_LIMIT_JOB_MEM) && job_memory_bytes(job) > limits->job_mem_bytes) ||
           job_time_is_below_use_locked(job, limits);
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

static void take_values(struct job_limits *own, const struct job_limits *limits)
{
    uint64_t mask = limits->mask;

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
    if (mask & JOB_LIMIT_PROC_USER)
        own->proc_user_ns = limits->proc_user_ns;
    if (mask & JOB_LIMIT_JOB_USER)
        own->job_user_ns = limits->job_user_ns;
    if (mask & JOB_LIMIT_JOB_CPU)
        own->job_cpu_ns = limits->job_cpu_ns;
    if (mask & JOB_LIMIT_BANDWIDTH) {
        own->quota_ns = limits->quota_ns;
        own->period_ns = limits->period_ns;
        own->burst_ns = limits->burst_ns;
    }
    if (mask & JOB_LIMIT_WEIGHT)
        own->weight = limits->weight;
    if (mask & JOB_LIMIT_CLASS)
        own->sched_class = limits->sched_class;
    if (mask & JOB_LIMIT_NICE_FLOOR)
        own->nice_floor = limits->nice_floor;
    if (mask & JOB_LIMIT_AFFINITY)
        own->affinity = limits->affinity;
    if (mask & JOB_LIMIT_ACTIONS)
        memcpy(own->action, limits->action, sizeof(own->action));
    own->mask |= mask;
}

static void apply_locked(struct job *job, const struct job_limits *limits) REQUIRES(family_lock);
static void apply_locked(struct job *job, const struct job_limits *limits)
{
    uint64_t mask = limits->mask;

    if (mask & JOB_LIMIT_FLAGS)
        set_flags_locked(job, limits->flags);
    take_values(&job->limits, limits);
    rearm_locked(job);
    if (mask & (JOB_LIMIT_PROC_MEM | JOB_LIMIT_JOB_MEM))
        job_memory_set_limits(job->memory, job->limits.proc_mem_bytes, job->limits.job_mem_bytes);
    if (mask & JOB_LIMIT_WEIGHT)
        job_cpu_set_weight_locked(job);
    if (mask & (JOB_LIMIT_CLASS | JOB_LIMIT_NICE_FLOOR | JOB_LIMIT_AFFINITY))
        job_cpu_apply_locked(job);
    job_time_apply_locked(job, mask);
}

/* What may still refuse the whole of it. The last one changes how the job and its siblings share,
 * which nobody can tell while the weights are what they were. */
static int prepare_locked(struct job *job, const struct job_limits *limits, uint32_t flags)
    REQUIRES(family_lock);
static int prepare_locked(struct job *job, const struct job_limits *limits, uint32_t flags)
{
    int error = 0;

    if ((flags & JOB_SET_STRICT) && is_below_use_locked(job, limits))
        return -EBUSY;
    if (limits->mask & JOB_LIMIT_AFFINITY)
        error = job_cpu_check_affinity_locked(job, limits->affinity);
    if (error == 0 && (limits->mask & JOB_LIMIT_WEIGHT))
        error = job_cpu_divide_locked(job);
    return error;
}

int job_set_limits(struct job *job, const struct job_limits *limits, uint32_t flags)
{
    int error = check_limits(limits);

    if (error || (flags & ~JOB_SET_STRICT))
        return error ? error : -EINVAL;
    if (!job->parent)
        return -EPERM;
    spin_lock(&family_lock);
    error = prepare_locked(job, limits, flags);
    if (error == 0)
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

/* The least CPU time in the long run. */
static void tighten_bandwidth(struct job_limits *limits, const struct job *job)
{
    const struct job_limits *own = &job->limits;

    if (own->quota_ns == JOB_UNLIMITED ||
        (limits->quota_ns != JOB_UNLIMITED &&
         own->quota_ns * limits->period_ns >= limits->quota_ns * own->period_ns))
        return;
    limits->quota_ns = own->quota_ns;
    limits->period_ns = own->period_ns;
    limits->burst_ns = own->burst_ns;
    bind(limits, JOB_LIMIT_BANDWIDTH, job);
}

/* How members run; a weight is nobody's but the job's own. */
static void tighten_cpu(struct job_limits *limits, const struct job *job)
{
    const struct job_limits *own = &job->limits;
    bool sets_class = own->mask & JOB_LIMIT_CLASS;

    if (sets_class && (!limits->binding_job[__builtin_ctzll(JOB_LIMIT_CLASS)] ||
                       own->sched_class < limits->sched_class)) {
        limits->sched_class = own->sched_class;
        bind(limits, JOB_LIMIT_CLASS, job);
    }
    if (own->nice_floor > limits->nice_floor) {
        limits->nice_floor = own->nice_floor;
        bind(limits, JOB_LIMIT_NICE_FLOOR, job);
    }
    if (limits->affinity & ~own->affinity) {
        limits->affinity &= own->affinity;
        bind(limits, JOB_LIMIT_AFFINITY, job);
    }
}

static void get_effective_locked(struct job *job, struct job_limits *limits) REQUIRES(family_lock);
static void get_effective_locked(struct job *job, struct job_limits *limits)
{
    job_limits_init(limits);
    memcpy(limits->action, job->limits.action, sizeof(limits->action));
    limits->weight = job->limits.weight;
    for (const struct job *at = job; at; at = at->parent) {
        const struct job_limits *own = &at->limits;

        limits->mask |= own->mask;
        tighten_32(limits, JOB_LIMIT_PROCS, &limits->max_procs, own->max_procs, at);
        tighten_32(limits, JOB_LIMIT_THREADS, &limits->max_threads, own->max_threads, at);
        tighten_32(limits, JOB_LIMIT_JOBS, &limits->max_jobs, own->max_jobs, at);
        tighten_32(limits, JOB_LIMIT_DEPTH, &limits->max_depth, depth_left(job, at), at);
        tighten_64(limits, JOB_LIMIT_PROC_USER, &limits->proc_user_ns, own->proc_user_ns, at);
        tighten_64(limits, JOB_LIMIT_JOB_USER, &limits->job_user_ns, own->job_user_ns, at);
        tighten_64(limits, JOB_LIMIT_JOB_CPU, &limits->job_cpu_ns, own->job_cpu_ns, at);
        tighten_64(limits, JOB_LIMIT_PROC_MEM, &limits->proc_mem_bytes, own->proc_mem_bytes, at);
        tighten_64(limits, JOB_LIMIT_JOB_MEM, &limits->job_mem_bytes, own->job_mem_bytes, at);
        tighten_bandwidth(limits, at);
        tighten_cpu(limits, at);
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
