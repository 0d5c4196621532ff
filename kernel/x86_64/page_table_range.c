/*
 * Work on ranges of user page tables: unmapping, protection, the copy for fork, moving. It costs
 * what is mapped, not how far apart it lies. Guarded as page_table.c.
 */
#include "lib/assert.h"
#include "lib/errno.h"
#include "mm/frame_table.h"
#include "sched/sched.h"
#include "x86_64/page_table.h"

#include <linux/mman.h>

/* The end of what the leaf that serves `address` has of the range that ends at `end`. */
static uintptr_t end_in_leaf(uintptr_t address, uintptr_t end)
{
    uintptr_t leaf_end = ALIGN_DOWN(address, PAGE_LEAF_SPAN) + PAGE_LEAF_SPAN;

    return leaf_end < end ? leaf_end : end;
}

static unsigned unmap_leaf(uint64_t *leaf, uintptr_t start, uintptr_t end, struct tlb_batch *batch)
{
    struct frame *record = frame_record(frame_of_pointer(leaf));
    uint64_t *place = &leaf[page_table_index(start)];
    unsigned before = record->used;

    for (uintptr_t address = start; address < end && record->used != 0;
         address += PAGE_SIZE, place++) {
        uint64_t entry = *place;

        if (entry == 0)
            continue;
        *place = 0;
        record->used--;
        tlb_batch_add_page(batch, address, entry & PAGE_ENTRY_FRAME);
    }
    return before - record->used;
}

uint64_t page_table_unmap(struct page_table *table, uintptr_t start, uintptr_t end,
                          struct tlb_batch *batch)
{
    uint64_t removed = 0;
    uint64_t *leaf;

    while ((leaf = page_table_next_leaf(table, &start, end))) {
        uintptr_t leaf_end = end_in_leaf(start, end);

        removed += unmap_leaf(leaf, start, leaf_end, batch);
        if (frame_record(frame_of_pointer(leaf))->used == 0)
            page_table_prune(table, start, batch);
        start = leaf_end;
        sched_point();
    }
    return removed;
}

/* Is the page in this space alone, so that a private mapping may write to it as it is? */
static bool is_sole_owner(uint64_t entry)
{
    return (entry & PAGE_ENTRY_OWN) && frame_references(entry & PAGE_ENTRY_FRAME) == 1;
}

void page_table_protect(struct page_table *table, uintptr_t start, uintptr_t end, int protection)
{
    uint64_t bits = page_table_protection_bits(protection);
    uint64_t *leaf;

    for (; (leaf = page_table_next_leaf(table, &start, end)); sched_point()) {
        uintptr_t leaf_end = end_in_leaf(start, end);

        for (; start < leaf_end; start += PAGE_SIZE) {
            uint64_t *place = &leaf[page_table_index(start)];
            uint64_t entry = *place;

            if (entry == 0)
                continue;
            entry = (entry & (PAGE_ENTRY_FRAME | PAGE_ENTRY_OWN)) | bits;
            if ((protection & PROT_WRITE) && is_sole_owner(entry))
                entry |= PAGE_ENTRY_WRITE;
            *place = entry;
        }
    }
}

/* Copies entries first .. last-1 of one leaf to an empty place of another. */
static unsigned copy_leaf(uint64_t *to, uint64_t *from, unsigned first, unsigned last)
{
    unsigned copied = 0;

    for (unsigned i = first; i < last; i++) {
        uint64_t entry = from[i];

        if (entry == 0)
            continue;
        if (entry & PAGE_ENTRY_WRITE) {
            entry &= ~PAGE_ENTRY_WRITE;
            from[i] = entry;
        }
        frame_reference(entry & PAGE_ENTRY_FRAME);
        to[i] = entry;
        copied++;
    }
    frame_record(frame_of_pointer(to))->used += copied;
    return copied;
}

int64_t page_table_copy(struct page_table *to, struct page_table *from, uintptr_t start,
                        uintptr_t end)
{
    int64_t copied = 0;
    uint64_t *leaf;

    while ((leaf = page_table_next_leaf(from, &start, end))) {
        uintptr_t leaf_end = end_in_leaf(start, end);
        unsigned first = page_table_index(start);
        unsigned last = first + ((leaf_end - start) >> PAGE_SHIFT);
        uint64_t *place;

        while (first < last && leaf[first] == 0)
            first++;
        if (first < last) {
            place = page_table_find_or_create(to, start);
            if (!place)
                return -ENOMEM;
            copied += copy_leaf(place - page_table_index(start), leaf, first, last);
            sched_point();
        }
        start = leaf_end;
    }
    return copied;
}

/* Makes tables at the destination for everything that is mapped at the source. */
static int prepare_move(struct page_table *table, uintptr_t from, uintptr_t to, uintptr_t length)
{
    uintptr_t address = from;

    while (page_table_next_leaf(table, &address, from + length)) {
        uintptr_t leaf_end = end_in_leaf(address, from + length);

        /* A leaf's span may fall on two at the destination. */
        if (!page_table_find_or_create(table, to + (address - from)) ||
            !page_table_find_or_create(table, to + (leaf_end - PAGE_SIZE - from)))
            return -ENOMEM;
        address = leaf_end;
    }
    return 0;
}

/* Removes tables of the range that map nothing. */
static void prune_range(struct page_table *table, uintptr_t start, uintptr_t end,
                        struct tlb_batch *batch)
{
    uint64_t *leaf;

    for (; (leaf = page_table_next_leaf(table, &start, end)); start = end_in_leaf(start, end))
        if (frame_record(frame_of_pointer(leaf))->used == 0)
            page_table_prune(table, start, batch);
}

static void move_leaf(struct page_table *table, uint64_t *leaf, uintptr_t from, uintptr_t from_end,
                      uintptr_t to)
{
    struct frame *record = frame_record(frame_of_pointer(leaf));

    for (; from < from_end; from += PAGE_SIZE, to += PAGE_SIZE) {
        uint64_t *place = &leaf[page_table_index(from)];

        if (*place == 0)
            continue;
        page_table_install(page_table_find(table, to), *place);
        *place = 0;
        record->used--;
    }
}

int page_table_move(struct page_table *table, uintptr_t from, uintptr_t to, uintptr_t length)
{
    int error = prepare_move(table, from, to, length);
    uintptr_t address = from;
    struct tlb_batch batch;
    uint64_t *leaf;

    tlb_batch_begin(&batch, table, false);
    if (error == 0) {
        while ((leaf = page_table_next_leaf(table, &address, from + length))) {
            uintptr_t leaf_end = end_in_leaf(address, from + length);

            move_leaf(table, leaf, address, leaf_end, to + (address - from));
            address = leaf_end;
        }
        tlb_flush_range(table, from, from + length);
    }
    prune_range(table, from, from + length, &batch);
    prune_range(table, to, to + length, &batch);
    tlb_batch_end(&batch);
    return error;
}
