/*
 * The instructions that touch user memory for the kernel. Each stands in .extable with the place
 * where it goes on if the access is refused. Interrupts stay enabled; the user half is open only
 * in between.
 */
#include "x86_64/smap.h"
#include "x86_64/user_half.h"

#define EFAULT 14

/*
 * int NAME(destination rdi, source rsi, size rdx): 0 or -EFAULT. The sizes of fields, 4 to 16
 * bytes, go by two moves that may overlap.
 */
.macro USER_COPY name, user_address
    .globl \name
    .type \name, @function
\name:
    movabsq $USER_HALF_END, %rax
    subq %rdx, %rax
    jb .Lrefused
    cmpq \user_address, %rax
    jb .Lrefused
    cmpq $16, %rdx
    ja 2f
    cmpl $8, %edx
    jb 1f
    SMAP_STAC
    MAY_FAULT "movq (%rsi), %rax", .Lrefused_open
    MAY_FAULT "movq -8(%rsi, %rdx), %rcx", .Lrefused_open
    MAY_FAULT "movq %rax, (%rdi)", .Lrefused_open
    MAY_FAULT "movq %rcx, -8(%rdi, %rdx)", .Lrefused_open
    SMAP_CLAC
    xorl %eax, %eax
    ret
1:  cmpl $4, %edx
    jb 2f
    SMAP_STAC
    MAY_FAULT "movl (%rsi), %eax", .Lrefused_open
    MAY_FAULT "movl -4(%rsi, %rdx), %ecx", .Lrefused_open
    MAY_FAULT "movl %eax, (%rdi)", .Lrefused_open
    MAY_FAULT "movl %ecx, -4(%rdi, %rdx)", .Lrefused_open
    SMAP_CLAC
    xorl %eax, %eax
    ret
2:  call user_copy_bytes
    negq %rax /* carry, unless all was copied */
    sbbl %eax, %eax
    andl $-EFAULT, %eax
    ret
    .size \name, . - \name
.endm

    .text
    USER_COPY copy_to_user, %rdi
    USER_COPY copy_from_user, %rsi

.Lrefused_open:
    SMAP_CLAC
.Lrefused:
    movl $-EFAULT, %eax
    ret

/*
 * size_t user_copy_bytes(void *destination, const void *source, size_t size): the bytes not copied.
 * A word that is refused is tried again by bytes, so that the count is exact.
 */
    .globl user_copy_bytes
    .type user_copy_bytes, @function
user_copy_bytes:
    SMAP_STAC
    movq %rdx, %rcx
    shrq $3, %rcx
    MAY_FAULT "rep movsq", .Lcopy_rest
    movl %edx, %ecx
    andl $7, %ecx
1:  MAY_FAULT "rep movsb", .Lcopy_end
.Lcopy_end:
    SMAP_CLAC
    movq %rcx, %rax
    ret
.Lcopy_rest: /* words left in rcx, and the odd bytes */
    andl $7, %edx
    leaq (%rdx, %rcx, 8), %rcx
    jmp 1b
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
 * long user_copy_string(char *destination, const char *source, size_t size): the length without
 * the NUL, `size` if there is none within it, -1 if a byte could not be read. size > 0.
 */
    .globl user_copy_string
    .type user_copy_string, @function
user_copy_string:
    SMAP_STAC
    xorl %eax, %eax
    movabsq $0x0101010101010101, %r8
    movabsq $0x8080808080808080, %r9
1:  leaq (%rsi, %rax), %rcx /* bytes, up to the first whole word: one that can't cross a page */
    testb $7, %cl
    jz 2f
    MAY_FAULT "movb (%rsi, %rax), %cl", .Lstring_fault
    movb %cl, (%rdi, %rax)
    testb %cl, %cl
    jz 5f
    incq %rax
    cmpq %rdx, %rax
    jne 1b
    jmp 5f
2:  leaq 8(%rax), %rcx /* words, as long as one fits */
    cmpq %rdx, %rcx
    ja 4f
    MAY_FAULT "movq (%rsi, %rax), %r10", .Lstring_fault
    movq %r10, (%rdi, %rax)
    movq %r10, %rcx /* (word - 01..) & ~word & 80..: bit 7 of the lowest byte that is 0 */
    subq %r8, %rcx
    notq %r10
    andq %r10, %rcx
    andq %r9, %rcx
    jnz 3f
    addq $8, %rax
    jmp 2b
3:  bsfq %rcx, %rcx
    shrl $3, %ecx
    addq %rcx, %rax
    jmp 5f
4:  cmpq %rdx, %rax /* the bytes that are left */
    je 5f
    MAY_FAULT "movb (%rsi, %rax), %cl", .Lstring_fault
    movb %cl, (%rdi, %rax)
    testb %cl, %cl
    jz 5f
    incq %rax
    jmp 4b
5:  SMAP_CLAC
    ret
.Lstring_fault:
    SMAP_CLAC
    movq $-1, %rax
    ret
    .size user_copy_string, . - user_copy_string

    .section .note.GNU-stack, "", @progbits
