/* mmap, munmap: where mappings go, and how they come and go. Under the space's lock. */
#include "lib/assert.h"
#include "lib/errno.h"
#include "mm/mm.h"
#include "mm/space.h"

#include <linux/resource.h>

#define MAP_32BIT_FLAG  0x40 /* MAP_32BIT of asm/mman.h */
#define MAP_32BIT_START 0x40000000ul
#define MAP_32BIT_END   0x80000000ul

uintptr_t space_find_gap(struct address_space *space, size_t length)
{
    bool has_high_stack = space->stack_top > LAYOUT_HIGH_LOW_END;
    uintptr_t top = has_high_stack ? space->stack_bottom : USER_ADDRESS_END;

    if (length <= LAYOUT_NEAR_SIZE) {
        uintptr_t address = region_find_gap(&space->map, LAYOUT_LOW_STACK, LAYOUT_LOW_TOP, length);

        if (address)
            return address;
    }
    return region_find_gap(&space->map, LAYOUT_HIGH_LOW_END, top, length);
}

int space_check_limits(struct address_space *space, uint64_t pages, bool is_data)
{
    if (space->mapped_pages + pages > mm_limit(RLIMIT_AS) >> PAGE_SHIFT)
        return -ENOMEM;
    if (is_data && space->data_pages + pages > mm_limit(RLIMIT_DATA) >> PAGE_SHIFT)
        return -ENOMEM;
    return 0;
}

int space_split_at(struct address_space *space, uintptr_t address)
{
    struct region *region = region_find(&space->map, address);

    if (!region || region->start == address)
        return 0;
    return region_split(&space->map, region, address);
}

/* Takes the region out with all its pages. */
static void remove_region(struct address_space *space, struct region *region,
                          struct tlb_batch *batch)
{
    space_add_resident(
        space, -(int64_t)page_table_unmap(&space->table, region->start, region->end, batch));
    if (region->flags & REGION_ACCOUNTED)
        space_uncommit(space, region_pages(region));
    space_count_pages(space, region, -(int64_t)region_pages(region));
    region_remove(&space->map, region);
}

int space_unmap_locked(struct address_space *space, uintptr_t start, uintptr_t end,
                       struct list *removed)
{
    struct region *region = region_find_from(&space->map, start);
    struct tlb_batch batch;
    int error;

    if (!region || region->start >= end)
        return 0;
    error = space_split_at(space, start);
    if (error == 0)
        error = space_split_at(space, end);
    if (error)
        return error;
    tlb_batch_begin(&batch, &space->table, false);
    while ((region = region_find_from(&space->map, start)) && region->start < end) {
        start = region->end;
        remove_region(space, region, &batch);
        list_push_back(removed, &region->link);
    }
    tlb_batch_end(&batch);
    return 0;
}

void space_destroy_regions(struct list *removed)
{
    struct region *region, *next;

    list_for_each_safe (region, next, removed, link)
        region_destroy(region);
}

int address_space_unmap(struct address_space *space, uintptr_t address, size_t length)
{
    struct list removed;
    int error;

    if ((address & (PAGE_SIZE - 1)) || length == 0 || address > USER_ADDRESS_END ||
        length > USER_ADDRESS_END - address)
        return -EINVAL;
    list_init(&removed);
    mutex_lock(&space->lock);
    error = space_unmap_locked(space, address, address + ALIGN_UP(length, PAGE_SIZE), &removed);
    mutex_unlock(&space->lock);
    space_destroy_regions(&removed);
    return error;
}

/* Pages of [start, end) that are mapped, and so will not be added by a mapping that replaces them.
 */
static uint64_t mapped_pages_in(struct address_space *space, uintptr_t start, uintptr_t end)
{
    struct region *region = region_find_from(&space->map, start);
    uint64_t pages = 0;

    for (; region && region->start < end; region = region_next(&space->map, region)) {
        uintptr_t low = region->start > start ? region->start : start;
        uintptr_t high = region->end < end ? region->end : end;

        pages += (high - low) >> PAGE_SHIFT;
    }
    return pages;
}

static bool is_usable_hint(struct address_space *space, uintptr_t address, size_t length)
{
    return address >= USER_ADDRESS_MIN && address <= USER_ADDRESS_END - length &&
           region_is_free(&space->map, address, address + length);
}

/* The address of a fixed mapping, or -errno. */
static int64_t check_fixed(struct address_space *space, const struct mapping_request *request,
                           size_t length)
{
    uintptr_t address = request->address;

    if (address > USER_ADDRESS_END - length)
        return -ENOMEM;
    if (address & (PAGE_SIZE - 1))
        return -EINVAL;
    if (address < USER_ADDRESS_MIN)
        return -EPERM;
    if ((request->flags & MAP_FIXED_NOREPLACE) &&
        !region_is_free(&space->map, address, address + length))
        return -EEXIST;
    return address;
}

