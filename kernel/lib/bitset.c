/* Sets of small numbers: searches, a word at a time. See bitset.h. */
#include "lib/bitset.h"

/* The smallest number >= from whose bit, after the exclusive or with `flip`, is set. */
static size_t next_bit(const uint64_t *words, size_t size, size_t from, uint64_t flip)
{
    size_t index = from / 64;
    uint64_t word;

    if (from >= size)
        return size;
    word = (words[index] ^ flip) & (~0ull << (from % 64));
    while (!word) {
        if (++index >= BITSET_WORDS(size))
            return size;
        word = words[index] ^ flip;
    }
    return index * 64 + (size_t)__builtin_ctzll(word);
}

size_t bitset_next(const uint64_t *words, size_t size, size_t from)
{
    return next_bit(words, size, from, 0);
}

size_t bitset_next_missing(const uint64_t *words, size_t size, size_t from)
{
    return next_bit(words, size, from, ~0ull);
}

size_t bitset_last(const uint64_t *words, size_t size)
{
    size_t index = BITSET_WORDS(size);

    while (index-- > 0)
        if (words[index])
            return index * 64 + 63 - (size_t)__builtin_clzll(words[index]);
    return size;
}

size_t bitset_count(const uint64_t *words, size_t size)
{
    size_t count = 0;

    for (size_t index = 0; index < BITSET_WORDS(size); index++)
        for (uint64_t word = words[index]; word; word &= word - 1)
            count++;
    return count;
}
