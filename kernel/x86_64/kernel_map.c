/* The tables of the kernel's half. Written on the boot CPU alone, but for the stack area, which its
 * owner guards. */
#include "x86_64/kernel_map.h"

#include "boot/handoff.h"
#include "lib/assert.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "x86_64/cpu_features.h"
#include "x86_64/instructions.h"
#include "x86_64/page_table.h"

#define ENTRY_UNCACHED (3ul << 3) /* write-through and cache-disable */
#define ENTRY_LARGE    (1ul << 7)
#define ENTRY_GLOBAL   (1ul << 8)

#define ENTRY_TABLE    (PAGE_ENTRY_PRESENT | PAGE_ENTRY_WRITE | PAGE_ENTRY_USED)
#define ENTRY_CONSTANT (PAGE_ENTRY_PRESENT | PAGE_ENTRY_USED | PAGE_ENTRY_NX | ENTRY_GLOBAL)
#define ENTRY_TEXT     (PAGE_ENTRY_PRESENT | PAGE_ENTRY_USED | ENTRY_GLOBAL)
#define ENTRY_DATA     (ENTRY_CONSTANT | PAGE_ENTRY_WRITE)

#define SIZE_2M (1ul << 21)
#define SIZE_1G (1ul << 30)
#define SIZE_4G (1ul << 32)

extern char kernel_text_start[], kernel_text_end[], kernel_rodata_start[], kernel_rodata_end[],
    kernel_data_start[], kernel_image_end[];

_Static_assert(KERNEL_STACK_AREA % SIZE_1G == 0 && KERNEL_STACK_AREA_SIZE == SIZE_1G,
               "one table leads to all of the stack area's lowest ones");

static physical_t root;
static uint64_t *stack_tables; /* the entries for them */
static physical_t start_table;
static uintptr_t device_area_next = DEVICE_AREA;

static physical_t new_table(void)
{
    physical_t table = frame_alloc_zeroed();

    if (!table)
        panic("no memory for the kernel's page tables");
    return table;
}

/* `level` 0 is the lowest. */
static uint64_t *entry_in(physical_t table, uintptr_t address, unsigned level)
{
    uint64_t *entries = frame_address(table);

    return &entries[(address >> (PAGE_SHIFT + 9 * level)) % PAGE_TABLE_ENTRIES];
}

/* The place of the address's entry at `level`, with the tables above it. */
static uint64_t *make_entry(uintptr_t address, unsigned level)
{
    physical_t table = root;

    for (unsigned above = 3; above > level; above--) {
        uint64_t *entry = entry_in(table, address, above);

        if (!*entry)
            *entry = new_table() | ENTRY_TABLE;
        table = *entry & PAGE_ENTRY_FRAME;
    }
    return entry_in(table, address, level);
}

/* The largest page that may stand at this place. */
static unsigned fitting_level(uintptr_t address, physical_t physical, uint64_t size)
{
    uint64_t both = address | physical;

    if (both % SIZE_1G == 0 && size >= SIZE_1G && cpu_features.pages_1g)
        return 2;
    return both % SIZE_2M == 0 && size >= SIZE_2M;
}

static void map_range(uintptr_t address, physical_t physical, uint64_t size, uint64_t bits)
{
    while (size) {
        unsigned level = fitting_level(address, physical, size);
        uint64_t step = PAGE_SIZE << 9 * level;

        *make_entry(address, level) = physical | bits | (level ? ENTRY_LARGE : 0);
        address += step;
        physical += step;
        size -= step;
    }
}

static void map_image(const struct boot_info *info, const char *start, const char *end,
                      uint64_t bits)
{
    physical_t physical = (uintptr_t)start - KERNEL_BASE + info->kernel_physical;

    map_range((uintptr_t)start, physical, ALIGN_UP((size_t)(end - start), PAGE_SIZE), bits);
}

