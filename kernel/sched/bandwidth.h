/*
 * CPU bandwidth: so much CPU time in each period. Replenished when somebody looks, not by a timer,
 * so that a group which does not run costs nothing. An overrun is taken from the periods that
 * follow, so the average is exact; what a period leaves is kept up to `burst`.
 */
#pragma once

#include "sched/spinlock.h"

struct bandwidth {
    struct spinlock lock; /* rank BANDWIDTH */
    /* (lock) all in cycles */
    _Atomic uint64_t quota; /* (lock to write) 0: unlimited */
    uint64_t period, burst;
    uint64_t period_end;
    int64_t left;             /* of this period */
    uint64_t throttled_since; /* 0: not throttled */
    uint64_t throttled;       /* finished throttles */
    uint64_t throttle_count;
};

struct bandwidth_usage {
    uint64_t throttle_count, throttled_ns;
};

/* Any context. */
static inline bool bandwidth_is_limited(const struct bandwidth *bandwidth)
{
    return atomic_load_explicit(&bandwidth->quota, memory_order_relaxed) != 0;
}

void bandwidth_init(struct bandwidth *bandwidth);
/* quota 0: unlimited. A new period begins at `now` with all of the quota. */
void bandwidth_set(struct bandwidth *bandwidth, uint64_t quota, uint64_t period, uint64_t burst,
                   uint64_t now);
/* Run queue lock or none held, interrupts masked for the rest. */
void bandwidth_charge(struct bandwidth *bandwidth, uint64_t cycles, uint64_t now);
/* What may be used at once: UINT64_MAX if unlimited, 0 if it is throttled. */
uint64_t bandwidth_left(struct bandwidth *bandwidth, uint64_t now);
/* When that will be more than 0; `now` or earlier if it is already. */
uint64_t bandwidth_available_at(struct bandwidth *bandwidth, uint64_t now);
void bandwidth_read(struct bandwidth *bandwidth, uint64_t now, struct bandwidth_usage *usage);
