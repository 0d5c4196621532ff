/*
 * The FPU and SIMD registers of programs. The kernel itself never uses them, so that they are live while
 * the thread's calls run; they move only at a switch to another user thread. Areas have the standard
 * (not compacted) XSAVE format, or FXSAVE's, and are aligned to FPU_ALIGNMENT.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FPU_ALIGNMENT 64

size_t fpu_state_size(void);
/* The registers of a new program, and a form in which no byte is left undefined. */
void fpu_init_area(void *area);
/* Between the CPU's registers and an area that a CPU wrote. */
void fpu_save(void *area);
void fpu_restore(const void *area);
/* The state with which a signal handler returns: the area comes from the program, copied, and may say
 * anything. What the CPU would refuse is corrected first. `size` is what was copied; what is missing
 * gets initial values. */
void fpu_sanitize(void *area, size_t size);
/* Exceptions raised and not masked: bits of the x87 status word or of MXCSR (the same). */
uint32_t fpu_unmasked_exceptions(bool simd);
