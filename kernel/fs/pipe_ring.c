/* The ring of slots inside a pipe: see pipe_ring.h. */
#include "fs/pipe_ring.h"

#include "lib/errno.h"
#include "mm/frame.h"
#include "mm/slab.h"

/* The counters as whoever holds the pipe's lock sees them: nobody else writes them. */
static uint32_t own(const _Atomic uint32_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static struct pipe_slot *slot_at(const struct pipe_ring *ring, uint32_t n)
{
    return &ring->slots[n & (own(&ring->size) - 1)];
}

static __attribute__((noinline)) uint8_t *new_page(void)
{
    physical_t frame = frame_alloc();

    return frame ? frame_address(frame) : NULL;
}

static uint8_t *take_page(struct pipe_ring *ring)
{
    uint8_t *page = ring->spare;

    ring->spare = NULL;
    return likely(page != NULL) ? page : new_page();
}

static void give_page(struct pipe_ring *ring, uint8_t *page)
{
    if (likely(!ring->spare))
        ring->spare = page;
    else
        frame_put(frame_of(page));
}

void pipe_ring_init(struct pipe_ring *ring)
{
    ring->slots = ring->initial;
    ring->size = PIPE_SLOTS_DEFAULT;
}

void pipe_ring_clear(struct pipe_ring *ring)
{
    while (ring->tail != ring->head) {
        frame_put(frame_of(slot_at(ring, ring->tail)->page));
        ring->tail++;
    }
    if (ring->spare)
        frame_put(frame_of(ring->spare));
    ring->spare = NULL;
}

void pipe_ring_destroy(struct pipe_ring *ring)
{
    pipe_ring_clear(ring);
    if (ring->slots != ring->initial)
        kfree(ring->slots);
}

/* All or nothing: what a bad address cut short counts as not moved. */
static inline __attribute__((always_inline)) int read_whole(struct user_vector *source,
                                                            uint8_t *destination, size_t size)
{
    size_t copied = user_vector_read(source, destination, size);

    if (likely(copied == size))
        return 0;
    source->total += copied;
    return -EFAULT;
}

/* Puts the odd bytes of a write (all of them, if it is short) after the last bytes of the ring,
 * which is not empty, if they fit there as a whole. A bad address leaves nothing behind. */
static __attribute__((noinline)) int merge_into_last(struct pipe_ring *ring,
                                                     struct user_vector *source)
{
    size_t odd = source->total % PAGE_SIZE;
    struct pipe_slot *last = slot_at(ring, own(&ring->head) - 1);
    size_t end = (size_t)last->offset + last->length;

    if (odd == 0 || last->packet || end + odd > PAGE_SIZE)
        return 0;
    int error = read_whole(source, last->page + end, odd);

    if (!error)
        last->length += odd;
    return error;
}

static int fill_slot(struct pipe_ring *ring, struct user_vector *source, bool packet)
{
    uint32_t head = own(&ring->head);
    size_t size = source->total < PAGE_SIZE ? source->total : PAGE_SIZE;
    uint8_t *page = take_page(ring);

    if (!page)
        return -ENOMEM;
    int error = read_whole(source, page, size);

    if (unlikely(error)) {
        give_page(ring, page);
        return error;
    }
    *slot_at(ring, head) = (struct pipe_slot){page, 0, size, packet};
    atomic_store_explicit(&ring->head, head + 1, memory_order_release);
    return 0;
}

int pipe_ring_fill(struct pipe_ring *ring, struct user_vector *source, bool merge, bool packets)
{
    uint32_t used = own(&ring->head) - own(&ring->tail);
    int error = 0;

    if (used > 0 && merge && !packets)
        error = merge_into_last(ring, source);
    for (; !error && source->total > 0 && used < own(&ring->size); used++)
        error = fill_slot(ring, source, packets);
    return error;
}

/* Returns whether the read is over: with the end of a packet, or a bad address (*error). */
static bool drain_slot(struct pipe_ring *ring, struct user_vector *target, int *error)
{
    uint32_t tail = own(&ring->tail);
    struct pipe_slot *slot = slot_at(ring, tail);
    size_t size = target->total < slot->length ? target->total : slot->length;
    size_t copied = user_vector_write(target, slot->page + slot->offset, size);
    bool packet = slot->packet;

    if (unlikely(copied < size)) {
        target->total += copied;
        *error = -EFAULT;
        return true;
    }
    slot->offset += size;
    slot->length -= size;
    if (packet || slot->length == 0) {
        give_page(ring, slot->page);
        atomic_store_explicit(&ring->tail, tail + 1, memory_order_release);
    }
    return packet;
}

int pipe_ring_drain(struct pipe_ring *ring, struct user_vector *target)
{
    uint32_t used = own(&ring->head) - own(&ring->tail);
    int error = 0;

    for (; used > 0 && target->total > 0; used--)
        if (drain_slot(ring, target, &error))
            break;
    return error;
}

size_t pipe_ring_bytes(const struct pipe_ring *ring)
{
    size_t bytes = 0;

    for (uint32_t n = ring->tail; n != ring->head; n++)
        bytes += slot_at(ring, n)->length;
    return bytes;
}

int pipe_ring_resize(struct pipe_ring *ring, uint32_t slots)
{
    if (pipe_ring_used(ring) > slots)
        return -EBUSY;
    struct pipe_slot *bigger = kmalloc(slots * sizeof(*bigger));

    if (!bigger)
        return -ENOMEM;
    for (uint32_t n = ring->tail; n != ring->head; n++)
        bigger[n & (slots - 1)] = *slot_at(ring, n);
    if (ring->slots != ring->initial)
        kfree(ring->slots);
    ring->slots = bigger;
    ring->size = slots;
    return 0;
}
