/*
 * Page faults: what an address shows is found, made or copied when it is touched. Under the space's
 * lock, which may sleep; nothing here does.
 */
#include "lib/assert.h"
#include "lib/errno.h"
#include "mm/frame_table.h"
#include "mm/space.h"
#include "mm/zero_frame.h"

#define AROUND_PAGES 16 /* neighbours mapped along with a page of a source, naturally aligned */

/* One fault being resolved. */
struct fault {
    struct address_space *space;
    struct region *region;
    uintptr_t page;
    uint64_t *place; /* of the page's entry */
    bool is_write;
};

static uint64_t entry_bits(const struct region *region)
{
    return page_table_protection_bits(region->protection);
}

/* Maps a frame whose reference the entry takes over. */
static void map_page(struct fault *fault, uint64_t *place, physical_t frame, uint64_t bits)
{
    page_table_install(place, frame | entry_bits(fault->region) | bits);
    space_add_resident(fault->space, 1);
}

/* The right to write, for a page that is the space's own. */
static uint64_t own_bits(const struct fault *fault)
{
    return PAGE_ENTRY_OWN | (fault->region->protection & PROT_WRITE ? PAGE_ENTRY_WRITE : 0);
}

static int fault_zero(struct fault *fault)
{
    physical_t frame;

    if (!fault->is_write) {
        frame_reference(zero_frame);
        map_page(fault, fault->place, zero_frame, 0);
        return 0;
    }
    frame = frame_alloc_zeroed();
    if (unlikely(frame == 0))
        return -ENOMEM;
    if (fault->region->source)
        fault->region->flags |= REGION_HAS_OWN;
    map_page(fault, fault->place, frame, own_bits(fault));
    return 0;
}

/* A copy of the first `size` bytes of a page, with zeroes behind them. 0 if memory is short. */
static physical_t copy_page(physical_t original, size_t size)
{
    physical_t frame = frame_alloc();

    if (unlikely(frame == 0))
        return 0;
    if (original == zero_frame) {
        frame_clear(frame);
    } else if (size >= PAGE_SIZE) {
        frame_copy(frame, original);
    } else {
        frame_clear(frame);
        __builtin_memcpy(frame_pointer(frame), frame_pointer(original), size);
    }
    return frame;
}

/* Bytes of the page that come from the source. */
static size_t source_bytes(const struct region *region, uintptr_t page)
{
    uint64_t position = region->offset + (page - region->start);

    if (position >= region->source_end)
        return 0;
    return region->source_end - position < PAGE_SIZE ? region->source_end - position : PAGE_SIZE;
}

/* Gives the space its own copy of a page of the source; keeps the caller's reference to that. */
static int map_copy(struct fault *fault, physical_t original, size_t size)
{
    physical_t frame = copy_page(original, size);

    if (unlikely(frame == 0))
        return -ENOMEM;
    fault->region->flags |= REGION_HAS_OWN;
    map_page(fault, fault->place, frame, own_bits(fault));
    return 0;
}

/* Maps what the source has at hand around the page, the page itself included. */
static void map_around(struct fault *fault)
{
    struct region *region = fault->region;
    struct mapping_source *source = region->source;
    uintptr_t first = ALIGN_DOWN(fault->page, AROUND_PAGES * PAGE_SIZE);
    uintptr_t last = first + AROUND_PAGES * PAGE_SIZE;
    physical_t frames[AROUND_PAGES];
    uint64_t *place;

    if (first < region->start)
        first = region->start;
    if (last > region->end)
        last = region->end;
    /* Pages that the source fills only in part need a copy. */
    while (source_bytes(region, last - PAGE_SIZE) != PAGE_SIZE)
        last -= PAGE_SIZE;
    source->operations->peek_pages(source, region_source_index(region, first),
                                   (last - first) >> PAGE_SHIFT, frames);
    place = fault->place - ((fault->page - first) >> PAGE_SHIFT);
    for (unsigned i = 0; first < last; first += PAGE_SIZE, place++, i++) {
        if (frames[i] == 0)
            continue;
        if (*place == 0)
            map_page(fault, place, frames[i], 0);
        else
            frame_put(frames[i]);
    }
}

static int fault_private_source(struct fault *fault)
{
    struct region *region = fault->region;
    struct mapping_source *source = region->source;
    size_t size = source_bytes(region, fault->page);
    physical_t frame;
    int error;

    if (size == 0)
        return fault_zero(fault);
    if (!fault->is_write && size == PAGE_SIZE && source->operations->peek_pages) {
        map_around(fault);
        if (*fault->place != 0)
            return 0;
    }
    error = source->operations->get_page(source, region_source_index(region, fault->page), false,
                                         &frame);
    if (error)
        return error;
    if (frame == 0)
        return fault_zero(fault);
    if (!fault->is_write && size == PAGE_SIZE) {
        map_page(fault, fault->place, frame, 0);
        return 0;
    }
    error = map_copy(fault, frame, size);
    frame_put(frame);
    return error;
}

