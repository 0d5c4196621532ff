/* The ring of slots inside a pipe: see pipe_ring.h. */
#include "fs/pipe_ring.h"

#include "lib/errno.h"
#include "mm/frame.h"
#include "mm/slab.h"

static struct pipe_slot *slot_at(const struct pipe_ring *ring, uint32_t n)
{
    return &ring->slots[n & (ring->size - 1)];
}

static uint8_t *take_page(struct pipe_ring *ring)
{
    uint8_t *page = ring->spare;

    ring->spare = NULL;
    if (page)
        return page;
    physical_t frame = frame_alloc();

    return frame ? frame_address(frame) : NULL;
}

static void give_page(struct pipe_ring *ring, uint8_t *page)
{
    if (ring->spare)
        frame_put(frame_of(page));
    else
        ring->spare = page;
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
static int read_whole(struct user_vector *source, uint8_t *destination, size_t size)
{
    size_t copied = user_vector_read(source, destination, size);

    if (likely(copied == size))
        return 0;
    source->total += copied;
    return -EFAULT;
}

/* Puts the odd bytes of a write (all of them, if it is short) after the last bytes of the ring, if
 * they fit there as a whole. A bad address leaves nothing behind. */
static int merge_into_last(struct pipe_ring *ring, struct user_vector *source)
{
    size_t odd = source->total % PAGE_SIZE;

    if (odd == 0 || pipe_ring_is_empty(ring))
        return 0;
    struct pipe_slot *last = slot_at(ring, ring->head - 1);
    size_t end = (size_t)last->offset + last->length;

    if (last->packet || end + odd > PAGE_SIZE)
        return 0;
    int error = read_whole(source, last->page + end, odd);

    if (!error)
        last->length += odd;
    return error;
}

static int fill_slot(struct pipe_ring *ring, struct user_vector *source, bool packet)
{
    uint8_t *page = take_page(ring);

    if (!page)
        return -ENOMEM;
    size_t size = source->total < PAGE_SIZE ? source->total : PAGE_SIZE;

    int error = read_whole(source, page, size);

    if (error) {
        give_page(ring, page);
        return error;
    }
    *slot_at(ring, ring->head) = (struct pipe_slot){page, 0, size, packet};
    atomic_store_explicit(&ring->head, ring->head + 1, memory_order_release);
    return 0;
}

int pipe_ring_fill(struct pipe_ring *ring, struct user_vector *source, bool merge, bool packets)
{
    int error = merge && !packets ? merge_into_last(ring, source) : 0;

    while (!error && source->total > 0 && !pipe_ring_is_full(ring))
        error = fill_slot(ring, source, packets);
    return error;
}

int pipe_ring_drain(struct pipe_ring *ring, struct user_vector *target)
{
    while (target->total > 0 && !pipe_ring_is_empty(ring)) {
        struct pipe_slot *slot = slot_at(ring, ring->tail);
        size_t size = target->total < slot->length ? target->total : slot->length;
        size_t copied = user_vector_write(target, slot->page + slot->offset, size);
        bool packet = slot->packet;

        if (unlikely(copied < size)) {
            target->total += copied;
            return -EFAULT;
        }
        slot->offset += size;
        slot->length -= size;
        if (packet || slot->length == 0) {
            give_page(ring, slot->page);
            atomic_store_explicit(&ring->tail, ring->tail + 1, memory_order_release);
        }
        if (packet)
            break;
    }
    return 0;
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
