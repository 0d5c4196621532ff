/*
 * FPU state between the CPU's registers and user memory, without a copy in between. A page that is
 * not there yet is brought by the page fault, and the instruction starts again; what the CPU
 * refuses, be it the memory or the contents, is -EFAULT.
 */
#include "x86_64/smap.h"

#define EFAULT 14

.macro STATE_TRANSFER name, instruction, has_components=0
    .globl \name
    .type \name, @function
\name:
    .if \has_components
    movl %esi, %eax
    movq %rsi, %rdx
    shrq $32, %rdx
    .endif
    SMAP_STAC
    MAY_FAULT "\instruction (%rdi)", .Lrefused
    SMAP_CLAC
    xorl %eax, %eax
    ret
    .size \name, . - \name
.endm

/* int NAME(uintptr_t area rdi): 0 or -EFAULT */
    .text
    STATE_TRANSFER fpu_user_fxsave, fxsave64
    STATE_TRANSFER fpu_user_fxrstor, fxrstor64

/* int NAME(uintptr_t area rdi, uint64_t components rsi): 0 or -EFAULT */
    STATE_TRANSFER fpu_user_xsave, xsave64, 1
    STATE_TRANSFER fpu_user_xrstor, xrstor64, 1

.Lrefused:
    SMAP_CLAC
    movl $-EFAULT, %eax
    ret

    .section .note.GNU-stack, "", @progbits
