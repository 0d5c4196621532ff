/*
 * kernel_entry: where both doors leave for the kernel, and the ELF's entry point.
 *
 *     rdi   physical address of struct boot_info
 *     rsi   physical address of the top page table of the door map (boot/handoff.h)
 *
 * It is entered in long mode at its *physical* address, which the door has mapped at itself, with
 * interrupts masked and any stack or none; until the jump the code is position independent.
 */
#include "boot/handoff.h"

#define BOOT_STACK_SIZE 0x4000

#define MSR_EFER  0xc0000080
#define EFER_NXE  (1 << 11)
#define CR0_WP    (1 << 16)

    .code64
    .section .text.boot, "ax"
    .globl kernel_entry
    .type kernel_entry, @function
kernel_entry:
    cld
    cli
    movl $MSR_EFER, %ecx
    rdmsr
    orl $EFER_NXE, %eax
    wrmsr
    movq %cr0, %rax
    orq $CR0_WP, %rax
    movq %rax, %cr0
    movq %rsi, %cr3
    movabsq $.Lhigh, %rax
    jmp *%rax
.Lhigh:
    xorl %eax, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    movl %eax, %fs
    movl %eax, %gs
    movq $boot_stack_top, %rsp
    xorl %ebp, %ebp /* backtraces end here */
    movabsq $DIRECT_MAP_BASE, %rax
    addq %rax, %rdi
    pushq $0
    pushq $0
    call kmain
1:  hlt
    jmp 1b
    .size kernel_entry, . - kernel_entry

    /* kmain's stack; the boot CPU's idle thread may keep it. */
    .section .bss.boot_stack, "aw", @nobits
    .balign 4096
    .globl boot_stack, boot_stack_top
boot_stack:
    .skip BOOT_STACK_SIZE
boot_stack_top:

    .section .note.GNU-stack, "", @progbits
