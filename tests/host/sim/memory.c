/*
 * Memory of the simulated machine: mm/slab.h, mm/frame.h and mm/address_space.h as counted fakes on
 * the host's allocator, so that the address sanitizer sees every use after a free and the end of a
 * run knows what was forgotten. Any allocation can be told to fail.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "mm/address_space.h"
#include "mm/frame.h"
#include "mm/slab.h"
#include "sched/cpu.h"
#include "sched/sched.h"

enum block_kind { BLOCK_OBJECT, BLOCK_FRAME, BLOCK_SPACE, BLOCK_KIND_COUNT };

/* Beside each block, not in front of it, so that the sanitizer's red zones touch the block. */
struct block {
    struct block *next, *previous; /* all, oldest first */
    struct block *chain;           /* of the hash bucket; of the spare ones */
    void *memory;
    size_t size;
    enum block_kind kind;
    const char *type; /* the cache's name */
    void *owner;      /* who allocated it */
    uint64_t sequence;
    uint32_t references; /* of frames and spaces */
};

#define HASH_SIZE   4096
#define FRAME_TOTAL 65536

static struct block *hash[HASH_SIZE];
static struct block live = {.next = &live, .previous = &live};
static struct block *spare;
static uint64_t counts[BLOCK_KIND_COUNT];
static uint64_t sequence, allocations, refuse_number;
static bool faults_open, refused;

/* --- Refusing --- */

void sim_faults_open(void)
{
    faults_open = true;
}

void sim_faults_close(void)
{
    faults_open = false;
}

bool sim_allocation_refused(void)
{
    return refused;
}

bool memory_refuse(void)
{
    if (!faults_open || ++allocations != refuse_number)
        return false;
    trace_note("this allocation is refused");
    refused = true;
    return true;
}

uint64_t memory_allocations(void)
{
    return allocations;
}

/* --- Blocks --- */

static struct block **bucket_of(const void *memory)
{
    return &hash[((uintptr_t)memory * 0x9e3779b97f4a7c15ull) >> 52];
}

static struct block *block_of(const void *memory)
{
    struct block *block = *bucket_of(memory);

    while (block && block->memory != memory)
        block = block->chain;
    return block;
}

static void *block_alloc(enum block_kind kind, size_t size, const char *type, void *owner)
{
    struct block *block = spare;
    struct block **bucket;

    if (memory_refuse())
        return NULL;
    if (block)
        spare = block->chain;
    else
        block = malloc(sizeof(*block));
    if (!block)
        abort();
    *block = (struct block){.kind = kind,
                            .size = size,
                            .type = type,
                            .owner = owner,
                            .sequence = ++sequence,
                            .references = 1};
    block->memory = kind == BLOCK_FRAME ? aligned_alloc(PAGE_SIZE, size) : calloc(1, size);
    if (!block->memory)
        abort();
    race_machine_order();
    race_forget(block->memory, size);
    bucket = bucket_of(block->memory);
    block->chain = *bucket;
    *bucket = block;
    block->previous = live.previous;
    block->next = &live;
    live.previous->next = block;
    live.previous = block;
    counts[kind]++;
    return block->memory;
}

static void block_free(struct block *block)
{
    struct block **link = bucket_of(block->memory);

    while (*link != block)
        link = &(*link)->chain;
    *link = block->chain;
    block->next->previous = block->previous;
    block->previous->next = block->next;
    counts[block->kind]--;
    race_machine_order();
    free(block->memory);
    block->chain = spare;
    spare = block;
}

static struct block *checked_block(const void *memory, enum block_kind kind, const char *what)
{
    struct block *block = block_of(memory);

    if (!block || block->kind != kind)
        sim_fail("%s of %p, which is not allocated (a double free?)", what, memory);
    return block;
}

void memory_begin_run(uint64_t fail_allocation)
{
    allocations = 0;
    sequence = 0;
    refuse_number = fail_allocation;
    refused = false;
    faults_open = false;
}

void memory_end_run(void)
{
    while (live.next != &live)
        block_free(live.next);
}

uint64_t memory_sequence(void)
{
    return sequence;
}

