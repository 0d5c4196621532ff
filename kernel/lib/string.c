/*
 * Memory and string functions of the freestanding kernel. The compiler calls memcpy, memmove,
 * memset and memcmp by itself, so they must not be compiled into calls of themselves: KEEP_LOOP
 * hides the loops from that optimisation.
 */
#include "lib/string.h"

#include <stdint.h>

#define KEEP_LOOP() __asm__ volatile("" ::: "memory")

/* Beyond this many bytes the string instructions win over a loop. */
#define STRING_INSTRUCTION_MIN 128

/* Unaligned access of a fixed size that may alias anything. */
#define DEFINE_ACCESS(bits)                                                                        \
    static inline uint##bits##_t load##bits(const void *address)                                   \
    {                                                                                              \
        uint##bits##_t value;                                                                      \
        __builtin_memcpy(&value, address, sizeof(value));                                          \
        return value;                                                                              \
    }                                                                                              \
    static inline void store##bits(void *address, uint##bits##_t value)                            \
    {                                                                                              \
        __builtin_memcpy(address, &value, sizeof(value));                                          \
    }
DEFINE_ACCESS(16)
DEFINE_ACCESS(32)
DEFINE_ACCESS(64)

/* Up to 16 bytes as two pieces that may overlap; both are read before either is written. */
static inline void copy_short(char *to, const char *from, size_t size)
{
    if (size >= 8) {
        uint64_t head = load64(from), tail = load64(from + size - 8);
        store64(to, head);
        store64(to + size - 8, tail);
    } else if (size >= 4) {
        uint32_t head = load32(from), tail = load32(from + size - 4);
        store32(to, head);
        store32(to + size - 4, tail);
    } else if (size >= 2) {
        uint16_t head = load16(from), tail = load16(from + size - 2);
        store16(to, head);
        store16(to + size - 2, tail);
    } else if (size) {
        *to = *from;
    }
}

void *memcpy(void *restrict destination, const void *restrict source, size_t size)
{
    char *to = destination;
    const char *from = source;
    size_t words = size / 8;

    if (size <= 16) {
        copy_short(to, from, size);
        return destination;
    }
    store64(to + size - 8, load64(from + size - 8));
    if (size >= STRING_INSTRUCTION_MIN) {
        __asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words)::"memory");
        return destination;
    }
    for (; words; words--, to += 8, from += 8) {
        store64(to, load64(from));
        KEEP_LOOP();
    }
    return destination;
}

static void copy_downwards(char *to, const char *from, size_t size)
{
    for (; size >= 8; size -= 8) {
        store64(to + size - 8, load64(from + size - 8));
        KEEP_LOOP();
    }
    for (; size; size--) {
        to[size - 1] = from[size - 1];
        KEEP_LOOP();
    }
}

static void copy_upwards(char *to, const char *from, size_t size)
{
    for (; size >= 8; size -= 8, to += 8, from += 8) {
        store64(to, load64(from));
        KEEP_LOOP();
    }
    for (; size; size--) {
        *to++ = *from++;
        KEEP_LOOP();
    }
}

void *memmove(void *destination, const void *source, size_t size)
{
    size_t distance = (size_t)((char *)destination - (const char *)source);

    if (size <= 16)
        copy_short(destination, source, size);
    else if (distance < size)
        copy_downwards(destination, source, size);
    else
        copy_upwards(destination, source, size);
    return destination;
}

void *memset(void *destination, int byte, size_t size)
{
    uint64_t pattern = (uint8_t)byte * 0x0101010101010101ul;
    char *to = destination;
    size_t words = size / 8;

    if (size < 8) {
        for (; size; size--) {
            *to++ = (char)byte;
            KEEP_LOOP();
        }
        return destination;
    }
    store64(to + size - 8, pattern);
    if (size >= STRING_INSTRUCTION_MIN) {
        __asm__ volatile("rep stosq" : "+D"(to), "+c"(words) : "a"(pattern) : "memory");
        return destination;
    }
    for (; words; words--, to += 8) {
        store64(to, pattern);
        KEEP_LOOP();
    }
    return destination;
}

int memcmp(const void *left, const void *right, size_t size)
{
    const uint8_t *a = left, *b = right;

    for (; size >= 8 && load64(a) == load64(b); size -= 8, a += 8, b += 8)
        ;
    for (; size; size--, a++, b++)
        if (*a != *b)
            return *a - *b;
    return 0;
}

void *memchr(const void *memory, int byte, size_t size)
{
    const uint8_t *p = memory;

    for (; size; size--, p++)
        if (*p == (uint8_t)byte)
            return (void *)p;
    return NULL;
}

size_t strlen(const char *string)
{
    size_t length = 0;

    while (string[length]) {
        length++;
        KEEP_LOOP();
    }
    return length;
}

size_t strnlen(const char *string, size_t limit)
{
    size_t length = 0;

    while (length < limit && string[length])
        length++;
    return length;
}

int strcmp(const char *left, const char *right)
{
    return strncmp(left, right, SIZE_MAX);
}

int strncmp(const char *left, const char *right, size_t limit)
{
    for (; limit; limit--, left++, right++) {
        if (*left != *right)
            return (uint8_t)*left - (uint8_t)*right;
        if (!*left)
            break;
    }
    return 0;
}

char *strchr(const char *string, int byte)
{
    for (; *string != (char)byte; string++)
        if (!*string)
            return NULL;
    return (char *)string;
}

char *strrchr(const char *string, int byte)
{
    const char *found = NULL;

    for (;; string++) {
        if (*string == (char)byte)
            found = string;
        if (!*string)
            return (char *)found;
    }
}
