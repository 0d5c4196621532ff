/*
 * What the members of a job have committed: counters in a tree, charged by their address spaces.
 * They are atomic, because a space charges while it holds its own locks; a charge that fails at one
 * level is undone at those below. An address space may outlive its process's membership by a
 * little, so this part has references of its own.
 */
#include "lib/assert.h"
#include "lib/errno.h"
#include "lib/refcount.h"
#include "mm/slab.h"
#include "proc/job.h"

struct job_memory {
    struct address_space_account account; /* first */
    struct refcount refs;
    struct job_memory *parent; /* (const) reference */
    struct job *job;           /* (F) NULL once the job is freed */
    _Atomic uint64_t pages, peak_pages, peak_space_pages;
    _Atomic uint64_t limit_pages, space_limit_pages;
};

static SLAB_CACHE(memory_cache, struct job_memory);

static struct job_memory *memory_of(struct address_space_account *account)
{
    return container_of(account, struct job_memory, account);
}

static void raise(_Atomic uint64_t *peak, uint64_t value)
{
    uint64_t old = atomic_load_explicit(peak, memory_order_relaxed);

    while (old < value && !atomic_compare_exchange_weak_explicit(
                              peak, &old, value, memory_order_relaxed, memory_order_relaxed))
        continue;
}

static bool charge_one(struct job_memory *memory, uint64_t pages, uint64_t committed)
{
    uint64_t after;

    if (committed > atomic_load_explicit(&memory->space_limit_pages, memory_order_relaxed))
        return false;
    after = pages + atomic_fetch_add_explicit(&memory->pages, pages, memory_order_relaxed);
    if (unlikely(after > atomic_load_explicit(&memory->limit_pages, memory_order_relaxed)) &&
        pages > 0) {
        atomic_fetch_sub_explicit(&memory->pages, pages, memory_order_relaxed);
        return false;
    }
    raise(&memory->peak_pages, after);
    raise(&memory->peak_space_pages, committed);
    return true;
}

/* From `memory` up to, not including, `top`. */
static void uncharge_up_to(struct job_memory *memory, const struct job_memory *top, uint64_t pages)
{
    for (; memory != top; memory = memory->parent) {
        uint64_t before = atomic_fetch_sub_explicit(&memory->pages, pages, memory_order_relaxed);

        assert(before >= pages);
    }
}

static int charge(struct address_space_account *account, uint64_t pages, uint64_t committed)
{
    struct job_memory *memory = memory_of(account);

    for (struct job_memory *at = memory; at; at = at->parent) {
        if (charge_one(at, pages, committed))
            continue;
        uncharge_up_to(memory, at, pages);
        return -ENOMEM;
    }
    return 0;
}

static void uncharge(struct address_space_account *account, uint64_t pages)
{
    uncharge_up_to(memory_of(account), NULL, pages);
}

/* Whose limit was it? Another look at the counters, which may have moved: then the nearest limited
 * job is named. */
static struct job *find_limited_locked(struct job_memory *memory, uint64_t pages,
                                       enum job_action_index *index) REQUIRES(family_lock);
static struct job *find_limited_locked(struct job_memory *memory, uint64_t pages,
                                       enum job_action_index *index)
{
    struct job *nearest = NULL;

    for (struct job_memory *at = memory; at; at = at->parent) {
        uint64_t limit = atomic_load_explicit(&at->limit_pages, memory_order_relaxed);
        uint64_t used = atomic_load_explicit(&at->pages, memory_order_relaxed);

        if (limit != UINT64_MAX && used + pages > limit) {
            *index = JOB_ON_JOB_MEM;
            return at->job;
        }
        if (!nearest && (limit != UINT64_MAX || at->space_limit_pages != UINT64_MAX)) {
            *index = limit != UINT64_MAX ? JOB_ON_JOB_MEM : JOB_ON_PROC_MEM;
            nearest = at->job;
        }
    }
    return nearest;
}

static void refused(struct address_space_account *account, uint64_t pages)
{
    enum job_action_index index;
    struct job *limited;

    spin_lock(&family_lock);
    limited = find_limited_locked(memory_of(account), pages, &index);
    if (limited)
        job_limit_reached_locked(limited, current_process()->job, index);
    spin_unlock(&family_lock);
}

static void get(struct address_space_account *account)
{
    refcount_get(&memory_of(account)->refs);
}

static void put(struct address_space_account *account)
{
    struct job_memory *memory = memory_of(account);

    while (memory && refcount_put(&memory->refs)) {
        struct job_memory *parent = memory->parent;

        assert(memory->pages == 0);
        slab_free(&memory_cache, memory);
        memory = parent;
    }
}

struct job_memory *job_memory_create(struct job *job)
{
    struct job_memory *memory = slab_alloc(&memory_cache);

    if (!memory)
        return NULL;
    refcount_init(&memory->refs);
    memory->account = (struct address_space_account){
        .charge = charge, .uncharge = uncharge, .refused = refused, .get = get, .put = put};
    memory->job = job;
    memory->parent = job->parent ? job->parent->memory : NULL;
    if (memory->parent)
        refcount_get(&memory->parent->refs);
    job_memory_set_limits(memory, JOB_UNLIMITED, JOB_UNLIMITED);
    return memory;
}

void job_memory_destroy(struct job_memory *memory)
{
    spin_lock(&family_lock);
    memory->job = NULL;
    spin_unlock(&family_lock);
    put(&memory->account);
}

struct address_space_account *job_memory_account(struct job *job)
{
    return &job->memory->account;
}

void job_memory_set_limits(struct job_memory *memory, uint64_t space_bytes, uint64_t bytes)
{
    uint64_t space_pages = space_bytes == JOB_UNLIMITED ? UINT64_MAX : space_bytes / PAGE_SIZE;
    uint64_t pages = bytes == JOB_UNLIMITED ? UINT64_MAX : bytes / PAGE_SIZE;

    atomic_store_explicit(&memory->space_limit_pages, space_pages, memory_order_relaxed);
    atomic_store_explicit(&memory->limit_pages, pages, memory_order_relaxed);
}

uint64_t job_memory_bytes(const struct job *job)
{
    return atomic_load_explicit(&job->memory->pages, memory_order_relaxed) * PAGE_SIZE;
}

uint64_t job_memory_peak_bytes(const struct job *job)
{
    return atomic_load_explicit(&job->memory->peak_pages, memory_order_relaxed) * PAGE_SIZE;
}

uint64_t job_memory_peak_process_bytes(const struct job *job)
{
    return atomic_load_explicit(&job->memory->peak_space_pages, memory_order_relaxed) * PAGE_SIZE;
}