void memory_print_live(uint64_t above_sequence)
{
    static const char *const kinds[] = {"object", "frame", "address space"};
    char text[96];

    for (struct block *block = live.next; block != &live; block = block->next) {
        if (block->sequence <= above_sequence)
            continue;
        if (!symbols_name((char *)block->owner - 1, text, sizeof(text)))
            snprintf(text, sizeof(text), "%p", block->owner);
        printf("  alive: %s %s of %zu bytes, allocated by %s\n", kinds[block->kind],
               block->type ? block->type : "(kmalloc)", block->size, text);
    }
}

/* Only for reports: looks at all. */
const char *memory_describe(const void *address, char *buffer, size_t size)
{
    for (struct block *block = live.next; block != &live; block = block->next) {
        size_t offset = (const char *)address - (const char *)block->memory;

        if (offset >= block->size)
            continue;
        snprintf(buffer, size, "%s#%lu+%zu", block->type ? block->type : "kmalloc",
                 (unsigned long)block->sequence, offset);
        return buffer;
    }
    return NULL;
}

/* --- mm/slab.h --- */

void *slab_alloc(struct slab_cache *cache)
{
    return block_alloc(BLOCK_OBJECT, cache->size, cache->name, __builtin_return_address(0));
}

void slab_free(struct slab_cache *cache, void *object)
{
    struct block *block = checked_block(object, BLOCK_OBJECT, "slab_free()");

    if (block->type != cache->name)
        sim_fail("a %s is freed as a %s", block->type ? block->type : "kmalloc", cache->name);
    block_free(block);
}

void *kmalloc(size_t size)
{
    return block_alloc(BLOCK_OBJECT, size ? size : 1, NULL, __builtin_return_address(0));
}

void kfree(void *memory)
{
    struct block *block;

    if (!memory)
        return;
    block = checked_block(memory, BLOCK_OBJECT, "kfree()");
    if (block->type)
        sim_fail("a %s is freed with kfree()", block->type);
    block_free(block);
}

uint64_t slab_live_objects(void)
{
    return counts[BLOCK_OBJECT];
}

/* --- mm/frame.h: a frame's number is its address --- */

physical_t frame_alloc_order(unsigned order)
{
    return (physical_t)block_alloc(BLOCK_FRAME, PAGE_SIZE << order, "frame",
                                   __builtin_return_address(0));
}

physical_t frame_alloc(void)
{
    return (physical_t)block_alloc(BLOCK_FRAME, PAGE_SIZE, "frame", __builtin_return_address(0));
}

physical_t frame_alloc_zeroed(void)
{
    void *frame = block_alloc(BLOCK_FRAME, PAGE_SIZE, "frame", __builtin_return_address(0));

    if (frame)
        memset(frame, 0, PAGE_SIZE);
    return (physical_t)frame;
}

void frame_get(physical_t frame)
{
    checked_block((void *)frame, BLOCK_FRAME, "frame_get()")->references++;
}

void frame_put(physical_t frame)
{
    struct block *block = checked_block((void *)frame, BLOCK_FRAME, "frame_put()");

    if (--block->references == 0)
        block_free(block);
}

void frame_free_order(physical_t frame, unsigned order)
{
    (void)order;
    frame_put(frame);
}

uint32_t frame_references(physical_t frame)
{
    return checked_block((void *)frame, BLOCK_FRAME, "frame_references()")->references;
}

void *frame_address(physical_t frame)
{
    return (void *)frame;
}

physical_t frame_of(const void *address)
{
    return (physical_t)address & ~(PAGE_SIZE - 1);
}

uint64_t frame_total_count(void)
{
    return FRAME_TOTAL;
}

uint64_t frame_free_count(void)
{
    return FRAME_TOTAL - counts[BLOCK_FRAME];
}

/* --- mm/address_space.h: nothing but a count --- */

/* Every space has promised the same number of pages, so that jobs have something to pay for. */
#define SPACE_PAGES 4

struct address_space {
    uint32_t references;
    struct address_space_account *account;
    struct address_space_layout layout;
};

static void may_sleep(void)
{
    lock_check_may_sleep();
    sim_point();
}

struct address_space *address_space_create(void)
{
    struct address_space *space =
        block_alloc(BLOCK_SPACE, sizeof(*space), "address_space", __builtin_return_address(0));

    if (space)
        space->references = 1;
    return space;
}

struct address_space *address_space_fork(struct address_space *parent, int *error)
{
    struct address_space *space;

