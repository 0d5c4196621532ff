/*
 * Where a CPU begins after its start-up message: real mode, at the beginning of a page below 1 MiB
 * to which this code was copied. It goes to 64-bit mode at once, on tables that show the page at
 * itself, and calls the kernel. Nothing here may depend on the address it was linked at.
 */
#define CR0_PROTECTED 0x1
#define CR0_TYPE      0x10
#define CR0_PAGING    0x80000000
#define CR4_PAE       0x20
#define MSR_EFER      0xc0000080
#define EFER_LONG_NX  0x900

#define VALUE(field) (trampoline_values - trampoline_start + (field))
#define GDT_POINTER  0
#define LONG_ENTRY   8
#define PAGE_TABLE   16
#define STACK        24
#define ARGUMENT     32
#define FUNCTION     40

    .section .rodata
    .balign 16
    .globl trampoline_start, trampoline_end, trampoline_gdt, trampoline_long, trampoline_values
    .code16
trampoline_start:
    cli
    cld
    movw %cs, %ax
    movw %ax, %ds
    lgdtl VALUE(GDT_POINTER)
    movl VALUE(PAGE_TABLE), %eax
    movl %eax, %cr3
    movl $CR4_PAE, %eax
    movl %eax, %cr4
    movl $MSR_EFER, %ecx
    rdmsr
    orl $EFER_LONG_NX, %eax
    wrmsr
    movl $(CR0_PAGING | CR0_TYPE | CR0_PROTECTED), %eax
    movl %eax, %cr0
    ljmpl *VALUE(LONG_ENTRY)

    .code64
trampoline_long:
    xorl %eax, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    movq trampoline_values + STACK(%rip), %rsp
    movq trampoline_values + ARGUMENT(%rip), %rdi
    movq trampoline_values + FUNCTION(%rip), %rax
    xorl %ebp, %ebp /* backtraces end here */
    pushq $0
    jmp *%rax

    .balign 8
trampoline_gdt:
    .quad 0
    .quad 0x00af9b000000ffff /* 64-bit code */
trampoline_values:
    .skip 48
trampoline_end:

    .section .note.GNU-stack, "", @progbits
