/*
 * The loader's last steps: the door map, the memory map, and out of boot services.
 */
#include "boot/memory_map.h"
#include "boot/uefi.h"

#define PAGE_PRESENT 0x001ull
#define PAGE_WRITE   0x002ull
#define PAGE_LARGE   0x080ull
#define LARGE_PAGE   0x200000ull
#define ENTRIES      512
#define EXIT_TRIES   16

/* Pages of the door map, in one block. */
enum { MAP_TOP, MAP_LOW, MAP_HIGH, MAP_IMAGE, MAP_DIRECT, MAP_PAGES = MAP_DIRECT + 4 };

static void fill_directory(UINT64 *directory, UINT64 physical, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        directory[i] = (physical + i * LARGE_PAGE) | PAGE_PRESENT | PAGE_WRITE | PAGE_LARGE;
}

/* As handoff.h says. Returns the top table's physical address. */
static UINT64 build_door_map(UINT64 kernel_physical)
{
    UINT64(*tables)
    [ENTRIES] = allocate_pages(MAP_PAGES * EFI_PAGE_SIZE, EfiLoaderData, L"page tables");
    const UINT64 flags = PAGE_PRESENT | PAGE_WRITE;

    fill_directory(tables[MAP_DIRECT], 0, 4 * ENTRIES);
    fill_directory(tables[MAP_IMAGE], kernel_physical, ENTRIES);
    for (unsigned i = 0; i < 4; i++)
        tables[MAP_LOW][i] = (UINT64)tables[MAP_DIRECT + i] | flags;
    tables[MAP_HIGH][510] = (UINT64)tables[MAP_IMAGE] | flags;
    tables[MAP_TOP][0] = (UINT64)tables[MAP_LOW] | flags;
    tables[MAP_TOP][256] = (UINT64)tables[MAP_LOW] | flags;
    tables[MAP_TOP][511] = (UINT64)tables[MAP_HIGH] | flags;
    return (UINT64)tables[MAP_TOP];
}

static enum boot_memory_kind memory_kind(UINT32 type)
{
    switch (type) {
    case EfiConventionalMemory:
    case EfiBootServicesCode:
    case EfiBootServicesData:
        return BOOT_MEMORY_USABLE;
    case EfiLoaderCode:
    case EfiLoaderData:
        return BOOT_MEMORY_LOADER;
    case EfiACPIReclaimMemory:
        return BOOT_MEMORY_ACPI;
    default:
        return BOOT_MEMORY_RESERVED;
    }
}

struct firmware_map {
    UINT8 *buffer;
    UINTN capacity, size, key, descriptor_size;
};

static const EFI_MEMORY_DESCRIPTOR *descriptor_at(const struct firmware_map *map, UINTN offset)
{
    return (const EFI_MEMORY_DESCRIPTOR *)(map->buffer + offset);
}

static bool fill_memory(const struct firmware_map *map, const struct kernel_image *image,
                        struct boot_info *info)
{
    info->memory_count = 0;
    for (UINTN offset = 0; offset < map->size; offset += map->descriptor_size) {
        const EFI_MEMORY_DESCRIPTOR *from = descriptor_at(map, offset);

        if (!boot_memory_set(info, from->PhysicalStart, from->NumberOfPages * EFI_PAGE_SIZE,
                             memory_kind(from->Type)))
            return false;
    }
    return boot_memory_set(info, image->physical + KERNEL_LOAD_OFFSET, image->size,
                           BOOT_MEMORY_KERNEL);
}

static void read_map(struct firmware_map *map)
{
    UINT32 version;
    EFI_STATUS status;

    map->size = map->capacity;
    status = uefi_call_wrapper(BS->GetMemoryMap, 5, &map->size, (void *)map->buffer, &map->key,
                               &map->descriptor_size, &version);
    if (EFI_ERROR(status))
        fail(L"the firmware's memory map can't be read: %r", status);
}

/* The map may change between reading it and leaving, and once more by a failed try to leave: then
 * the key is refused, and only these two services may be called again. */
static void leave_boot_services(EFI_HANDLE loader, struct firmware_map *map,
                                const struct kernel_image *image, struct boot_info *info)
{
    for (int i = 0; i < EXIT_TRIES; i++) {
        read_map(map);
        if (!fill_memory(map, image, info))
            fail(L"the firmware's memory map has too many pieces");
        if (!EFI_ERROR(uefi_call_wrapper(BS->ExitBootServices, 2, loader, map->key)))
            return;
    }
    fail(L"the firmware does not let boot services go");
}

_Noreturn void exit_to_kernel(EFI_HANDLE loader, const struct kernel_image *image,
                              struct boot_info *info)
{
    struct firmware_map map = {.capacity = 256 * 1024};
    UINT64 top = build_door_map(image->physical);

    map.buffer = allocate_pages(map.capacity, EfiLoaderData, L"the memory map");
    info->kernel_physical = image->physical;
    info->kernel_size = image->size;
    leave_boot_services(loader, &map, image, info);
    info->entry_cycles = __builtin_ia32_rdtsc();
    __asm__ volatile("cli; jmp *%0" ::"r"(image->entry), "D"(info), "S"(top) : "memory");
    __builtin_unreachable();
}
