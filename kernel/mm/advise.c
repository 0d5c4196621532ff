/* madvise and mincore: hints that drop or fetch pages, and which pages are there. Under the space's
 * lock. */
#include "lib/errno.h"
#include "mm/frame_table.h"
#include "mm/space.h"

/* What an advice does to one region's part [start, end) of the range. */
typedef int advise_region(struct address_space *space, struct region *region, uintptr_t start,
                          uintptr_t end);

static int advise_nothing(struct address_space *space, struct region *region, uintptr_t start,
                          uintptr_t end)
{
    return 0;
}

static int drop_pages(struct address_space *space, struct region *region, uintptr_t start,
                      uintptr_t end)
{
    struct tlb_batch batch;

    tlb_batch_begin(&batch, &space->table, false);
    space_add_resident(space, -(int64_t)page_table_unmap(&space->table, start, end, &batch));
    tlb_batch_end(&batch);
    return 0;
}

/* The pages may go when memory is short; until then they stay. */
static int advise_free(struct address_space *space, struct region *region, uintptr_t start,
                       uintptr_t end)
{
    return region_is_private_anonymous(region) ? 0 : -EINVAL;
}

static int populate_read(struct address_space *space, struct region *region, uintptr_t start,
                         uintptr_t end)
{
    return space_populate(space, start, end, PORT_ACCESS_READ) ? -EFAULT : 0;
}

static int populate_write(struct address_space *space, struct region *region, uintptr_t start,
                          uintptr_t end)
{
    if (!(region->protection & PROT_WRITE))
        return -EINVAL;
    return space_populate(space, start, end, PORT_ACCESS_WRITE) ? -EFAULT : 0;
}

/* Sets and clears flags of exactly [start, end). */
static int change_flags(struct address_space *space, uintptr_t start, uintptr_t end, uint8_t set,
                        uint8_t clear)
{
    struct region *region;
    int error = space_split_at(space, start);

    if (error == 0)
        error = space_split_at(space, end);
    if (error)
        return error;
    region = region_find(&space->map, start);
    region->flags = (region->flags | set) & ~clear;
    region_merge(&space->map, region);
    return 0;
}

static int advise_dont_fork(struct address_space *space, struct region *region, uintptr_t start,
                            uintptr_t end)
{
    return change_flags(space, start, end, REGION_DONT_FORK, 0);
}

static int advise_do_fork(struct address_space *space, struct region *region, uintptr_t start,
                          uintptr_t end)
{
    return change_flags(space, start, end, 0, REGION_DONT_FORK);
}

static int advise_wipe_on_fork(struct address_space *space, struct region *region, uintptr_t start,
                               uintptr_t end)
{
    if (!region_is_private_anonymous(region))
        return -EINVAL;
    return change_flags(space, start, end, REGION_WIPE_ON_FORK, 0);
}

static int advise_keep_on_fork(struct address_space *space, struct region *region, uintptr_t start,
                               uintptr_t end)
{
    return change_flags(space, start, end, 0, REGION_WIPE_ON_FORK);
}

static int refuse(struct address_space *space, struct region *region, uintptr_t start,
                  uintptr_t end)
{
    return -EINVAL;
}

static advise_region *const advices[] = {
    [MADV_NORMAL] = advise_nothing,
    [MADV_RANDOM] = advise_nothing,
    [MADV_SEQUENTIAL] = advise_nothing,
    [MADV_WILLNEED] = advise_nothing,
    [MADV_DONTNEED] = drop_pages,
    [MADV_FREE] = advise_free,
    [MADV_REMOVE] = refuse,
    [MADV_DONTFORK] = advise_dont_fork,
    [MADV_DOFORK] = advise_do_fork,
    [MADV_MERGEABLE] = advise_nothing,
    [MADV_UNMERGEABLE] = advise_nothing,
    [MADV_HUGEPAGE] = advise_nothing,
    [MADV_NOHUGEPAGE] = advise_nothing,
    [MADV_DONTDUMP] = advise_nothing,
    [MADV_DODUMP] = advise_nothing,
    [MADV_WIPEONFORK] = advise_wipe_on_fork,
    [MADV_KEEPONFORK] = advise_keep_on_fork,
    [MADV_COLD] = advise_nothing,
    [MADV_PAGEOUT] = advise_nothing,
    [MADV_POPULATE_READ] = populate_read,
    [MADV_POPULATE_WRITE] = populate_write,
};

/* Applies the advice to what is mapped of the range; a hole is an error, reported at the end. */
static int advise_range(struct address_space *space, uintptr_t start, uintptr_t end,
                        advise_region *advise)
{
    int hole_error = 0;

    while (start < end) {
        struct region *region = region_find_from(&space->map, start);
        uintptr_t part_end;
        int error;

        if (!region || region->start >= end)
            return -ENOMEM;
        if (region->start > start) {
            hole_error = -ENOMEM;
            start = region->start;
        }
        part_end = region->end < end ? region->end : end;
        error = advise(space, region, start, part_end);
        if (error)
            return error;
        start = part_end;
    }
    return hole_error;
}

static int lock_pages(struct address_space *space, struct region *region, uintptr_t start,
                      uintptr_t end)
{
    bool is_write = region_is_private_anonymous(region) && (region->protection & PROT_WRITE);

    return space_populate(space, start, end, is_write ? PORT_ACCESS_WRITE : PORT_ACCESS_READ)
               ? -ENOMEM
               : 0;
}

int address_space_lock_pages(struct address_space *space, uintptr_t address, size_t length)
{
    int error;

    mutex_lock(&space->lock);
    error = advise_range(space, address, address + length, lock_pages);
    mutex_unlock(&space->lock);
    return error;
}

int address_space_advise(struct address_space *space, uintptr_t address, size_t length, int advice)
{
    uintptr_t end = address + ALIGN_UP(length, PAGE_SIZE);
    int error;

    if (advice < 0 || (size_t)advice >= array_length(advices) || !advices[advice] ||
        (address & (PAGE_SIZE - 1)) || end < address || (length != 0 && end == address))
        return -EINVAL;
    if (end == address)
        return 0;
    mutex_lock(&space->lock);
    error = advise_range(space, address, end, advices[advice]);
    mutex_unlock(&space->lock);
    return error;
}

/* Does the source have the page without having to make it? */
static bool source_has_page(struct region *region, uintptr_t page)
{
    struct mapping_source *source = region->source;
    physical_t frame = 0;

    if (region->offset + (page - region->start) >= region->source_end)
        return false;
    if (source->operations->get_page(source, region_source_index(region, page), false, &frame))
        return false;
    if (frame != 0)
        frame_put(frame);
    return frame != 0;
}

int address_space_residency(struct address_space *space, uintptr_t address, size_t count,
                            uint8_t *bytes)
{
    int error = 0;

    mutex_lock(&space->lock);
    for (size_t i = 0; i < count && error == 0; i++, address += PAGE_SIZE) {
        struct region *region = region_find(&space->map, address);
        uint64_t *place;

        if (!region) {
            error = -ENOMEM;
            break;
        }
        place = page_table_find(&space->table, address);
        bytes[i] = (place && *place) || (region->source && source_has_page(region, address));
    }
    mutex_unlock(&space->lock);
    return error;
}

int address_space_check_mapped(struct address_space *space, uintptr_t address, size_t length)
{
    uintptr_t end = address + ALIGN_UP(length, PAGE_SIZE);
    int error;

    mutex_lock(&space->lock);
    error = end < address ? -ENOMEM : advise_range(space, address, end, advise_nothing);
    mutex_unlock(&space->lock);
    return error;
}
