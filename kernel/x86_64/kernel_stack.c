/*
 * The slots of the kernel stack area, one lock for all. A freed slot may still stand in the
 * translation buffers of the CPUs that its thread ran on, so its addresses are not used again
 * before all of them have flushed: that is done for many slots at once, when memory is to be given
 * back or slots run low.
 */
#include "x86_64/kernel_stack.h"

#include "lib/panic.h"
#include "mm/frame_table.h"
#include "sched/spinlock.h"
#include "x86_64/instructions.h"
#include "x86_64/ipi.h"
#include "x86_64/kernel_map.h"
#include "x86_64/page_table.h"

#define SLOT_SIZE       (4 * PORT_PAGE_SIZE)
#define SLOT_COUNT      (KERNEL_STACK_AREA_SIZE / SLOT_SIZE)
#define SLOTS_PER_TABLE (PAGE_LEAF_SPAN / SLOT_SIZE)
#define TABLE_COUNT     (SLOT_COUNT / SLOTS_PER_TABLE)
#define WORD_COUNT      (SLOT_COUNT / 64)
#define CACHE_SIZE      16
#define STALE_MAX       4096 /* then freed slots are made usable again */
#define TABLE_BATCH     32

_Static_assert(KERNEL_STACK_SIZE + PORT_PAGE_SIZE <= SLOT_SIZE,
               "a slot holds a stack and its guard");

struct slot_set {
    uint64_t words[WORD_COUNT];
    unsigned count;
};

static struct spinlock lock = SPINLOCK_INITIALIZER(LOCK_RANK_KERNEL_STACK);
static struct slot_set used;     /* (lock) mapped */
static struct slot_set stale;    /* (lock) unmapped, maybe in translation buffers */
static struct slot_set flushing; /* (lock) stale before the flush that is going on */
static bool is_flushing;         /* (lock) */
static unsigned first_free_word; /* (lock) no word before it has a usable slot */
static void *cache[CACHE_SIZE];  /* (lock) mapped stacks without a thread; their slots are used */
static unsigned cache_count;     /* (lock) */
static uint8_t used_in_table[TABLE_COUNT]; /* (lock) */

static void slot_add(struct slot_set *set, unsigned slot)
{
    set->words[slot / 64] |= 1ul << slot % 64;
    set->count++;
}

static void slot_remove(struct slot_set *set, unsigned slot)
{
    set->words[slot / 64] &= ~(1ul << slot % 64);
    set->count--;
}

/* The lowest address of the stack in a slot: above the guard page. */
static uintptr_t slot_stack(unsigned slot)
{
    return KERNEL_STACK_AREA + slot * SLOT_SIZE + SLOT_SIZE - KERNEL_STACK_SIZE;
}

static unsigned slot_of(const void *stack)
{
    return (unsigned)(((uintptr_t)stack - KERNEL_STACK_AREA) / SLOT_SIZE);
}

/* SLOT_COUNT if there is none. */
static unsigned find_slot(void)
{
    for (unsigned word = first_free_word; word < WORD_COUNT; word++) {
        uint64_t taken = used.words[word] | stale.words[word] | flushing.words[word];

        if (~taken) {
            first_free_word = word;
            return word * 64 + (unsigned)__builtin_ctzl(~taken);
        }
    }
    return SLOT_COUNT;
}

static void unmap_pages(uintptr_t stack, unsigned pages)
{
    uint64_t *entries = kernel_map_stack_entries(stack);
    physical_t frames[KERNEL_STACK_PAGES];

    for (unsigned i = 0; i < pages; i++) {
        frames[i] = entries[i] & PAGE_ENTRY_FRAME;
        entries[i] = 0;
        invalidate_page(stack + i * PORT_PAGE_SIZE);
    }
    frame_put_many(frames, pages);
}

static bool map_pages(uintptr_t stack)
{
    uint64_t *entries = kernel_map_stack_entries(stack);

    for (unsigned i = 0; entries && i < KERNEL_STACK_PAGES; i++) {
        physical_t frame = frame_alloc();

        if (!frame) {
            unmap_pages(stack, i);
            return false;
        }
        entries[i] = frame | kernel_map_stack_bits();
    }
    return entries != NULL;
}

