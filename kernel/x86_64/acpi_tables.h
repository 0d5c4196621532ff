/* The layout of those ACPI tables that we read (ACPI Specification 6, chapters 5 and 20). */
#pragma once

#include <stdint.h>

#define ACPI_PACKED __attribute__((packed))

#define ACPI_ROOT_SIZE_1 20 /* of revision 0, which the first checksum covers */

struct acpi_root_pointer {
    char signature[8];
    uint8_t checksum;
    char oem[6];
    uint8_t revision;
    uint32_t rsdt;
    uint32_t length;
    uint64_t xsdt;
    uint8_t extended_checksum;
    uint8_t reserved[3];
} ACPI_PACKED;

struct acpi_header {
    char signature[4];
    uint32_t length;
    uint8_t revision, checksum;
    char oem[6], oem_table[8];
    uint32_t oem_revision, creator, creator_revision;
} ACPI_PACKED;

struct acpi_madt {
    struct acpi_header header;
    uint32_t local_apic;
    uint32_t flags;
} ACPI_PACKED;

#define ACPI_CPU_ENABLED 1u

enum acpi_madt_type {
    ACPI_MADT_CPU = 0,
    ACPI_MADT_IO_APIC = 1,
    ACPI_MADT_OVERRIDE = 2,
    ACPI_MADT_LOCAL_APIC_ADDRESS = 5,
    ACPI_MADT_CPU_X2APIC = 9,
};

struct acpi_madt_entry {
    uint8_t type, length;
} ACPI_PACKED;

struct acpi_madt_override {
    uint8_t bus, irq;
    uint32_t interrupt;
    uint16_t flags;
} ACPI_PACKED;

/* What follows the entry's type and length. */
union acpi_madt_body {
    struct {
        uint8_t processor, apic_id;
        uint32_t flags;
    } ACPI_PACKED cpu;
    struct {
        uint8_t id, reserved;
        uint32_t physical, first_interrupt;
    } ACPI_PACKED io_apic;
    struct acpi_madt_override override;
    struct {
        uint16_t reserved;
        uint64_t physical;
    } ACPI_PACKED address;
    struct {
        uint16_t reserved;
        uint32_t apic_id, flags, processor;
    } ACPI_PACKED x2apic;
};

#define ACPI_FADT_SIZE_1      116 /* of revision 1 */
#define ACPI_FADT_TIMER_32BIT (1u << 8)
#define ACPI_FADT_RESET       (1u << 10)
#define ACPI_SPACE_IO         1

struct acpi_fadt {
    struct acpi_header header;
    uint32_t facs, dsdt;
    uint8_t model, profile;
    uint16_t interrupt;
    uint32_t smi_command;
    uint8_t acpi_enable, acpi_disable, s4bios, pstate_control;
    uint32_t pm1a_event, pm1b_event, pm1a_control, pm1b_control, pm2_control, pm_timer;
    uint8_t unused1[32];
    uint32_t flags; /* at 112 */
    uint8_t reset_space, reset_width, reset_offset, reset_access;
    uint64_t reset_address;
    uint8_t reset_value;
} ACPI_PACKED;

#define ACPI_AML_BYTE_PREFIX  0x0a
#define ACPI_AML_PACKAGE      0x12
#define ACPI_SLEEP_TYPE_SHIFT 10
#define ACPI_SLEEP_ENABLE     (1u << 13)
