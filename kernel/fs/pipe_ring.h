/*
 * The ring of slots inside a pipe, without the waiting. Guarded by the pipe's lock, except that
 * pipe_ring_is_empty() and pipe_ring_is_full() may be asked by anyone.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fs/user_vector.h"
#include "lib/compiler.h"

#define PIPE_SLOTS_DEFAULT 16
#define PIPE_SLOTS_MAX     256 /* 1 MiB: Linux's pipe-max-size for users */

struct pipe_slot {
    uint8_t *page;
    uint16_t offset; /* of the first byte not yet read */
    uint16_t length; /* bytes not yet read */
    bool packet;     /* ends a read, and takes no more bytes */
};

struct pipe_ring {
    struct pipe_slot *slots; /* `initial`, or allocated */
    _Atomic uint32_t size;   /* slots, a power of two */
    _Atomic uint32_t head;   /* slots ever filled */
    _Atomic uint32_t tail;   /* slots ever emptied */
    uint8_t *spare;          /* a page kept for the next slot, or NULL */
    struct pipe_slot initial[PIPE_SLOTS_DEFAULT];
};

void pipe_ring_init(struct pipe_ring *ring);
/* Drops the contents and all pages; the ring stays usable. */
void pipe_ring_clear(struct pipe_ring *ring);
/* As clear, and gives up what pipe_ring_resize() allocated. */
void pipe_ring_destroy(struct pipe_ring *ring);

/* Moves what fits from the source; source->total tells how much, and after an error is all that is
 * left of its meaning. 0, -EFAULT, -ENOMEM. The first call of a write passes `merge`: its odd bytes
 * may go to the page of the last slot. */
int pipe_ring_fill(struct pipe_ring *ring, struct user_vector *source, bool merge, bool packets);
/* Moves bytes to the target until it is full, the ring empty, or a packet ended. 0 or -EFAULT,
 * with target->total as above. */
int pipe_ring_drain(struct pipe_ring *ring, struct user_vector *target);

size_t pipe_ring_bytes(const struct pipe_ring *ring);
/* `slots`: a power of two. -EBUSY if more are in use; -ENOMEM. */
int pipe_ring_resize(struct pipe_ring *ring, uint32_t slots);

static inline uint32_t pipe_ring_used(struct pipe_ring *ring)
{
    uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_acquire);

    return atomic_load_explicit(&ring->head, memory_order_acquire) - tail;
}

static inline bool pipe_ring_is_empty(struct pipe_ring *ring)
{
    return pipe_ring_used(ring) == 0;
}

static inline bool pipe_ring_is_full(struct pipe_ring *ring)
{
    return pipe_ring_used(ring) >= atomic_load_explicit(&ring->size, memory_order_relaxed);
}
