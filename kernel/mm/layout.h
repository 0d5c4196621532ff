/*
 * Where things go in a user address space; docs/memory.md has the picture.
 *
 * Page tables are most of what a small process costs, so what every program has stands close
 * together: with its image below 1 GiB, as static programs are linked, its stack and its first
 * mappings under the mark of 1 GiB, a program needs five page-table pages instead of the seven that
 * a stack at the top of the address space would cost. Mappings that find no room there go to the
 * top, as on Linux.
 */
#pragma once

#include "mm/address_space.h"

#define LAYOUT_LOW_TOP      0x40000000ul /* end of the near mappings */
#define LAYOUT_NEAR_SIZE    0x100000ul   /* near mappings: between the stack and LAYOUT_LOW_TOP */
#define LAYOUT_LOW_STACK    (LAYOUT_LOW_TOP - LAYOUT_NEAR_SIZE)
#define LAYOUT_STACK_GAP    0x100000ul  /* never mapped, below the stack at its largest */
#define LAYOUT_STACK_FIRST  0x21000ul   /* bytes that a stack has from the start, as on Linux */
#define LAYOUT_STACK_NEAR   0x4000000ul /* stacks that may grow larger go to the top of the space */
#define LAYOUT_STACK_MAX    0x10000000000ul
#define LAYOUT_HIGH_LOW_END 0x100000000ul /* high mappings come down to here, then it is full */
