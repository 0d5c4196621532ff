/*
 * The local APIC, through its memory page or, where the machine has put it into that mode or has
 * many CPUs, through MSRs (x2APIC). Each CPU's registers are its own; a send of two words is
 * guarded by masked interrupts.
 */
#include "x86_64/apic.h"

#include "lib/klog.h"
#include "port.h"
#include "x86_64/cpu_features.h"
#include "x86_64/instructions.h"
#include "x86_64/kernel_map.h"
#include "x86_64/trap.h"

#define APIC_BASE_ENABLE (1ul << 11)
#define APIC_BASE_X2APIC (1ul << 10)

/* Registers */
#define APIC_ID            0x020
#define APIC_TASK_PRIORITY 0x080
#define APIC_END           0x0b0
#define APIC_SPURIOUS      0x0f0
#define APIC_COMMAND_LOW   0x300 /* all 64 bits of it in x2APIC mode */
#define APIC_COMMAND_HIGH  0x310
#define APIC_TIMER         0x320
#define APIC_LINT0         0x350
#define APIC_LINT1         0x360
#define APIC_ERROR         0x370
#define APIC_TIMER_INITIAL 0x380
#define APIC_TIMER_CURRENT 0x390
#define APIC_TIMER_DIVIDE  0x3e0

#define SPURIOUS_ENABLE    (1u << 8)
#define ENTRY_MASKED       (1u << 16)
#define TIMER_TSC_DEADLINE (2u << 17)
#define DIVIDE_BY_16       0x3
#define DELIVERY_NMI       (4u << 8)
#define DELIVERY_INIT      (5u << 8)
#define DELIVERY_STARTUP   (6u << 8)
#define COMMAND_PENDING    (1u << 12)
#define COMMAND_ASSERT     (1u << 14)

static volatile uint32_t *registers; /* NULL: x2APIC mode */

static uint32_t apic_read(unsigned reg)
{
    return registers ? registers[reg / 4] : (uint32_t)read_msr(MSR_X2APIC + reg / 16);
}

static void apic_write(unsigned reg, uint32_t value)
{
    if (registers)
        registers[reg / 4] = value;
    else
        write_msr(MSR_X2APIC + reg / 16, value);
}

void apic_init(uint64_t physical)
{
    if (!(read_msr(MSR_APIC_BASE) & APIC_BASE_X2APIC) && !cpu_features.x2apic)
        registers = kernel_map_physical(physical, PORT_PAGE_SIZE, KERNEL_MAP_UNCACHED);
}

void apic_enable(void)
{
    uint64_t base = read_msr(MSR_APIC_BASE) | APIC_BASE_ENABLE;

    write_msr(MSR_APIC_BASE, base);
    if (!registers)
        write_msr(MSR_APIC_BASE, base | APIC_BASE_X2APIC);
    apic_write(APIC_TASK_PRIORITY, 0);
    apic_write(APIC_LINT0, ENTRY_MASKED);
    apic_write(APIC_LINT1, ENTRY_MASKED);
    apic_write(APIC_ERROR, ENTRY_MASKED);
    apic_write(APIC_SPURIOUS, SPURIOUS_ENABLE | VECTOR_SPURIOUS);
    apic_write(APIC_TIMER_DIVIDE, DIVIDE_BY_16);
    apic_write(APIC_TIMER, VECTOR_TIMER | (cpu_features.tsc_deadline ? TIMER_TSC_DEADLINE : 0));
}

uint32_t apic_own_id(void)
{
    return registers ? apic_read(APIC_ID) >> 24 : apic_read(APIC_ID);
}

void apic_end_interrupt(void)
{
    apic_write(APIC_END, 0);
}

static void send_command(uint32_t apic_id, uint32_t command)
{
    irq_state_t irq;

    if (!registers) {
        __asm__ volatile("mfence; lfence" ::: "memory");
        write_msr(MSR_X2APIC + APIC_COMMAND_LOW / 16, (uint64_t)apic_id << 32 | command);
        return;
    }
    irq = port_irq_save();
    while (registers[APIC_COMMAND_LOW / 4] & COMMAND_PENDING)
        port_relax();
    registers[APIC_COMMAND_HIGH / 4] = apic_id << 24;
    registers[APIC_COMMAND_LOW / 4] = command;
    port_irq_restore(irq);
}

void apic_send(uint32_t apic_id, uint8_t vector)
{
    send_command(apic_id, COMMAND_ASSERT | vector);
}

void apic_send_nmi(uint32_t apic_id)
{
    send_command(apic_id, COMMAND_ASSERT | DELIVERY_NMI);
}

void apic_send_init(uint32_t apic_id)
{
    send_command(apic_id, COMMAND_ASSERT | DELIVERY_INIT);
}

void apic_send_startup(uint32_t apic_id, uint8_t page)
{
    send_command(apic_id, COMMAND_ASSERT | DELIVERY_STARTUP | page);
}

void apic_timer_start(uint32_t count)
{
    apic_write(APIC_TIMER_INITIAL, count);
}

uint32_t apic_timer_count(void)
{
    return apic_read(APIC_TIMER_CURRENT);
}

void apic_timer_set_deadline(uint64_t cycles)
{
    write_msr(MSR_TSC_DEADLINE, cycles);
}
