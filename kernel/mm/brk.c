/* The heap: one private anonymous mapping behind the program's image that brk(2) moves the end of.
 */
#include "lib/errno.h"
#include "mm/mm.h"
#include "mm/space.h"

#include <linux/resource.h>

void address_space_set_brk_start(struct address_space *space, uintptr_t start)
{
    mutex_lock(&space->lock);
    space->brk_start = start;
    space->brk_end = start;
    mutex_unlock(&space->lock);
}

/* Maps [start, end) as heap. */
static int extend(struct address_space *space, uintptr_t start, uintptr_t end)
{
    uint64_t pages = (end - start) >> PAGE_SHIFT;
    bool in_stack = start < space->stack_top && end > space->stack_bottom;
    struct region *region;

    /* A page between the heap and what is above it stays free, as on Linux. */
    if (end >= USER_ADDRESS_END || in_stack ||
        !region_is_free(&space->map, start, end + PAGE_SIZE) ||
        space->map.count >= REGION_COUNT_MAX || space_check_limits(space, pages, true))
        return -ENOMEM;
    region = region_create();
    if (!region)
        return -ENOMEM;
    if (space_commit_request(space, pages)) {
        region_destroy(region);
        return -ENOMEM;
    }
    region->start = start;
    region->end = end;
    region->protection = PROT_READ | PROT_WRITE;
    region->flags = REGION_ACCOUNTED | REGION_MAY_WRITE;
    region->source_end = UINT64_MAX;
    space_insert_region(space, region);
    return 0;
}

static int move_end(struct address_space *space, uintptr_t end, struct list *removed)
{
    uintptr_t old_top = ALIGN_UP(space->brk_end, PAGE_SIZE);
    uintptr_t new_top = ALIGN_UP(end, PAGE_SIZE);

    if (end < space->brk_start || end >= USER_ADDRESS_END ||
        end - space->brk_start > mm_limit(RLIMIT_DATA))
        return -ENOMEM;
    if (new_top > old_top)
        return extend(space, old_top, new_top);
    if (new_top < old_top)
        return space_unmap_locked(space, new_top, old_top, removed);
    return 0;
}

uintptr_t address_space_brk(struct address_space *space, uintptr_t end)
{
    struct list removed;

    list_init(&removed);
    mutex_lock(&space->lock);
    if (end != 0 && move_end(space, end, &removed) == 0)
        space->brk_end = end;
    end = space->brk_end;
    mutex_unlock(&space->lock);
    space_destroy_regions(&removed);
    return end;
}
