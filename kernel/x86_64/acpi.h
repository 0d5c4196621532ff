/* What the firmware's ACPI tables say about the machine. Read once at boot; constant afterwards. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "port.h"

#define ACPI_IO_APIC_MAX 8
#define ACPI_ISA_IRQS    16

struct acpi_io_apic {
    uint32_t physical;
    uint32_t first_interrupt; /* global number of its input 0 */
};

/* Where an ISA interrupt line arrives. */
struct acpi_isa_route {
    uint32_t interrupt; /* global number */
    bool active_low;
    bool level;
};

struct acpi_machine {
    uint64_t local_apic; /* physical */
    uint32_t cpu_count;
    uint32_t apic_ids[CPU_MAX]; /* usable CPUs, in the order of the table */
    uint32_t io_apic_count;
    struct acpi_io_apic io_apics[ACPI_IO_APIC_MAX];
    struct acpi_isa_route isa[ACPI_ISA_IRQS];
    uint16_t pm_timer_port; /* 0: none */
    bool pm_timer_32bit;
    uint16_t power_control_port; /* PM1a_CNT; 0: none */
    uint16_t power_off_value;    /* what to write there: S5 */
    uint16_t reset_port;         /* 0: none */
    uint8_t reset_value;
};
extern struct acpi_machine acpi_machine;

/* `rsdp` is the root pointer's physical address, 0 if the door did not know it: then the BIOS area
 * is searched. Without tables the machine has one CPU and the usual addresses. */
void acpi_init(uint64_t rsdp);
