/*
 * Kernel objects. Each type has a cache; memory comes zeroed. Allocation never sleeps and may fail:
 * every caller handles NULL. Any context, any lock below SLAB.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/list.h"
#include "sched/spinlock.h"

struct slab_cache {
    const char *name;
    size_t size;
    struct spinlock lock;
    struct list partial; /* (lock) slabs with free objects, as frame records */
    uint64_t live;       /* (lock) objects handed out: the leak balance */
    uint64_t slabs;      /* (lock) */
    struct list link;    /* all caches */
    bool registered;
    /* Set with the first slab, then constant. */
    uint8_t order;        /* a slab is 2^order frames */
    uint16_t capacity;    /* objects in a slab */
    uint32_t stride;      /* bytes from an object to the next */
    uint32_t cache_index; /* among kmalloc's caches; 0 for all others */
};

#define SLAB_CACHE_INITIALIZER(cache, cache_name, object_size)                                     \
    {                                                                                              \
        .name = (cache_name), .size = (object_size), .lock = SPINLOCK_INITIALIZER(LOCK_RANK_SLAB), \
        .partial = LIST_INITIALIZER((cache).partial), .link = LIST_INITIALIZER((cache).link)       \
    }

/* SLAB_CACHE(process_cache, struct process); */
#define SLAB_CACHE(cache, type)                                                                    \
    struct slab_cache cache = SLAB_CACHE_INITIALIZER(cache, #type, sizeof(type))

void *slab_alloc(struct slab_cache *cache) MUST_CHECK;
void slab_free(struct slab_cache *cache, void *object);

/* Any size; zeroed; NULL if memory is short. kfree(NULL) is nothing. */
void *kmalloc(size_t size) MUST_CHECK;
void kfree(void *memory);

/* Objects and bytes live in all caches and kmalloc together, for the leak balance. */
uint64_t slab_live_objects(void);
/* Frames that caches keep for their objects: how many depends on how the objects lie. */
uint64_t slab_frames(void);
/* Calls `visit` for each cache that was ever used, for reports; no lock is held. */
void slab_for_each_cache(void (*visit)(const struct slab_cache *cache, void *argument),
                         void *argument);
