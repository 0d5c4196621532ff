/*
 * Which page table each CPU has loaded, and the removal of stale translations from them.
 *
 * A CPU that runs a kernel thread keeps the tables of the program before it. Whoever changes or
 * frees such tables tells that CPU by interrupt; a table is never freed while it is loaded
 * anywhere.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/compiler.h"
#include "mm/frame.h"

struct page_table;

/* Loads the tables on this CPU, unless they are loaded already. NULL: the kernel's own. Any context
 * in which the thread stays on this CPU. */
void tlb_load(struct page_table *table);
/* Makes every CPU let go of the tables, which no thread will run with any more. Interrupts enabled,
 * no spinlock held. */
void tlb_evict(struct page_table *table);

/* No CPU uses an old translation of the page (of any page of the range, of the tables) any more
 * when it returns. Interrupts enabled, no spinlock held: it may wait for other CPUs. */
void tlb_flush_page(struct page_table *table, uintptr_t address);
void tlb_flush_range(struct page_table *table, uintptr_t start, uintptr_t end);
void tlb_flush_all(struct page_table *table);

/* The handler of the interrupt that tlb_send_interrupt() raises, interrupts masked. */
void tlb_interrupt(void);
/* Raises that interrupt on another CPU. Implemented next to the interrupt controller. */
void tlb_send_interrupt(unsigned cpu);

/*
 * Frames that were unmapped, kept until no CPU can reach them through an old translation.
 */
#define TLB_BATCH_PAGES  56
#define TLB_BATCH_TABLES 8

struct tlb_batch {
    struct page_table *table;
    bool unreachable; /* the tables are loaded nowhere and never will be: nothing to wait for */
    unsigned page_count;
    unsigned table_count;
    uintptr_t start, end; /* what was unmapped since the last flush */
    physical_t pages[TLB_BATCH_PAGES];
    physical_t tables[TLB_BATCH_TABLES]; /* all zero */
};

void tlb_batch_begin(struct tlb_batch *batch, struct page_table *table, bool unreachable);
/* Flushes, then releases what was collected; the batch may go on. */
void tlb_batch_end(struct tlb_batch *batch);
/* Takes over an empty page-table frame that served `address`. */
void tlb_batch_add_table(struct tlb_batch *batch, uintptr_t address, physical_t frame);

/* Takes over the reference of a page unmapped at `address`. */
static inline void tlb_batch_add_page(struct tlb_batch *batch, uintptr_t address, physical_t frame)
{
    if (unlikely(batch->page_count == TLB_BATCH_PAGES))
        tlb_batch_end(batch);
    batch->pages[batch->page_count++] = frame;
    if (address < batch->start)
        batch->start = address;
    if (address >= batch->end)
        batch->end = address + PAGE_SIZE;
}
