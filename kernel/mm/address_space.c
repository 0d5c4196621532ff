/*
 * The life of an address space: creation, the copy for fork, use by threads, teardown, accounts.
 * The space's lock guards it; a newborn and a dying space belong to one thread alone.
 */
#include "lib/assert.h"
#include "lib/errno.h"
#include "mm/frame_table.h"
#include "mm/mm.h"
#include "mm/slab.h"
#include "mm/space.h"
#include "sched/sched.h"

/* Clean pages of a larger mapping of a source are left for the child to fault in again. */
#define COPY_CLEAN_PAGES_MAX 128

static SLAB_CACHE(space_cache, struct address_space);

struct address_space *address_space_create(void)
{
    struct address_space *space = slab_alloc(&space_cache);

    if (!space)
        return NULL;
    if (page_table_create(&space->table) != 0) {
        slab_free(&space_cache, space);
        return NULL;
    }
    refcount_init(&space->refs);
    mutex_init(&space->lock, LOCK_RANK_ADDRESS_SPACE);
    spin_init(&space->commit_lock, LOCK_RANK_COMMIT);
    region_map_init(&space->map);
    return space;
}

void address_space_get(struct address_space *space)
{
    refcount_get(&space->refs);
}

bool address_space_is_shared(struct address_space *space)
{
    return refcount_read(&space->refs) > 1;
}

/* Nobody can reach the space any more. */
static void destroy(struct address_space *space)
{
    struct region *region, *next;
    struct tlb_batch batch;

    tlb_evict(&space->table);
    tlb_batch_begin(&batch, &space->table, true);
    list_for_each (region, &space->map.list, link)
        page_table_unmap(&space->table, region->start, region->end, &batch);
    tlb_batch_end(&batch);
    list_for_each_safe (region, next, &space->map.list, link)
        region_destroy(region);
    space_end_commitment(space);
    page_table_destroy(&space->table);
    slab_free(&space_cache, space);
}

void address_space_put(struct address_space *space)
{
    if (refcount_put(&space->refs))
        destroy(space);
}

void address_space_use(struct address_space *space)
{
    current_thread()->space = space;
    tlb_load(space ? &space->table : NULL);
}

/* Pages that a copy of the space promises anew. */
static uint64_t pages_to_commit_for_copy(const struct address_space *space)
{
    const struct region *region;
    uint64_t pages = 0;

    list_for_each (region, &space->map.list, link)
        if ((region->flags & (REGION_ACCOUNTED | REGION_SHARED | REGION_DONT_FORK)) ==
            REGION_ACCOUNTED)
            pages += region_pages(region);
    return pages;
}

/* Are the mapped pages part of the copy, or can they be found again where they came from? */
static bool must_copy_pages(const struct region *region)
{
    if (region->flags & (REGION_SHARED | REGION_WIPE_ON_FORK))
        return false;
    return !region->source || (region->flags & REGION_HAS_OWN) ||
           region_pages(region) <= COPY_CLEAN_PAGES_MAX;
}

static int copy_region(struct address_space *child, struct address_space *parent,
                       const struct region *region)
{
    struct region *copy;
    int64_t pages;

    if (region->flags & REGION_DONT_FORK)
        return 0;
    copy = region_clone(region);
    if (!copy)
        return -ENOMEM;
    if (region_is_shared(copy))
        copy->flags &= ~REGION_ACCOUNTED;
    region_append(&child->map, copy);
    space_count_pages(child, copy, region_pages(copy));
    if (!must_copy_pages(region))
        return 0;
    pages = page_table_copy(&child->table, &parent->table, region->start, region->end);
    if (pages < 0)
        return pages;
    space_add_resident(child, pages);
    return 0;
}

static void copy_attributes(struct address_space *child, struct address_space *parent)
{
    child->brk_start = parent->brk_start;
    child->brk_end = parent->brk_end;
    child->stack_bottom = parent->stack_bottom;
    child->stack_top = parent->stack_top;
    child->layout = parent->layout;
    space_inherit_account(child, parent);
}

static int copy_space(struct address_space *child, struct address_space *parent)
{
    const struct region *region;
    int error;

    copy_attributes(child, parent);
    error = space_commit(child, pages_to_commit_for_copy(parent));
    if (error)
        return error;
    list_for_each (region, &parent->map.list, link) {
        error = copy_region(child, parent, region);
        if (error)
            break;
    }
    /* Pages that both have are write-protected now; the parent must not write through old
     * translations once the child runs. */
    tlb_flush_all(&parent->table);
    return error;
}

struct address_space *address_space_fork(struct address_space *parent, int *error)
{
    struct address_space *child = address_space_create();

    if (!child) {
        *error = -ENOMEM;
        return NULL;
    }
    mutex_lock(&parent->lock);
    *error = copy_space(child, parent);
    mutex_unlock(&parent->lock);
    if (*error) {
        address_space_put(child);
        return NULL;
    }
    return child;
}

void address_space_get_usage(struct address_space *space, struct address_space_usage *usage)
{
    mutex_lock(&space->lock);
    usage->mapped_pages = space->mapped_pages;
    usage->resident_pages = atomic_load_explicit(&space->resident_pages, memory_order_relaxed);
    usage->peak_resident_pages = space->peak_resident_pages > usage->resident_pages
                                     ? space->peak_resident_pages
                                     : usage->resident_pages;
    usage->data_pages = space->data_pages;
    usage->committed_pages = space->committed_pages;
    mutex_unlock(&space->lock);
}

struct address_space_layout *address_space_layout(struct address_space *space)
{
    return &space->layout;
}
