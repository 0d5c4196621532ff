/*
 * Limits on CPU time: of each process, of the job in its period, and of the job in each stretch of
 * wall time (bandwidth). The scheduler notices that one is reached and posts THREAD_WORK_CPU_LIMIT
 * to the thread that runs; what follows happens here, on that thread's way to user mode, where
 * nothing of the kernel is held.
 */
#include "lib/errno.h"
#include "proc/job.h"
#include "sched/sched.h"

#define PERIOD_MIN_NS 1000000ull
#define PERIOD_MAX_NS 1000000000ull
#define QUOTA_MIN_NS  1000ull
#define TIME_MAX_NS   (1ull << 61) /* centuries: no limit, and safe to add to a time */

#define LIMITS_OF_JOB  (JOB_LIMIT_JOB_USER | JOB_LIMIT_JOB_CPU)
#define LIMITS_WATCHED (LIMITS_OF_JOB | JOB_LIMIT_PROC_USER | JOB_LIMIT_BANDWIDTH)

int job_time_check_limits(const struct job_limits *limits)
{
    if (!(limits->mask & JOB_LIMIT_BANDWIDTH))
        return 0;
    if (limits->period_ns < PERIOD_MIN_NS || limits->period_ns > PERIOD_MAX_NS)
        return -EINVAL;
    if (limits->quota_ns == JOB_UNLIMITED)
        return limits->burst_ns == 0 ? 0 : -EINVAL;
    if (limits->quota_ns < QUOTA_MIN_NS || limits->quota_ns > limits->period_ns * CPU_MAX ||
        limits->burst_ns > limits->quota_ns)
        return -EINVAL;
    return 0;
}

/* --- The job's own time --- */

static uint64_t limit_of(const struct job *job, enum job_action_index index)
{
    return index == JOB_ON_JOB_USER ? job->limits.job_user_ns : job->limits.job_cpu_ns;
}

/* In cycles, since the period's start; what running members have not added yet is not in it. */
static uint64_t used_by_job(const struct job *job, enum job_action_index index)
{
    const struct sched_group *group = &job->group;
    uint64_t used =
        atomic_load_explicit(&group->user, memory_order_relaxed) - job->period_base_cycles.user;

    if (index == JOB_ON_JOB_CPU)
        used += atomic_load_explicit(&group->system, memory_order_relaxed) -
                job->period_base_cycles.system;
    return used;
}

static bool is_used_up(const struct job *job, enum job_action_index index)
{
    uint64_t limit = limit_of(job, index);

    return limit < TIME_MAX_NS && used_by_job(job, index) >= port_ns_to_cycles(limit);
}

static uint64_t alarm_of(const struct job *job, enum job_action_index index, uint64_t base)
{
    uint64_t limit = limit_of(job, index);

    if (limit >= TIME_MAX_NS || (job->disarmed & (1u << index)))
        return ALARM_NEVER;
    return base + port_ns_to_cycles(limit);
}

static void arm_locked(struct job *job) REQUIRES(family_lock);
static void arm_locked(struct job *job)
{
    const struct cpu_time *base = &job->period_base_cycles;

    sched_group_set_alarms(&job->group, alarm_of(job, JOB_ON_JOB_USER, base->user),
                           alarm_of(job, JOB_ON_JOB_CPU, base->user + base->system));
}

static void fire_if_used_up_locked(struct job *job, struct process *process,
                                   enum job_action_index index) REQUIRES(family_lock);
static void fire_if_used_up_locked(struct job *job, struct process *process,
                                   enum job_action_index index)
{
    if ((job->disarmed & (1u << index)) || !is_used_up(job, index))
        return;
    /* Killing one goes on with whoever runs next. */
    if (job->limits.action[index] != JOB_ACTION_KILL_PROC)
        job->disarmed |= 1u << index;
    job_limit_act_locked(job, process, JOB_EVENT_JOB_TIME, index);
    arm_locked(job);
}

void job_time_check_locked(struct job *job, struct process *process)
{
    spin_assert_held(&family_lock);
    for (; job; job = job->parent)
        if (job->limits.mask & LIMITS_OF_JOB) {
            fire_if_used_up_locked(job, process, JOB_ON_JOB_USER);
            fire_if_used_up_locked(job, process, JOB_ON_JOB_CPU);
        }
}

static bool refuses(const struct job *job, enum job_action_index index)
{
    return job->limits.action[index] != JOB_ACTION_NOTIFY && is_used_up(job, index);
}

bool job_time_is_used_up_locked(const struct job *job, enum job_action_index *index)
{
    spin_assert_held(&family_lock);
    *index = refuses(job, JOB_ON_JOB_USER) ? JOB_ON_JOB_USER : JOB_ON_JOB_CPU;
    return refuses(job, *index);
}

void job_time_begin_period_locked(struct job *job, const struct cpu_time *base)
{
    spin_assert_held(&family_lock);
    job->period_base_cycles = *base;
    job->disarmed &= ~((1u << JOB_ON_JOB_USER) | (1u << JOB_ON_JOB_CPU));
    job_thaw_by_limit_locked(job);
    arm_locked(job);
}

/* --- The time of each process --- */

static uint64_t user_cycles_of(const struct process *process) REQUIRES(family_lock);
static uint64_t user_cycles_of(const struct process *process)
{
    return process->leader ? thread_read_cycles(&process->leader->thread.usage.user_cycles) : 0;
}

