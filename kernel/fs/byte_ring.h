/*
 * A ring of bytes between one producer (a receive interrupt) and one consumer at a time. No lock:
 * each end writes only its own counter.
 */
#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct byte_ring {
    _Atomic size_t head; /* (producer) bytes ever put in */
    _Atomic size_t tail; /* (consumer) bytes ever taken out */
    uint8_t *data;
    size_t size; /* (const) a power of two */
};

static inline size_t byte_ring_count(struct byte_ring *ring)
{
    size_t tail = atomic_load_explicit(&ring->tail, memory_order_acquire);

    return atomic_load_explicit(&ring->head, memory_order_acquire) - tail;
}

static inline size_t byte_ring_room(struct byte_ring *ring)
{
    return ring->size - byte_ring_count(ring);
}

/* Producer; `size` is at most the room. */
static inline void byte_ring_put(struct byte_ring *ring, const uint8_t *data, size_t size)
{
    size_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);

    for (size_t i = 0; i < size; i++)
        ring->data[(head + i) & (ring->size - 1)] = data[i];
    atomic_store_explicit(&ring->head, head + size, memory_order_release);
}

/* Consumer: the longest piece at the front that is contiguous in memory; 0 bytes if empty. It stays
 * until byte_ring_consume() gives up that many bytes or fewer. */
static inline size_t byte_ring_front(struct byte_ring *ring, const uint8_t **data)
{
    size_t start = atomic_load_explicit(&ring->tail, memory_order_relaxed) & (ring->size - 1);
    size_t count = byte_ring_count(ring);

    *data = ring->data + start;
    return count < ring->size - start ? count : ring->size - start;
}

static inline void byte_ring_consume(struct byte_ring *ring, size_t size)
{
    atomic_fetch_add_explicit(&ring->tail, size, memory_order_release);
}
