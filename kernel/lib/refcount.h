/* Reference counts. A count that reached zero never rises again. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/assert.h"

struct refcount {
    _Atomic uint32_t count;
};

static inline void refcount_init(struct refcount *refs)
{
    atomic_store_explicit(&refs->count, 1, memory_order_relaxed);
}

/* The caller already holds a reference. */
static inline void refcount_get(struct refcount *refs)
{
    uint32_t before = atomic_fetch_add_explicit(&refs->count, 1, memory_order_relaxed);

    assert(before != 0 && before < UINT32_MAX);
}

/* For a table that does not own what it names: fails once the last reference is gone. */
static inline bool refcount_get_unless_zero(struct refcount *refs)
{
    uint32_t count = atomic_load_explicit(&refs->count, memory_order_relaxed);

    while (count != 0)
        if (atomic_compare_exchange_weak_explicit(&refs->count, &count, count + 1,
                                                  memory_order_acquire, memory_order_relaxed))
            return true;
    return false;
}

/* Returns true to the caller who gave up the last reference and must now destroy the object. */
static inline bool MUST_CHECK refcount_put(struct refcount *refs)
{
    uint32_t before = atomic_fetch_sub_explicit(&refs->count, 1, memory_order_acq_rel);

    assert(before != 0);
    return before == 1;
}

/* Has the last reference been given up, so that somebody is about to destroy the object? */
static inline bool refcount_is_zero(const struct refcount *refs)
{
    return atomic_load_explicit(&refs->count, memory_order_relaxed) == 0;
}

/* Does nobody else hold a reference? What they did with the object happened before then. */
static inline bool refcount_is_sole(const struct refcount *refs)
{
    return atomic_load_explicit(&refs->count, memory_order_acquire) == 1;
}

static inline uint32_t refcount_read(const struct refcount *refs)
{
    return atomic_load_explicit(&refs->count, memory_order_relaxed);
}
