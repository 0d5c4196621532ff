/*
 * The tree of jobs: creation, names, references, states. Links under family_lock. A job is freed by
 * whoever gives up its last reference; until then its parent's list shows it, but lookups pass over
 * one whose count is zero.
 */
#include "proc/job.h"

#include "lib/assert.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/slab.h"

#define ID_BUCKETS 64

static SLAB_CACHE(job_cache, struct job);
static struct list id_buckets[ID_BUCKETS] GUARDED_BY(family_lock);
static uint64_t next_id GUARDED_BY(family_lock) = 1;
struct job *root_job;

static void job_destroy_parts(struct job *job)
{
    if (job->memory)
        job_memory_destroy(job->memory);
    if (job->account)
        job_account_destroy(job->account);
    sched_group_destroy(&job->group);
    slab_free(&job_cache, job);
}

static struct job *job_allocate(struct job *parent)
{
    struct job *job = slab_alloc(&job_cache);

    if (!job)
        return NULL;
    refcount_init(&job->refs);
    job->parent = parent;
    job->depth = parent ? parent->depth + 1 : 0;
    list_init(&job->sibling);
    list_init(&job->children);
    list_init(&job->id_link);
    list_init(&job->members);
    list_init(&job->zombies);
    list_init(&job->streams);
    wait_queue_init(&job->wait);
    job_limits_init(&job->limits);
    job->empty_ns = port_clock_ns();
    sched_group_init(&job->group, parent ? &parent->group : NULL);
    job->account = job_account_create();
    job->memory = job_memory_create(job);
    if (job->account && job->memory)
        return job;
    job_destroy_parts(job);
    return NULL;
}

static void enter_tables_locked(struct job *job) REQUIRES(family_lock);
static void enter_tables_locked(struct job *job)
{
    job->id = next_id++;
    list_push_back(&id_buckets[job->id % ID_BUCKETS], &job->id_link);
    if (!job->parent)
        return;
    list_push_back(&job->parent->children, &job->sibling);
    for (struct job *above = job->parent; above; above = above->parent) {
        above->descendants++;
        above->living_descendants++;
    }
}

void job_init(void)
{
    spin_lock(&family_lock);
    for (unsigned i = 0; i < ID_BUCKETS; i++)
        list_init(&id_buckets[i]);
    root_job = job_allocate(NULL);
    assert(root_job);
    enter_tables_locked(root_job);
    spin_unlock(&family_lock);
}

void job_get(struct job *job)
{
    refcount_get(&job->refs);
}

static void leave_tables_locked(struct job *job) REQUIRES(family_lock);
static void leave_tables_locked(struct job *job)
{
    struct process *zombie;
    struct process *next;

    assert(job->active == 0 && job->reserved == 0 && list_is_empty(&job->children));
    list_for_each_safe (zombie, next, &job->zombies, job_link)
        job_forget_zombie_locked(zombie);
    list_remove(&job->id_link);
    list_remove(&job->sibling);
    for (struct job *above = job->parent; above; above = above->parent) {
        above->descendants--;
        if (job->state != JOB_DEAD)
            above->living_descendants--;
    }
}

void job_put(struct job *job)
{
    while (job && refcount_put(&job->refs)) {
        struct job *parent = job->parent;

        spin_lock(&family_lock);
        leave_tables_locked(job);
        /* A killed job whose last living child was just an empty one. */
        if (parent)
            job_note_departure_locked(parent);
        spin_unlock(&family_lock);
        job_destroy_parts(job);
        job = parent;
    }
}

static struct job *child_by_name_locked(struct job *parent, const char *name, size_t length)
    REQUIRES(family_lock);
static struct job *child_by_name_locked(struct job *parent, const char *name, size_t length)
{
    struct job *child;

    if (length == 0 || length >= JOB_NAME_SIZE)
        return NULL;
    list_for_each (child, &parent->children, sibling)
        if (memcmp(child->name, name, length) == 0 && child->name[length] == '\0' &&
            refcount_get_unless_zero(&child->refs))
            return child;
    return NULL;
}

static int check_args(const struct job_create_args *args)
{
    const uint64_t flags =
        JOB_KILL_ON_CLOSE | JOB_BREAKAWAY_OK | JOB_SILENT_BREAKAWAY | JOB_AUTOREAP | JOB_FROZEN;

    if ((args->flags & ~flags) || (args->rights & ~JOB_RIGHTS_ALL) || args->pad)
        return -EINVAL;
    if (!memchr(args->name, '\0', JOB_NAME_SIZE) || strchr(args->name, '/') || args->name[0] == '#')
        return -EINVAL;
    return 0;
}

