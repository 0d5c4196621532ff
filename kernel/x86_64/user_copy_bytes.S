/*
 * The instructions that touch user memory for the kernel. Each stands in .extable with the place where it
 * goes on if the access is refused. Interrupts stay enabled; the user half is open only in between.
 */
#include "x86_64/smap.h"

.macro MAY_FAULT instruction, target
772:
    \instruction
    .pushsection .extable, "a"
    .quad 772b, \target
    .popsection
.endm

    .text
/*
 * size_t user_copy_bytes(void *destination, const void *source, size_t size): the bytes not copied.
 * Fields of 8 bytes, the most common size, take the short way. A refused word is tried again by bytes,
 * so that the count is exact.
 */
    .globl user_copy_bytes
    .type user_copy_bytes, @function
user_copy_bytes:
    SMAP_STAC
    cmpq $8, %rdx
    jne 1f
    MAY_FAULT "movq (%rsi), %rax", .Lcopy_by_bytes
    MAY_FAULT "movq %rax, (%rdi)", .Lcopy_by_bytes
    SMAP_CLAC
    xorl %eax, %eax
    ret
1:  movq %rdx, %rcx
    shrq $3, %rcx
    MAY_FAULT "rep movsq", .Lcopy_rest
    movl %edx, %ecx
    andl $7, %ecx
2:  MAY_FAULT "rep movsb", .Lcopy_end
.Lcopy_end:
    SMAP_CLAC
    movq %rcx, %rax
    ret
.Lcopy_rest: /* words left in rcx, and the odd bytes */
    andl $7, %edx
    leaq (%rdx, %rcx, 8), %rcx
    jmp 2b
.Lcopy_by_bytes:
    movl $8, %ecx
    jmp 2b
    .size user_copy_bytes, . - user_copy_bytes

/* size_t user_clear_bytes(void *destination, size_t size): the bytes not cleared. */
    .globl user_clear_bytes
    .type user_clear_bytes, @function
user_clear_bytes:
    SMAP_STAC
    xorl %eax, %eax
    movq %rsi, %rcx
    shrq $3, %rcx
    MAY_FAULT "rep stosq", .Lclear_rest
    movl %esi, %ecx
    andl $7, %ecx
1:  MAY_FAULT "rep stosb", .Lclear_end
.Lclear_end:
    SMAP_CLAC
    movq %rcx, %rax
    ret
.Lclear_rest:
    andl $7, %esi
    leaq (%rsi, %rcx, 8), %rcx
    jmp 1b
    .size user_clear_bytes, . - user_clear_bytes

/*
 * long user_copy_string(char *destination, const char *source, size_t size): the length without the NUL,
 * `size` if there is none within it, -1 if a byte could not be read. size > 0.
 */
    .globl user_copy_string
    .type user_copy_string, @function
user_copy_string:
    SMAP_STAC
    xorl %eax, %eax
1:  MAY_FAULT "movb (%rsi, %rax), %cl", .Lstring_fault
    movb %cl, (%rdi, %rax)
    testb %cl, %cl
    jz 2f
    incq %rax
    cmpq %rdx, %rax
    jne 1b
2:  SMAP_CLAC
    ret
.Lstring_fault:
    SMAP_CLAC
    movq $-1, %rax
    ret
    .size user_copy_string, . - user_copy_string

    .section .note.GNU-stack, "", @progbits
