/* The machine under the memory tests: RAM in an arena, locks that only check, a TLB that counts. */
#include "machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "boot/handoff.h"
#include "mm/frame_table.h"
#include "mm/mm.h"
#include "mm/space.h"
#include "sched/cpu.h"

#define RAM_START 0x100000ul

struct cpu *test_cpu;
struct thread *test_thread;
unsigned tlb_flush_count;

static physical_t taken; /* a chain of frames through their first words */
static uint64_t random_state = 88172645463325252ull;

void machine_start(void)
{
    static struct cpu cpu;
    static struct thread thread;
    static struct boot_info info;
    uint64_t size = MACHINE_FRAMES * PAGE_SIZE;
    void *ram = mmap((void *)PORT_DIRECT_MAP, RAM_START + size, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

    if (ram == MAP_FAILED) {
        perror("mmap");
        exit(1);
    }
    test_cpu = &cpu;
    test_thread = &thread;
    info.memory_count = 2;
    info.memory[0] = (struct boot_memory){.base = 0, .size = 0x9f000, .kind = BOOT_MEMORY_USABLE};
    info.memory[1] =
        (struct boot_memory){.base = RAM_START, .size = size, .kind = BOOT_MEMORY_USABLE};
    mm_init(&info);
    page_table_set_kernel_root(frame_alloc_zeroed());
}

struct balance balance_now(void)
{
    return (struct balance){frame_free_count(), slab_live_objects(), mm_committed_pages()};
}

void assert_balanced(struct balance before)
{
    struct balance now = balance_now();

    assert_int_equal(now.objects, before.objects);
    assert_int_equal(now.frames, before.frames);
    assert_int_equal(now.committed, before.committed);
}

void take_frames(uint64_t keep)
{
    for (uint64_t count = frame_free_count(); count > keep; count--) {
        physical_t frame = frame_alloc();

        if (frame == 0)
            break;
        *(physical_t *)frame_pointer(frame) = taken;
        taken = frame;
    }
}

void give_frames_back(void)
{
    while (taken != 0) {
        physical_t frame = taken;

        taken = *(physical_t *)frame_pointer(frame);
        frame_put(frame);
    }
}

uint64_t random_number(uint64_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % below;
}

/* --- What the code under test calls --- */

void panic(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    abort();
}

void spin_lock_contended(struct spinlock *lock)
{
    fail_msg("a lock of rank %d is taken twice", lock->rank);
}

void lock_check_spin_acquire(const void *lock, enum lock_rank rank)
{
}

void lock_check_spin_release(const void *lock)
{
}

void mutex_init(struct mutex *mutex, enum lock_rank rank)
{
    mutex->owner = 0;
}

void mutex_lock(struct mutex *mutex)
{
    assert_int_equal(mutex->owner, 0);
    mutex->owner = 1;
}

void mutex_unlock(struct mutex *mutex)
{
    assert_int_equal(mutex->owner, 1);
    mutex->owner = 0;
}

void sched_point(void)
{
}

void tlb_load(struct page_table *table)
{
}

void tlb_evict(struct page_table *table)
{
}

void tlb_flush_page(struct page_table *table, uintptr_t address)
{
    tlb_flush_count++;
}

void tlb_flush_range(struct page_table *table, uintptr_t start, uintptr_t end)
{
    tlb_flush_count++;
}

void tlb_flush_all(struct page_table *table)
{
    tlb_flush_count++;
}
