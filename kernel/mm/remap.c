/* mremap: a mapping shrinks, grows where it is, or moves with its pages. Under the space's lock. */
#include "lib/errno.h"
#include "mm/space.h"

struct remap {
    uintptr_t address;
    size_t old_length, new_length; /* whole pages */
    int flags;                     /* MREMAP_* */
    uintptr_t new_address;         /* with MREMAP_FIXED */
};

static int check_request(const struct remap *remap)
{
    int flags = remap->flags;

    if (flags & ~(MREMAP_FIXED | MREMAP_MAYMOVE | MREMAP_DONTUNMAP))
        return -EINVAL;
    if ((flags & MREMAP_FIXED) && !(flags & MREMAP_MAYMOVE))
        return -EINVAL;
    if ((flags & MREMAP_DONTUNMAP) &&
        (!(flags & MREMAP_MAYMOVE) || remap->old_length != remap->new_length))
        return -EINVAL;
    if ((remap->address & (PAGE_SIZE - 1)) || remap->new_length == 0)
        return -EINVAL;
    return 0;
}

/* May the destination of MREMAP_FIXED be used? */
static int check_destination(const struct remap *remap)
{
    uintptr_t to = remap->new_address;

    if ((to & (PAGE_SIZE - 1)) || remap->new_length > USER_ADDRESS_END ||
        to > USER_ADDRESS_END - remap->new_length)
        return -EINVAL;
    if (remap->address + remap->old_length > to && to + remap->new_length > remap->address)
        return -EINVAL;
    return to < USER_ADDRESS_MIN ? -EPERM : 0;
}

/* The region that holds the old range; *error if the request does not fit it. */
static struct region *find_old(struct address_space *space, const struct remap *remap, int *error)
{
    struct region *region = region_find(&space->map, remap->address);

    *error = 0;
    if (!region || remap->old_length > region->end - remap->address) {
        *error = -EFAULT;
    } else if (remap->old_length == 0 && !region_is_shared(region)) {
        *error = -EINVAL;
    } else if ((remap->flags & MREMAP_DONTUNMAP) && !region_is_private_anonymous(region)) {
        *error = -EINVAL;
    } else if (remap->new_length > remap->old_length) {
        *error = space_check_limits(space, (remap->new_length - remap->old_length) >> PAGE_SHIFT,
                                    region_is_data(region));
    }
    return region;
}

/* Extends the region upward if it ends with the old range and there is room. */
static int grow_in_place(struct address_space *space, struct region *region,
                         const struct remap *remap)
{
    uintptr_t end = remap->address + remap->new_length;
    uint64_t pages = (remap->new_length - remap->old_length) >> PAGE_SHIFT;

    if (region->end != remap->address + remap->old_length || end > USER_ADDRESS_END ||
        end < region->end || !region_is_free(&space->map, region->end, end))
        return -ENOMEM;
    if ((region->flags & REGION_ACCOUNTED) && space_commit_request(space, pages))
        return -ENOMEM;
    region->end = end;
    space_count_pages(space, region, pages);
    region_merge(&space->map, region);
    return 0;
}

/* Cuts the old range out as a region of its own. */
static struct region *isolate_old(struct address_space *space, const struct remap *remap,
                                  int *error)
{
    *error = space_split_at(space, remap->address);
    if (*error == 0)
        *error = space_split_at(space, remap->address + remap->old_length);
    return region_find(&space->map, remap->address);
}

/* A region at the destination like that of the old range. */
static struct region *make_new(const struct region *old, const struct remap *remap, uintptr_t to)
{
    struct region *region = region_clone(old);

    if (!region)
        return NULL;
    region->flags &= ~REGION_STACK;
    region->offset += old->source ? remap->address - old->start : 0;
    region->start = to;
    region->end = to + remap->new_length;
    return region;
}

/* Does the mapping leave its old place, rather than get a second one? */
static bool is_leaving(const struct remap *remap)
{
    return remap->old_length != 0 && !(remap->flags & MREMAP_DONTUNMAP);
}

