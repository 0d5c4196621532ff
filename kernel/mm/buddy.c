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

/* Frames of one aligned stretch of 64, as a set. */
#define WINDOW_ORDER 6

struct window {
    uint64_t index;
    uint64_t frames;
};

/* The frames at which a pair of blocks of that order can begin. */
static const uint64_t pair_starts[WINDOW_ORDER] = {
    0x5555555555555555, 0x1111111111111111, 0x0101010101010101,
    0x0001000100010001, 0x0000000100000001, 0x0000000000000001,
};

static void free_blocks(struct buddy *buddy, uint64_t base, uint64_t starts, unsigned order)
{
    for (; starts; starts &= starts - 1)
        buddy_free(buddy, base + (unsigned)__builtin_ctzl(starts), order);
}

/* Order by order: blocks without a partner in the set go, pairs become blocks of the next order. */
static void free_window(struct buddy *buddy, const struct window *window)
{
    uint64_t base = window->index << WINDOW_ORDER;
    uint64_t blocks = window->frames;
    unsigned order;

    for (order = 0; order < WINDOW_ORDER && blocks; order++) {
        unsigned size = 1u << order;
        uint64_t pairs = blocks & blocks >> size & pair_starts[order];

        free_blocks(buddy, base, blocks & ~(pairs | pairs << size), order);
        blocks = pairs;
    }
    free_blocks(buddy, base, blocks, order);
}

/* The window of that index; `windows` has room for one more. */
static struct window *find_window(struct window *windows, unsigned *count, uint64_t index)
{
    for (unsigned i = *count; i > 0; i--)
        if (windows[i - 1].index == index)
            return &windows[i - 1];
    windows[*count] = (struct window){.index = index};
    return &windows[(*count)++];
}

void buddy_free_frames(struct buddy *buddy, const uint32_t *numbers, unsigned count)
{
    struct window windows[BUDDY_FRAMES_MAX];
    const uint32_t *end = numbers + count;
    unsigned used = 0;

    assert(count <= BUDDY_FRAMES_MAX);
    while (numbers < end) {
        uint64_t index = *numbers >> WINDOW_ORDER;
        uint64_t frames = 0;

        /* What comes together was mostly allocated together. */
        do
            frames |= 1ul << *numbers++ % 64;
        while (numbers < end && *numbers >> WINDOW_ORDER == index);
        find_window(windows, &used, index)->frames |= frames;
    }
    for (unsigned i = 0; i < used; i++)
        free_window(buddy, &windows[i]);
}
