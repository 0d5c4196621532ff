/*
 * The quick door: QEMU's -kernel finds the PVH note, loads the image at its physical addresses and
 * enters pvh_start in 32-bit protected mode, without paging, ebx = physical address of struct
 * hvm_start_info. It builds the door map, goes to long mode, lets pvh_fill_info() translate what
 * QEMU says, and leaves through kernel_entry.
 */
#include "boot/handoff.h"

#define PHYSICAL(symbol) ((symbol) - KERNEL_BASE)

#define XEN_ELFNOTE_PHYS32_ENTRY 18

#define PAGE_PRESENT 0x001
#define PAGE_WRITE   0x002
#define PAGE_LARGE   0x080
#define PAGE_ENTRIES 512

#define CR0_PG       (1 << 31)
#define CR4_PAE      (1 << 5)
#define MSR_EFER     0xc0000080
#define EFER_LME     (1 << 8)
#define CODE_SEGMENT 0x08

    .section .note.pvh, "a", @note
    .balign 4
    .long 2f - 1f
    .long 4f - 3f
    .long XEN_ELFNOTE_PHYS32_ENTRY
1:  .asciz "Xen"
2:  .balign 4
3:  .quad PHYSICAL(pvh_start)
4:  .balign 4

    .section .text.boot, "ax"
    .code32
    .globl pvh_start
    .type pvh_start, @function
pvh_start:
    cld
    cli
    rdtsc
    movl %eax, PHYSICAL(pvh_start_cycles)
    movl %edx, PHYSICAL(pvh_start_cycles) + 4

    /* 4 GiB of 2 MiB pages: four tables in a row. */
    movl $PHYSICAL(pvh_directory), %edi
    movl $(PAGE_PRESENT | PAGE_WRITE | PAGE_LARGE), %eax
    movl $(4 * PAGE_ENTRIES), %ecx
1:  movl %eax, (%edi)
    movl $0, 4(%edi)
    addl $8, %edi
    addl $0x200000, %eax
    decl %ecx
    jnz 1b

    /* They serve the identity map, the direct map and, the first of them, the kernel's image. */
    movl $PHYSICAL(pvh_directory) + PAGE_PRESENT + PAGE_WRITE, %eax
    movl %eax, PHYSICAL(pvh_pointers_high) + 8 * 510
    movl %eax, PHYSICAL(pvh_pointers)
    addl $0x1000, %eax
    movl %eax, PHYSICAL(pvh_pointers) + 8
    addl $0x1000, %eax
    movl %eax, PHYSICAL(pvh_pointers) + 16
    addl $0x1000, %eax
    movl %eax, PHYSICAL(pvh_pointers) + 24
    movl $PHYSICAL(pvh_pointers) + PAGE_PRESENT + PAGE_WRITE, %eax
    movl %eax, PHYSICAL(pvh_top)
    movl %eax, PHYSICAL(pvh_top) + 8 * 256
    movl $PHYSICAL(pvh_pointers_high) + PAGE_PRESENT + PAGE_WRITE, %eax
    movl %eax, PHYSICAL(pvh_top) + 8 * 511

    movl %cr4, %eax
    orl $CR4_PAE, %eax
    movl %eax, %cr4
    movl $PHYSICAL(pvh_top), %eax
    movl %eax, %cr3
    movl $MSR_EFER, %ecx
    rdmsr
    orl $EFER_LME, %eax
    wrmsr
    movl %cr0, %eax
    orl $CR0_PG, %eax
    movl %eax, %cr0
    lgdt PHYSICAL(pvh_gdt_pointer)
    ljmp $CODE_SEGMENT, $PHYSICAL(pvh_long)
    .size pvh_start, . - pvh_start

    .code64
    .type pvh_long, @function
pvh_long:
    movabsq $1f, %rax
    jmp *%rax
1:  xorl %eax, %eax
    movl %eax, %ss
    movq $boot_stack_top, %rsp
    xorl %ebp, %ebp
    movl %ebx, %edi
    call pvh_fill_info
    movq $PHYSICAL(pvh_boot_info), %rdi
    movq $PHYSICAL(pvh_top), %rsi
    movq $PHYSICAL(kernel_entry), %rax
    jmp *%rax
    .size pvh_long, . - pvh_long

    .section .rodata.boot, "a"
    .balign 8
pvh_gdt:
    .quad 0
    .quad 0x00af9b000000ffff /* 64-bit code */
pvh_gdt_end:
pvh_gdt_pointer:
    .word pvh_gdt_end - pvh_gdt - 1
    .long PHYSICAL(pvh_gdt)

    .section .bss.boot_tables, "aw", @nobits
    .balign 4096
pvh_top:
    .skip 4096
pvh_pointers:
    .skip 4096
pvh_pointers_high:
    .skip 4096
pvh_directory:
    .skip 4 * 4096
    .globl pvh_start_cycles
pvh_start_cycles:
    .skip 8

    .section .note.GNU-stack, "", @progbits
