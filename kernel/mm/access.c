/* Looking into a space from outside: copies, the list of mappings. */
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/frame_table.h"
#include "mm/space.h"

/* The frame behind an address, faulted in if need be. Under the lock; no reference is taken. */
static int find_frame(struct address_space *space, uintptr_t address, enum port_access access,
                      physical_t *frame)
{
    uint64_t *place = page_table_find(&space->table, address);
    uint64_t needed = PAGE_ENTRY_PRESENT | (access == PORT_ACCESS_WRITE ? PAGE_ENTRY_WRITE : 0);

    if (!place || (*place & needed) != needed) {
        int error = space_fault_locked(space, address, access);

        if (error)
            return error == -ENOMEM ? error : -EFAULT;
        place = page_table_find(&space->table, address);
    }
    *frame = *place & PAGE_ENTRY_FRAME;
    return 0;
}

static bool is_user_range(uintptr_t address, size_t size)
{
    return size <= USER_ADDRESS_END && address <= USER_ADDRESS_END - size;
}

/* How much of `size` bytes at the address lies in its page. */
static size_t bytes_in_page(uintptr_t address, size_t size)
{
    size_t room = PAGE_SIZE - (address & (PAGE_SIZE - 1));

    return size < room ? size : room;
}

int address_space_write(struct address_space *space, uintptr_t address, const void *data,
                        size_t size)
{
    int error = 0;

    if (!is_user_range(address, size))
        return -EFAULT;
    mutex_lock(&space->lock);
    while (size != 0 && error == 0) {
        size_t part = bytes_in_page(address, size);
        physical_t frame;

        error = find_frame(space, address, PORT_ACCESS_WRITE, &frame);
        if (error == 0)
            memcpy((char *)frame_pointer(frame) + (address & (PAGE_SIZE - 1)), data, part);
        address += part;
        data = (const char *)data + part;
        size -= part;
    }
    mutex_unlock(&space->lock);
    return error;
}

int address_space_read(struct address_space *space, uintptr_t address, void *data, size_t size)
{
    int error = 0;

    if (!is_user_range(address, size))
        return -EFAULT;
    mutex_lock(&space->lock);
    while (size != 0 && error == 0) {
        size_t part = bytes_in_page(address, size);
        physical_t frame;

        error = find_frame(space, address, PORT_ACCESS_READ, &frame);
        if (error == 0)
            memcpy(data, (char *)frame_pointer(frame) + (address & (PAGE_SIZE - 1)), part);
        address += part;
        data = (char *)data + part;
        size -= part;
    }
    mutex_unlock(&space->lock);
    return error;
}

int address_space_find_shared(struct address_space *space, uintptr_t address,
                              struct mapping_source **source, uint64_t *offset)
{
    struct region *region;
    int error = 0;

    *source = NULL;
    mutex_lock(&space->lock);
    region = region_find(&space->map, address);
    if (!region || !(region->protection & PROT_READ)) {
        error = -EFAULT;
    } else if (region_is_shared(region)) {
        *source = region->source;
        *offset = region->offset + (address - region->start);
        region->source->operations->get(region->source);
    }
    mutex_unlock(&space->lock);
    return error;
}

static void describe_region(const struct address_space *space, const struct region *region,
                            struct mapping_description *description)
{
    description->start = region->start;
    description->end = region->end;
    description->protection = region->protection;
    description->is_shared = region_is_shared(region);
    description->offset = region->offset;
    description->kind = MAPPING_OTHER;
    if (region->source)
        return;
    if (region->end == space->stack_top)
        description->kind = MAPPING_STACK;
    else if (region->start < space->brk_end && region->end > space->brk_start)
        description->kind = MAPPING_HEAP;
}

bool address_space_describe(struct address_space *space, uintptr_t address,
                            struct mapping_description *description, char *name, size_t size)
{
    struct mapping_source *source = NULL;
    struct region *region;
    size_t length = 0;

    mutex_lock(&space->lock);
    region = region_find_from(&space->map, address);
    if (region) {
        describe_region(space, region, description);
        source = region->source;
        if (source)
            source->operations->get(source);
    }
    mutex_unlock(&space->lock);
    if (source && source->operations->describe && size != 0)
        length = source->operations->describe(source, name, size - 1);
    if (source)
        source->operations->put(source);
    if (size != 0)
        name[length] = '\0';
    return region != NULL;
}
