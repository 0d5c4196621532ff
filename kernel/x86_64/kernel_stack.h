/*
 * Kernel stacks: each in a slot of its own of the kernel stack area, above an unmapped page that
 * catches an overflow.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/compiler.h"
#include "port.h"

#define KERNEL_STACK_PAGES 2
#define KERNEL_STACK_SIZE  (KERNEL_STACK_PAGES * PORT_PAGE_SIZE)

/* The lowest address of a stack of KERNEL_STACK_SIZE bytes; NULL if memory is short. The contents
 * are undefined. Thread context, no spinlock held. */
void *kernel_stack_alloc(void) MUST_CHECK;
/* Not the caller's own. A few are kept for the next thread. Any context, any lock that ranks below
 * LOCK_RANK_KERNEL_STACK. */
void kernel_stack_free(void *stack);
/* Gives back the memory of those that are kept. Thread context, interrupts enabled, no lock held.
 */
void kernel_stack_drain(void);
/* Does the address lie in the page below a stack? */
bool kernel_stack_is_guard(uintptr_t address);
