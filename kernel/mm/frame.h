/*
 * Page frames: 4 KiB of physical memory each, counted by references. A frame is in the direct map
 * all the time: frame_address() is its kernel address.
 */
#pragma once

#include <stdint.h>

#include "lib/compiler.h"
#include "port.h"

typedef uint64_t physical_t;

#define PAGE_SIZE  PORT_PAGE_SIZE
#define PAGE_SHIFT 12

/* One reference. The contents are undefined. 0 (never a valid frame) if memory is short. */
physical_t MUST_CHECK frame_alloc(void);
physical_t MUST_CHECK frame_alloc_zeroed(void);
/* 2^order contiguous, naturally aligned frames, order 0..10, each with one reference. */
physical_t MUST_CHECK frame_alloc_order(unsigned order);
void frame_free_order(physical_t frame, unsigned order);
void frame_get(physical_t frame);
void frame_put(physical_t frame); /* the last reference frees it */
uint32_t frame_references(physical_t frame);
void *frame_address(physical_t frame);
physical_t frame_of(const void *address);

uint64_t frame_total_count(void);
uint64_t frame_free_count(void); /* frames on CPU-local and pre-zeroed lists count as free */
