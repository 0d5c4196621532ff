/*
 * Random bytes: ChaCha20 (RFC 8439) as a generator that erases its key as it goes, so that what was
 * given out can't be computed back. Seeded at boot from RDRAND and the jitter of the time stamp
 * counter. One lock guards the key.
 */
#include "x86_64/random.h"

#include "lib/string.h"
#include "sched/spinlock.h"
#include "x86_64/cpu_features.h"

#define KEY_WORDS    8
#define BLOCK_WORDS  16
#define ROUND_PAIRS  10
#define RDRAND_TRIES 10

static struct spinlock lock = SPINLOCK_INITIALIZER(LOCK_RANK_DEVICE);
static uint32_t key[KEY_WORDS]; /* (lock) */

static inline uint32_t rotate(uint32_t value, unsigned bits)
{
    return value << bits | value >> (32 - bits);
}

static inline void quarter_round(uint32_t *s, unsigned a, unsigned b, unsigned c, unsigned d)
{
    s[a] += s[b];
    s[d] = rotate(s[d] ^ s[a], 16);
    s[c] += s[d];
    s[b] = rotate(s[b] ^ s[c], 12);
    s[a] += s[b];
    s[d] = rotate(s[d] ^ s[a], 8);
    s[c] += s[d];
    s[b] = rotate(s[b] ^ s[c], 7);
}

static void make_block(uint32_t block[BLOCK_WORDS], uint32_t counter)
{
    uint32_t start[BLOCK_WORDS] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};

    memcpy(start + 4, key, sizeof(key));
    start[12] = counter;
    memcpy(block, start, sizeof(start));
    for (unsigned i = 0; i < ROUND_PAIRS; i++) {
        for (unsigned column = 0; column < 4; column++)
            quarter_round(block, column, 4 + column, 8 + column, 12 + column);
        for (unsigned d = 0; d < 4; d++)
            quarter_round(block, d, 4 + (d + 1) % 4, 8 + (d + 2) % 4, 12 + (d + 3) % 4);
    }
    for (unsigned i = 0; i < BLOCK_WORDS; i++)
        block[i] += start[i];
}

/* The first half of the first block is the next key, and is never given out. */
void port_random(void *buffer, size_t size)
{
    uint32_t block[BLOCK_WORDS], next_key[KEY_WORDS];
    uint8_t *to = buffer;
    size_t skip = sizeof(key);
    irq_state_t irq = spin_lock_irq_save(&lock);

    for (uint32_t counter = 0; size || !counter; counter++) {
        make_block(block, counter);
        if (!counter)
            memcpy(next_key, block, sizeof(next_key));

        size_t usable = sizeof(block) - skip;
        size_t piece = size < usable ? size : usable;

        memcpy(to, (uint8_t *)block + skip, piece);
        to += piece;
        size -= piece;
        skip = 0;
    }
    memcpy(key, next_key, sizeof(key));
    spin_unlock_irq_restore(&lock, irq);
}

static uint64_t hardware_random(void)
{
    uint64_t value = 0;
    bool good = false;

    for (unsigned i = 0; cpu_features.rdrand && !good && i < RDRAND_TRIES; i++)
        __asm__ volatile("rdrand %0; setc %1" : "=r"(value), "=qm"(good));
    return value;
}

void random_init(uint64_t seed)
{
    for (unsigned i = 0; i < KEY_WORDS / 2; i++) {
        uint64_t words = hardware_random() ^ rotate((uint32_t)port_cycles(), 7 * i) ^ seed;

        key[2 * i] ^= (uint32_t)words;
        key[2 * i + 1] ^= (uint32_t)(words >> 32);
    }
    port_random(NULL, 0);
}