static void *map_new_locked(void)
{
    unsigned slot = find_slot();

    if (slot == SLOT_COUNT)
        return NULL;
    if (!map_pages(slot_stack(slot))) {
        slot_add(&stale, slot);
        return NULL;
    }
    slot_add(&used, slot);
    used_in_table[slot / SLOTS_PER_TABLE]++;
    return (void *)slot_stack(slot);
}

static void unmap_locked(void *stack)
{
    unsigned slot = slot_of(stack);

    unmap_pages((uintptr_t)stack, KERNEL_STACK_PAGES);
    slot_remove(&used, slot);
    slot_add(&stale, slot);
    used_in_table[slot / SLOTS_PER_TABLE]--;
}

static void flush_this_cpu(void *unused)
{
    uint64_t cr4 = read_cr4();

    (void)unused;
    write_cr4(cr4 & ~CR4_GLOBAL_PAGES);
    write_cr4(cr4);
}

static void forget_flushed_locked(void)
{
    for (unsigned word = 0; word < WORD_COUNT; word++)
        flushing.words[word] = 0;
    flushing.count = 0;
    first_free_word = 0;
    is_flushing = false;
}

/* Tables of the area that map nothing, taken out of it. */
static unsigned detach_tables_locked(physical_t *tables)
{
    unsigned count = 0;

    for (unsigned i = 0; i < TABLE_COUNT && count < TABLE_BATCH; i++) {
        physical_t table = 0;

        if (!used_in_table[i])
            table = kernel_map_detach_stack_table(KERNEL_STACK_AREA + i * PAGE_LEAF_SPAN);
        if (table)
            tables[count++] = table;
    }
    return count;
}

/* Makes stale slots usable and frees empty tables. Returns whether there may be more tables. */
static bool flush_stale(void)
{
    physical_t tables[TABLE_BATCH];
    unsigned count;
    irq_state_t irq = spin_lock_irq_save(&lock);

    if (is_flushing) {
        spin_unlock_irq_restore(&lock, irq);
        return false;
    }
    is_flushing = true;
    flushing = stale;
    stale = (struct slot_set){0};
    count = detach_tables_locked(tables);
    spin_unlock_irq_restore(&lock, irq);

    ipi_call(UINT64_MAX >> (64 - port_cpu_count()), flush_this_cpu, NULL);

    irq = spin_lock_irq_save(&lock);
    forget_flushed_locked();
    spin_unlock_irq_restore(&lock, irq);
    for (unsigned i = 0; i < count; i++)
        frame_put(tables[i]);
    return count == TABLE_BATCH;
}

/* Debug builds: a stack of which less than the reserve was never used is as good as overflown. */
#define RESERVE_WORDS (1024 / sizeof(uint64_t))
#define UNUSED_WORD   0x5a5a5a5a5a5a5a5aul

static void paint(uint64_t *stack)
{
    for (size_t i = 0; KIN_DEBUG && i < RESERVE_WORDS; i++)
        stack[i] = UNUSED_WORD;
}

static void check_paint(const uint64_t *stack)
{
    for (size_t i = 0; KIN_DEBUG && i < RESERVE_WORDS; i++)
        if (stack[i] != UNUSED_WORD)
            panic("a kernel stack was used up but for %zu bytes", i * sizeof(*stack));
}

void *kernel_stack_alloc(void)
{
    irq_state_t irq = spin_lock_irq_save(&lock);
    bool many_stale = stale.count >= STALE_MAX;
    void *stack = cache_count ? cache[--cache_count] : map_new_locked();

    spin_unlock_irq_restore(&lock, irq);
    if (many_stale)
        flush_stale();
    if (stack)
        paint(stack);
    return stack;
}

void kernel_stack_free(void *stack)
{
    irq_state_t irq;

    check_paint(stack);
    irq = spin_lock_irq_save(&lock);
    if (cache_count < CACHE_SIZE)
        cache[cache_count++] = stack;
    else
        unmap_locked(stack);
    spin_unlock_irq_restore(&lock, irq);
}

void kernel_stack_drain(void)
{
    irq_state_t irq = spin_lock_irq_save(&lock);

    while (cache_count)
        unmap_locked(cache[--cache_count]);
    spin_unlock_irq_restore(&lock, irq);
    while (flush_stale())
        ;
}

bool kernel_stack_is_guard(uintptr_t address)
{
    uintptr_t offset = address - KERNEL_STACK_AREA;

    return offset < KERNEL_STACK_AREA_SIZE && offset % SLOT_SIZE < SLOT_SIZE - KERNEL_STACK_SIZE;
}
