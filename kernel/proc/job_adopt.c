/*
 * Adoption: a process, or a whole tree of them, moves down into a descendant of its present job.
 * One hold of family_lock decides and acts, so a racing fork's child is either found among the
 * children or is born after the move, in its parent's new job.
 */
#include "lib/assert.h"
#include "lib/errno.h"
#include "mm/slab.h"
#include "proc/job.h"

struct adoption {
    struct job *from, *to;
    struct process **moved; /* found so far */
    size_t count;           /* found, which may exceed the room */
    size_t room;
    uint32_t threads;
};

static void find_locked(struct adoption *adoption, struct process *process) REQUIRES(family_lock);
static void find_locked(struct adoption *adoption, struct process *process)
{
    if (adoption->count < adoption->room)
        adoption->moved[adoption->count] = process;
    adoption->count++;
    adoption->threads += process->thread_count;
}

/* The next of first's descendants that have not become zombies, in preorder. */
static struct process *next_descendant_locked(struct process *process, const struct process *first)
    REQUIRES(family_lock);
static struct process *next_descendant_locked(struct process *process, const struct process *first)
{
    if (!list_is_empty(&process->living))
        return list_first(&process->living, struct process, sibling);
    while (process != first && process->sibling.next == &process->parent->living)
        process = process->parent;
    return process == first ? NULL : list_next(process, sibling);
}

/* The process, and with `tree` all its living descendants that are in its job. One that has begun
 * to exit is left where it is, but its children are not its parent's yet. */
static void collect_locked(struct adoption *adoption, struct process *first, bool tree)
    REQUIRES(family_lock);
static void collect_locked(struct adoption *adoption, struct process *first, bool tree)
{
    struct process *process = first;

    adoption->count = 0;
    adoption->threads = 0;
    do {
        if (process->job == adoption->from && process->state == PROCESS_ALIVE)
            find_locked(adoption, process);
    } while (tree && (process = next_descendant_locked(process, first)));
}

static int check_locked(const struct adoption *adoption, const struct process *process)
    REQUIRES(family_lock);
static int check_locked(const struct adoption *adoption, const struct process *process)
{
    if (process->state != PROCESS_ALIVE)
        return -ESRCH;
    if (process->job == adoption->to)
        return 0;
    if (!job_is_in_subtree(adoption->to, process->job))
        return -EXDEV;
    return adoption->to->state == JOB_OPEN ? 0 : -ENODEV;
}

/* All or nothing. Going back cannot fail: what is given up here was held by the old job a moment
 * ago, and still counts there, since it is an ancestor of the new one. */
static int charge_locked(const struct adoption *adoption) REQUIRES(family_lock);
static int charge_locked(const struct adoption *adoption)
{
    struct address_space_account *to = job_memory_account(adoption->to);
    struct address_space_account *from = job_memory_account(adoption->from);

    for (size_t i = 0; i < adoption->count; i++) {
        struct address_space *space = adoption->moved[i]->space;

        if (!space || address_space_set_account(space, to) == 0)
            continue;
        while (i-- > 0)
            if (adoption->moved[i]->space &&
                address_space_set_account(adoption->moved[i]->space, from) != 0)
                panic("job %lu refuses memory that it had", adoption->from->id);
        return -ENOMEM;
    }
    return 0;
}

/* Counts change in the jobs between the old one and the new one; above, nothing does. */
static void move_locked(const struct adoption *adoption, struct process *process)
    REQUIRES(family_lock);
static void move_locked(const struct adoption *adoption, struct process *process)
{
    struct group_usage used;
    struct job_usage before;

    for (struct job *at = adoption->to; at != adoption->from; at = at->parent)
        job_count_in_locked(at, process->thread_count);
    list_remove(&process->job_link);
    list_push_back(&adoption->to->members, &process->job_link);
    process->job = adoption->to;
    job_get(adoption->to);
    thread_set_group(&process->leader->thread, &adoption->to->group, &used);
    job_account_join_locked(adoption->to, adoption->from, &used, &before);
    job_time_enter_locked(process, adoption->from);
    wait_queue_wake_all(&adoption->from->wait, 0); /* it may be parked there */
    if (job_is_frozen_locked(adoption->to))
        thread_post_work(&process->leader->thread, THREAD_WORK_FREEZE);
    job_emit_moved_locked(adoption->to, process, &before);
}

/* 0, an error, or 1: more room is needed. */
static int adopt_locked(struct adoption *adoption, struct process *process, bool tree)
    REQUIRES(family_lock);
static int adopt_locked(struct adoption *adoption, struct process *process, bool tree)
{
    int error = check_locked(adoption, process);

    if (error || process->job == adoption->to) {
        adoption->count = 0;
        return error;
    }
    adoption->from = process->job;
    collect_locked(adoption, process, tree);
    if (adoption->count > adoption->room)
        return 1;
    error = job_check_counts_below_locked(adoption->to, adoption->from, (uint32_t)adoption->count,
                                          adoption->threads);
    for (size_t i = 0; i < adoption->count && error == 0; i++)
        error = job_cpu_check_thread_locked(adoption->to, adoption->moved[i]->leader);
    if (error == 0)
        error = charge_locked(adoption);
    if (error) {
        adoption->count = 0;
        return error;
    }
    for (size_t i = 0; i < adoption->count; i++)
        move_locked(adoption, adoption->moved[i]);
    return 0;
}

int job_adopt(struct job *job, struct process *process, uint32_t flags)
{
    struct adoption adoption = {.to = job, .room = 16};
    int result = 1;

    if (flags & ~JOB_ADOPT_TREE)
        return -EINVAL;
    while (result == 1) {
        adoption.moved = kmalloc(adoption.room * sizeof(*adoption.moved));
        if (!adoption.moved)
            return -ENOMEM;
        spin_lock(&family_lock);
        result = adopt_locked(&adoption, process, (flags & JOB_ADOPT_TREE) != 0);
        spin_unlock(&family_lock);
        kfree(adoption.moved);
        if (result == 1)
            adoption.room = adoption.count + adoption.count / 2;
    }
    /* The references that the moved held to their old job. */
    for (size_t i = 0; i < adoption.count; i++)
        job_put(adoption.from);
    return result;
}
