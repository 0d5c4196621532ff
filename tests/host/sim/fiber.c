/*
 * Fibers of the simulated machine: stacks from a pool with guard pages, a switch in a dozen
 * instructions, and the annotations that tell the address sanitizer what happens.
 */
#include "fiber.h"

#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "port.h"

#define STACK_SIZE (128 * 1024)
#define GUARD_SIZE 4096

void fiber_switch_stacks(void **save, void *load);
void fiber_first(void);
void fiber_start(struct sim_fiber *self);

static struct sim_fiber host_fiber;
static struct sim_fiber used = {.next = &used, .previous = &used};
static struct sim_fiber *pool;
static unsigned used_count;
static struct sim_fiber *switched_from;

/* Callee-saved registers on the stack, the rest is the compiler's. The zero frame pointer under a
 * new fiber ends walks up its stack. */
__asm__(".text\n"
        ".type fiber_switch_stacks, @function\n"
        "fiber_switch_stacks:\n"
        "    pushq %rbp\n"
        "    pushq %rbx\n"
        "    pushq %r12\n"
        "    pushq %r13\n"
        "    pushq %r14\n"
        "    pushq %r15\n"
        "    movq %rsp, (%rdi)\n"
        "    movq %rsi, %rsp\n"
        "    popq %r15\n"
        "    popq %r14\n"
        "    popq %r13\n"
        "    popq %r12\n"
        "    popq %rbx\n"
        "    popq %rbp\n"
        "    ret\n"
        ".size fiber_switch_stacks, .-fiber_switch_stacks\n"
        /* Where the first switch to a fiber returns to. */
        "fiber_first:\n"
        "    movq %rbx, %rdi\n"
        "    jmp fiber_start\n");

struct sim_fiber *sim_fiber_host(void)
{
    return &host_fiber;
}

unsigned sim_fiber_count(void)
{
    return used_count;
}

static void finish_switch(struct sim_fiber *now)
{
    const void *bottom;
    size_t size;

    __sanitizer_finish_switch_fiber(now->fake_stack, &bottom, &size);
    if (switched_from == &host_fiber) {
        host_fiber.stack = (char *)bottom;
        host_fiber.stack_size = size;
    }
}

void sim_fiber_switch(struct sim_fiber *from, struct sim_fiber *to)
{
    switched_from = from;
    __sanitizer_start_switch_fiber(&from->fake_stack, to->stack, to->stack_size);
    fiber_switch_stacks(&from->stack_pointer, to->stack_pointer);
    finish_switch(from);
}

/* The first function on a new stack. */
void fiber_start(struct sim_fiber *self)
{
    finish_switch(self);
    self->entry(self->argument);
    abort(); /* entries never return */
}

static struct sim_fiber *new_stack(void)
{
    struct sim_fiber *fiber = calloc(1, sizeof(*fiber));
    char *memory = mmap(NULL, GUARD_SIZE + STACK_SIZE, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (!fiber || memory == MAP_FAILED) {
        perror("fiber stack");
        exit(2);
    }
    mprotect(memory, GUARD_SIZE, PROT_NONE);
    fiber->stack = memory + GUARD_SIZE;
    fiber->handlers = calloc(SIM_HANDLERS_MAX, sizeof(*fiber->handlers));
    fiber->stack_size = STACK_SIZE;
    return fiber;
}

struct sim_fiber *sim_fiber_create(void (*entry)(void *), void *argument)
{
    struct sim_fiber *fiber = pool;
    void **top;

    if (fiber)
        pool = fiber->next;
    else
        fiber = new_stack();
    __asan_unpoison_memory_region(fiber->stack, fiber->stack_size);
    fiber->entry = entry;
    fiber->argument = argument;
    fiber->fake_stack = NULL;
    fiber->on_cpu = false;
    fiber->name[0] = '\0';
    /* What the first switch pops: rbx carries the fiber to fiber_first. */
    top = (void **)(fiber->stack + fiber->stack_size);
    *--top = NULL; /* where a return address would be, with the stack aligned for a call */
    *--top = (void *)fiber_first;
    *--top = NULL;  /* rbp */
    *--top = fiber; /* rbx */
    for (int i = 0; i < 4; i++)
        *--top = NULL;
    fiber->stack_pointer = top;
    fiber->next = &used;
    fiber->previous = used.previous;
    used.previous->next = fiber;
    used.previous = fiber;
    used_count++;
    return fiber;
}

void sim_fiber_destroy(struct sim_fiber *fiber)
{
    fiber->previous->next = fiber->next;
    fiber->next->previous = fiber->previous;
    used_count--;
    __asan_poison_memory_region(fiber->stack, fiber->stack_size);
    fiber->next = pool;
    pool = fiber;
}

void sim_fiber_destroy_all(void)
{
    while (used.next != &used)
        sim_fiber_destroy(used.next);
}
