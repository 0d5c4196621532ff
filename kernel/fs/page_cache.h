/*
 * A regular file's contents: page frames by page index. Absent pages are holes and read as zeros.
 *
 * The spinlock (rank PAGE_CACHE) guards the frames and the size, and is all that the page-fault
 * path takes. Calls that change the file, other than by a shared mapping, hold its inode's lock as
 * well. The frames of one file system are counted against its limit, so that files cannot take all
 * memory.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fs/radix.h"
#include "mm/frame.h"
#include "sched/spinlock.h"

struct user_vector;

/* Linux's s_maxbytes. */
#define FILE_SIZE_MAX INT64_MAX

struct page_cache {
    struct spinlock lock;
    struct radix_tree frames; /* (lock) frame_address() of each; one reference to each frame */
    uint64_t frame_count;     /* (lock) */
    uint64_t size;            /* (lock to write) bytes */
};

void page_cache_init(struct page_cache *cache);
/* Frees everything; nobody else has the cache any more. */
void page_cache_destroy(struct page_cache *cache);

/* The frame of a page with a reference for the caller; made if it is a hole. For mappings: -EIO
 * beyond the end, -ENOMEM. Takes the cache's lock only. */
int page_cache_map(struct page_cache *cache, uint64_t index, physical_t *frame);
/* The same for `count` pages, but none is made: 0 for a hole and beyond the end. */
void page_cache_peek(struct page_cache *cache, uint64_t index, unsigned count, physical_t *frames);

/* Bytes copied to the user's buffers, 0 at the end, -EFAULT if none could be. May sleep. */
int64_t page_cache_read(struct page_cache *cache, struct user_vector *to, uint64_t offset);
/* The same into the kernel's memory. */
size_t page_cache_read_kernel(struct page_cache *cache, void *buffer, size_t size, uint64_t offset);

/* Bytes written, -EFAULT or -ENOSPC if none could be; grows the file. The inode's lock is held. */
int64_t page_cache_write(struct page_cache *cache, struct user_vector *from, uint64_t offset);
int64_t page_cache_write_kernel(struct page_cache *cache, const void *data, size_t size,
                                uint64_t offset);

/* The inode's lock is held. Bytes beyond a smaller size are gone; frames that are mapped stay with
 * their mappings. */
void page_cache_resize(struct page_cache *cache, uint64_t size);
/* Makes the range read as zeros and frees its whole pages. The inode's lock is held. */
void page_cache_punch(struct page_cache *cache, uint64_t start, uint64_t end);
/* Fills the holes of the range. -ENOSPC. The inode's lock is held. */
int page_cache_allocate(struct page_cache *cache, uint64_t start, uint64_t end);
/* SEEK_DATA and SEEK_HOLE: the first byte of data or hole at or after the offset; -ENXIO. */
int64_t page_cache_seek(struct page_cache *cache, uint64_t offset, bool data);

/* Frames in all files together, and how many there may be. */
uint64_t page_cache_used(void);
uint64_t page_cache_limit(void);
void page_cache_set_limit(uint64_t frames);
