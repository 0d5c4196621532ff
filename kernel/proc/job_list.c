/* Listings of a subtree: its members, oldest first, or its jobs. Each is of one instant. */
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "proc/job.h"

struct listing {
    struct job_member *entries;
    size_t room;
    size_t count; /* found, which may exceed the room */
};

static enum job_member_state member_state(const struct process *process)
{
    switch (process->state) {
    case PROCESS_ZOMBIE:
        return JOB_MEMBER_ZOMBIE;
    case PROCESS_EXITING:
        return JOB_MEMBER_EXITING;
    default:
        return JOB_MEMBER_ALIVE;
    }
}

static void add_locked(struct listing *listing, const struct process *process)
    REQUIRES(family_lock);
static void add_locked(struct listing *listing, const struct process *process)
{
    if (listing->count < listing->room)
        listing->entries[listing->count] = (struct job_member){
            .puid = process->unique_id,
            .start_ns = process->start_ns,
            .job_id = process->job->id,
            .pid = process_number(process),
            .ppid = process->parent ? process_number(process->parent) : 0,
            .threads = process->thread_count,
            .state = member_state(process),
        };
    listing->count++;
}

static void collect_locked(struct listing *listing, struct job *root, bool zombies)
    REQUIRES(family_lock);
static void collect_locked(struct listing *listing, struct job *root, bool zombies)
{
    struct process *process;

    listing->count = 0;
    for (struct job *job = root; job; job = job_next_locked(job, root)) {
        list_for_each (process, &job->members, job_link)
            add_locked(listing, process);
        if (!zombies)
            continue;
        list_for_each (process, &job->zombies, job_link)
            add_locked(listing, process);
    }
}

/* Moves the entry at `at` down until the heap below it has the youngest on top. */
static void sift_down(struct job_member *heap, size_t count, size_t at)
{
    for (;;) {
        size_t child = 2 * at + 1;
        struct job_member saved = heap[at];

        if (child >= count)
            return;
        if (child + 1 < count && heap[child + 1].puid > heap[child].puid)
            child++;
        if (saved.puid >= heap[child].puid)
            return;
        heap[at] = heap[child];
        heap[child] = saved;
        at = child;
    }
}

/* Numbers are given in order of birth. */
static void sort_by_age(struct job_member *entries, size_t count)
{
    for (size_t i = count / 2; i-- > 0;)
        sift_down(entries, count, i);
    for (size_t left = count; left > 1; left--) {
        struct job_member youngest = entries[0];

        entries[0] = entries[left - 1];
        entries[left - 1] = youngest;
        sift_down(entries, left - 1, 0);
    }
}

int64_t job_list(struct job *job, uint32_t flags, struct job_member **entries)
{
    struct listing listing = {.room = 16};

    if (flags & ~JOB_LIST_ZOMBIES)
        return -EINVAL;
    for (;;) {
        listing.entries = kmalloc(listing.room * sizeof(*listing.entries));
        if (!listing.entries)
            return -ENOMEM;
        spin_lock(&family_lock);
        collect_locked(&listing, job, (flags & JOB_LIST_ZOMBIES) != 0);
        spin_unlock(&family_lock);
        if (listing.count <= listing.room)
            break;
        kfree(listing.entries);
        listing.room = listing.count + listing.count / 2;
    }
    sort_by_age(listing.entries, listing.count);
    *entries = listing.entries;
    return (int64_t)listing.count;
}

/* --- Jobs --- */

/* One that is about to be freed is passed over, as in look-ups. */
static size_t collect_jobs_locked(struct job *root, struct job_entry *entries, size_t room)
    REQUIRES(family_lock);
static size_t collect_jobs_locked(struct job *root, struct job_entry *entries, size_t room)
{
    size_t count = 0;

    for (struct job *job = root; job; job = job_next_locked(job, root)) {
        if (refcount_is_zero(&job->refs))
            continue;
        if (count < room) {
            entries[count] = (struct job_entry){
                .job_id = job->id,
                .parent_id = job->parent ? job->parent->id : 0,
                .depth = job->depth - root->depth,
                .state = job->state,
                .active = job->active,
            };
            memcpy(entries[count].name, job->name, JOB_NAME_SIZE);
        }
        count++;
    }
    return count;
}

int64_t job_list_jobs(struct job *job, struct job_entry **entries)
{
    size_t room = 16;
    size_t count;

    for (;;) {
        *entries = kmalloc(room * sizeof(**entries));
        if (!*entries)
            return -ENOMEM;
        spin_lock(&family_lock);
        count = collect_jobs_locked(job, *entries, room);
        spin_unlock(&family_lock);
        if (count <= room)
            return (int64_t)count;
        kfree(*entries);
        room = count + count / 2;
    }
}
