/* How the machine shows its RAM to the kernel, and its fastest ways to fill and copy it. */
#pragma once

#include <stddef.h>

/* All RAM is visible: physical address + this = kernel address. */
#define PORT_DIRECT_MAP 0xffff800000000000ul

static inline void port_clear_words(void *memory, size_t words)
{
    __asm__ volatile("rep stosq" : "+D"(memory), "+c"(words) : "a"(0ul) : "memory");
}

static inline void port_copy_words(void *destination, const void *source, size_t words)
{
    __asm__ volatile("rep movsq" : "+D"(destination), "+S"(source), "+c"(words)::"memory");
}
