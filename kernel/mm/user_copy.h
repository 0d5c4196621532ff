/*
 * Copies between the kernel and the current user address space. A bad address, on either end of the
 * range or anywhere in it, is -EFAULT; what was copied before it stays copied. May sleep (page
 * faults): no spinlock held.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/compiler.h"
#include "mm/address_space.h"

/* 0 or -EFAULT. */
int MUST_CHECK copy_from_user(void *destination, uintptr_t source, size_t size);
int MUST_CHECK copy_to_user(uintptr_t destination, const void *source, size_t size);
int MUST_CHECK clear_user(uintptr_t destination, size_t size);
/* As many bytes as could be copied, 0..size: for read and write, which report partial success. */
size_t copy_from_user_partial(void *destination, uintptr_t source, size_t size);
size_t copy_to_user_partial(uintptr_t destination, const void *source, size_t size);
/* The length without the NUL, which is copied too; -EFAULT; -ENAMETOOLONG if none within size. */
long MUST_CHECK copy_string_from_user(char *destination, uintptr_t source, size_t size);
/* Is the range within the user half? Says nothing about what is mapped. */
static inline bool user_range_ok(uintptr_t address, size_t size)
{
    return size <= USER_ADDRESS_END && address <= USER_ADDRESS_END - size;
}
