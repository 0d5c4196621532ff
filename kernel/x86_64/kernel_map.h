/*
 * The kernel's half of every address space. Built once, on the boot CPU; its top-level entries
 * never change afterwards, so that every space can hold copies of them.
 *
 *     ffff800000000000  all RAM, as physical memory has it (direct map)   RW
 *     ffffc00000000000  kernel stacks, 1 GiB                              RW, kernel_stack.c
 *     ffffd00000000000  device registers and firmware tables, 1 GiB       RW, uncached or cached
 *     ffffffff80200000  the kernel's image                                text RX, constants R
 *                                                                         and data RW
 *
 * Everything but text is NX. Nothing of it is reachable from user mode.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/compiler.h"

struct boot_info;

#define KERNEL_STACK_AREA      0xffffc00000000000ul
#define KERNEL_STACK_AREA_SIZE (1ul << 30)
#define DEVICE_AREA            0xffffd00000000000ul
#define DEVICE_AREA_SIZE       (1ul << 30)

/* Builds the tables and loads them in place of the door's. RAM below 4 GiB can be allocated. */
void kernel_map_init(const struct boot_info *info);
/* Loads them on another CPU that has come up. */
void kernel_map_load(void);
/* A table, below 4 GiB, that besides the kernel's half shows the first 2 MiB at themselves: for
 * code on its way between the modes of the machine. Built by kernel_map_init(). */
uint64_t kernel_map_start_table(void);

enum kernel_map_cache { KERNEL_MAP_UNCACHED, KERNEL_MAP_CACHED };
/* Shows physical memory that the direct map does not: for good. Panics if the area is full, which
 * is known at boot. Boot CPU only. */
void *kernel_map_physical(uint64_t physical, size_t size, enum kernel_map_cache cache);

/* The places of the entries of a kernel stack's pages, the first of which is at the address; NULL
 * if memory is short. Guarded by the caller. */
uint64_t *kernel_map_stack_entries(uintptr_t address) MUST_CHECK;
uint64_t kernel_map_stack_bits(void);
/* Is there a page at the address in the stack area? Without a lock: for the panic report. */
bool kernel_map_stack_is_mapped(uintptr_t address);
/* Frees the lowest table that serves the 2 MiB at the address, all of whose entries are 0. The
 * caller flushes every CPU afterwards, before the frame is used: it is handed back. */
uint64_t kernel_map_detach_stack_table(uintptr_t address);