static int insert_locked(struct job *job, struct job **duplicate) REQUIRES(family_lock);
static int insert_locked(struct job *job, struct job **duplicate)
{
    struct job *parent = job->parent;
    int error;

    if (parent->state != JOB_OPEN)
        return -ENODEV;
    error = job_check_child_locked(parent);
    if (error)
        return error;
    *duplicate = child_by_name_locked(parent, job->name, strlen(job->name));
    if (*duplicate)
        return -EEXIST;
    error = job_cpu_enter_tree_locked(job);
    if (error)
        return error;
    job_get(parent);
    enter_tables_locked(job);
    job_emit_about_locked(job, JOB_EVENT_CHILD_JOB, NULL, 0);
    return 0;
}

int job_create(struct job *parent, const struct job_create_args *args, struct job **result)
{
    struct job *duplicate = NULL;
    struct job *job;
    int error = check_args(args);

    if (error)
        return error;
    job = job_allocate(parent);
    if (!job)
        return -ENOMEM;
    memcpy(job->name, args->name, JOB_NAME_SIZE);
    job->flags = args->flags & ~JOB_FROZEN;
    job->creator_uid = current_credentials()->user.effective;
    if (args->flags & JOB_FROZEN) {
        job->flags |= JOB_FROZEN;
        job->freeze_tokens = 1;
        job->frozen_since = port_clock_ns();
    }
    spin_lock(&family_lock);
    error = insert_locked(job, &duplicate);
    spin_unlock(&family_lock);
    if (duplicate)
        job_put(duplicate);
    if (error)
        job_destroy_parts(job);
    else
        *result = job;
    return error;
}

struct job *job_find_path(struct job *from, const char *path)
{
    struct job *job = from;

    job_get(job);
    while (job && *path) {
        const char *slash = strchr(path, '/');
        size_t length = slash ? (size_t)(slash - path) : strlen(path);
        struct job *child;

        spin_lock(&family_lock);
        child = child_by_name_locked(job, path, length);
        spin_unlock(&family_lock);
        job_put(job);
        job = child;
        path += length + (slash ? 1 : 0);
    }
    return job;
}

struct job *job_find_id(struct job *from, uint64_t id, bool above)
{
    struct job *found = NULL;
    struct job *job;

    spin_lock(&family_lock);
    list_for_each (job, &id_buckets[id % ID_BUCKETS], id_link)
        if (job->id == id &&
            (job_is_in_subtree(job, from) || (above && job_is_in_subtree(from, job))) &&
            refcount_get_unless_zero(&job->refs))
            found = job;
    spin_unlock(&family_lock);
    return found;
}

struct job *job_of_process(struct process *process)
{
    struct job *job = NULL;

    spin_lock(&family_lock);
    if (process->state == PROCESS_ALIVE || process->state == PROCESS_EXITING) {
        job = process->job;
        job_get(job);
    }
    spin_unlock(&family_lock);
    return job;
}

bool job_is_in_subtree(const struct job *job, const struct job *root)
{
    while (job && job->depth > root->depth)
        job = job->parent;
    return job == root;
}

struct job *job_next_locked(struct job *job, const struct job *root)
{
    if (!list_is_empty(&job->children))
        return list_first(&job->children, struct job, sibling);
    while (job != root && job->sibling.next == &job->parent->children)
        job = job->parent;
    return job == root ? NULL : list_next(job, sibling);
}

static size_t format_component(const struct job *job, char *buffer, size_t size)
{
    if (job->name[0])
        return ksnprintf(buffer, size, "/%s", job->name);
    return ksnprintf(buffer, size, "/#%lu", job->id);
}

size_t job_format_path(struct process *process, char *buffer, size_t size)
{
    struct job *chain[JOB_DEPTH_MAX];
    struct job *job = job_of_process(process);
    size_t length = 0;
    uint32_t depth = 0;

    for (struct job *at = job; at && at->parent; at = at->parent)
        chain[depth++] = at;
    if (depth == 0)
        length = ksnprintf(buffer, size, "/");
    while (depth > 0 && length < size)
        length += format_component(chain[--depth], buffer + length, size - length);
    if (job)
        job_put(job);
    return length;
}

void job_set_state_locked(struct job *job, enum job_state state)
{
    spin_assert_held(&family_lock);
    /* OPEN → KILLING → DEAD and nothing else: a killed job never opens again. */
    if (state != (enum job_state)(job->state + 1) || state > JOB_DEAD)
        panic("job %lu: illegal transition from %d to %d", job->id, job->state, state);
    job->state = state;
    if (state == JOB_DEAD)
        for (struct job *above = job->parent; above; above = above->parent)
            above->living_descendants--;
}
