/* Start-up of memory management, and what it needs to know of the floors above. */
#pragma once

#include <stdint.h>

#include "mm/frame.h"

struct boot_info;

/* Makes the usable RAM below 4 GiB available, and describes all RAM: called once, first, on the
 * boot CPU, when its struct cpu can be found and RAM below 4 GiB stands in the direct map. RAM
 * below 1 MiB is left alone. */
void mm_init(const struct boot_info *info);
/* The usable RAM from 4 GiB on, when the direct map shows it. */
void mm_init_high_memory(const struct boot_info *info);
/* Makes RAM available that was reserved at the start: the doors' leavings, an unpacked initrd.
 * Whole pages inside the range. */
void mm_release_range(physical_t start, uint64_t size);

/* Soft limit of the current process for RLIMIT_AS, RLIMIT_DATA or RLIMIT_STACK, in bytes.
 * Registered before the first process; until then there are no limits. */
void mm_set_limit_reader(uint64_t (*reader)(unsigned resource));
uint64_t mm_limit(unsigned resource);

/* Pages promised to all address spaces: Committed_AS of /proc/meminfo. */
uint64_t mm_committed_pages(void);
