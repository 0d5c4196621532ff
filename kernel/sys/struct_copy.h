/* Structures that carry their size, as clone3(2) and the job calls have them. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/compiler.h"

/*
 * Copies a program's structure of `user_size` bytes into the kernel's of `size`: what the program
 * does not know is zero; what the kernel does not know must be zero. -E2BIG if it is not, or if
 * user_size exceeds a page; -EFAULT. May sleep.
 */
int MUST_CHECK copy_struct_from_user(void *destination, size_t size, uintptr_t source,
                                     size_t user_size);
/* The other way: as much as both know, and zeros for what only the program knows. -EFAULT */
int MUST_CHECK copy_struct_to_user(uintptr_t destination, size_t user_size, const void *source,
                                   size_t size);
