/*
 * Waiting on a word of user memory, as futex(2): how semaphores, locks and barriers in shared
 * memory sleep.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/compiler.h"

struct futex_wait {
    uintptr_t address;
    uint32_t value;    /* the word must have it when the sleep begins */
    uint32_t bits;     /* which wakers are meant */
    bool is_private;   /* only this address space is meant, even if the memory is shared */
    uint64_t deadline; /* in port_clock_ns() time; DEADLINE_NEVER */
};

/* 0 when woken; -EAGAIN (another value), -EFAULT -ERESTARTSYS -ETIMEDOUT. May sleep before. */
int futex_wait(const struct futex_wait *wait) MUST_CHECK;
/* Wakes those who wait on the word for any of `bits`, oldest first, until `count` are woken, but
 * always one. How many, or -EFAULT. May sleep. */
int futex_wake(uintptr_t address, int count, uint32_t bits, bool is_private);
