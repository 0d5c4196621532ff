/* Proof of the jobs' consistency: every counter is counted again, from the leaves up. */
#include "proc/job_check.h"

#include "proc/job.h"
#include "proc/state.h"

#define require(job, condition)                                                                    \
    do {                                                                                           \
        if (!(condition))                                                                          \
            panic("proc_check: job %lu: not so: %s", (job)->id, #condition);                       \
    } while (0)

static uint32_t count_members_locked(struct job *job, uint32_t *threads) REQUIRES(family_lock);
static uint32_t count_members_locked(struct job *job, uint32_t *threads)
{
    struct process *member;
    uint32_t count = 0;

    list_for_each (member, &job->members, job_link) {
        const struct user_thread *thread;

        require(job, member->job == job);
        list_for_each (thread, &member->threads, process_link) {
            require(job, thread->thread.group == &job->group);
            require(job, (thread->thread.own_affinity & job->group.cpus) != 0);
        }
        require(job, member->state == PROCESS_ALIVE || member->state == PROCESS_EXITING);
        *threads += member->thread_count;
        count++;
    }
    list_for_each (member, &job->zombies, job_link)
        require(job, member->job == job && member->state == PROCESS_ZOMBIE);
    return count;
}

static uint32_t count_streams_locked(const struct job *job) REQUIRES(family_lock);
static uint32_t count_streams_locked(const struct job *job)
{
    uint32_t count = 0;

    for (const struct list *link = job->streams.next; link != &job->streams; link = link->next)
        count++;
    return count;
}

/* What the scheduler knows follows from the job's limits and its parent. */
static void check_group_locked(struct job *job) REQUIRES(family_lock);
static void check_group_locked(struct job *job)
{
    const struct sched_group *group = &job->group, *above = &job->parent->group;

    require(job, group->parent == above);
    require(job, group->cpus == (above->cpus & job->limits.affinity));
    require(job,
            group->nice_floor >= above->nice_floor && group->nice_floor >= job->limits.nice_floor);
    require(job, (group->own_share != NULL) == job->parent->is_divided);
    require(job, group->share == (group->own_share ? group->own_share : above->share));
    require(job, group->is_watched || !above->is_watched);
}

static void check_job_locked(struct job *job) REQUIRES(family_lock);
static void check_job_locked(struct job *job)
{
    uint32_t threads = 0;
    uint32_t active = count_members_locked(job, &threads);
    uint32_t descendants = 0, living = 0, reserved_below = 0;
    struct job *child;

    list_for_each (child, &job->children, sibling) {
        require(child, child->parent == job && child->depth == job->depth + 1);
        active += child->active;
        threads += child->threads;
        reserved_below += child->reserved;
        descendants += 1 + child->descendants;
        living += (child->state != JOB_DEAD) + child->living_descendants;
        /* A closed door has no open one behind it. */
        require(child, job->state == JOB_OPEN || child->state != JOB_OPEN);
    }
    if (job->parent)
        check_group_locked(job);
    require(job, job->active == active && job->peak_active >= active);
    require(job, job->entered == job->active + job->exited);
    require(job, job->reserved >= reserved_below);
    require(job, job->threads == threads + (job->reserved - reserved_below));
    require(job, job->descendants == descendants && job->living_descendants == living);
    require(job, job->state != JOB_DEAD || (job->active == 0 && living == 0));
    require(job, job->stream_count == count_streams_locked(job));
    require(job, job->active > 0 || job_account_is_settled_locked(job));
    require(job, (job->empty_ns == 0) == (job->active > 0));
}

void job_check_locked(void)
{
    for (struct job *job = root_job; job; job = job_next_locked(job, root_job))
        check_job_locked(job);
}
