/*
 * User page tables: walking, making and removing tables. Guarded by the lock of the address space;
 * a new space's and a dying one's belong to one thread alone.
 */
#include "x86_64/page_table.h"
#include "lib/assert.h"
#include "lib/errno.h"
#include "mm/frame_table.h"

#include <linux/mman.h>

#define LEVELS       4
#define KERNEL_ENTRY 256 /* the first of the kernel's half */
#define TABLE_BITS   (PAGE_ENTRY_PRESENT | PAGE_ENTRY_WRITE | PAGE_ENTRY_USER | PAGE_ENTRY_USED)

static physical_t kernel_root;

void page_table_set_kernel_root(physical_t root)
{
    kernel_root = root;
}

physical_t page_table_kernel_root(void)
{
    return kernel_root;
}

int page_table_create(struct page_table *table)
{
    physical_t frame = frame_pool_take(FRAME_POOL_ROOT);

    if (frame == 0) {
        uint64_t *kernel = frame_pointer(kernel_root);

        frame = frame_alloc();
        if (frame == 0)
            return -ENOMEM;
        table->root = frame_pointer(frame);
        port_clear_words(table->root, KERNEL_ENTRY);
        port_copy_words(table->root + KERNEL_ENTRY, kernel + KERNEL_ENTRY,
                        PAGE_TABLE_ENTRIES - KERNEL_ENTRY);
    }
    frame_record(frame)->used = 0;
    table->root = frame_pointer(frame);
    atomic_store_explicit(&table->cpus, 0, memory_order_relaxed);
    return 0;
}

void page_table_destroy(struct page_table *table)
{
    physical_t root = frame_of_pointer(table->root);

    assert(frame_record(root)->used == 0 && atomic_load(&table->cpus) == 0);
    frame_pool_give(FRAME_POOL_ROOT, root);
    table->root = NULL;
}

static inline unsigned index_at(uintptr_t address, unsigned level)
{
    return (address >> (PAGE_SHIFT + 9 * level)) % PAGE_TABLE_ENTRIES;
}

static inline uint64_t *table_of(uint64_t entry)
{
    return frame_pointer(entry & PAGE_ENTRY_FRAME);
}

uint64_t *page_table_find(const struct page_table *table, uintptr_t address)
{
    uint64_t *entries = table->root;

    for (unsigned level = LEVELS - 1; level > 0; level--) {
        uint64_t entry = entries[index_at(address, level)];

        if (entry == 0)
            return NULL;
        entries = table_of(entry);
    }
    return &entries[index_at(address, 0)];
}

/* A table of zeroes. */
static physical_t alloc_table(void)
{
    physical_t frame = frame_pool_take(FRAME_POOL_ZEROED);

    if (frame == 0)
        frame = frame_alloc_zeroed();
    if (frame != 0)
        frame_record(frame)->used = 0;
    return frame;
}

void page_table_install(uint64_t *place, uint64_t entry)
{
    debug_assert(*place == 0);
    *place = entry;
    frame_record(frame_of_pointer(place))->used++;
}

uint64_t *page_table_next_leaf(const struct page_table *table, uintptr_t *address, uintptr_t end)
{
    while (*address < end) {
        uint64_t *entries = table->root;
        unsigned level = LEVELS - 1;
        uint64_t entry;

        while ((entry = entries[index_at(*address, level)]) != 0) {
            entries = table_of(entry);
            if (--level == 0)
                return entries;
        }
        *address = ALIGN_DOWN(*address, 1ul << (PAGE_SHIFT + 9 * level)) +
                   (1ul << (PAGE_SHIFT + 9 * level));
    }
    return NULL;
}

void page_table_prune(struct page_table *table, uintptr_t address, struct tlb_batch *batch)
{
    uint64_t *path[LEVELS] = {NULL}; /* the entries that lead to the address, by level */
    uint64_t *entries = table->root;

    for (unsigned level = LEVELS - 1; level > 0; level--) {
        uint64_t *place = &entries[index_at(address, level)];

        if (*place == 0)
            break;
        path[level] = place;
        entries = table_of(*place);
    }
    for (unsigned level = 1; level < LEVELS; level++) {
        physical_t frame;

        if (!path[level])
            continue;
        frame = *path[level] & PAGE_ENTRY_FRAME;
        if (frame_record(frame)->used != 0)
            return;
        *path[level] = 0;
        frame_record(frame_of_pointer(path[level]))->used--;
        tlb_batch_add_table(batch, address, frame);
    }
}

static void prune_now(struct page_table *table, uintptr_t address)
{
    struct tlb_batch batch;

    tlb_batch_begin(&batch, table, false);
    page_table_prune(table, address, &batch);
    tlb_batch_end(&batch);
}

uint64_t *page_table_find_or_create(struct page_table *table, uintptr_t address)
{
    uint64_t *entries = table->root;

    for (unsigned level = LEVELS - 1; level > 0; level--) {
        uint64_t *place = &entries[index_at(address, level)];

        if (unlikely(*place == 0)) {
            physical_t frame = alloc_table();

            if (frame == 0) {
                prune_now(table, address);
                return NULL;
            }
            page_table_install(place, frame | TABLE_BITS);
        }
        entries = table_of(*place);
    }
    return &entries[index_at(address, 0)];
}

uint64_t page_table_protection_bits(int protection)
{
    uint64_t bits = PAGE_ENTRY_USER | PAGE_ENTRY_USED;

    if (protection != PROT_NONE)
        bits |= PAGE_ENTRY_PRESENT;
    if (!(protection & PROT_EXEC))
        bits |= PAGE_ENTRY_NX;
    return bits;
}
