/*
 * The user half of a page table, four levels. Guarded by the lock of the address space it belongs
 * to; the hardware reads it at any time.
 *
 * An entry is 0 exactly if nothing is mapped. One whose page is mapped with PROT_NONE keeps its
 * frame but is not present. Each entry owns one reference to its frame. The accessed and dirty bits
 * are always set, so the hardware never writes to an entry. Each table counts its entries in use in
 * its struct frame, and goes when the count reaches zero: then all of it is zero again.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/compiler.h"
#include "mm/frame.h"
#include "x86_64/tlb.h"

#define PAGE_ENTRY_PRESENT (1ul << 0)
#define PAGE_ENTRY_WRITE   (1ul << 1)
#define PAGE_ENTRY_USER    (1ul << 2)
#define PAGE_ENTRY_USED    (3ul << 5) /* accessed and dirty */
#define PAGE_ENTRY_OWN     (1ul << 9) /* ours: contents that exist only in address spaces */
#define PAGE_ENTRY_NX      (1ul << 63)
#define PAGE_ENTRY_FRAME   0x000ffffffffff000ul

#define PAGE_TABLE_ENTRIES 512
#define PAGE_LEAF_SPAN     (PAGE_TABLE_ENTRIES * PAGE_SIZE) /* what one lowest table maps */

struct page_table {
    uint64_t *root;
    _Atomic uint64_t cpus; /* a bit for each CPU that has it loaded */
};

/* The kernel's own top-level table, once, before any space is made. Its upper half, entries 256 to
 * 511, is copied into every space and must not change afterwards. */
void page_table_set_kernel_root(physical_t root);
physical_t page_table_kernel_root(void);

/* -ENOMEM. */
int page_table_create(struct page_table *table) MUST_CHECK;
/* All user pages are unmapped, and no CPU has it loaded. */
void page_table_destroy(struct page_table *table);

/* The place of the address's entry; NULL if there is no table for it (or memory is short). */
uint64_t *page_table_find(const struct page_table *table, uintptr_t address);
uint64_t *page_table_find_or_create(struct page_table *table, uintptr_t address) MUST_CHECK;
/* The lowest table at or after *address that exists, NULL if none before `end`; *address moves to
 * the first address that it serves. */
uint64_t *page_table_next_leaf(const struct page_table *table, uintptr_t *address, uintptr_t end);
/* Fills an empty place. */
void page_table_install(uint64_t *place, uint64_t entry);
/* Removes the tables that serve the address and map nothing. */
void page_table_prune(struct page_table *table, uintptr_t address, struct tlb_batch *batch);

/* The bits of an entry for a page with this mmap(2) protection, not writable. */
uint64_t page_table_protection_bits(int protection);

static inline unsigned page_table_index(uintptr_t address)
{
    return (address >> PAGE_SHIFT) % PAGE_TABLE_ENTRIES;
}

/*
 * Ranges, page aligned. Long ones give other threads a chance to run in between: no spinlock held.
 */

/* Pages unmapped. Their frames are released when the batch ends. */
uint64_t page_table_unmap(struct page_table *table, uintptr_t start, uintptr_t end,
                          struct tlb_batch *batch);
/* Gives mapped pages a new protection; a write permission comes at once where a page is ours alone,
 * with the next fault elsewhere. The caller flushes. */
void page_table_protect(struct page_table *table, uintptr_t start, uintptr_t end, int protection);
/* Maps the pages of `from` at the same addresses of `to`, write-protected in both. Pages copied, or
 * -ENOMEM: then some are. The caller flushes `from`. */
int64_t page_table_copy(struct page_table *to, struct page_table *from, uintptr_t start,
                        uintptr_t end) MUST_CHECK;
/* Moves mapped pages within the tables; the destination is empty. -ENOMEM: nothing was moved. */
int page_table_move(struct page_table *table, uintptr_t from, uintptr_t to,
                    uintptr_t length) MUST_CHECK;
