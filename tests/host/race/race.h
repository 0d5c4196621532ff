/*
 * A data race detector for the simulated machine: two accesses of different CPUs to the same bytes,
 * at least one of them a plain one and one a write, that nothing orders (happens-before by release
 * and acquire, as in the C memory model).
 *
 * It needs no unlucky schedule: the accesses need not meet, it is enough that nothing kept them
 * apart.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* A plain or atomic access of the present CPU. */
void race_access(const volatile void *address, size_t size, bool is_write, bool is_atomic,
                 void *caller);
/* What an atomic access orders, by its memory order (__ATOMIC_*). */
void race_load(const volatile void *address, int order);
void race_store(const volatile void *address, int order);
void race_exchange(const volatile void *address, int order);
void race_fence(int order);
