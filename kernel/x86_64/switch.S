/*
 * From one kernel stack to another.
 *
 * struct thread *switch_stacks(struct machine_thread *previous, struct machine_thread *next)
 *
 * Only what a C function must preserve is saved, on the stack that is left; the rest is dead at a
 * call. The thread that was left is returned in the other one: rdi survives.
 */
    .text
    .globl switch_stacks
    .type switch_stacks, @function
switch_stacks:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq (%rsi), %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    movq %rdi, %rax
    ret
    .size switch_stacks, . - switch_stacks

/*
 * Where a new thread's first switch returns to (struct first_frame, thread.c): the function in
 * r12, its argument in r13. The zero below the frame ends backtraces.
 */
    .globl thread_first_run
    .type thread_first_run, @function
thread_first_run:
    movq %r13, %rdi
    pushq $0
    jmp *%r12
    .size thread_first_run, . - thread_first_run

    .section .note.GNU-stack, "", @progbits
