/*
 * Memory that processes share without a file: the source behind MAP_SHARED|MAP_ANONYMOUS. Pages of
 * zeroes come on demand; they live as long as a mapping. A directory of leaf frames, each with the
 * frames of 512 pages, grows as pages are touched. Each object has its own lock.
 */
#include "lib/errno.h"
#include "lib/refcount.h"
#include "mm/frame_table.h"
#include "mm/slab.h"
#include "mm/space.h"

#define LEAF_PAGES (PAGE_SIZE / sizeof(physical_t))

struct shared_memory {
    struct mapping_source source;
    struct refcount refs;
    struct spinlock lock; /* rank PAGE_CACHE */
    uint64_t page_count;  /* (const) */
    physical_t **leaves;  /* (lock) one for each LEAF_PAGES pages; NULL where nothing was touched */
};

static SLAB_CACHE(shared_memory_cache, struct shared_memory);

static struct shared_memory *shared_memory_of(struct mapping_source *source)
{
    return container_of(source, struct shared_memory, source);
}

static uint64_t leaf_count(const struct shared_memory *memory)
{
    return (memory->page_count + LEAF_PAGES - 1) / LEAF_PAGES;
}

/* The place of a page's frame; NULL if there is no leaf for it, or none can be made. */
static physical_t *page_place(struct shared_memory *memory, uint64_t index, bool make_leaf)
{
    physical_t **leaf = &memory->leaves[index / LEAF_PAGES];

    if (!*leaf && make_leaf) {
        physical_t frame = frame_alloc_zeroed();

        if (frame != 0)
            *leaf = frame_pointer(frame);
    }
    return *leaf ? *leaf + index % LEAF_PAGES : NULL;
}

static int get_page(struct mapping_source *source, uint64_t index, bool write, physical_t *frame)
{
    struct shared_memory *memory = shared_memory_of(source);
    physical_t *place;

    if (index >= memory->page_count)
        return -EIO;
    *frame = 0;
    spin_lock(&memory->lock);
    place = page_place(memory, index, write);
    if (place) {
        if (*place == 0 && write)
            *place = frame_alloc_zeroed();
        *frame = *place;
    }
    if (*frame != 0)
        frame_reference(*frame);
    spin_unlock(&memory->lock);
    return write && *frame == 0 ? -ENOMEM : 0;
}

static void get(struct mapping_source *source)
{
    refcount_get(&shared_memory_of(source)->refs);
}

static void free_leaf(physical_t *leaf)
{
    for (unsigned i = 0; i < LEAF_PAGES; i++)
        if (leaf[i] != 0)
            frame_put(leaf[i]);
    frame_put(frame_of_pointer(leaf));
}

static void put(struct mapping_source *source)
{
    struct shared_memory *memory = shared_memory_of(source);

    if (!refcount_put(&memory->refs))
        return;
    for (uint64_t i = 0; i < leaf_count(memory); i++)
        if (memory->leaves[i])
            free_leaf(memory->leaves[i]);
    kfree(memory->leaves);
    slab_free(&shared_memory_cache, memory);
}

static size_t describe(struct mapping_source *source, char *buffer, size_t size)
{
    static const char name[] = "/dev/zero (deleted)";
    size_t length = sizeof(name) - 1 < size ? sizeof(name) - 1 : size;

    __builtin_memcpy(buffer, name, length);
    return length;
}

static const struct mapping_source_operations operations = {
    .get_page = get_page,
    .get = get,
    .put = put,
    .describe = describe,
};

struct mapping_source *shared_memory_create(uint64_t pages)
{
    struct shared_memory *memory = slab_alloc(&shared_memory_cache);

    if (!memory)
        return NULL;
    memory->page_count = pages;
    memory->leaves = kmalloc(leaf_count(memory) * sizeof(*memory->leaves));
    if (!memory->leaves) {
        slab_free(&shared_memory_cache, memory);
        return NULL;
    }
    memory->source.operations = &operations;
    refcount_init(&memory->refs);
    spin_init(&memory->lock, LOCK_RANK_PAGE_CACHE);
    return &memory->source;
}
