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
    struct list partial; /* (lock) slabs with free objects */
    struct list full;    /* (lock) */
    uint64_t live;       /* (lock) objects handed out: the leak balance */
    struct list link;    /* all caches */
    bool registered;
};

/* SLAB_CACHE(process_cache, struct process); */
#define SLAB_CACHE(cache, type)                                                                    \
    struct slab_cache cache = {.name = #type,                                                      \
                               .size = sizeof(type),                                               \
                               .lock = SPINLOCK_INITIALIZER(LOCK_RANK_SLAB),                       \
                               .partial = LIST_INITIALIZER((cache).partial),                       \
                               .full = LIST_INITIALIZER((cache).full),                             \
                               .link = LIST_INITIALIZER((cache).link)}

void *slab_alloc(struct slab_cache *cache) MUST_CHECK;
void slab_free(struct slab_cache *cache, void *object);

/* Any size; zeroed; NULL if memory is short. kfree(NULL) is nothing. */
void *kmalloc(size_t size) MUST_CHECK;
void kfree(void *memory);

/* Objects and bytes live in all caches and kmalloc together, for the leak balance. */
uint64_t slab_live_objects(void);