/* The alarm for the smallest limit of the chain that is still ahead. */
static void arm_process_locked(struct process *process, uint64_t used) REQUIRES(family_lock);
static void arm_process_locked(struct process *process, uint64_t used)
{
    uint64_t alarm = ALARM_NEVER;

    for (const struct job *job = process->job; job; job = job->parent) {
        uint64_t limit = job->limits.proc_user_ns;

        if (limit < TIME_MAX_NS && port_ns_to_cycles(limit) > used &&
            port_ns_to_cycles(limit) < alarm)
            alarm = port_ns_to_cycles(limit);
    }
    thread_set_user_alarm(&process->leader->thread, alarm);
}

/* Limits of the jobs up to `top` that it has passed already. */
static void act_on_process_locked(struct process *process, const struct job *top, uint64_t before,
                                  uint64_t used) REQUIRES(family_lock);
static void act_on_process_locked(struct process *process, const struct job *top, uint64_t before,
                                  uint64_t used)
{
    for (struct job *job = process->job; job != top; job = job->parent) {
        uint64_t limit = job->limits.proc_user_ns;

        if (limit < TIME_MAX_NS && port_ns_to_cycles(limit) <= used &&
            port_ns_to_cycles(limit) > before)
            job_limit_act_locked(job, process, JOB_EVENT_PROC_TIME, JOB_ON_PROC_USER);
    }
    process->job_time_seen = used;
    arm_process_locked(process, used);
}

void job_time_enter_locked(struct process *process, const struct job *from)
{
    spin_assert_held(&family_lock);
    if (process->job->group.is_watched)
        act_on_process_locked(process, from, 0, user_cycles_of(process));
}

/* A limit set below what a member has used already. */
static void check_members_locked(struct job *job) REQUIRES(family_lock);
static void check_members_locked(struct job *job)
{
    uint64_t limit = job->limits.proc_user_ns;
    struct process *member;

    for (struct job *at = job; at; at = job_next_locked(at, job))
        list_for_each (member, &at->members, job_link) {
            uint64_t used = user_cycles_of(member);

            if (!member->leader)
                continue;
            if (limit < TIME_MAX_NS && port_ns_to_cycles(limit) <= used)
                job_limit_act_locked(job, member, JOB_EVENT_PROC_TIME, JOB_ON_PROC_USER);
            member->job_time_seen = used;
            arm_process_locked(member, used);
        }
}

/* --- job_set --- */

static void watch_locked(struct job *job) REQUIRES(family_lock);
static void watch_locked(struct job *job)
{
    struct job *at;

    if (!job->group.is_watched) {
        for (at = job; at; at = job_next_locked(at, job))
            at->group.is_watched = true;
        job_cpu_regroup_locked(job);
    }
    sched_group_limits_changed();
}

void job_time_apply_locked(struct job *job, uint64_t mask)
{
    const struct job_limits *own = &job->limits;

    spin_assert_held(&family_lock);
    if (mask & JOB_LIMIT_BANDWIDTH)
        sched_group_set_bandwidth(&job->group, own->quota_ns == JOB_UNLIMITED ? 0 : own->quota_ns,
                                  own->period_ns, own->burst_ns);
    if ((mask & LIMITS_WATCHED) || ((mask & JOB_LIMIT_ACTIONS) && (own->mask & LIMITS_WATCHED))) {
        arm_locked(job);
        if (own->mask & JOB_LIMIT_PROC_USER)
            check_members_locked(job);
        watch_locked(job);
        job_time_check_locked(job, NULL);
        /* Who waits for bandwidth looks again. */
        job_wake_subtree_locked(job);
    }
}

bool job_time_is_below_use_locked(const struct job *job, const struct job_limits *limits)
{
    const struct cpu_time *base = &job->period_base_cycles;
    struct group_usage usage;
    uint64_t user, total;

    spin_assert_held(&family_lock);
    if (!(limits->mask & LIMITS_OF_JOB))
        return false;
    sched_group_read(&job->group, &usage);
    user = usage.time.user - base->user;
    total = user + usage.time.system - base->system;
    return ((limits->mask & JOB_LIMIT_JOB_USER) && limits->job_user_ns < TIME_MAX_NS &&
            user > port_ns_to_cycles(limits->job_user_ns)) ||
           ((limits->mask & JOB_LIMIT_JOB_CPU) && limits->job_cpu_ns < TIME_MAX_NS &&
            total > port_ns_to_cycles(limits->job_cpu_ns));
}

/* --- On the way to user mode --- */

/* Bandwidth is there, or the process was moved by adoption: then it waits for that job's. */
static bool may_go_on(void *argument) REQUIRES(family_lock);
static bool may_go_on(void *argument)
{
    struct job *job = current_process()->job;

    return job != argument || sched_group_throttled_until(&job->group) == 0;
}

static void wait_for_bandwidth(void)
{
    int result = 0;

    spin_lock(&family_lock);
    while (result != -ERESTARTSYS) {
        struct job *job = current_process()->job;
        uint64_t until = sched_group_throttled_until(&job->group);

        if (until == 0)
            break;
        job_get(job);
        result = wait_queue_sleep_locked(&job->wait, &family_lock, may_go_on, job, SLEEP_KILLABLE,
                                         until);
        spin_unlock(&family_lock);
        job_put(job);
        spin_lock(&family_lock);
    }
    spin_unlock(&family_lock);
}

void job_heed_cpu_limits(void)
{
    struct process *self = current_process();

    thread_clear_work(current_thread(), THREAD_WORK_CPU_LIMIT);
    spin_lock(&family_lock);
    act_on_process_locked(self, NULL, self->job_time_seen, user_cycles_of(self));
    job_time_check_locked(self->job, self);
    spin_unlock(&family_lock);
    wait_for_bandwidth();
}
