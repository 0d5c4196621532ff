/* Regular files grow, shrink and get holes: see page_cache.h for the locks. */
#include "fs/page_cache_internal.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "sched/sched.h"

/* Frees the pages first..last, last not included. */
static void remove_pages(struct page_cache *cache, uint64_t first, uint64_t last)
{
    bool more = true;

    while (more) {
        spin_lock(&cache->lock);
        for (unsigned count = 0; more && count < PAGES_PER_TURN; count++) {
            more = radix_next(&cache->frames, &first) && first < last;
            if (more) {
                page_cache_free_page(radix_remove(&cache->frames, first));
                cache->frame_count--;
            }
        }
        spin_unlock(&cache->lock);
        sched_point();
    }
}

/* Zeroes bytes within one page. */
static void zero_within_page(struct page_cache *cache, uint64_t start, uint64_t end)
{
    spin_lock(&cache->lock);
    uint8_t *page = radix_get(&cache->frames, start >> PAGE_SHIFT);

    if (page && end > start)
        memset(page + start % PAGE_SIZE, 0, end - start);
    spin_unlock(&cache->lock);
}

void page_cache_punch(struct page_cache *cache, uint64_t start, uint64_t end)
{
    uint64_t first = ALIGN_UP(start, PAGE_SIZE), last = ALIGN_DOWN(end, PAGE_SIZE);

    if (first > last) {
        zero_within_page(cache, start, end);
        return;
    }
    zero_within_page(cache, start, first);
    zero_within_page(cache, last, end);
    remove_pages(cache, first >> PAGE_SHIFT, last >> PAGE_SHIFT);
}

void page_cache_resize(struct page_cache *cache, uint64_t size)
{
    uint64_t page_end = ALIGN_UP(size, PAGE_SIZE);

    spin_lock(&cache->lock);
    bool smaller = size < cache->size;

    cache->size = size;
    spin_unlock(&cache->lock);
    if (!smaller)
        return;
    zero_within_page(cache, size, page_end);
    remove_pages(cache, page_end >> PAGE_SHIFT, UINT64_MAX);
}

void page_cache_destroy(struct page_cache *cache)
{
    remove_pages(cache, 0, UINT64_MAX);
}

/* Can that many pages more ever fit? Tells before the first is made: what is made stays. */
static bool has_room_for(const struct page_cache *cache, uint64_t pages)
{
    uint64_t limit = page_cache_limit(), used = page_cache_used();
    uint64_t holes = pages > cache->frame_count ? pages - cache->frame_count : 0;

    return used <= limit && holes <= limit - used;
}

int page_cache_allocate(struct page_cache *cache, uint64_t start, uint64_t end)
{
    uint64_t first = start >> PAGE_SHIFT, last = (end + PAGE_SIZE - 1) >> PAGE_SHIFT;
    int error = 0;

    if (!has_room_for(cache, last - first))
        return -ENOSPC;
    for (uint64_t index = first; index < last && !error; index++) {
        spin_lock(&cache->lock);
        if (!radix_get(&cache->frames, index))
            page_cache_fill_locked(cache, index, &error);
        spin_unlock(&cache->lock);
        if (index % PAGES_PER_TURN == 0)
            sched_point();
    }
    return error ? -ENOSPC : 0;
}

int64_t page_cache_seek(struct page_cache *cache, uint64_t offset, bool data)
{
    uint64_t index = offset >> PAGE_SHIFT;
    bool found = true;

    spin_lock(&cache->lock);
    uint64_t size = cache->size;

    if (data)
        found = radix_next(&cache->frames, &index) != NULL;
    while (!data && index << PAGE_SHIFT < size && radix_get(&cache->frames, index))
        index++;
    spin_unlock(&cache->lock);
    uint64_t start = index << PAGE_SHIFT;

    if (offset >= size || !found || (data && start >= size))
        return -ENXIO;
    if (start < offset)
        start = offset;
    return start < size ? start : size;
}
