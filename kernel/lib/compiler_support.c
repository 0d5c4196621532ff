/* Functions that the compiler calls by itself where the processor lacks an instruction. */
#include <stdint.h>

int __popcountdi2(int64_t word);

/* Bits set: sums of neighbours, in fields of 2, 4 and 8 bits, and at last of all bytes. */
int __popcountdi2(int64_t word)
{
    uint64_t sums = (uint64_t)word;

    sums -= sums >> 1 & 0x5555555555555555ul;
    sums = (sums & 0x3333333333333333ul) + (sums >> 2 & 0x3333333333333333ul);
    sums = (sums + (sums >> 4)) & 0x0f0f0f0f0f0f0f0ful;
    return (int)(sums * 0x0101010101010101ul >> 56);
}
