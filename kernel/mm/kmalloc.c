/*
 * Memory of any size: small ones from a row of slab caches, larger ones in whole frames. The record
 * of the frame says which, so kfree() needs no size.
 */
#include "mm/kmalloc.h"
#include "lib/assert.h"
#include "mm/frame_table.h"
#include "mm/slab.h"

#define SMALL_MAX 2048
#define GRAIN     16

#define CACHE(index, object_size)                                                                  \
    [index] = SLAB_CACHE_INITIALIZER(caches[index], "kmalloc-" #object_size, object_size)

/* Sizes chosen so that a frame holds a whole number of objects with little left over. Index 0 is
 * that of all caches that are not kmalloc's. */
static struct slab_cache caches[] = {
    CACHE(1, 16),   CACHE(2, 32),    CACHE(3, 48),    CACHE(4, 64),         CACHE(5, 96),
    CACHE(6, 128),  CACHE(7, 192),   CACHE(8, 256),   CACHE(9, 336),        CACHE(10, 512),
    CACHE(11, 672), CACHE(12, 1024), CACHE(13, 1360), CACHE(14, SMALL_MAX),
};

static uint8_t cache_of_grains[SMALL_MAX / GRAIN + 1]; /* constant after kmalloc_init() */
static _Atomic uint64_t large_count;

void kmalloc_init(void)
{
    unsigned index = 1;

    for (unsigned grains = 0; grains < array_length(cache_of_grains); grains++) {
        if (grains * GRAIN > caches[index].size)
            index++;
        cache_of_grains[grains] = index;
    }
    for (index = 1; index < array_length(caches); index++)
        caches[index].cache_index = index;
}

static void *alloc_frames(size_t size)
{
    unsigned order = 0;
    physical_t block;

    while (PAGE_SIZE << order < size)
        order++;
    block = frame_alloc_order(order);
    if (block == 0)
        return NULL;
    frame_record(block)->kind = FRAME_LARGE;
    frame_record(block)->order = order;
    atomic_fetch_add_explicit(&large_count, 1, memory_order_relaxed);
    port_clear_words(frame_pointer(block), (PAGE_SIZE << order) / 8);
    return frame_pointer(block);
}

void *kmalloc(size_t size)
{
    if (likely(size <= SMALL_MAX))
        return slab_alloc(&caches[cache_of_grains[(size + GRAIN - 1) / GRAIN]]);
    if (size > PAGE_SIZE << 10)
        return NULL;
    return alloc_frames(size);
}

void kfree(void *memory)
{
    struct frame *record;

    if (!memory)
        return;
    record = frame_record(frame_of_pointer(memory));
    if (likely(record->kind == FRAME_SLAB)) {
        slab_free(&caches[record->cache_index], memory);
        return;
    }
    assert(record->kind == FRAME_LARGE && ((uintptr_t)memory & (PAGE_SIZE - 1)) == 0);
    record->kind = FRAME_PLAIN;
    atomic_fetch_sub_explicit(&large_count, 1, memory_order_relaxed);
    frame_free_order(frame_of_pointer(memory), record->order);
}

uint64_t kmalloc_large_count(void)
{
    return atomic_load_explicit(&large_count, memory_order_relaxed);
}
