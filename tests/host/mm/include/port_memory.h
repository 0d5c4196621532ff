/* The test machine's RAM: an arena at a fixed address, which the tests map. */
#pragma once

#include <stddef.h>

#define PORT_DIRECT_MAP 0x200000000000ul

static inline void port_clear_words(void *memory, size_t words)
{
    __builtin_memset(memory, 0, words * 8);
}

static inline void port_copy_words(void *destination, const void *source, size_t words)
{
    __builtin_memcpy(destination, source, words * 8);
}
