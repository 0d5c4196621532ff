/*
 * Start-up: finds room for the frame records and gives all usable RAM to the frame allocator.
 * Runs on the boot CPU before other threads; nothing here is guarded.
 */
#include "mm/mm.h"
#include "boot/handoff.h"
#include "lib/assert.h"
#include "mm/frame_table.h"
#include "mm/kmalloc.h"
#include "mm/zero_frame.h"

#define LOW_MEMORY_END 0x100000ul    /* the trampoline of other CPUs, and what BIOSes leave */
#define HIGH_MEMORY    0x100000000ul /* the doors' page tables end here */

physical_t zero_frame;

static uint64_t (*limit_reader)(unsigned resource);

static bool is_ram(uint64_t kind)
{
    return kind == BOOT_MEMORY_USABLE || kind == BOOT_MEMORY_ACPI || kind == BOOT_MEMORY_LOADER ||
           kind == BOOT_MEMORY_KERNEL;
}

static physical_t clamp(physical_t address, physical_t low, physical_t high)
{
    return address < low ? low : address > high ? high : address;
}

/* Gives the usable RAM between `low` and `high` to the allocator, but for `hole_size` at `hole`. */
static void add_usable(const struct boot_info *info, physical_t low, physical_t high,
                       physical_t hole, uint64_t hole_size)
{
    for (uint32_t i = 0; i < info->memory_count; i++) {
        const struct boot_memory *memory = &info->memory[i];
        physical_t start = clamp(memory->base, low, high);
        physical_t end = clamp(memory->base + memory->size, low, high);

        if (memory->kind != BOOT_MEMORY_USABLE || start >= end)
            continue;
        if (hole >= start && hole < end) {
            frame_add(start >> PAGE_SHIFT, hole >> PAGE_SHIFT);
            start = hole + hole_size;
        }
        frame_add(start >> PAGE_SHIFT, end >> PAGE_SHIFT);
    }
}

static physical_t find_room(const struct boot_info *info, uint64_t size)
{
    for (uint32_t i = 0; i < info->memory_count; i++) {
        const struct boot_memory *memory = &info->memory[i];
        physical_t start = clamp(memory->base, LOW_MEMORY_END, HIGH_MEMORY);
        physical_t end = clamp(memory->base + memory->size, LOW_MEMORY_END, HIGH_MEMORY);

        if (memory->kind == BOOT_MEMORY_USABLE && end - start >= size)
            return start;
    }
    panic("no room for the records of page frames");
}

void mm_init(const struct boot_info *info)
{
    physical_t end = 0;
    physical_t table;
    uint64_t size;

    for (uint32_t i = 0; i < info->memory_count; i++)
        if (is_ram(info->memory[i].kind))
            end = info->memory[i].base + info->memory[i].size;
    size = ALIGN_UP((end >> PAGE_SHIFT) * sizeof(struct frame), PAGE_SIZE);
    table = find_room(info, size);
    frame_table_init(frame_pointer(table), end >> PAGE_SHIFT);
    add_usable(info, LOW_MEMORY_END, HIGH_MEMORY, table, size);
    kmalloc_init();
    zero_frame = frame_alloc_zeroed();
    assert(zero_frame != 0);
}

void mm_init_high_memory(const struct boot_info *info)
{
    add_usable(info, HIGH_MEMORY, UINT64_MAX, 0, 0);
}

void mm_release_range(physical_t start, uint64_t size)
{
    physical_t end = ALIGN_DOWN(start + size, PAGE_SIZE);

    start = ALIGN_UP(start, PAGE_SIZE);
    if (start < LOW_MEMORY_END)
        start = LOW_MEMORY_END;
    if (start < end)
        frame_add(start >> PAGE_SHIFT, end >> PAGE_SHIFT);
}

void mm_set_limit_reader(uint64_t (*reader)(unsigned resource))
{
    limit_reader = reader;
}

uint64_t mm_limit(unsigned resource)
{
    return limit_reader ? limit_reader(resource) : UINT64_MAX;
}
