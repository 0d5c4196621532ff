/*
 * Page frames: the buddy allocator behind one lock, and in front of it for each CPU short lists of
 * single frames and small blocks, so that the usual allocation takes no lock.
 *
 * A CPU's lists are touched by that CPU alone, with interrupts masked. Any context may allocate and
 * free, with any lock held that ranks below FRAME.
 */
#include "lib/assert.h"
#include "mm/buddy.h"
#include "mm/frame_table.h"
#include "sched/cpu.h"

#define HOT_ORDERS   3 /* blocks of 1, 2 and 4 frames: pages, tables and kernel stacks */
#define STACK_DEPTH  64
#define REFILL_ORDER 5 /* a refill of single frames splits one block of this order */
#define POISON_BYTE  0xdb

struct frame_stack {
    uint32_t count;
    uint32_t numbers[STACK_DEPTH];
};

struct frame_cache {
    struct frame_stack hot[HOT_ORDERS];
    struct frame_stack pools[FRAME_POOL_COUNT];
} ALIGNED(64);

struct frame *frame_table;
uint64_t frame_limit;

static struct spinlock buddy_lock = SPINLOCK_INITIALIZER(LOCK_RANK_FRAME);
static struct buddy buddy;    /* (buddy_lock) */
static uint64_t total_frames; /* (buddy_lock) */
static struct frame_cache caches[CPU_MAX];

static const uint8_t hot_depth[HOT_ORDERS] = {STACK_DEPTH, 16, 8};
static const uint8_t pool_depth[FRAME_POOL_COUNT] = {
    [FRAME_POOL_ZEROED] = 48,
    [FRAME_POOL_ROOT] = 8,
};

static struct frame_cache *this_cache(void)
{
    return &caches[this_cpu()->id];
}

/* Interrupts masked from here on. */

static void drain_singles(struct frame_stack *stack, unsigned count)
{
    spin_lock(&buddy_lock);
    while (count != 0) {
        unsigned part = count < BUDDY_FRAMES_MAX ? count : BUDDY_FRAMES_MAX;

        stack->count -= part;
        buddy_free_frames(&buddy, &stack->numbers[stack->count], part);
        count -= part;
    }
    spin_unlock(&buddy_lock);
}

static void drain(struct frame_stack *stack, unsigned order, unsigned count)
{
    if (order == 0) {
        drain_singles(stack, count);
        return;
    }
    spin_lock(&buddy_lock);
    while (count-- != 0)
        buddy_free(&buddy, stack->numbers[--stack->count], order);
    spin_unlock(&buddy_lock);
}

/* Memory is short: what this CPU keeps may merge into what is wanted. */
static void drain_everything(struct frame_cache *cache)
{
    for (unsigned order = 0; order < HOT_ORDERS; order++)
        drain(&cache->hot[order], order, cache->hot[order].count);
    for (unsigned pool = 0; pool < FRAME_POOL_COUNT; pool++)
        drain(&cache->pools[pool], 0, cache->pools[pool].count);
}

static uint64_t take_block(unsigned order)
{
    uint64_t number;

    spin_lock(&buddy_lock);
    number = buddy_alloc(&buddy, order);
    spin_unlock(&buddy_lock);
    return number;
}

static uint64_t take_block_or_drain(struct frame_cache *cache, unsigned order)
{
    uint64_t number = take_block(order);

    if (number == 0) {
        drain_everything(cache);
        number = take_block(order);
    }
    return number;
}

/* Puts frames on the empty list of single ones. */
static bool refill(struct frame_cache *cache)
{
    struct frame_stack *stack = &cache->hot[0];
    uint64_t number = take_block(REFILL_ORDER);

    if (number != 0) {
        for (unsigned i = 0; i < 1u << REFILL_ORDER; i++)
            stack->numbers[stack->count++] = number + i;
        return true;
    }
    number = take_block_or_drain(cache, 0);
    if (number == 0)
        return false;
    stack->numbers[stack->count++] = number;
    return true;
}

static void set_references(uint64_t number, unsigned order, uint32_t references)
{
    for (uint64_t i = number; i < number + (1ul << order); i++)
        atomic_store_explicit(&frame_table[i].references, references, memory_order_relaxed);
}

static uint64_t pop_block(struct frame_cache *cache, unsigned order)
{
    struct frame_stack *stack = &cache->hot[order];

    if (stack->count != 0)
        return stack->numbers[--stack->count];
    return take_block_or_drain(cache, order);
}

static void push_block(struct frame_cache *cache, uint64_t number, unsigned order)
{
    struct frame_stack *stack = &cache->hot[order];

    if (unlikely(stack->count == hot_depth[order]))
        drain(stack, order, stack->count / 2);
    stack->numbers[stack->count++] = number;
}

/* Up to here. */

physical_t frame_alloc(void)
{
    irq_state_t state = port_irq_save();
    struct frame_cache *cache = this_cache();
    struct frame_stack *stack = &cache->hot[0];
    uint64_t number = 0;

    if (likely(stack->count != 0) || refill(cache)) {
        number = stack->numbers[--stack->count];
        debug_assert(atomic_load(&frame_table[number].references) == 0);
        atomic_store_explicit(&frame_table[number].references, 1, memory_order_relaxed);
    }
    port_irq_restore(state);
    return number << PAGE_SHIFT;
}

physical_t frame_alloc_zeroed(void)
{
    physical_t frame = frame_alloc();

    if (likely(frame != 0))
        frame_clear(frame);
    return frame;
}

static void poison(uint64_t number, unsigned order)
{
    if (KIN_DEBUG)
        __builtin_memset(frame_pointer(number << PAGE_SHIFT), POISON_BYTE, PAGE_SIZE << order);
}

