/* Building the memory map of struct boot_info. Both doors use it, before there is a kernel. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "boot/handoff.h"

/*
 * Says that [base, base + size) is of `kind`, whatever was said of it before. Usable memory shrinks
 * to whole pages, all else grows to them. Entries stay sorted; neighbours of one kind are merged.
 * False if the map is full: then it is unchanged.
 */
bool boot_memory_set(struct boot_info *info, uint64_t base, uint64_t size,
                     enum boot_memory_kind kind);
