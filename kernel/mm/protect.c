/* mprotect: new permissions for a range, region by region. Under the space's lock. */
#include "lib/errno.h"
#include "mm/space.h"

/* Promises memory that may be written from now on. */
static int account_for_writing(struct address_space *space, struct region *region, int protection)
{
    int error;

    if (!(protection & PROT_WRITE) || (region->protection & PROT_WRITE) || region_is_shared(region))
        return 0;
    error = space_check_limits(space, 0, false);
    if (error == 0 && !(region->flags & REGION_ACCOUNTED))
        error = space_commit_request(space, region_pages(region));
    if (error == 0)
        region->flags |= REGION_ACCOUNTED;
    return error;
}

/* Changes a region that lies inside the range as a whole. */
static int protect_region(struct address_space *space, struct region *region, int protection)
{
    int64_t pages = region_pages(region);
    int error;

    if (region->protection == protection)
        return 0;
    if ((protection & PROT_WRITE) && !(region->flags & REGION_MAY_WRITE))
        return -EACCES;
    error = account_for_writing(space, region, protection);
    if (error)
        return error;
    space_count_pages(space, region, -pages);
    region->protection = protection;
    space_count_pages(space, region, pages);
    page_table_protect(&space->table, region->start, region->end, protection);
    return 0;
}

/* Changes what one region has of the range; *address moves behind it. */
static int protect_next(struct address_space *space, uintptr_t *address, uintptr_t end,
                        int protection)
{
    struct region *region = region_find(&space->map, *address);
    int error;

    if (!region)
        return -ENOMEM;
    if (region->protection != protection) {
        error = space_split_at(space, *address);
        if (error == 0)
            error = space_split_at(space, end);
        if (error)
            return error;
        region = region_find(&space->map, *address);
    }
    error = protect_region(space, region, protection);
    *address = region->end;
    region_merge(&space->map, region);
    return error;
}

int address_space_protect(struct address_space *space, uintptr_t address, size_t length,
                          int protection)
{
    uintptr_t start = address;
    uintptr_t end = address + ALIGN_UP(length, PAGE_SIZE);
    int error = 0;

    if (address & (PAGE_SIZE - 1))
        return -EINVAL;
    if (length == 0)
        return 0;
    if (end <= address || end > USER_ADDRESS_END)
        return -ENOMEM;
    mutex_lock(&space->lock);
    while (address < end && error == 0)
        error = protect_next(space, &address, end, protection);
    tlb_flush_range(&space->table, start, end);
    mutex_unlock(&space->lock);
    return error;
}
