/*
 * Translation look-aside buffers: loading of page tables, and shootdown.
 *
 * Invariant: a table's `cpus` holds a CPU's bit while that CPU may walk it. The bit is set before
 * the load and cleared after the next one; a changer writes its entries first and reads `cpus`
 * then, with a full barrier between. So either it sees the bit and interrupts the CPU, or the CPU
 * loads the tables after the change.
 *
 * Requests carry no address: each CPU counts the requests made of it and those served; serving is
 * to flush everything, or to let go of tables that nobody here runs with. A waiting CPU serves its
 * own requests, so two that wait for one another both get on, with interrupts masked too. No locks.
 */
#include <stdatomic.h>

#include "lib/assert.h"
#include "mm/frame_table.h"
#include "mm/space.h"
#include "x86_64/tlb_switch.h"

#define PAGES_ONE_BY_ONE 24 /* above this, reloading the tables is cheaper */

struct tlb_cpu {
    _Atomic uint64_t requested;
    _Atomic uint64_t served;
} ALIGNED(64);

static struct tlb_cpu cpus[CPU_MAX];

static void flush_local(void)
{
    write_cr3(read_cr3());
}

static void flush_local_page(uintptr_t address)
{
    __asm__ volatile("invlpg (%0)" ::"r"(address) : "memory");
}

/* Interrupts masked. */
static void load_kernel_table(void)
{
    struct cpu *cpu = this_cpu();
    struct page_table *previous = cpu->machine.page_table;

    if (!previous)
        return;
    write_cr3(page_table_kernel_root());
    cpu->machine.page_table = NULL;
    atomic_fetch_and(&previous->cpus, ~(1ul << cpu->id));
}

void tlb_load(struct page_table *table)
{
    irq_state_t state = port_irq_save();

    if (table)
        tlb_switch(table);
    else
        load_kernel_table();
    port_irq_restore(state);
}

static struct page_table *table_of_current(void)
{
    struct thread *thread = current_thread();

    return thread && thread->space ? &thread->space->table : NULL;
}

static void serve_requests(void)
{
    struct cpu *cpu = this_cpu();
    struct tlb_cpu *self = &cpus[cpu->id];
    uint64_t requested = atomic_load(&self->requested);

    if (cpu->machine.page_table && cpu->machine.page_table != table_of_current())
        load_kernel_table();
    else
        flush_local();
    atomic_store(&self->served, requested);
}

void tlb_interrupt(void)
{
    serve_requests();
}

static void wait_for_cpu(unsigned id, uint64_t ticket)
{
    struct tlb_cpu *self = &cpus[this_cpu()->id];

    while (atomic_load_explicit(&cpus[id].served, memory_order_acquire) < ticket) {
        if (atomic_load(&self->requested) != atomic_load(&self->served)) {
            irq_state_t state = port_irq_save();

            serve_requests();
            port_irq_restore(state);
        }
        port_relax();
    }
}

/* Interrupts the CPUs of the mask and waits until each has served the request. */
static void interrupt_cpus(uint64_t mask)
{
    uint64_t tickets[CPU_MAX];

    for (uint64_t rest = mask; rest != 0; rest &= rest - 1) {
        unsigned id = __builtin_ctzl(rest);

        tickets[id] = atomic_fetch_add(&cpus[id].requested, 1) + 1;
        tlb_send_interrupt(id);
    }
    for (uint64_t rest = mask; rest != 0; rest &= rest - 1)
        wait_for_cpu(__builtin_ctzl(rest), tickets[__builtin_ctzl(rest)]);
}

/* The other CPUs that may hold translations of the tables, as of now. *own: does this one? The
 * thread may move to another CPU in between only where it sleeps, and it does not. */
static uint64_t other_users(struct page_table *table, bool *own)
{
    uint64_t self = 1ul << this_cpu()->id;
    uint64_t mask;

    atomic_thread_fence(memory_order_seq_cst);
    mask = atomic_load_explicit(&table->cpus, memory_order_relaxed);
    *own = mask & self;
    return mask & ~self;
}

void tlb_flush_range(struct page_table *table, uintptr_t start, uintptr_t end)
{
    bool own;
    uint64_t others = other_users(table, &own);

    if (own && end - start > PAGES_ONE_BY_ONE * PAGE_SIZE)
        flush_local();
    else if (own)
        for (uintptr_t address = start; address < end; address += PAGE_SIZE)
            flush_local_page(address);
    if (unlikely(others))
        interrupt_cpus(others);
}

void tlb_flush_page(struct page_table *table, uintptr_t address)
{
    tlb_flush_range(table, address, address + PAGE_SIZE);
}

void tlb_flush_all(struct page_table *table)
{
    tlb_flush_range(table, 0, UINTPTR_MAX);
}

void tlb_evict(struct page_table *table)
{
    bool own;
    uint64_t others = other_users(table, &own);

    if (own)
        tlb_load(NULL);
    if (others)
        interrupt_cpus(others);
    assert(atomic_load(&table->cpus) == 0);
}