/* Promises what `region`, at the destination, takes beyond what the old place gives up. */
static int commit_growth(struct address_space *space, const struct region *region,
                         const struct remap *remap, uint64_t *pages)
{
    size_t given_up = is_leaving(remap) ? remap->old_length : 0;

    *pages = region->flags & REGION_ACCOUNTED ? (remap->new_length - given_up) >> PAGE_SHIFT : 0;
    return space_commit_request(space, *pages);
}

/* Moves pages and region to the free place `to`. */
static int64_t move(struct address_space *space, struct region *old, const struct remap *remap,
                    uintptr_t to, struct list *removed)
{
    struct region *region;
    uint64_t committed;
    int error = 0;

    if (remap->old_length != 0)
        old = isolate_old(space, remap, &error);
    if (error)
        return error;
    region = make_new(old, remap, to);
    if (!region)
        return -ENOMEM;
    error = commit_growth(space, region, remap, &committed);
    if (error == 0) {
        error = page_table_move(&space->table, remap->address, to, remap->old_length);
        if (error)
            space_uncommit(space, committed);
    }
    if (error) {
        list_push_back(removed, &region->link);
        return error;
    }
    if (is_leaving(remap)) {
        space_count_pages(space, old, -(int64_t)region_pages(old));
        region_remove(&space->map, old);
        list_push_back(removed, &old->link);
    }
    space_insert_region(space, region);
    return to;
}

static int64_t remap_fixed(struct address_space *space, struct remap *remap, struct list *removed)
{
    struct region *region;
    int error = check_destination(remap);

    if (error == 0)
        error = space_unmap_locked(space, remap->new_address,
                                   remap->new_address + remap->new_length, removed);
    if (error == 0 && remap->old_length > remap->new_length) {
        error = space_unmap_locked(space, remap->address + remap->new_length,
                                   remap->address + remap->old_length, removed);
        remap->old_length = remap->new_length;
    }
    if (error)
        return error;
    region = find_old(space, remap, &error);
    return error ? error : move(space, region, remap, remap->new_address, removed);
}

static int64_t remap_anywhere(struct address_space *space, const struct remap *remap,
                              struct list *removed)
{
    struct region *region;
    uintptr_t to;
    int error;

    if (remap->old_length >= remap->new_length && !(remap->flags & MREMAP_DONTUNMAP)) {
        if (!region_find(&space->map, remap->address))
            return -EFAULT;
        error = remap->old_length == remap->new_length
                    ? 0
                    : space_unmap_locked(space, remap->address + remap->new_length,
                                         remap->address + remap->old_length, removed);
        return error ? error : (int64_t)remap->address;
    }
    region = find_old(space, remap, &error);
    if (error)
        return error;
    if (!(remap->flags & MREMAP_DONTUNMAP) && remap->old_length != 0 &&
        grow_in_place(space, region, remap) == 0)
        return remap->address;
    if (!(remap->flags & MREMAP_MAYMOVE))
        return -ENOMEM;
    to = remap->new_length > USER_ADDRESS_END ? 0 : space_find_gap(space, remap->new_length);
    return to ? move(space, region, remap, to, removed) : -ENOMEM;
}

int64_t address_space_remap(struct address_space *space, uintptr_t address, size_t old_length,
                            size_t new_length, int flags, uintptr_t new_address)
{
    struct remap remap = {
        .address = address,
        .old_length = ALIGN_UP(old_length, PAGE_SIZE),
        .new_length = ALIGN_UP(new_length, PAGE_SIZE),
        .flags = flags,
        .new_address = new_address,
    };
    int64_t result = check_request(&remap);
    struct list removed;

    if (result)
        return result;
    if (address > USER_ADDRESS_END || remap.old_length > USER_ADDRESS_END - address)
        return -EFAULT;
    list_init(&removed);
    mutex_lock(&space->lock);
    result = flags & MREMAP_FIXED ? remap_fixed(space, &remap, &removed)
                                  : remap_anywhere(space, &remap, &removed);
    mutex_unlock(&space->lock);
    space_destroy_regions(&removed);
    return result;
}
