/*
 * The contents of regular files: see page_cache.h for the locks.
 *
 * User copies happen with a reference to the frame and no spinlock, so they may fault, even on a
 * mapping of the same page. A frame that a writer fills is put into the cache only when it is
 * complete: nobody sees what was in it before.
 */
#include "fs/page_cache.h"

#include "fs/user_vector.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "sched/sched.h"

/* Pages between two points where others may run, and frames freed in one hold of the lock. */
#define PAGES_PER_TURN 32

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

/* Counts one more frame. False: the limit is reached. */
static bool charge(void)
{
    if (atomic_fetch_add_explicit(&used_frames, 1, memory_order_relaxed) < frame_limit)
        return true;
    atomic_fetch_sub_explicit(&used_frames, 1, memory_order_relaxed);
    return false;
}

static void uncharge(void)
{
    atomic_fetch_sub_explicit(&used_frames, 1, memory_order_relaxed);
}

static void free_page(void *page)
{
    frame_put(frame_of(page));
    uncharge();
}

/* The page of that index, if there is one, with a reference. */
static void *get_locked(struct page_cache *cache, uint64_t index)
{
    void *page = radix_get(&cache->frames, index);

    if (page)
        frame_get(frame_of(page));
    return page;
}

static int insert_locked(struct page_cache *cache, uint64_t index, void *page)
{
    int error = radix_set(&cache->frames, index, page);

    if (!error)
        cache->frame_count++;
    return error;
}

/* Fills a hole with zeros. The page, -ENOMEM in *error, or -ENOSPC for the limit. */
static void *fill_locked(struct page_cache *cache, uint64_t index, int *error)
{
    physical_t frame;

    *error = -ENOSPC;
    if (!charge())
        return NULL;
    *error = -ENOMEM;
    frame = frame_alloc_zeroed();
    if (!frame) {
        uncharge();
        return NULL;
    }
    if (insert_locked(cache, index, frame_address(frame))) {
        free_page(frame_address(frame));
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
            page = fill_locked(cache, index, &error);
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
        void *page = get_locked(cache, index + i);

        frames[i] = page ? frame_of(page) : 0;
    }
    spin_unlock(&cache->lock);
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
        page = get_locked(cache, offset >> PAGE_SHIFT);
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
        if (turn % PAGES_PER_TURN == 0)
            sched_point();
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

/* --- Writing --- */

/* Where bytes come from: a program or the kernel. */
struct source {
    struct user_vector *user;
    const uint8_t *kernel;
};

static size_t fetch(struct source *source, uint8_t *destination, size_t size)
{
    if (source->user)
        return user_vector_read(source->user, destination, size);
    memcpy(destination, source->kernel, size);
    source->kernel += size;
    return size;
}

static void extend_locked(struct page_cache *cache, uint64_t end)
{
    if (end > cache->size)
        cache->size = end;
}

static size_t overwrite(struct page_cache *cache, uint8_t *page, struct source *source,
                        uint64_t offset, size_t size)
{
    size_t copied = fetch(source, page + offset % PAGE_SIZE, size);

    frame_put(frame_of(page));
    if (copied) {
        spin_lock(&cache->lock);
        extend_locked(cache, offset + copied);
        spin_unlock(&cache->lock);
    }
    return copied;
}

/* Puts a page that was filled outside into a hole, unless a page fault made one there meanwhile:
 * then the bytes go into that. */
static int publish(struct page_cache *cache, uint8_t *page, uint64_t offset, size_t size)
{
    size_t within = offset % PAGE_SIZE;
    int error = 0;

    spin_lock(&cache->lock);
    uint8_t *present = radix_get(&cache->frames, offset >> PAGE_SHIFT);

    if (present)
        memcpy(present + within, page + within, size);
    else
        error = insert_locked(cache, offset >> PAGE_SHIFT, page);
    if (!error)
        extend_locked(cache, offset + size);
    spin_unlock(&cache->lock);
    if (present || error)
        free_page(page);
    return error;
}

/* Bytes written, -EFAULT or -ENOSPC. */
static int64_t write_hole(struct page_cache *cache, struct source *source, uint64_t offset,
                          size_t size)
{
    size_t within = offset % PAGE_SIZE;

    if (!charge())
        return -ENOSPC;
    physical_t frame = frame_alloc();

    if (!frame) {
        uncharge();
        return -ENOSPC;
    }
    uint8_t *page = frame_address(frame);
    size_t copied = fetch(source, page + within, size);

    if (copied == 0) {
        free_page(page);
        return -EFAULT;
    }
    memset(page, 0, within);
    memset(page + within + copied, 0, PAGE_SIZE - within - copied);
    return publish(cache, page, offset, copied) ? -ENOSPC : (int64_t)copied;
}

static int64_t write_from(struct page_cache *cache, struct source *source, size_t size,
                          uint64_t offset)
{
    size_t done = 0;

    for (unsigned turn = 1; done < size; turn++) {
        uint64_t at = offset + done;
        size_t part = PAGE_SIZE - at % PAGE_SIZE;
        int64_t result;

        if (part > size - done)
            part = size - done;
        spin_lock(&cache->lock);
        uint8_t *page = get_locked(cache, at >> PAGE_SHIFT);

        spin_unlock(&cache->lock);
        if (page)
            result = overwrite(cache, page, source, at, part);
        else
            result = write_hole(cache, source, at, part);
        if (result <= 0)
            return done > 0 ? (int64_t)done : result ? result : -EFAULT;
        done += result;
        if ((size_t)result < part)
            break;
        if (turn % PAGES_PER_TURN == 0)
            sched_point();
    }
    return done;
}

int64_t page_cache_write(struct page_cache *cache, struct user_vector *from, uint64_t offset)
{
    struct source source = {.user = from};

    return write_from(cache, &source, from->total, offset);
}

int64_t page_cache_write_kernel(struct page_cache *cache, const void *data, size_t size,
                                uint64_t offset)
{
    struct source source = {.kernel = data};

    return write_from(cache, &source, size, offset);
}

/* --- Size and holes --- */

/* Frees the pages first..last, last not included. */
static void remove_pages(struct page_cache *cache, uint64_t first, uint64_t last)
{
    bool more = true;

    while (more) {
        spin_lock(&cache->lock);
        for (unsigned count = 0; more && count < PAGES_PER_TURN; count++) {
            more = radix_next(&cache->frames, &first) && first < last;
            if (more) {
                free_page(radix_remove(&cache->frames, first));
                cache->frame_count--;
            }
        }
        spin_unlock(&cache->lock);
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

int page_cache_allocate(struct page_cache *cache, uint64_t start, uint64_t end)
{
    uint64_t last = (end + PAGE_SIZE - 1) >> PAGE_SHIFT;
    int error = 0;

    for (uint64_t index = start >> PAGE_SHIFT; index < last && !error; index++) {
        spin_lock(&cache->lock);
        if (!radix_get(&cache->frames, index))
            fill_locked(cache, index, &error);
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
