/* Frames on their way from a page table back to the allocator: see tlb.h. A batch belongs to one
 * thread. */
#include "mm/frame_table.h"
#include "x86_64/tlb.h"

void tlb_batch_begin(struct tlb_batch *batch, struct page_table *table, bool unreachable)
{
    batch->table = table;
    batch->unreachable = unreachable;
    batch->page_count = 0;
    batch->table_count = 0;
    batch->start = UINTPTR_MAX;
    batch->end = 0;
}

void tlb_batch_add_table(struct tlb_batch *batch, uintptr_t address, physical_t frame)
{
    if (batch->table_count == TLB_BATCH_TABLES)
        tlb_batch_end(batch);
    batch->tables[batch->table_count++] = frame;
    if (address < batch->start)
        batch->start = address;
    if (address >= batch->end)
        batch->end = address + PAGE_SIZE;
}

void tlb_batch_end(struct tlb_batch *batch)
{
    if (batch->start < batch->end && !batch->unreachable)
        tlb_flush_range(batch->table, batch->start, batch->end);
    frame_put_many(batch->pages, batch->page_count);
    for (unsigned i = 0; i < batch->table_count; i++)
        frame_pool_give(FRAME_POOL_ZEROED, batch->tables[i]);
    tlb_batch_begin(batch, batch->table, batch->unreachable);
}
