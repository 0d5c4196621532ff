/*
 * The map of an address space: which ranges are mapped, to what, and how. No two regions overlap;
 * neighbours that could be one are one. Everything here is guarded by the space's lock.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <linux/mman.h>

#include "lib/list.h"
#include "lib/rbtree.h"
#include "mm/address_space.h"

#define REGION_COUNT_MAX 65530 /* Linux's vm.max_map_count */

enum region_flag {
    REGION_SHARED = 1 << 0,
    REGION_STACK = 1 << 1,        /* grows down */
    REGION_ACCOUNTED = 1 << 2,    /* its pages are committed */
    REGION_MAY_WRITE = 1 << 3,    /* mprotect() may allow writing */
    REGION_DONT_FORK = 1 << 4,    /* MADV_DONTFORK */
    REGION_WIPE_ON_FORK = 1 << 5, /* MADV_WIPEONFORK */
    REGION_HAS_OWN = 1 << 6, /* of a source, private, and a page was written: fork must copy it */
};

struct region {
    struct rb_node node;
    struct list link; /* in order of address */
    uintptr_t start, end;
    struct mapping_source *source; /* reference; NULL: private and anonymous */
    uint64_t offset;               /* into the source, of `start` */
    uint64_t source_end;           /* from this offset on the source gives zeroes */
    uint8_t protection;            /* PROT_* */
    uint8_t flags;                 /* REGION_* */
};

struct region_map {
    struct rb_tree tree;
    struct list list; /* the same regions, in order of address */
    uint32_t count;
    struct region *recent; /* where the last look-up ended, or NULL */
};

void region_map_init(struct region_map *map);

/* The region that holds the address, NULL if none. */
struct region *region_find(struct region_map *map, uintptr_t address);
/* The first region that ends above the address, NULL if none. */
struct region *region_find_from(struct region_map *map, uintptr_t address);
/* The neighbours in order of address, NULL at the ends. */
struct region *region_next(const struct region_map *map, const struct region *region);
struct region *region_previous(const struct region_map *map, const struct region *region);

/* Adds a region into free space; merges it with its neighbours where possible. The result is the
 * region that now covers the range; `region` may have been freed. */
struct region *region_insert(struct region_map *map, struct region *region);
/* Adds a region behind all others. */
void region_append(struct region_map *map, struct region *region);
/* Takes it out of the map; it is the caller's then. */
void region_remove(struct region_map *map, struct region *region);
/* Cuts the region in two at an address inside it; `region` keeps the lower part. -ENOMEM. */
int region_split(struct region_map *map, struct region *region, uintptr_t address) MUST_CHECK;
/* Merges the region with its neighbours where possible; returns what covers it now. */
struct region *region_merge(struct region_map *map, struct region *region);

/* A copy in no map, with its own reference to the source. NULL if memory is short. */
struct region *region_clone(const struct region *region) MUST_CHECK;
struct region *region_create(void) MUST_CHECK;
/* Gives up the reference to the source; may sleep. */
void region_destroy(struct region *region);

/* The highest free range of that length inside [low, high); 0 if there is none. */
uintptr_t region_find_gap(struct region_map *map, uintptr_t low, uintptr_t high, size_t length);
/* Is nothing mapped in [start, end)? */
bool region_is_free(struct region_map *map, uintptr_t start, uintptr_t end);

static inline uint64_t region_pages(const struct region *region)
{
    return (region->end - region->start) >> PAGE_SHIFT;
}

/* Page of the source that an address of the region shows. */
static inline uint64_t region_source_index(const struct region *region, uintptr_t address)
{
    return (region->offset + (address - region->start)) >> PAGE_SHIFT;
}

static inline bool region_is_shared(const struct region *region)
{
    return (region->flags & REGION_SHARED) != 0;
}

/* Does it count for RLIMIT_DATA? */
static inline bool region_is_data(const struct region *region)
{
    return (region->protection & PROT_WRITE) && !(region->flags & (REGION_SHARED | REGION_STACK));
}

static inline bool region_is_private_anonymous(const struct region *region)
{
    return !region->source && !region_is_shared(region);
}
