/* The machine under the memory tests, and what they all use. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mm/address_space.h"
#include "mm/slab.h"

#define MACHINE_FRAMES 4096 /* 16 MiB */

/* Fresh RAM and allocators for the whole program; called once. */
void machine_start(void);

/* Free frames and live objects, to compare before and after. */
struct balance {
    uint64_t frames, objects, committed;
};
struct balance balance_now(void);
void assert_balanced(struct balance before);

/* Takes all free frames but `keep`; give_frames_back() undoes it. */
void take_frames(uint64_t keep);
void give_frames_back(void);

/* Flushes that the code under test asked for. */
extern unsigned tlb_flush_count;

/* A deterministic generator. */
uint64_t random_number(uint64_t below);
