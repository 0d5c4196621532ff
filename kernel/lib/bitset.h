/* Sets of small numbers, as bits in an array of 64-bit words that the caller owns and guards. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BITSET_WORDS(size) (((size) + 63) / 64)

static inline void bitset_add(uint64_t *words, size_t number)
{
    words[number / 64] |= 1ull << (number % 64);
}

static inline void bitset_remove(uint64_t *words, size_t number)
{
    words[number / 64] &= ~(1ull << (number % 64));
}

static inline bool bitset_has(const uint64_t *words, size_t number)
{
    return (words[number / 64] >> (number % 64)) & 1;
}

/* The smallest member >= from, or `size` if there is none. Bits at and above `size` must be clear
 * for the first, and set for the second. */
size_t bitset_next(const uint64_t *words, size_t size, size_t from);
size_t bitset_next_missing(const uint64_t *words, size_t size, size_t from);
/* The largest member, or `size` if the set is empty. */
size_t bitset_last(const uint64_t *words, size_t size);
size_t bitset_count(const uint64_t *words, size_t size);
