/* The stack of exec: a mapping that grows down when it is touched below its start. */
#include "lib/errno.h"
#include "mm/mm.h"
#include "mm/space.h"

#include <linux/resource.h>

/* Chooses the top, and keeps the room below it down to `limit` from other mappings. */
static void choose_place(struct address_space *space, size_t limit)
{
    uintptr_t low_bottom = LAYOUT_LOW_STACK - limit - LAYOUT_STACK_GAP;

    space->stack_top =
        limit <= LAYOUT_STACK_NEAR && region_is_free(&space->map, low_bottom, LAYOUT_LOW_STACK)
            ? LAYOUT_LOW_STACK
            : USER_ADDRESS_END;
    space->stack_bottom = space->stack_top - limit - LAYOUT_STACK_GAP;
}

static struct region *make_stack(uintptr_t top, bool executable)
{
    struct region *region = region_create();

    if (!region)
        return NULL;
    region->start = top - LAYOUT_STACK_FIRST;
    region->end = top;
    region->protection = PROT_READ | PROT_WRITE | (executable ? PROT_EXEC : 0);
    region->flags = REGION_STACK | REGION_ACCOUNTED | REGION_MAY_WRITE;
    region->source_end = UINT64_MAX;
    return region;
}

int64_t address_space_map_stack(struct address_space *space, size_t limit, bool executable)
{
    struct region *region;
    int64_t result = -ENOMEM;

    if (limit > LAYOUT_STACK_MAX)
        limit = LAYOUT_STACK_MAX;
    mutex_lock(&space->lock);
    choose_place(space, ALIGN_UP(limit, PAGE_SIZE));
    region = make_stack(space->stack_top, executable);
    if (region && region_is_free(&space->map, region->start, region->end) &&
        space_commit_request(space, region_pages(region)) == 0) {
        space_insert_region(space, region);
        result = region->end;
        region = NULL;
    }
    mutex_unlock(&space->lock);
    if (region)
        region_destroy(region);
    return result;
}

int space_grow_stack(struct address_space *space, struct region *stack, uintptr_t address)
{
    uintptr_t start = ALIGN_DOWN(address, PAGE_SIZE);
    struct region *below = region_previous(&space->map, stack);
    uint64_t pages = (stack->start - start) >> PAGE_SHIFT;

    /* Whatever the reason, the program gets SIGSEGV, as on Linux. */
    if (!(stack->flags & REGION_STACK) || stack->end - start > mm_limit(RLIMIT_STACK))
        return -EFAULT;
    if (below && below->protection != PROT_NONE && start - below->end < LAYOUT_STACK_GAP)
        return -EFAULT;
    if (space_check_limits(space, pages, false) || space_commit_request(space, pages))
        return -EFAULT;
    stack->start = start;
    space_count_pages(space, stack, pages);
    return 0;
}
