/*
 * Supervisor-mode access prevention in assembly: STAC opens the user half to the kernel, CLAC
 * closes it. Their places are listed in .smap_sites, so that cpu_features.c can replace them by
 * no-operations on a CPU that has no SMAP.
 *
 * Instructions that touch user memory stand in .extable with the place where the kernel goes on if
 * the access is refused.
 */
#pragma once

#define SMAP_INSTRUCTION_SIZE 3

#ifdef __ASSEMBLER__
/* clang-format off */

.macro SMAP_SITE instruction
771:
    \instruction
    .pushsection .smap_sites, "a"
    .quad 771b
    .popsection
.endm

.macro SMAP_STAC
    SMAP_SITE stac
.endm

.macro SMAP_CLAC
    SMAP_SITE clac
.endm

.macro MAY_FAULT instruction, target
772:
    \instruction
    .pushsection .extable, "a"
    .quad 772b, \target
    .popsection
.endm

/* clang-format on */
#endif
