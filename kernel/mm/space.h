/*
 * The address space from inside: for kernel/mm and the machine's TLB code only.
 *
 * Field tags: (M) the space's lock; (M/atomic) written under it, read by anyone; (const) set before
 * others can see the space.
 */
#pragma once

#include "lib/refcount.h"
#include "mm/address_space.h"
#include "mm/layout.h"
#include "mm/region.h"
#include "sched/mutex.h"
#include "x86_64/page_table.h"

struct address_space {
    struct page_table table; /* (M) its entries */
    struct refcount refs;
    struct mutex lock;     /* rank ADDRESS_SPACE */
    struct region_map map; /* (M) */

    uint64_t mapped_pages;           /* (M) */
    uint64_t data_pages;             /* (M) private and writable: RLIMIT_DATA */
    struct spinlock commit_lock;     /* rank COMMIT */
    uint64_t committed_pages;        /* (commit_lock) changed under M as well */
    _Atomic uint64_t resident_pages; /* (M/atomic) */
    uint64_t peak_resident_pages;    /* (M) up to the last unmapping; see space_peak() */

    uintptr_t brk_start, brk_end; /* (M) brk_end as the program knows it, not rounded */
    uintptr_t stack_bottom; /* (M) nothing is placed from here to stack_top on: room to grow */
    uintptr_t stack_top;    /* (M) */
    size_t stack_limit;     /* (M) bytes, as of exec */
    struct address_space_account
        *account;                       /* (commit_lock) reference; who pays for committed pages */
    struct address_space_layout layout; /* written by exec, before others see the space */
};

/* commit.c: adds pages to what the space has promised. -ENOMEM: the account is full. Under the
 * lock. */
int space_commit(struct address_space *space, uint64_t pages) MUST_CHECK;
void space_uncommit(struct address_space *space, uint64_t pages);
/* The same for one request of a program, which is refused as well if all RAM could not hold it. */
int space_commit_request(struct address_space *space, uint64_t pages) MUST_CHECK;

/* The newborn pays where its parent does. */
void space_inherit_account(struct address_space *child, struct address_space *parent);
/* The space ends: what it promised is given back, its account left. */
void space_end_commitment(struct address_space *space);

static inline void space_add_resident(struct address_space *space, int64_t pages)
{
    uint64_t before = atomic_load_explicit(&space->resident_pages, memory_order_relaxed);

    if (pages < 0 && before > space->peak_resident_pages)
        space->peak_resident_pages = before;
    atomic_store_explicit(&space->resident_pages, before + pages, memory_order_relaxed);
}

/*
 * map.c, under the lock. Regions taken out go to `removed`, to be destroyed by
 * space_destroy_regions() once the lock is released: a source's last reference takes other locks.
 */
int space_unmap_locked(struct address_space *space, uintptr_t start, uintptr_t end,
                       struct list *removed) MUST_CHECK;
void space_destroy_regions(struct list *removed);
/* May the space map that many more pages (RLIMIT_AS, RLIMIT_DATA)? -ENOMEM. */
int space_check_limits(struct address_space *space, uint64_t pages, bool is_data) MUST_CHECK;
/* Where a new mapping goes; 0 if there is no room. */
uintptr_t space_find_gap(struct address_space *space, size_t length);
/* Cuts so that no region crosses the address. -ENOMEM. */
int space_split_at(struct address_space *space, uintptr_t address) MUST_CHECK;
/* Faults in what is mapped of the range, for writing where that is allowed; stops at an error. */
int space_populate(struct address_space *space, uintptr_t start, uintptr_t end,
                   enum port_access access);

static inline void space_count_pages(struct address_space *space, const struct region *region,
                                     int64_t pages)
{
    space->mapped_pages += pages;
    if (region_is_data(region))
        space->data_pages += pages;
}

/* Puts a region that is accounted for into its place. */
static inline void space_insert_region(struct address_space *space, struct region *region)
{
    space_count_pages(space, region, region_pages(region));
    region_insert(&space->map, region);
}

/* fault.c, under the lock: as address_space_fault(). */
int space_fault_locked(struct address_space *space, uintptr_t address, enum port_access access);
/* stack.c, under the lock: extends a stack down to an address below it. -EFAULT -ENOMEM. */
int space_grow_stack(struct address_space *space, struct region *stack,
                     uintptr_t address) MUST_CHECK;

/* shared_memory.c: zero pages that every mapping of the source shares. One reference, or NULL. */
struct mapping_source *shared_memory_create(uint64_t pages) MUST_CHECK;
