/*
 * The buddy algorithm: blocks split in halves on allocation and merge again when both halves are
 * free. Only the first frame of a free block is marked FRAME_FREE.
 */
#include "mm/buddy.h"
#include "lib/assert.h"
#include "mm/frame_table.h"

void buddy_init(struct buddy *buddy)
{
    for (unsigned order = 0; order < BUDDY_ORDERS; order++)
        list_init(&buddy->blocks[order]);
    buddy->free_frames = 0;
}

static void add_block(struct buddy *buddy, uint64_t number, unsigned order)
{
    struct frame *frame = &frame_table[number];

    frame->kind = FRAME_FREE;
    frame->order = order;
    list_push_front(&buddy->blocks[order], &frame->link);
}

uint64_t buddy_alloc(struct buddy *buddy, unsigned order)
{
    unsigned found = order;
    struct frame *frame;
    uint64_t number;

    while (found < BUDDY_ORDERS && list_is_empty(&buddy->blocks[found]))
        found++;
    if (found == BUDDY_ORDERS)
        return 0;
    frame = list_first(&buddy->blocks[found], struct frame, link);
    number = frame - frame_table;
    list_remove(&frame->link);
    frame->kind = FRAME_PLAIN;
    while (found > order) {
        found--;
        add_block(buddy, number + (1ul << found), found);
    }
    buddy->free_frames -= 1ul << order;
    return number;
}

/* Is the block of that order which begins at `number` free as a whole? */
static bool is_free_block(uint64_t number, unsigned order)
{
    return number < frame_limit && frame_table[number].kind == FRAME_FREE &&
           frame_table[number].order == order;
}

void buddy_free(struct buddy *buddy, uint64_t number, unsigned order)
{
    assert(frame_table[number].kind != FRAME_FREE);
    buddy->free_frames += 1ul << order;
    while (order < BUDDY_ORDERS - 1 && is_free_block(number ^ (1ul << order), order)) {
        struct frame *other = &frame_table[number ^ (1ul << order)];

        list_remove(&other->link);
        other->kind = FRAME_PLAIN;
        frame_table[number].kind = FRAME_PLAIN;
        number &= ~(1ul << order);
        order++;
    }
    add_block(buddy, number, order);
}

void buddy_free_run(struct buddy *buddy, uint64_t first, uint64_t end)
{
    while (first < end) {
        unsigned order = first == 0 ? BUDDY_ORDERS - 1 : (unsigned)__builtin_ctzl(first);

        if (order >= BUDDY_ORDERS)
            order = BUDDY_ORDERS - 1;
        while (first + (1ul << order) > end)
            order--;
        buddy_free(buddy, first, order);
        first += 1ul << order;
    }
}
