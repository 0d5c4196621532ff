/* The loading of a program's page tables, inline: each switch between threads does it. See tlb.c.
 */
#pragma once

#include "mm/frame_table.h"
#include "sched/cpu.h"
#include "x86_64/instructions.h"
#include "x86_64/page_table.h"

/* As tlb_load(), with interrupts masked; the table is not NULL. */
static inline void tlb_switch(struct page_table *table)
{
    struct cpu *cpu = this_cpu();
    struct page_table *previous = cpu->machine.page_table;
    uint64_t bit = 1ul << cpu->id;

    if (previous == table)
        return;
    atomic_fetch_or(&table->cpus, bit);
    write_cr3(frame_of_pointer(table->root));
    cpu->machine.page_table = table;
    if (previous)
        atomic_fetch_and(&previous->cpus, ~bit);
}