/* Neighbours of any kind of RAM are mapped as one range, for the sake of large pages. */
static void map_ram(const struct boot_info *info)
{
    uint64_t start = 0, end = 0;

    for (uint32_t i = 0; i < info->memory_count; i++) {
        const struct boot_memory *memory = &info->memory[i];

        if (memory->kind == BOOT_MEMORY_RESERVED)
            continue;
        if (memory->base != end) {
            map_range(DIRECT_MAP_BASE + start, start, end - start, ENTRY_DATA);
            start = memory->base;
        }
        end = memory->base + memory->size;
    }
    map_range(DIRECT_MAP_BASE + start, start, end - start, ENTRY_DATA);
}

/* Areas that fill later get their upper tables now: top-level entries are copied into every space.
 */
static void reserve_areas(void)
{
    stack_tables = make_entry(KERNEL_STACK_AREA, 1);
    make_entry(DEVICE_AREA, 1);
}

static void make_start_table(void)
{
    physical_t upper = new_table(), middle = new_table();

    start_table = new_table();
    assert((start_table | root) < SIZE_4G);
    memcpy(frame_address(start_table), frame_address(root), PAGE_SIZE);
    *entry_in(start_table, 0, 3) = upper | ENTRY_TABLE;
    *entry_in(upper, 0, 2) = middle | ENTRY_TABLE;
    *entry_in(middle, 0, 1) = PAGE_ENTRY_PRESENT | PAGE_ENTRY_WRITE | PAGE_ENTRY_USED | ENTRY_LARGE;
}

void kernel_map_init(const struct boot_info *info)
{
    root = new_table();
    map_ram(info);
    map_image(info, kernel_text_start, kernel_text_end, ENTRY_TEXT);
    map_image(info, kernel_rodata_start, kernel_rodata_end, ENTRY_CONSTANT);
    map_image(info, kernel_data_start, kernel_image_end, ENTRY_DATA);
    reserve_areas();
    make_start_table();
    kernel_map_load();
    page_table_set_kernel_root(root);
}

void kernel_map_load(void)
{
    write_cr3(root);
    write_cr4(read_cr4() | CR4_GLOBAL_PAGES);
}

uint64_t kernel_map_start_table(void)
{
    return start_table;
}

void *kernel_map_physical(uint64_t physical, size_t size, enum kernel_map_cache cache)
{
    uint64_t offset = physical % PAGE_SIZE;
    uintptr_t address = device_area_next;

    size = ALIGN_UP(size + offset, PAGE_SIZE);
    assert(size <= DEVICE_AREA + DEVICE_AREA_SIZE - address);
    device_area_next += size;
    for (uint64_t done = 0; done < size; done += PAGE_SIZE)
        *make_entry(address + done, 0) = (physical - offset + done) | ENTRY_DATA |
                                         (cache == KERNEL_MAP_CACHED ? 0 : ENTRY_UNCACHED);
    return (void *)(address + offset);
}

static uint64_t *stack_table_entry(uintptr_t address)
{
    return &stack_tables[(address - KERNEL_STACK_AREA) / SIZE_2M];
}

uint64_t *kernel_map_stack_entries(uintptr_t address)
{
    uint64_t *entry = stack_table_entry(address);

    if (!*entry) {
        physical_t table = frame_alloc_zeroed();

        if (!table)
            return NULL;
        *entry = table | ENTRY_TABLE;
    }
    return entry_in(*entry & PAGE_ENTRY_FRAME, address, 0);
}

uint64_t kernel_map_stack_bits(void)
{
    return ENTRY_DATA;
}

bool kernel_map_stack_is_mapped(uintptr_t address)
{
    uint64_t entry = *stack_table_entry(address);

    return entry && *entry_in(entry & PAGE_ENTRY_FRAME, address, 0);
}

uint64_t kernel_map_detach_stack_table(uintptr_t address)
{
    uint64_t *entry = stack_table_entry(address);
    physical_t table = *entry & PAGE_ENTRY_FRAME;

    *entry = 0;
    return table;
}
