/*
 * How the members of a job run: the weight with which it shares the CPUs, the length of their
 * turns, the floor of their nice values, the CPUs that they may use. The scheduler does it, by the
 * job's sched_group; here is what follows from the tree.
 *
 * Weights cost something at every switch, so jobs share as one only where somebody has set a
 * weight: then all children of that parent do, and their members no longer compete one by one.
 */
#include "lib/errno.h"
#include "proc/job.h"
#include "sched/sched.h"

#define WEIGHT_UNIT 100 /* of a job; FAIR_WEIGHT_UNIT of the scheduler */
#define WEIGHT_MAX  10000

static uint64_t fair_weight(const struct job *job)
{
    return (uint64_t)job->limits.weight * FAIR_WEIGHT_UNIT / WEIGHT_UNIT;
}

int job_cpu_check(const struct job_limits *limits)
{
    uint64_t mask = limits->mask;

    if ((mask & JOB_LIMIT_WEIGHT) && (limits->weight == 0 || limits->weight > WEIGHT_MAX))
        return -EINVAL;
    if ((mask & JOB_LIMIT_CLASS) && limits->sched_class > SLICE_CLASS_MAX)
        return -EINVAL;
    if ((mask & JOB_LIMIT_NICE_FLOOR) &&
        (limits->nice_floor < NICE_MIN || limits->nice_floor > NICE_MAX))
        return -EINVAL;
    /* Longer turns are at the expense of everybody else. */
    if ((mask & JOB_LIMIT_CLASS) && limits->sched_class > SLICE_CLASS_DEFAULT &&
        !credentials_is_privileged(current_credentials()))
        return -EPERM;
    return 0;
}

/* --- Affinity: own ∩ chain is never empty --- */

/* What the chain would leave if `changed` had that mask. */
static uint64_t cpus_of_chain_locked(const struct job *job, const struct job *changed,
                                     uint64_t mask) REQUIRES(family_lock);
static uint64_t cpus_of_chain_locked(const struct job *job, const struct job *changed,
                                     uint64_t mask)
{
    uint64_t cpus = sched_online_cpus();

    for (; job; job = job->parent)
        cpus &= job == changed ? mask : job->limits.affinity;
    return cpus;
}

static bool leaves_no_cpu_locked(struct job *job, uint64_t cpus) REQUIRES(family_lock);
static bool leaves_no_cpu_locked(struct job *job, uint64_t cpus)
{
    struct user_thread *thread;
    struct process *member;

    if (cpus == 0)
        return true;
    list_for_each (member, &job->members, job_link)
        list_for_each (thread, &member->threads, process_link)
            if (!(thread->thread.own_affinity & cpus))
                return true;
    return false;
}

int job_cpu_check_affinity_locked(struct job *job, uint64_t mask)
{
    spin_assert_held(&family_lock);
    for (struct job *at = job; at; at = job_next_locked(at, job))
        if (leaves_no_cpu_locked(at, cpus_of_chain_locked(at, job, mask)))
            return -EINVAL;
    return 0;
}

int job_cpu_check_thread_locked(const struct job *job, const struct user_thread *thread)
{
    uint64_t cpus = job->group.cpus & sched_online_cpus();

    spin_assert_held(&family_lock);
    return thread->thread.own_affinity & cpus ? 0 : -EINVAL;
}

/* --- What the tree makes of it --- */

static void derive_locked(struct job *job) REQUIRES(family_lock);
static void derive_locked(struct job *job)
{
    const struct job_limits *own = &job->limits;
    const struct sched_group *above = &job->parent->group;
    struct sched_group *group = &job->group;

    group->is_watched |= above->is_watched;
    group->cpus = above->cpus & own->affinity;
    group->nice_floor = own->nice_floor > above->nice_floor ? own->nice_floor : above->nice_floor;
    group->slice_class = above->slice_class;
    if ((own->mask & JOB_LIMIT_CLASS) &&
        (!job->parent->class_is_set || own->sched_class < above->slice_class))
        group->slice_class = own->sched_class;
    job->class_is_set = (own->mask & JOB_LIMIT_CLASS) || job->parent->class_is_set;
    sched_group_inherit_share(group);
}

void job_cpu_regroup_locked(struct job *job)
{
    struct user_thread *thread;
    struct process *member;

    spin_assert_held(&family_lock);
    for (struct job *at = job; at; at = job_next_locked(at, job))
        list_for_each (member, &at->members, job_link)
            list_for_each (thread, &member->threads, process_link)
                thread_regroup(&thread->thread);
}

void job_cpu_apply_locked(struct job *job)
{
    spin_assert_held(&family_lock);
    for (struct job *at = job; at; at = job_next_locked(at, job))
        if (at->parent)
            derive_locked(at);
    job_cpu_regroup_locked(job);
}

/* --- Weights --- */

static int divide_locked(struct job *parent) REQUIRES(family_lock);
static int divide_locked(struct job *parent)
{
    struct job *child;
    int error = 0;

    if (parent->is_divided)
        return 0;
    list_for_each (child, &parent->children, sibling) {
        error = sched_group_create_share(&child->group, fair_weight(child));
        if (error)
            break;
    }
    if (error) {
        list_for_each (child, &parent->children, sibling)
            sched_group_abandon_share(&child->group);
        return error;
    }
    parent->is_divided = true;
    job_cpu_apply_locked(parent);
    return 0;
}

int job_cpu_divide_locked(struct job *job)
{
    spin_assert_held(&family_lock);
    return divide_locked(job->parent);
}

void job_cpu_set_weight_locked(struct job *job)
{
    spin_assert_held(&family_lock);
    sched_group_set_weight(&job->group, fair_weight(job));
}

int job_cpu_enter_tree_locked(struct job *job)
{
    int error = 0;

    spin_assert_held(&family_lock);
    if (job->parent->is_divided)
        error = sched_group_create_share(&job->group, fair_weight(job));
    if (error == 0)
        derive_locked(job);
    return error;
}