    may_sleep();
    SIM_CHECK(parent->references > 0);
    space = address_space_create();
    if (space && address_space_set_account(space, parent->account) != 0) {
        address_space_put(space);
        space = NULL;
    }
    if (!space)
        *error = -12; /* ENOMEM */
    return space;
}

int address_space_set_account(struct address_space *space, struct address_space_account *account)
{
    struct address_space_account *old = space->account;

    if (account && account->charge(account, SPACE_PAGES, SPACE_PAGES) != 0)
        return -12; /* ENOMEM */
    space->account = account;
    if (account)
        account->get(account);
    if (old) {
        old->uncharge(old, SPACE_PAGES);
        old->put(old);
    }
    return 0;
}

void address_space_get(struct address_space *space)
{
    SIM_CHECK(space->references > 0);
    space->references++;
}

bool address_space_is_shared(struct address_space *space)
{
    return space->references > 1;
}

void address_space_put(struct address_space *space)
{
    may_sleep();
    SIM_CHECK(space->references > 0);
    if (--space->references)
        return;
    SIM_CHECK(sim_cpu->current->space != space);
    if (address_space_set_account(space, NULL) != 0)
        sim_fail("a space cannot leave its account");
    block_free(checked_block(space, BLOCK_SPACE, "address_space_put()"));
}

void address_space_use(struct address_space *space)
{
    sim_cpu->current->space = space;
}

struct address_space_layout *address_space_layout(struct address_space *space)
{
    return &space->layout;
}

void address_space_get_usage(struct address_space *space, struct address_space_usage *usage)
{
    SIM_CHECK(space->references > 0);
    *usage = (struct address_space_usage){.resident_pages = 1, .mapped_pages = 1};
}

/* Images have no bytes here: mapping succeeds and leaves nothing behind. */
int64_t address_space_map(struct address_space *space, const struct mapping_request *request)
{
    may_sleep();
    SIM_CHECK(space->references > 0);
    return memory_refuse() ? -12 : (int64_t)request->address;
}

int64_t address_space_map_stack(struct address_space *space, size_t limit, bool executable)
{
    (void)limit;
    (void)executable;
    may_sleep();
    SIM_CHECK(space->references > 0);
    return memory_refuse() ? -12 : (int64_t)0x7ffffffff000;
}

void address_space_set_brk_start(struct address_space *space, uintptr_t start)
{
    (void)start;
    SIM_CHECK(space->references > 0);
}

int address_space_write(struct address_space *space, uintptr_t address, const void *data,
                        size_t size)
{
    (void)address;
    may_sleep();
    SIM_CHECK(space->references > 0);
    for (size_t i = 0; i < size; i++)
        (void)((const volatile char *)data)[i];
    return memory_refuse() ? -12 : 0;
}

/* All memory is private here. */
int address_space_find_shared(struct address_space *space, uintptr_t address,
                              struct mapping_source **source, uint64_t *offset)
{
    (void)address;
    (void)offset;
    may_sleep();
    SIM_CHECK(space->references > 0);
    *source = NULL;
    return 0;
}

/* --- Leaks --- */

void sim_memory_now(struct sim_memory *memory)
{
    *memory = (struct sim_memory){counts[BLOCK_OBJECT], counts[BLOCK_FRAME], counts[BLOCK_SPACE],
                                  sim_fiber_count()};
}

static const struct sim_memory *expected;

static bool nothing_more(void *argument)
{
    (void)argument;
    return counts[BLOCK_OBJECT] <= expected->objects && counts[BLOCK_FRAME] <= expected->frames &&
           counts[BLOCK_SPACE] <= expected->spaces && sim_fiber_count() <= expected->stacks;
}

/* Threads on their last way out, and CPUs about to free them, get the time for it. */
void sim_check_leaks(const struct sim_memory *before)
{
    expected = before;
    if (sim_poll(nothing_more, NULL))
        return;
    memory_print_live(0);
    sim_fail("leak: objects %lu, frames %lu, spaces %lu, stacks %u; before %lu, %lu, %lu, %lu",
             (unsigned long)counts[BLOCK_OBJECT], (unsigned long)counts[BLOCK_FRAME],
             (unsigned long)counts[BLOCK_SPACE], sim_fiber_count(), (unsigned long)before->objects,
             (unsigned long)before->frames, (unsigned long)before->spaces,
             (unsigned long)before->stacks);
}
