/*
 * Writing regular files. A frame that a writer fills is put into the cache only when it is
 * complete: nobody sees what was in it before. The inode's lock is held throughout.
 */
#include "fs/page_cache_internal.h"
#include "fs/user_vector.h"
#include "lib/errno.h"
#include "lib/string.h"

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
        error = page_cache_insert_locked(cache, offset >> PAGE_SHIFT, page);
    if (!error)
        extend_locked(cache, offset + size);
    spin_unlock(&cache->lock);
    if (present || error)
        page_cache_free_page(page);
    return error;
}

/* Bytes written, -EFAULT or -ENOSPC. */
static int64_t write_hole(struct page_cache *cache, struct source *source, uint64_t offset,
                          size_t size)
{
    size_t within = offset % PAGE_SIZE;

    if (!page_cache_charge())
        return -ENOSPC;
    physical_t frame = frame_alloc();

    if (!frame) {
        page_cache_uncharge();
        return -ENOSPC;
    }
    uint8_t *page = frame_address(frame);
    size_t copied = fetch(source, page + within, size);

    if (copied == 0) {
        page_cache_free_page(page);
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
        uint8_t *page = page_cache_get_locked(cache, at >> PAGE_SHIFT);

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
        if (turn % PAGES_PER_TURN == 0 && !page_cache_go_on())
            break;
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
