/*
 * The FPU and SIMD registers of programs. The kernel itself never uses them, so that they are live
 * while the thread's calls run; they move only at a switch to another user thread. Areas have the
 * standard (not compacted) XSAVE format, or FXSAVE's, and are aligned to FPU_ALIGNMENT.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "x86_64/cpu_features.h"

#define FPU_ALIGNMENT 64

size_t fpu_state_size(void);
/* The registers of a new program, and a form in which no byte is left undefined. */
void fpu_init_area(void *area);
/* Between the CPU's registers and an area that a CPU wrote. */
static inline void fpu_save(void *area)
{
    if (cpu_features.xsave)
        __asm__ volatile("xsave64 (%0)" ::"r"(area), "a"(UINT32_MAX), "d"(UINT32_MAX) : "memory");
    else
        __asm__ volatile("fxsave64 (%0)" ::"r"(area) : "memory");
}

static inline void fpu_restore(const void *area)
{
    if (cpu_features.xsave)
        __asm__ volatile("xrstor64 (%0)" ::"r"(area), "a"(UINT32_MAX), "d"(UINT32_MAX) : "memory");
    else
        __asm__ volatile("fxrstor64 (%0)" ::"r"(area) : "memory");
}

/* The same with an area in user memory, which may hold anything; all of it lies within the user
 * half. -EFAULT if the CPU refuses the memory or what is in it. May sleep. */
int fpu_save_user(uintptr_t area);
/* Restores the components of the mask from an XSAVE area, or the FXSAVE area if `extended` is
 * false; all others get their initial values. After -EFAULT all are initial. */
int fpu_restore_user(uintptr_t area, bool extended, uint64_t components);
/* All registers initial. */
void fpu_reset(void);
/* Exceptions raised and not masked: bits of the x87 status word or of MXCSR (the same). */
uint32_t fpu_unmasked_exceptions(bool simd);
