/* Descriptor tables. Each CPU writes only its own; the IDT is constant after
 * interrupt_table_init(). */
#include "x86_64/cpu_tables.h"

#include "sched/cpu.h"
#include "x86_64/instructions.h"
#include "x86_64/segments.h"
#include "x86_64/trap.h"

#define DESCRIPTOR_KERNEL_CODE 0x00af9b000000ffff
#define DESCRIPTOR_KERNEL_DATA 0x00cf93000000ffff
#define DESCRIPTOR_USER_DATA   0x00cff3000000ffff
#define DESCRIPTOR_USER_CODE   0x00affb000000ffff
#define DESCRIPTOR_TSS         0x0000890000000000 /* available 64-bit TSS */

#define GATE_INTERRUPT 0x8e /* present, masks interrupts */
#define GATE_USER      0x60 /* the INT instruction of a program may use it */

struct gate {
    uint16_t offset_low;
    uint16_t selector;
    uint8_t stack;
    uint8_t type;
    uint16_t offset_middle;
    uint32_t offset_high;
    uint32_t reserved;
};

struct table_pointer {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

static struct gate idt[256] ALIGNED(16);

static void set_gate(unsigned vector, uint8_t type, unsigned stack)
{
    uintptr_t entry = (uintptr_t)trap_vectors + vector * TRAP_VECTOR_SIZE;

    idt[vector] = (struct gate){.offset_low = (uint16_t)entry,
                                .offset_middle = (uint16_t)(entry >> 16),
                                .offset_high = (uint32_t)(entry >> 32),
                                .selector = SELECTOR_KERNEL_CODE,
                                .stack = (uint8_t)stack,
                                .type = type};
}

void interrupt_table_init(void)
{
    for (unsigned vector = 0; vector < array_length(idt); vector++)
        set_gate(vector, GATE_INTERRUPT, 0);
    set_gate(TRAP_BREAKPOINT, GATE_INTERRUPT | GATE_USER, 0);
    set_gate(TRAP_OVERFLOW, GATE_INTERRUPT | GATE_USER, 0);
    set_gate(TRAP_NMI, GATE_INTERRUPT, EXCEPTION_STACK_NMI);
    set_gate(TRAP_DOUBLE_FAULT, GATE_INTERRUPT, EXCEPTION_STACK_DOUBLE_FAULT);
    set_gate(TRAP_MACHINE_CHECK, GATE_INTERRUPT, EXCEPTION_STACK_MACHINE_CHECK);
}

static void fill_gdt(uint64_t *gdt, const struct task_state *tss)
{
    uint64_t base = (uintptr_t)tss;

    gdt[SELECTOR_KERNEL_CODE / 8] = DESCRIPTOR_KERNEL_CODE;
    gdt[SELECTOR_KERNEL_DATA / 8] = DESCRIPTOR_KERNEL_DATA;
    gdt[SELECTOR_USER_DATA / 8] = DESCRIPTOR_USER_DATA;
    gdt[SELECTOR_USER_CODE / 8] = DESCRIPTOR_USER_CODE;
    gdt[SELECTOR_TSS / 8] =
        DESCRIPTOR_TSS | (sizeof(*tss) - 1) | (base & 0xffffff) << 16 | (base >> 24 & 0xff) << 56;
    gdt[SELECTOR_TSS / 8 + 1] = base >> 32;
}

static void fill_tss(struct cpu_tables *tables)
{
    tables->tss.io_map_base = sizeof(tables->tss);
    for (unsigned i = 0; i < array_length(tables->exception_stacks); i++)
        tables->tss.interrupt_stacks[i] =
            (uintptr_t)(tables->exception_stacks[i] + EXCEPTION_STACK_SIZE);
}

static void load_segments(void)
{
    /* A far return reloads CS; data segments are null but for SS, which is as sysret leaves it. */
    __asm__ volatile("pushq %0\n\t"
                     "leaq 1f(%%rip), %%rax\n\t"
                     "pushq %%rax\n\t"
                     "lretq\n"
                     "1:\tmovl %1, %%ss\n\t"
                     "xorl %%eax, %%eax\n\t"
                     "movl %%eax, %%ds\n\t"
                     "movl %%eax, %%es\n\t"
                     "movl %%eax, %%fs\n\t"
                     "movl %%eax, %%gs\n\t"
                     "ltr %w2"
                     :
                     : "i"(SELECTOR_KERNEL_CODE), "r"(SELECTOR_KERNEL_DATA), "r"(SELECTOR_TSS)
                     : "rax", "memory");
}

void cpu_tables_load(struct cpu *cpu)
{
    struct cpu_tables *tables = cpu->machine.tables;
    struct table_pointer gdt_pointer = {sizeof(tables->gdt) - 1, (uintptr_t)tables->gdt};
    struct table_pointer idt_pointer = {sizeof(idt) - 1, (uintptr_t)idt};

    fill_gdt(tables->gdt, &tables->tss);
    fill_tss(tables);
    __asm__ volatile("lgdt %0" ::"m"(gdt_pointer));
    __asm__ volatile("lidt %0" ::"m"(idt_pointer));
    load_segments();
    cpu->machine.self = cpu;
    write_msr(MSR_GS_BASE, (uintptr_t)cpu);
    write_msr(MSR_KERNEL_GS_BASE, 0);
}
