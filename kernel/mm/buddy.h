/*
 * Free memory in naturally aligned blocks of 2^order frames. The caller holds the lock that guards
 * it (frame.c has it); frames are numbers, their records are in mm/frame_table.h.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/list.h"

#define BUDDY_ORDERS     11
#define BUDDY_FRAMES_MAX 32

struct buddy {
    struct list blocks[BUDDY_ORDERS];
    uint64_t free_frames;
};

void buddy_init(struct buddy *buddy);
/* The number of the first frame, 0 if there is no such block. */
uint64_t buddy_alloc(struct buddy *buddy, unsigned order);
void buddy_free(struct buddy *buddy, uint64_t number, unsigned order);
/* Frees frames first .. end-1, which need not be one block. */
void buddy_free_run(struct buddy *buddy, uint64_t first, uint64_t end);
/* Frees single frames, at most BUDDY_FRAMES_MAX, in any order: those that lie side by side merge at
 * once. */
void buddy_free_frames(struct buddy *buddy, const uint32_t *numbers, unsigned count);
