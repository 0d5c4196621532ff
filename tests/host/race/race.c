/*
 * The detector: a vector clock for each CPU, one for each address that synchronises, and for each
 * eight bytes of memory the last accesses to them. Both tables are caches: what falls out of them
 * is forgotten, which can hide a race but never makes one up.
 */
#include "race.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "internal.h"

#define CPUS      8
#define CELLS     6
#define GRANULES  (1u << 16)
#define SYNC_SIZE (1u << 15)

struct clock {
    uint32_t of[CPUS];
};

struct cell {
    uint32_t clock;
    uint8_t cpu;
    uint8_t bytes; /* a bit each; 0: unused */
    bool is_write, is_atomic;
    void *caller;
};

struct granule {
    uintptr_t address;
    uint64_t run;
    unsigned next;
    struct cell cells[CELLS];
};

struct sync {
    uintptr_t address;
    uint64_t run;
    struct clock clock;
};

static struct granule granules[GRANULES];
static struct sync syncs[SYNC_SIZE];
static struct clock cpu_clocks[CPUS], fence_clock;
static struct clock forgotten; /* of the addresses that fell out: what they ordered stays ordered */
static uint64_t run;

static uint64_t hash_of(uintptr_t address)
{
    return address * 0x9e3779b97f4a7c15ull >> 32;
}

/* --- Clocks --- */

bool race_is_on(void)
{
    return true;
}

void race_begin_run(void)
{
    run++;
    memset(cpu_clocks, 0, sizeof(cpu_clocks));
    memset(&fence_clock, 0, sizeof(fence_clock));
    memset(&forgotten, 0, sizeof(forgotten));
    for (unsigned i = 0; i < CPUS; i++)
        cpu_clocks[i].of[i] = 1;
}

static void join(struct clock *into, const struct clock *from)
{
    for (unsigned i = 0; i < CPUS; i++)
        if (into->of[i] < from->of[i])
            into->of[i] = from->of[i];
}

static struct clock *own_clock(void)
{
    return &cpu_clocks[sim_cpu->index];
}

/* What was done until now is in `into`; what follows is later. */
static void release(struct clock *into)
{
    join(into, own_clock());
    own_clock()->of[sim_cpu->index]++;
}

static struct sync *sync_of(const volatile void *address)
{
    struct sync *sync = &syncs[hash_of((uintptr_t)address) % SYNC_SIZE];

    if (sync->run == run && sync->address == (uintptr_t)address)
        return sync;
    if (sync->run == run)
        join(&forgotten, &sync->clock);
    *sync = (struct sync){.address = (uintptr_t)address, .run = run, .clock = forgotten};
    return sync;
}

static bool acquires(int order)
{
    return order == __ATOMIC_ACQUIRE || order == __ATOMIC_CONSUME || order == __ATOMIC_ACQ_REL ||
           order == __ATOMIC_SEQ_CST;
}

static bool releases(int order)
{
    return order == __ATOMIC_RELEASE || order == __ATOMIC_ACQ_REL || order == __ATOMIC_SEQ_CST;
}

void race_load(const volatile void *address, int order)
{
    if (acquires(order))
        join(own_clock(), &sync_of(address)->clock);
}

void race_store(const volatile void *address, int order)
{
    struct sync *sync = sync_of(address);

    memset(&sync->clock, 0, sizeof(sync->clock));
    if (releases(order))
        release(&sync->clock);
}

void race_exchange(const volatile void *address, int order)
{
    struct sync *sync = sync_of(address);

    if (acquires(order))
        join(own_clock(), &sync->clock);
    if (releases(order))
        release(&sync->clock);
}

void race_fence(int order)
{
    if (acquires(order))
        join(own_clock(), &fence_clock);
    if (releases(order))
        release(&fence_clock);
}

/* What the machine itself orders: an interrupt after its cause, an allocation after the free. */
void race_machine_order(void)
{
    race_fence(__ATOMIC_SEQ_CST);
}

/* --- Accesses --- */

static void describe(char *buffer, size_t size, void *address)
{
    if (!symbols_name(address, buffer, size) && !memory_describe(address, buffer, size))
        snprintf(buffer, size, "%p", address);
}

static void report(uintptr_t address, const struct cell *before, const struct cell *now)
{
    char object[96], here[96], there[96];

    describe(object, sizeof(object), (void *)(address + __builtin_ctz(now->bytes)));
    describe(here, sizeof(here), (char *)now->caller - 1);
    describe(there, sizeof(there), (char *)before->caller - 1);
    sim_fail("data race on %s: %s%s by CPU %u in %s (%p), after %s%s by CPU %u in %s (%p)", object,
             now->is_atomic ? "atomic " : "", now->is_write ? "write" : "read", now->cpu, here,
             now->caller, before->is_atomic ? "atomic " : "", before->is_write ? "write" : "read",
             before->cpu, there, before->caller);
}

/* An atomic read that meets a plain write is taken for deliberate: whoever wrote it knew. */
static bool is_harmless(const struct cell *a, const struct cell *b)
{
    return (a->is_atomic && b->is_atomic) || (!a->is_write && (a->is_atomic || !b->is_write)) ||
           (!b->is_write && b->is_atomic);
}

static bool conflict(const struct cell *before, const struct cell *now)
{
    return (before->bytes & now->bytes) && before->cpu != now->cpu &&
           before->clock > own_clock()->of[before->cpu] && !is_harmless(before, now);
}

/* The cell of the same CPU and kind is replaced; else the oldest. */
static struct cell *cell_for(struct granule *granule, const struct cell *now)
{
    for (unsigned i = 0; i < CELLS; i++) {
        struct cell *cell = &granule->cells[i];

        if (!cell->bytes || (cell->cpu == now->cpu && cell->bytes == now->bytes &&
                             cell->is_write == now->is_write && cell->is_atomic == now->is_atomic))
            return cell;
    }
    return &granule->cells[granule->next++ % CELLS];
}

static void access_granule(uintptr_t address, struct cell now)
{
    struct granule *granule = &granules[hash_of(address) % GRANULES];

    if (granule->run != run || granule->address != address)
        *granule = (struct granule){.address = address, .run = run};
    for (unsigned i = 0; i < CELLS; i++)
        if (conflict(&granule->cells[i], &now))
            report(address, &granule->cells[i], &now);
    *cell_for(granule, &now) = now;
}

void race_access(const volatile void *address, size_t size, bool is_write, bool is_atomic,
                 void *caller)
{
    uintptr_t first = (uintptr_t)address, end = first + size;

    if (!sim_cpu || !run)
        return;
    while (first < end) {
        uintptr_t granule = first & ~7ul;
        uintptr_t limit = granule + 8 < end ? granule + 8 : end;
        uint8_t bytes = (uint8_t)((0xff >> (8 - (limit - first))) << (first - granule));

        access_granule(granule, (struct cell){.clock = own_clock()->of[sim_cpu->index],
                                              .cpu = sim_cpu->index,
                                              .bytes = bytes,
                                              .is_write = is_write,
                                              .is_atomic = is_atomic,
                                              .caller = caller});
        first = limit;
    }
}

/* New memory, or a new stack: nobody has been there. */
void race_forget(const void *address, size_t size)
{
    uintptr_t first = (uintptr_t)address & ~7ul;

    for (uintptr_t at = first; at < (uintptr_t)address + size; at += 8) {
        struct granule *granule = &granules[hash_of(at) % GRANULES];

        if (granule->address == at)
            granule->run = 0;
    }
}