/* Gives up a reference; interrupts masked. */
static inline void put_reference(struct frame_cache *cache, physical_t frame)
{
    struct frame *record = frame_record(frame);
    uint32_t before = atomic_fetch_sub_explicit(&record->references, 1, memory_order_acq_rel);

    if (before == 1) {
        assert(record->kind == FRAME_PLAIN);
        poison(frame >> PAGE_SHIFT, 0);
        push_block(cache, frame >> PAGE_SHIFT, 0);
    } else {
        assert(before != 0);
    }
}

void frame_get(physical_t frame)
{
    uint32_t before =
        atomic_fetch_add_explicit(&frame_record(frame)->references, 1, memory_order_relaxed);

    assert(before != 0);
}

void frame_put(physical_t frame)
{
    irq_state_t state = port_irq_save();

    put_reference(this_cache(), frame);
    port_irq_restore(state);
}

void frame_put_many(const physical_t *frames, unsigned count)
{
    irq_state_t state = port_irq_save();

    for (unsigned i = 0; i < count; i++)
        put_reference(this_cache(), frames[i]);
    port_irq_restore(state);
}

uint32_t frame_references(physical_t frame)
{
    return atomic_load_explicit(&frame_record(frame)->references, memory_order_acquire);
}

physical_t frame_alloc_order(unsigned order)
{
    irq_state_t state;
    uint64_t number;

    if (order == 0)
        return frame_alloc();
    if (order >= BUDDY_ORDERS)
        return 0;
    state = port_irq_save();
    number = order < HOT_ORDERS ? pop_block(this_cache(), order)
                                : take_block_or_drain(this_cache(), order);
    port_irq_restore(state);
    if (number != 0)
        set_references(number, order, 1);
    return number << PAGE_SHIFT;
}

void frame_free_order(physical_t frame, unsigned order)
{
    uint64_t number = frame >> PAGE_SHIFT;
    irq_state_t state;

    assert(number < frame_limit && frame_table[number].kind == FRAME_PLAIN &&
           frame_references(frame) == 1);
    set_references(number, order, 0);
    poison(number, order);
    state = port_irq_save();
    if (order < HOT_ORDERS) {
        push_block(this_cache(), number, order);
    } else {
        spin_lock(&buddy_lock);
        buddy_free(&buddy, number, order);
        spin_unlock(&buddy_lock);
    }
    port_irq_restore(state);
}

physical_t frame_pool_take(enum frame_pool pool)
{
    irq_state_t state = port_irq_save();
    struct frame_stack *stack = &this_cache()->pools[pool];
    uint64_t number = 0;

    if (likely(stack->count != 0)) {
        number = stack->numbers[--stack->count];
        atomic_store_explicit(&frame_table[number].references, 1, memory_order_relaxed);
    }
    port_irq_restore(state);
    return number << PAGE_SHIFT;
}

/* Are the frame's first words zero that every frame of the pool must have zero? */
static __attribute__((unused)) bool is_fit_for_pool(enum frame_pool pool, physical_t frame)
{
    const uint64_t *words = frame_pointer(frame);
    unsigned count = PAGE_SIZE / 8 / (pool == FRAME_POOL_ROOT ? 2 : 1);

    while (count != 0)
        if (words[--count] != 0)
            return false;
    return true;
}

void frame_pool_give(enum frame_pool pool, physical_t frame)
{
    irq_state_t state = port_irq_save();
    struct frame_stack *stack = &this_cache()->pools[pool];

    debug_assert(frame_references(frame) == 1 && is_fit_for_pool(pool, frame));
    atomic_store_explicit(&frame_record(frame)->references, 0, memory_order_relaxed);
    if (likely(stack->count < pool_depth[pool]))
        stack->numbers[stack->count++] = frame >> PAGE_SHIFT;
    else
        push_block(this_cache(), frame >> PAGE_SHIFT, 0);
    port_irq_restore(state);
}

void *frame_address(physical_t frame)
{
    return frame_pointer(frame);
}

physical_t frame_of(const void *address)
{
    return frame_of_pointer(address);
}

void frame_table_init(struct frame *table, uint64_t limit)
{
    frame_table = table;
    frame_limit = limit;
    port_clear_words(table, limit * sizeof(*table) / 8);
    for (uint64_t i = 0; i < limit; i++)
        table[i].kind = FRAME_RESERVED;
    buddy_init(&buddy);
}

void frame_add(uint64_t first, uint64_t end)
{
    irq_state_t state = spin_lock_irq_save(&buddy_lock);

    assert(end <= frame_limit);
    for (uint64_t i = first; i < end; i++) {
        assert(frame_table[i].kind == FRAME_RESERVED);
        frame_table[i].kind = FRAME_PLAIN;
    }
    buddy_free_run(&buddy, first, end);
    total_frames += end - first;
    spin_unlock_irq_restore(&buddy_lock, state);
}

uint64_t frame_total_count(void)
{
    return total_frames;
}

uint64_t frame_free_count(void)
{
    uint64_t count;
    irq_state_t state = spin_lock_irq_save(&buddy_lock);

    count = buddy.free_frames;
    for (unsigned cpu = 0; cpu < CPU_MAX; cpu++) {
        for (unsigned order = 0; order < HOT_ORDERS; order++)
            count += (uint64_t)caches[cpu].hot[order].count << order;
        for (unsigned pool = 0; pool < FRAME_POOL_COUNT; pool++)
            count += caches[cpu].pools[pool].count;
    }
    spin_unlock_irq_restore(&buddy_lock, state);
    return count;
}
