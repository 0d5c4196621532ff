/*
 * The contents of regular files: their frames, mapping and reading. See page_cache.h for the locks.
 *
 * User copies happen with a reference to the frame and no spinlock, so they may fault, even on a
 * mapping of the same page.
 */
#include "fs/page_cache.h"

#include "fs/inode.h"
#include "fs/page_cache_internal.h"
#include "fs/user_vector.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "proc/process.h"
#include "sched/sched.h"

static _Atomic uint64_t used_frames;
static uint64_t frame_limit = UINT64_MAX;
static uint8_t zero_page[PAGE_SIZE] ALIGNED(PAGE_SIZE);

void page_cache_init(struct page_cache *cache)
{
    spin_init(&cache->lock, LOCK_RANK_PAGE_CACHE);
}

uint64_t page_cache_used(void)
{
    return atomic_load_explicit(&used_frames, memory_order_relaxed);
}

uint64_t page_cache_limit(void)
{
    return frame_limit;
}

void page_cache_set_limit(uint64_t frames)
{
    frame_limit = frames;
}

/* --- Frames --- */

bool page_cache_charge(void)
{
    if (atomic_fetch_add_explicit(&used_frames, 1, memory_order_relaxed) < frame_limit)
        return true;
    atomic_fetch_sub_explicit(&used_frames, 1, memory_order_relaxed);
    return false;
}

void page_cache_uncharge(void)
{
    atomic_fetch_sub_explicit(&used_frames, 1, memory_order_relaxed);
}

void page_cache_free_page(void *page)
{
    frame_put(frame_of(page));
    page_cache_uncharge();
}

void *page_cache_get_locked(struct page_cache *cache, uint64_t index)
{
    void *page = radix_get(&cache->frames, index);

    if (page)
        frame_get(frame_of(page));
    return page;
}

int page_cache_insert_locked(struct page_cache *cache, uint64_t index, void *page)
{
    int error = radix_set(&cache->frames, index, page);

    if (!error)
        cache->frame_count++;
    return error;
}

void *page_cache_fill_locked(struct page_cache *cache, uint64_t index, int *error)
{
    physical_t frame;

    *error = -ENOSPC;
    if (!page_cache_charge())
        return NULL;
    *error = -ENOMEM;
    frame = frame_alloc_zeroed();
    if (!frame) {
        page_cache_uncharge();
        return NULL;
    }
    if (page_cache_insert_locked(cache, index, frame_address(frame))) {
        page_cache_free_page(frame_address(frame));
        return NULL;
    }
    *error = 0;
    return frame_address(frame);
}

int page_cache_map(struct page_cache *cache, uint64_t index, physical_t *frame)
{
    int error = 0;

    spin_lock(&cache->lock);
    if (index >= (cache->size + PAGE_SIZE - 1) >> PAGE_SHIFT) {
        error = -EIO;
    } else {
        void *page = radix_get(&cache->frames, index);

        if (!page)
            page = page_cache_fill_locked(cache, index, &error);
        if (page) {
            *frame = frame_of(page);
            frame_get(*frame);
        }
    }
    spin_unlock(&cache->lock);
    return error == -ENOSPC ? -EIO : error;
}

void page_cache_peek(struct page_cache *cache, uint64_t index, unsigned count, physical_t *frames)
{
    spin_lock(&cache->lock);
    for (unsigned i = 0; i < count; i++) {
        void *page = page_cache_get_locked(cache, index + i);

        frames[i] = page ? frame_of(page) : 0;
    }
    spin_unlock(&cache->lock);
}

bool page_cache_go_on(void)
{
    sched_point();
    return !file_credentials() || !signal_fatal_is_pending();
}

/* --- Reading --- */

/* The page at `offset`, with a reference, or the page of zeros for a hole; *size is cut to what the
 * page and the file have from there, 0 at the end. */
static const uint8_t *begin_read(struct page_cache *cache, uint64_t offset, size_t *size)
{
    size_t within = offset % PAGE_SIZE, part = PAGE_SIZE - within;
    const uint8_t *page = NULL;

    spin_lock(&cache->lock);
    if (offset >= cache->size)
        part = 0;
    else if (part > cache->size - offset)
        part = cache->size - offset;
    if (part)
        page = page_cache_get_locked(cache, offset >> PAGE_SHIFT);
    spin_unlock(&cache->lock);
    if (*size > part)
        *size = part;
    return page ? page : zero_page;
}

static void end_read(const uint8_t *page)
{
    if (page != zero_page)
        frame_put(frame_of(page));
}

int64_t page_cache_read(struct page_cache *cache, struct user_vector *to, uint64_t offset)
{
    int64_t done = 0;

    for (unsigned turn = 1; to->total > 0; turn++) {
        size_t part = to->total;
        const uint8_t *page = begin_read(cache, offset + done, &part);

        if (part == 0)
            break;
        size_t copied = user_vector_write(to, page + (offset + done) % PAGE_SIZE, part);

        end_read(page);
        done += copied;
        if (copied < part)
            return done > 0 ? done : -EFAULT;
        if (turn % PAGES_PER_TURN == 0 && !page_cache_go_on())
            break;
    }
    return done;
}

size_t page_cache_read_kernel(struct page_cache *cache, void *buffer, size_t size, uint64_t offset)
{
    size_t done = 0;

    while (done < size) {
        size_t part = size - done;
        const uint8_t *page = begin_read(cache, offset + done, &part);

        if (part == 0)
            break;
        memcpy((uint8_t *)buffer + done, page + (offset + done) % PAGE_SIZE, part);
        end_read(page);
        done += part;
    }
    return done;
}
