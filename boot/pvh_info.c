/*
 * The quick door's second half: translates what QEMU hands over (Xen's PVH start info) into struct
 * boot_info. Runs once, on the boot stack, under the door map.
 */
#include <stddef.h>
#include <stdint.h>

#include "boot/handoff.h"
#include "boot/memory_map.h"

#define START_MAGIC 0x336ec578

/* Xen's public/arch-x86/hvm/start_info.h, version 1. */
struct start_info {
    uint32_t magic;
    uint32_t version;
    uint32_t flags;
    uint32_t module_count;
    uint64_t modules;
    uint64_t command_line;
    uint64_t rsdp;
    uint64_t memory; /* from version 1 on */
    uint32_t memory_count;
    uint32_t reserved;
};

struct start_module {
    uint64_t physical;
    uint64_t size;
    uint64_t command_line;
    uint64_t reserved;
};

/* Kinds are those of the BIOS's E820 map. */
struct start_memory {
    uint64_t base;
    uint64_t size;
    uint32_t kind;
    uint32_t reserved;
};

void pvh_fill_info(uint64_t start_physical);

extern struct boot_info pvh_boot_info;
extern uint64_t pvh_start_cycles;
extern char kernel_image_start[], kernel_image_end[];

struct boot_info pvh_boot_info;

static void *at_physical(uint64_t physical)
{
    return (void *)(DIRECT_MAP_BASE + physical);
}

static enum boot_memory_kind memory_kind(uint32_t bios_kind)
{
    switch (bios_kind) {
    case 1:
        return BOOT_MEMORY_USABLE;
    case 3:
        return BOOT_MEMORY_ACPI;
    default:
        return BOOT_MEMORY_RESERVED;
    }
}

static void copy_text(char *to, size_t size, const char *from)
{
    size_t i = 0;

    for (; i + 1 < size && from[i]; i++)
        to[i] = from[i];
    to[i] = '\0';
}

/* Usable ranges first: where the firmware's ranges overlap, the cautious kind wins. */
static void fill_memory(struct boot_info *info, const struct start_info *start)
{
    const struct start_memory *memory = at_physical(start->memory);

    if (start->version < 1)
        return;
    for (uint32_t i = 0; i < start->memory_count; i++)
        if (memory_kind(memory[i].kind) == BOOT_MEMORY_USABLE)
            boot_memory_set(info, memory[i].base, memory[i].size, BOOT_MEMORY_USABLE);
    for (uint32_t i = 0; i < start->memory_count; i++)
        if (memory_kind(memory[i].kind) != BOOT_MEMORY_USABLE)
            boot_memory_set(info, memory[i].base, memory[i].size, memory_kind(memory[i].kind));
    boot_memory_set(info, info->kernel_physical + KERNEL_LOAD_OFFSET, info->kernel_size,
                    BOOT_MEMORY_KERNEL);
}

static void fill_initrds(struct boot_info *info, const struct start_info *start)
{
    const struct start_module *modules = at_physical(start->modules);

    for (uint32_t i = 0; i < start->module_count && i < BOOT_INITRD_MAX; i++) {
        info->initrds[i] = (struct boot_range){modules[i].physical, modules[i].size};
        info->initrd_count++;
        boot_memory_set(info, modules[i].physical, modules[i].size, BOOT_MEMORY_LOADER);
    }
}

/* "RSD PTR " on a 16-byte boundary, its first 20 bytes adding up to zero. */
static uint64_t find_rsdp(uint64_t start, uint64_t end)
{
    for (uint64_t physical = start; physical < end; physical += 16) {
        const uint8_t *bytes = at_physical(physical);
        uint8_t sum = 0;

        if (*(const uint64_t *)bytes != 0x2052545020445352)
            continue;
        for (int i = 0; i < 20; i++)
            sum += bytes[i];
        if (sum == 0)
            return physical;
    }
    return 0;
}

void pvh_fill_info(uint64_t start_physical)
{
    const struct start_info *start = at_physical(start_physical);
    struct boot_info *info = &pvh_boot_info;

    if (start->magic != START_MAGIC)
        return; /* the magic number of boot_info stays 0: kmain refuses it */
    info->magic = BOOT_INFO_MAGIC;
    info->start_cycles = pvh_start_cycles;
    info->kernel_physical = 0;
    info->kernel_size = (uint64_t)kernel_image_end - (uint64_t)kernel_image_start;
    copy_text(info->door, sizeof(info->door), "pvh");
    if (start->command_line)
        copy_text(info->command_line, sizeof(info->command_line), at_physical(start->command_line));
    fill_memory(info, start);
    fill_initrds(info, start);
    info->rsdp = start->rsdp ? start->rsdp : find_rsdp(0xe0000, 0x100000);
    info->entry_cycles = __builtin_ia32_rdtsc();
}
