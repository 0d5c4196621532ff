/*
 * What a CPU's segment and task registers point at: GDT and TSS of its own, the one IDT of all, and
 * the stacks for the exceptions that can't trust the current one.
 */
#pragma once

#include <stdint.h>

struct cpu;

#define EXCEPTION_STACK_SIZE 4096

/* Slots of the interrupt stack table. */
enum exception_stack {
    EXCEPTION_STACK_DOUBLE_FAULT = 1,
    EXCEPTION_STACK_NMI,
    EXCEPTION_STACK_MACHINE_CHECK
};

struct task_state {
    uint32_t reserved0;
    uint64_t stack_pointers[3]; /* [0]: where interrupts from user mode begin */
    uint64_t reserved1;
    uint64_t interrupt_stacks[7];
    uint64_t reserved2;
    uint16_t reserved3;
    uint16_t io_map_base;
} __attribute__((packed));

struct cpu_tables {
    uint64_t gdt[9];
    struct task_state tss;
    uint8_t exception_stacks[3][EXCEPTION_STACK_SIZE] __attribute__((aligned(16)));
};

/* Fills the IDT; once, on the boot CPU. */
void interrupt_table_init(void);
/* Loads all of them on this CPU; `cpu` becomes what GS leads to. Its `tables` are set. */
void cpu_tables_load(struct cpu *cpu);