/* Where the mapping goes, or -errno. */
static int64_t choose_address(struct address_space *space, const struct mapping_request *request,
                              size_t length)
{
    uintptr_t address = ALIGN_UP(request->address, PAGE_SIZE);

    if (length > USER_ADDRESS_END)
        return -ENOMEM;
    if (request->flags & (MAP_FIXED | MAP_FIXED_NOREPLACE))
        return check_fixed(space, request, length);
    if (address != 0 && is_usable_hint(space, address, length))
        return address;
    if (request->flags & MAP_32BIT_FLAG)
        address = region_find_gap(&space->map, MAP_32BIT_START, MAP_32BIT_END, length);
    else
        address = space_find_gap(space, length);
    return address ? (int64_t)address : -ENOMEM;
}

static uint8_t request_region_flags(const struct mapping_request *request)
{
    bool is_shared = (request->flags & MAP_TYPE) != MAP_PRIVATE;
    uint8_t flags = 0;

    if (is_shared)
        flags |= REGION_SHARED;
    if (!is_shared || !request->read_only)
        flags |= REGION_MAY_WRITE;
    if (is_shared ? !request->source : (request->protection & PROT_WRITE) != 0)
        flags |= REGION_ACCOUNTED;
    return flags;
}

/* A region as requested, in no map yet. NULL if memory is short. */
static struct region *make_region(const struct mapping_request *request, size_t length)
{
    struct region *region = region_create();

    if (!region)
        return NULL;
    region->end = length; /* moved to its place later */
    region->protection = request->protection & (PROT_READ | PROT_WRITE | PROT_EXEC);
    region->flags = request_region_flags(request);
    region->source = request->source;
    region->source_end = UINT64_MAX;
    if (request->source) {
        request->source->operations->get(request->source);
        region->offset = request->offset;
        if (request->source_length <= UINT64_MAX - request->offset)
            region->source_end = request->offset + request->source_length;
    } else if (region_is_shared(region)) {
        region->source = shared_memory_create(length >> PAGE_SHIFT);
        if (!region->source) {
            region_destroy(region);
            return NULL;
        }
    }
    return region;
}

/* Promises the region's pages. */
static int account_region(struct address_space *space, const struct mapping_request *request,
                          const struct region *region)
{
    uint64_t pages = region_pages(region);

    if (!(region->flags & REGION_ACCOUNTED))
        return 0;
    return request->flags & MAP_NORESERVE ? space_commit(space, pages)
                                          : space_commit_request(space, pages);
}

static int64_t map_locked(struct address_space *space, const struct mapping_request *request,
                          struct region *region, struct list *removed)
{
    size_t length = region->end;
    int64_t address = choose_address(space, request, length);
    uint64_t replaced;
    int error;

    if (address < 0)
        return address;
    if (space->map.count >= REGION_COUNT_MAX)
        return -ENOMEM;
    replaced = mapped_pages_in(space, address, address + length);
    error = space_check_limits(space, (length >> PAGE_SHIFT) - replaced, region_is_data(region));
    if (error)
        return error;
    error = account_region(space, request, region);
    if (error)
        return error;
    error = space_unmap_locked(space, address, address + length, removed);
    if (error) {
        if (region->flags & REGION_ACCOUNTED)
            space_uncommit(space, length >> PAGE_SHIFT);
        return error;
    }
    region->start = address;
    region->end = address + length;
    space_insert_region(space, region);
    if (request->flags & (MAP_POPULATE | MAP_LOCKED))
        (void)space_populate(space, address, address + length,
                             request->protection & PROT_WRITE ? PORT_ACCESS_WRITE
                                                              : PORT_ACCESS_READ);
    return address;
}

int64_t address_space_map(struct address_space *space, const struct mapping_request *request)
{
    size_t length = ALIGN_UP(request->length, PAGE_SIZE);
    struct region *region;
    struct list removed;
    int64_t address;

    if (length == 0)
        return request->length ? -ENOMEM : -EINVAL;
    if (length > USER_ADDRESS_END)
        return -ENOMEM;
    region = make_region(request, length);
    if (!region)
        return -ENOMEM;
    list_init(&removed);
    mutex_lock(&space->lock);
    address = map_locked(space, request, region, &removed);
    mutex_unlock(&space->lock);
    if (address < 0)
        region_destroy(region);
    space_destroy_regions(&removed);
    return address;
}