static int fault_shared(struct fault *fault)
{
    struct mapping_source *source = fault->region->source;
    uint64_t index = region_source_index(fault->region, fault->page);
    physical_t frame;
    int error;

    if (!fault->is_write && source->operations->peek_pages) {
        map_around(fault);
        if (*fault->place != 0)
            return 0;
    }
    error = source->operations->get_page(source, index, fault->is_write, &frame);
    if (error == 0 && frame == 0)
        error = source->operations->get_page(source, index, true, &frame);
    if (error)
        return error;
    map_page(fault, fault->place, frame, fault->is_write ? PAGE_ENTRY_WRITE : 0);
    return 0;
}

/* Puts another frame where one is mapped, and gives up the entry's reference to the old one. */
static void replace_page(struct fault *fault, physical_t frame, uint64_t bits)
{
    physical_t old = *fault->place & PAGE_ENTRY_FRAME;

    *fault->place = frame | entry_bits(fault->region) | bits;
    tlb_flush_page(&fault->space->table, fault->page);
    frame_put(old);
}

static int write_shared(struct fault *fault)
{
    struct mapping_source *source = fault->region->source;
    physical_t frame;
    int error = source->operations->get_page(
        source, region_source_index(fault->region, fault->page), true, &frame);

    if (error)
        return error;
    replace_page(fault, frame, PAGE_ENTRY_WRITE);
    return 0;
}

static int copy_on_write(struct fault *fault)
{
    uint64_t entry = *fault->place;
    physical_t old = entry & PAGE_ENTRY_FRAME;
    physical_t frame;

    /* The last owner of a page writes to it as it is. Only this space could add a reference, and
     * its lock is held. The stale read-only translation of this CPU went with the fault; others
     * fault once more and find nothing to do. */
    if ((entry & PAGE_ENTRY_OWN) && frame_references(old) == 1) {
        *fault->place = entry | PAGE_ENTRY_WRITE;
        return 0;
    }
    frame = copy_page(old, PAGE_SIZE);
    if (unlikely(frame == 0))
        return -ENOMEM;
    if (fault->region->source)
        fault->region->flags |= REGION_HAS_OWN;
    replace_page(fault, frame, PAGE_ENTRY_OWN | PAGE_ENTRY_WRITE);
    return 0;
}

static int fault_on_mapped_page(struct fault *fault)
{
    if (!fault->is_write || (*fault->place & PAGE_ENTRY_WRITE))
        return 0; /* another thread was here first */
    return region_is_shared(fault->region) ? write_shared(fault) : copy_on_write(fault);
}

/* Is the access allowed? x86 pages that can be written or executed can be read. */
static bool is_allowed(const struct region *region, enum port_access access)
{
    static const uint8_t needed[] = {
        [PORT_ACCESS_READ] = PROT_READ | PROT_WRITE | PROT_EXEC,
        [PORT_ACCESS_WRITE] = PROT_WRITE,
        [PORT_ACCESS_EXECUTE] = PROT_EXEC,
    };

    return (region->protection & needed[access]) != 0;
}

int space_fault_locked(struct address_space *space, uintptr_t address, enum port_access access)
{
    struct fault fault = {
        .space = space,
        .region = region_find_from(&space->map, address),
        .page = ALIGN_DOWN(address, PAGE_SIZE),
        .is_write = access == PORT_ACCESS_WRITE,
    };

    if (unlikely(!fault.region))
        return -EFAULT;
    if (unlikely(address < fault.region->start)) {
        int error = space_grow_stack(space, fault.region, address);

        if (error)
            return error;
    }
    if (unlikely(!is_allowed(fault.region, access)))
        return -EACCES;
    fault.place = page_table_find_or_create(&space->table, fault.page);
    if (unlikely(!fault.place))
        return -ENOMEM;
    if (*fault.place != 0)
        return fault_on_mapped_page(&fault);
    if (!fault.region->source)
        return fault_zero(&fault);
    return region_is_shared(fault.region) ? fault_shared(&fault) : fault_private_source(&fault);
}

int address_space_fault(struct address_space *space, uintptr_t address, enum port_access access)
{
    int error;

    if (unlikely(address >= USER_ADDRESS_END))
        return -EFAULT;
    mutex_lock(&space->lock);
    error = space_fault_locked(space, address, access);
    mutex_unlock(&space->lock);
    return error;
}

int space_populate(struct address_space *space, uintptr_t start, uintptr_t end,
                   enum port_access access)
{
    int error = 0;

    for (; start < end && error == 0; start += PAGE_SIZE)
        error = space_fault_locked(space, start, access);
    return error;
}
