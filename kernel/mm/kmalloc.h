/* The part of kmalloc() that start-up calls; kmalloc() itself is in mm/slab.h. */
#pragma once

#include <stdint.h>

/* Once, after the frame allocator works and before the first kmalloc(). */
void kmalloc_init(void);
/* Allocations of whole frames that are live. */
uint64_t kmalloc_large_count(void);
