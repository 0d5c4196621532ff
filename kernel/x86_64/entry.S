/*
 * Every way into the kernel, and the ways back to user mode.
 *
 * All of them build a struct user_frame (port_machine.h) at the place that the CPU's task state
 * and kernel_stack_top give, and leave it in the same form. The kernel runs with its own GS base;
 * swapgs stands exactly at the borders of user mode, with interrupts masked.
 */
#include "x86_64/segments.h"
#include "x86_64/smap.h"

#define CPU_KERNEL_STACK_TOP %gs:16
#define CPU_USER_STACK_SAVED %gs:24
#define FRAME_CS             0x88

#define MSR_GS_BASE 0xc0000101

/* From the callee's registers up: the lower part of the frame. Expects r9 stored already. */
.macro PUSH_REGISTERS_BELOW_R9
    pushq %r8
    pushq %r10
    pushq %rdx
    pushq %rsi
    pushq %rdi
    pushq %rax
    pushq %rcx
    pushq %r11
    pushq %rbx
    pushq %rbp
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
.endm

/* Those that a C function does not preserve. Leaves rsp at the frame's original_rax. */
.macro POP_SCRATCH_REGISTERS
    popq %r11
    popq %rcx
    popq %rax
    popq %rdi
    popq %rsi
    popq %rdx
    popq %r10
    popq %r8
    popq %r9
.endm

.macro POP_REGISTERS
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbp
    popq %rbx
    POP_SCRATCH_REGISTERS
.endm

    .text

/*
 * SYSCALL comes here: rip in rcx, rflags in r11, the program's stack in rsp; interrupts masked and
 * the direction flag clear by SFMASK.
 */
    .globl system_call_entry
    .type system_call_entry, @function
system_call_entry:
    swapgs
    movq %rsp, CPU_USER_STACK_SAVED
    movq CPU_KERNEL_STACK_TOP, %rsp
    pushq $SELECTOR_USER_DATA
    pushq CPU_USER_STACK_SAVED
    pushq %r11
    pushq $SELECTOR_USER_CODE
    pushq %rcx
    pushq %rax /* original_rax: the number */
    pushq %r9
    PUSH_REGISTERS_BELOW_R9
    movq %rsp, %rdi
    call system_call_enter
    testb %al, %al
    jz return_by_iret
    addq $48, %rsp /* r15 to rbx hold the program's values */
    POP_SCRATCH_REGISTERS
    movq 32(%rsp), %rsp /* past original_rax, rip, cs, rflags: the program's stack */
    swapgs
    sysretq
    .size system_call_entry, . - system_call_entry

/* void user_frame_leave(struct user_frame *): the first way to user mode of a thread. */
    .globl user_frame_leave
    .type user_frame_leave, @function
user_frame_leave:
    movq %rdi, %rsp
return_by_iret:
    POP_REGISTERS
    addq $8, %rsp /* original_rax */
    swapgs
    iretq
    .size user_frame_leave, . - user_frame_leave

/*
 * The vector stubs come here: above the return address words of the CPU stand the error code (or
 * 0) in the place of original_rax, and the vector in the place of r9.
 */
    .type trap_common, @function
trap_common:
    xchgq %r9, (%rsp)
    PUSH_REGISTERS_BELOW_R9
    cld
    SMAP_CLAC
    movq %rsp, %rdi
    movl %r9d, %esi
    testb $3, FRAME_CS(%rsp)
    jz 1f
    swapgs
    call trap_from_user
    jmp return_by_iret
1:  call trap_from_kernel
    POP_REGISTERS
    addq $8, %rsp
    iretq
    .size trap_common, . - trap_common

/*
 * NMI, double fault, machine check: on stacks of their own, possibly between a border of user mode
 * and its swapgs. The sign of the GS base says whose it is; programs can't set one in the kernel's
 * half.
 */
    .type trap_anywhere, @function
trap_anywhere:
    xchgq %r9, (%rsp)
    PUSH_REGISTERS_BELOW_R9
    cld
    SMAP_CLAC
    movl $MSR_GS_BASE, %ecx
    rdmsr
    xorl %ebx, %ebx
    testl %edx, %edx
    js 1f
    swapgs
    incl %ebx
1:  movq %rsp, %rdi
    movl %r9d, %esi
    call trap_from_anywhere
    testl %ebx, %ebx
    jz 2f
    swapgs
2:  POP_REGISTERS
    addq $8, %rsp
    iretq
    .size trap_anywhere, . - trap_anywhere

    .balign 16
    .globl trap_vectors
    .type trap_vectors, @function
trap_vectors:
    .set vector, 0
    .rept 256
    .balign 16
    .if vector != 8 && (vector < 10 || vector > 14) && vector != 17 && vector != 21
    pushq $0 /* this one brings no error code */
    .endif
    pushq $vector
    .if vector == 2 || vector == 8 || vector == 18
    jmp trap_anywhere
    .else
    jmp trap_common
    .endif
    .set vector, vector + 1
    .endr
    .size trap_vectors, . - trap_vectors

    .section .note.GNU-stack, "", @progbits
