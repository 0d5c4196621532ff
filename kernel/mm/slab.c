/*
 * Slabs: a block of frames cut into objects of one type. What a slab knows about itself is in the
 * record of its first frame, so that objects fill the frames without a header.
 *
 * Objects that were given back form a list through their first word; those never handed out are
 * taken in order, so that a new slab costs nothing to prepare. A slab that becomes empty goes back
 * to the frame allocator at once. Each cache has its own lock; any context may call.
 */
#include "mm/slab.h"
#include "lib/assert.h"
#include "mm/frame_table.h"
#include "mm/kmalloc.h"

#define SLAB_ALIGNMENT   16
#define SLAB_ORDER_MAX   3
#define SLAB_WASTE_SHIFT 3 /* at most 1/8 of a slab is waste, if a larger order helps */
#define NO_OBJECT        0xffff
#define POISON_BYTE      0x6b

static struct spinlock caches_lock = SPINLOCK_INITIALIZER(LOCK_RANK_SLAB);
static struct list caches = LIST_INITIALIZER(caches); /* (caches_lock) */

/* Fixes the cache's geometry. Two CPUs may come here at once: only the first does it. */
static void register_cache(struct slab_cache *cache)
{
    irq_state_t state = spin_lock_irq_save(&caches_lock);

    if (!cache->registered) {
        size_t block = PAGE_SIZE;

        cache->stride = ALIGN_UP(cache->size, SLAB_ALIGNMENT);
        while (cache->order < SLAB_ORDER_MAX &&
               (block < cache->stride || block % cache->stride > block >> SLAB_WASTE_SHIFT)) {
            cache->order++;
            block <<= 1;
        }
        assert(cache->stride <= block && (cache->order == 0 || cache->cache_index == 0));
        cache->capacity = block / cache->stride;
        list_push_back(&caches, &cache->link);
        cache->registered = true;
    }
    spin_unlock_irq_restore(&caches_lock, state);
}

/* Adds a slab without objects in use. The lock is not held. */
static bool grow(struct slab_cache *cache)
{
    physical_t block;
    struct frame *slab;
    irq_state_t state;

    if (unlikely(!cache->registered))
        register_cache(cache);
    block = frame_alloc_order(cache->order);
    if (block == 0)
        return false;
    slab = frame_record(block);
    slab->kind = FRAME_SLAB;
    slab->used = 0;
    slab->fresh = 0;
    slab->free = NO_OBJECT;
    slab->cache_index = cache->cache_index;
    state = spin_lock_irq_save(&cache->lock);
    list_push_front(&cache->partial, &slab->link);
    cache->slabs++;
    spin_unlock_irq_restore(&cache->lock, state);
    return true;
}

static void *slab_base(const struct frame *slab)
{
    return frame_pointer((uint64_t)(slab - frame_table) << PAGE_SHIFT);
}

/* Takes an object of a slab that has one. The cache's lock is held. */
static void *take_object(struct slab_cache *cache, struct frame *slab)
{
    char *base = slab_base(slab);
    void *object;

    if (slab->free != NO_OBJECT) {
        object = base + slab->free * 8ul;
        slab->free = *(uint16_t *)object;
    } else {
        object = base + (size_t)slab->fresh++ * cache->stride;
    }
    if (++slab->used == cache->capacity)
        list_remove(&slab->link);
    cache->live++;
    return object;
}

void *slab_alloc(struct slab_cache *cache)
{
    irq_state_t state = spin_lock_irq_save(&cache->lock);
    void *object;

    while (unlikely(list_is_empty(&cache->partial))) {
        spin_unlock_irq_restore(&cache->lock, state);
        if (!grow(cache))
            return NULL;
        state = spin_lock_irq_save(&cache->lock);
    }
    object = take_object(cache, list_first(&cache->partial, struct frame, link));
    spin_unlock_irq_restore(&cache->lock, state);
    port_clear_words(object, cache->stride / 8);
    return object;
}

/* The empty slab is on no list. */
static void free_slab(struct slab_cache *cache, struct frame *slab)
{
    slab->kind = FRAME_PLAIN;
    frame_free_order((uint64_t)(slab - frame_table) << PAGE_SHIFT, cache->order);
}

static void check_object(const struct slab_cache *cache, const struct frame *slab, size_t offset)
{
    assert(slab->kind == FRAME_SLAB && slab->used != 0 && slab->cache_index == cache->cache_index);
    debug_assert(offset % cache->stride == 0 && offset / cache->stride < slab->fresh);
}

void slab_free(struct slab_cache *cache, void *object)
{
    uintptr_t base = ALIGN_DOWN((uintptr_t)object, PAGE_SIZE << cache->order);
    struct frame *slab = frame_record(frame_of_pointer((void *)base));
    size_t offset = (uintptr_t)object - base;
    bool is_empty;
    irq_state_t state;

    if (KIN_DEBUG)
        __builtin_memset(object, POISON_BYTE, cache->stride);
    state = spin_lock_irq_save(&cache->lock);
    check_object(cache, slab, offset);
    *(uint16_t *)object = slab->free;
    slab->free = offset / 8;
    if (slab->used-- == cache->capacity)
        list_push_front(&cache->partial, &slab->link);
    is_empty = slab->used == 0;
    if (is_empty) {
        list_remove(&slab->link);
        cache->slabs--;
    }
    cache->live--;
    spin_unlock_irq_restore(&cache->lock, state);
    if (is_empty)
        free_slab(cache, slab);
}

void slab_for_each_cache(void (*visit)(const struct slab_cache *cache, void *argument),
                         void *argument)
{
    struct slab_cache *cache;

    /* Caches are never removed, so the list can be walked without its lock. */
    list_for_each (cache, &caches, link)
        visit(cache, argument);
}

static void add_live(const struct slab_cache *cache, void *argument)
{
    *(uint64_t *)argument += cache->live;
}

uint64_t slab_live_objects(void)
{
    uint64_t count = kmalloc_large_count();

    slab_for_each_cache(add_live, &count);
    return count;
}

static void add_frames(const struct slab_cache *cache, void *argument)
{
    *(uint64_t *)argument += cache->slabs << cache->order;
}

uint64_t slab_frames(void)
{
    uint64_t count = 0;

    slab_for_each_cache(add_frames, &count);
    return count;
}
