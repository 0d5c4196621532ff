/* I/O APICs: the inputs of devices' interrupts. Programmed at boot by the boot CPU, then left
 * alone. */
#include "x86_64/io_apic.h"

#include "lib/klog.h"
#include "x86_64/acpi.h"
#include "x86_64/instructions.h"
#include "x86_64/kernel_map.h"

#define REGISTER_SELECT  0
#define REGISTER_WINDOW  4 /* in words of 4 bytes */
#define IO_APIC_VERSION  1
#define IO_APIC_ENTRY(n) (0x10 + 2 * (n))

#define ENTRY_MASKED     (1u << 16)
#define ENTRY_LEVEL      (1u << 15)
#define ENTRY_ACTIVE_LOW (1u << 13)

#define PIC_1_DATA 0x21
#define PIC_2_DATA 0xa1

static struct io_apic {
    volatile uint32_t *registers;
    uint32_t first, count;
} io_apics[ACPI_IO_APIC_MAX];

static uint32_t io_apic_read(const struct io_apic *apic, uint32_t reg)
{
    apic->registers[REGISTER_SELECT] = reg;
    return apic->registers[REGISTER_WINDOW];
}

static void io_apic_write(const struct io_apic *apic, uint32_t reg, uint32_t value)
{
    apic->registers[REGISTER_SELECT] = reg;
    apic->registers[REGISTER_WINDOW] = value;
}

void io_apic_init(void)
{
    out8(PIC_1_DATA, 0xff);
    out8(PIC_2_DATA, 0xff);
    for (uint32_t i = 0; i < acpi_machine.io_apic_count; i++) {
        struct io_apic *apic = &io_apics[i];

        apic->registers = kernel_map_physical(acpi_machine.io_apics[i].physical, PORT_PAGE_SIZE,
                                              KERNEL_MAP_UNCACHED);
        apic->first = acpi_machine.io_apics[i].first_interrupt;
        apic->count = (io_apic_read(apic, IO_APIC_VERSION) >> 16 & 0xff) + 1;
        for (uint32_t input = 0; input < apic->count; input++)
            io_apic_write(apic, IO_APIC_ENTRY(input), ENTRY_MASKED);
    }
}

void io_apic_route_isa(unsigned irq, uint8_t vector, uint32_t apic_id)
{
    const struct acpi_isa_route *route = &acpi_machine.isa[irq];
    uint32_t low =
        vector | (route->level ? ENTRY_LEVEL : 0) | (route->active_low ? ENTRY_ACTIVE_LOW : 0);

    for (uint32_t i = 0; i < acpi_machine.io_apic_count; i++) {
        const struct io_apic *apic = &io_apics[i];
        uint32_t input = route->interrupt - apic->first;

        if (input >= apic->count)
            continue;
        io_apic_write(apic, IO_APIC_ENTRY(input) + 1, apic_id << 24);
        io_apic_write(apic, IO_APIC_ENTRY(input), low);
        return;
    }
    klog("io apic: no input for interrupt line %u", irq);
}
