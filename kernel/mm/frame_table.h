/*
 * The record of each page frame, for the allocators and the page tables only.
 *
 * A record belongs to whoever owns the frame; `kind` says who that is. Field tags: (B) the buddy
 * lock while the frame is free; (S) the lock of the slab's cache; (T) the lock of the address space
 * whose table it is.
 */
#pragma once

#include <stdatomic.h>

#include <port_memory.h>

#include "lib/list.h"
#include "mm/frame.h"

enum frame_kind {
    FRAME_PLAIN,    /* in use, or on a CPU's list */
    FRAME_FREE,     /* first of a free block of the buddy allocator */
    FRAME_SLAB,     /* first of a slab */
    FRAME_LARGE,    /* first of a kmalloc() of whole frames */
    FRAME_RESERVED, /* not ours to give out */
};

struct frame {
    _Atomic uint32_t references; /* 0 while free */
    uint8_t kind;
    uint8_t order;        /* (B) of a free block, or of FRAME_LARGE */
    uint16_t used;        /* (S) objects handed out; (T) entries in use */
    struct list link;     /* (B) among free blocks; (S) among slabs with room */
    uint16_t free;        /* (S) first object given back, in words from the start */
    uint16_t fresh;       /* (S) objects from this number on were never handed out */
    uint32_t cache_index; /* (S) which of kmalloc's caches */
};

extern struct frame *frame_table; /* one for each frame from address 0 */
extern uint64_t frame_limit;      /* their number */

static inline struct frame *frame_record(physical_t frame)
{
    return &frame_table[frame >> PAGE_SHIFT];
}

static inline void *frame_pointer(physical_t frame)
{
    return (void *)(PORT_DIRECT_MAP + frame);
}

static inline physical_t frame_of_pointer(const void *pointer)
{
    return ((uintptr_t)pointer - PORT_DIRECT_MAP) & ~(PAGE_SIZE - 1);
}

static inline void frame_clear(physical_t frame)
{
    port_clear_words(frame_pointer(frame), PAGE_SIZE / 8);
}

static inline void frame_copy(physical_t destination, physical_t source)
{
    port_copy_words(frame_pointer(destination), frame_pointer(source), PAGE_SIZE / 8);
}

static inline void frame_reference(physical_t frame)
{
    atomic_fetch_add_explicit(&frame_record(frame)->references, 1, memory_order_relaxed);
}

/* Gives up one reference to each. */
void frame_put_many(const physical_t *frames, unsigned count);

/*
 * Frames whose contents are known to be good for something, kept by each CPU. They count as free.
 */
enum frame_pool {
    FRAME_POOL_ZEROED, /* all zero: page tables come and go this way */
    FRAME_POOL_ROOT,   /* top-level tables: user half zero, kernel half in place */
    FRAME_POOL_COUNT
};
/* One reference; 0 if this CPU keeps none. */
physical_t frame_pool_take(enum frame_pool pool);
/* Gives back a frame with one reference whose contents are as the pool wants them. */
void frame_pool_give(enum frame_pool pool, physical_t frame);

/* Boot: the records of frames 0 .. limit-1 begin at `table`, all reserved. */
void frame_table_init(struct frame *table, uint64_t limit);
/* Makes reserved frames available. */
void frame_add(uint64_t first, uint64_t end);
