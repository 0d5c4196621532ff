/*
 * The region map: a balanced tree for look-ups and a list for walks. Guarded by the lock of the
 * space that owns the map.
 */
#include "mm/region.h"
#include "lib/assert.h"
#include "lib/errno.h"
#include "mm/slab.h"

static SLAB_CACHE(region_cache, struct region);

void region_map_init(struct region_map *map)
{
    rb_tree_init(&map->tree);
    list_init(&map->list);
    map->count = 0;
    map->recent = NULL;
}

struct region *region_find_from(struct region_map *map, uintptr_t address)
{
    struct rb_node *node = map->tree.root;
    struct region *best = map->recent;

    if (best && address >= best->start && address < best->end)
        return best;
    best = NULL;
    while (node) {
        struct region *region = rb_entry(node, struct region, node);

        if (region->end > address) {
            best = region;
            if (region->start <= address)
                break;
            node = node->left;
        } else {
            node = node->right;
        }
    }
    if (best)
        map->recent = best;
    return best;
}

struct region *region_find(struct region_map *map, uintptr_t address)
{
    struct region *region = region_find_from(map, address);

    return region && region->start <= address ? region : NULL;
}

struct region *region_next(const struct region_map *map, const struct region *region)
{
    return region->link.next == &map->list ? NULL
                                           : list_entry(region->link.next, struct region, link);
}

struct region *region_previous(const struct region_map *map, const struct region *region)
{
    return region->link.previous == &map->list
               ? NULL
               : list_entry(region->link.previous, struct region, link);
}

/* Hangs the region into the tree, and into the list behind `previous`. */
static void link_region(struct region_map *map, struct region *region, struct list *previous,
                        struct rb_node *parent, struct rb_node **place)
{
    if (previous == &map->list)
        map->tree.first = &region->node;
    rb_link(&map->tree, &region->node, parent, place);
    list_push_front(previous, &region->link);
    map->count++;
}

static void link_in_order(struct region_map *map, struct region *region)
{
    struct rb_node **place = &map->tree.root;
    struct rb_node *parent = NULL;
    struct list *previous = &map->list;

    while (*place) {
        struct region *other = rb_entry(*place, struct region, node);

        parent = *place;
        if (region->start < other->start) {
            place = &parent->left;
        } else {
            place = &parent->right;
            previous = &other->link;
        }
    }
    link_region(map, region, previous, parent, place);
}

void region_append(struct region_map *map, struct region *region)
{
    struct list *previous = map->list.previous;
    struct rb_node *parent = NULL;
    struct rb_node **place = &map->tree.root;

    if (previous != &map->list) {
        parent = &list_entry(previous, struct region, link)->node;
        place = &parent->right;
    }
    link_region(map, region, previous, parent, place);
}

void region_remove(struct region_map *map, struct region *region)
{
    rb_remove(&map->tree, &region->node);
    list_remove(&region->link);
    map->count--;
    map->recent = NULL;
}

static bool can_join(const struct region *low, const struct region *high)
{
    if (low->end != high->start || low->protection != high->protection ||
        low->source != high->source || (high->flags & REGION_STACK) ||
        ((low->flags ^ high->flags) & ~REGION_HAS_OWN))
        return false;
    return !low->source || (low->source_end == high->source_end &&
                            low->offset + (low->end - low->start) == high->offset);
}

/* Extends `low` over `high`, which ceases to be. */
static void join(struct region_map *map, struct region *low, struct region *high)
{
    region_remove(map, high);
    low->end = high->end;
    low->flags |= high->flags;
    region_destroy(high);
}

struct region *region_merge(struct region_map *map, struct region *region)
{
    struct region *previous = region_previous(map, region);
    struct region *next;

    if (previous && can_join(previous, region)) {
        join(map, previous, region);
        region = previous;
    }
    next = region_next(map, region);
    if (next && can_join(region, next))
        join(map, region, next);
    return region;
}

struct region *region_insert(struct region_map *map, struct region *region)
{
    link_in_order(map, region);
    return region_merge(map, region);
}

int region_split(struct region_map *map, struct region *region, uintptr_t address)
{
    struct region *high;

    assert(region->start < address && address < region->end);
    if (map->count >= REGION_COUNT_MAX)
        return -ENOMEM;
    high = region_clone(region);
    if (!high)
        return -ENOMEM;
    high->start = address;
    if (region->source)
        high->offset += address - region->start;
    region->end = address;
    /* What is above the cut keeps its upper end; only the lowest part of a stack can grow. */
    high->flags &= ~REGION_STACK;
    link_in_order(map, high);
    return 0;
}

struct region *region_create(void)
{
    struct region *region = slab_alloc(&region_cache);

    if (region) {
        rb_node_init(&region->node);
        list_init(&region->link);
    }
    return region;
}

struct region *region_clone(const struct region *region)
{
    struct region *copy = slab_alloc(&region_cache);

    if (!copy)
        return NULL;
    *copy = *region;
    rb_node_init(&copy->node);
    list_init(&copy->link);
    if (copy->source)
        copy->source->operations->get(copy->source);
    return copy;
}

void region_destroy(struct region *region)
{
    if (region->source)
        region->source->operations->put(region->source);
    slab_free(&region_cache, region);
}

uintptr_t region_find_gap(struct region_map *map, uintptr_t low, uintptr_t high, size_t length)
{
    struct region *above = region_find_from(map, high);
    struct list *link = above ? &above->link : &map->list;
    uintptr_t top = above && above->start < high ? above->start : high;

    while (top >= low + length) {
        struct region *below;

        link = link->previous;
        if (link == &map->list)
            return top - length;
        below = list_entry(link, struct region, link);
        if (top - below->end >= length)
            return top - length;
        top = below->start;
    }
    return 0;
}

bool region_is_free(struct region_map *map, uintptr_t start, uintptr_t end)
{
    struct region *region = region_find_from(map, start);

    return !region || region->start >= end;
}
