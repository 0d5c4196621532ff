/*
 * The memory map of struct boot_info: a sorted array of disjoint ranges. Belongs to the one CPU
 * that boots; compiled into the kernel (PVH door) and into the UEFI loader.
 */
#include "boot/memory_map.h"

#define PAGE_MASK 0xfffull

static uint64_t entry_end(const struct boot_memory *entry)
{
    return entry->base + entry->size;
}

static void insert_at(struct boot_info *info, uint32_t index, uint64_t base, uint64_t end,
                      uint64_t kind)
{
    for (uint32_t i = info->memory_count; i > index; i--)
        info->memory[i] = info->memory[i - 1];
    info->memory[index] = (struct boot_memory){base, end - base, kind};
    info->memory_count++;
}

static void remove_at(struct boot_info *info, uint32_t index)
{
    info->memory_count--;
    for (uint32_t i = index; i < info->memory_count; i++)
        info->memory[i] = info->memory[i + 1];
}

/* Cuts [base, end) out of all entries; at most one entry splits in two. Returns the index at which
 * an entry for the range belongs. */
static uint32_t cut_out(struct boot_info *info, uint64_t base, uint64_t end)
{
    uint32_t i = 0;

    while (i < info->memory_count && info->memory[i].base < end) {
        struct boot_memory *entry = &info->memory[i];
        uint64_t old_end = entry_end(entry);

        if (old_end <= base) {
            i++;
        } else if (entry->base < base) {
            entry->size = base - entry->base;
            if (old_end > end)
                insert_at(info, i + 1, end, old_end, entry->kind);
            i++;
        } else if (old_end > end) {
            entry->base = end;
            entry->size = old_end - end;
        } else {
            remove_at(info, i);
        }
    }
    while (i > 0 && info->memory[i - 1].base >= end)
        i--;
    return i;
}

static void merge_with_next(struct boot_info *info, uint32_t index)
{
    struct boot_memory *entry = &info->memory[index];

    if (index + 1 >= info->memory_count || entry_end(entry) != entry[1].base ||
        entry->kind != entry[1].kind)
        return;
    entry->size += entry[1].size;
    remove_at(info, index + 1);
}

bool boot_memory_set(struct boot_info *info, uint64_t base, uint64_t size,
                     enum boot_memory_kind kind)
{
    uint64_t end = base + size;
    uint32_t index;

    if (kind == BOOT_MEMORY_USABLE) {
        base = (base + PAGE_MASK) & ~PAGE_MASK;
        end &= ~PAGE_MASK;
    } else {
        base &= ~PAGE_MASK;
        end = (end + PAGE_MASK) & ~PAGE_MASK;
    }
    if (base >= end)
        return true;
    /* A split and the new entry. */
    if (info->memory_count + 2 > BOOT_MEMORY_MAX)
        return false;
    index = cut_out(info, base, end);
    insert_at(info, index, base, end, kind);
    merge_with_next(info, index);
    if (index > 0)
        merge_with_next(info, index - 1);
    return true;
}
