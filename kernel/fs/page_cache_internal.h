/* What the files of the page cache share. For page_cache*.c only. */
#pragma once

#include "fs/page_cache.h"

/* Pages between two points where others may run, and frames freed in one hold of the lock. */
#define PAGES_PER_TURN 32

/* Between two turns: lets others run. False: the caller is being killed, and should end early. */
bool page_cache_go_on(void);

/* Counts one more frame. False: the limit is reached. */
bool page_cache_charge(void);
void page_cache_uncharge(void);
/* Gives up the cache's reference to a page, and its charge. */
void page_cache_free_page(void *page);

/* The cache's lock is held. The page of that index, if there is one, with a reference. */
void *page_cache_get_locked(struct page_cache *cache, uint64_t index);
/* Puts a charged page into a hole; its reference becomes the cache's. -ENOMEM */
int page_cache_insert_locked(struct page_cache *cache, uint64_t index, void *page);
/* Fills a hole with zeros. The page, -ENOMEM in *error, or -ENOSPC for the limit. */
void *page_cache_fill_locked(struct page_cache *cache, uint64_t index, int *error);
