/*
 * Reading the ACPI tables: root pointer, MADT (processors and interrupt controllers), FADT (timer,
 * power). Runs on the boot CPU alone. Tables are checked, and what does not fit is left out:
 * firmware is not trusted to be right.
 */
#include "x86_64/acpi.h"

#include "boot/handoff.h"
#include "lib/klog.h"
#include "lib/string.h"
#include "x86_64/acpi_tables.h"
#include "x86_64/kernel_map.h"

#define BIOS_AREA        0xe0000
#define BIOS_AREA_SIZE   0x20000
#define TABLE_SIZE_MAX   (1u << 20)
#define USUAL_LOCAL_APIC 0xfee00000
#define USUAL_IO_APIC    0xfec00000

#define ROUTE_POLARITY_LOW 3
#define ROUTE_LEVEL        3

struct acpi_machine acpi_machine;

static bool sum_is_zero(const void *data, size_t size)
{
    const uint8_t *bytes = data;
    uint8_t sum = 0;

    for (size_t i = 0; i < size; i++)
        sum = (uint8_t)(sum + bytes[i]);
    return sum == 0;
}

/* NULL if it is damaged. */
static const struct acpi_header *open_table(uint64_t physical)
{
    const struct acpi_header *header =
        kernel_map_physical(physical, sizeof(*header), KERNEL_MAP_CACHED);

    if (header->length < sizeof(*header) || header->length > TABLE_SIZE_MAX)
        return NULL;
    header = kernel_map_physical(physical, header->length, KERNEL_MAP_CACHED);
    return sum_is_zero(header, header->length) ? header : NULL;
}

static const struct acpi_root_pointer *check_root(const void *address)
{
    const struct acpi_root_pointer *root = address;

    return memcmp(root->signature, "RSD PTR ", 8) == 0 && sum_is_zero(root, ACPI_ROOT_SIZE_1)
               ? root
               : NULL;
}

static const struct acpi_root_pointer *find_root(uint64_t rsdp)
{
    const struct acpi_root_pointer *root = NULL;
    const char *area;

    if (rsdp)
        root = check_root(kernel_map_physical(rsdp, sizeof(*root), KERNEL_MAP_CACHED));
    if (root)
        return root;
    area = kernel_map_physical(BIOS_AREA, BIOS_AREA_SIZE, KERNEL_MAP_CACHED);
    for (size_t offset = 0; offset < BIOS_AREA_SIZE && !root; offset += 16)
        root = check_root(area + offset);
    return root;
}

static void add_cpu(uint32_t apic_id, uint32_t flags)
{
    if (!(flags & ACPI_CPU_ENABLED))
        return;
    if (acpi_machine.cpu_count < CPU_MAX)
        acpi_machine.apic_ids[acpi_machine.cpu_count++] = apic_id;
    else
        klog("acpi: the CPU with APIC %u is one too many", apic_id);
}

static void add_isa_route(const struct acpi_madt_override *override)
{
    if (override->bus == 0 && override->irq < ACPI_ISA_IRQS)
        acpi_machine.isa[override->irq] = (struct acpi_isa_route){
            .interrupt = override->interrupt,
            .active_low = (override->flags & 3) == ROUTE_POLARITY_LOW,
            .level = (override->flags >> 2 & 3) == ROUTE_LEVEL,
        };
}

static void read_madt_entry(const struct acpi_madt_entry *entry)
{
    const union acpi_madt_body *body = (const void *)(entry + 1);

    switch (entry->type) {
    case ACPI_MADT_CPU:
        add_cpu(body->cpu.apic_id, body->cpu.flags);
        break;
    case ACPI_MADT_CPU_X2APIC:
        add_cpu(body->x2apic.apic_id, body->x2apic.flags);
        break;
    case ACPI_MADT_IO_APIC:
        if (acpi_machine.io_apic_count < ACPI_IO_APIC_MAX)
            acpi_machine.io_apics[acpi_machine.io_apic_count++] =
                (struct acpi_io_apic){body->io_apic.physical, body->io_apic.first_interrupt};
        break;
    case ACPI_MADT_OVERRIDE:
        add_isa_route(&body->override);
        break;
    case ACPI_MADT_LOCAL_APIC_ADDRESS:
        acpi_machine.local_apic = body->address.physical;
        break;
    default:
        break;
    }
}

static void read_madt(const struct acpi_header *header)
{
    const struct acpi_madt *madt = (const struct acpi_madt *)header;
    const uint8_t *end = (const uint8_t *)header + header->length;
    const uint8_t *next = (const uint8_t *)(madt + 1);

    acpi_machine.local_apic = madt->local_apic;
    acpi_machine.io_apic_count = 0;
    while (next + sizeof(struct acpi_madt_entry) <= end) {
        const struct acpi_madt_entry *entry = (const void *)next;

        if (entry->length < sizeof(*entry) || next + entry->length > end)
            return;
        read_madt_entry(entry);
        next += entry->length;
    }
}

/* The bytes of an AML integer; *code moves behind it. */
static uint8_t read_aml_byte(const uint8_t **code)
{
    if (**code == ACPI_AML_BYTE_PREFIX)
        ++*code;
    return *(*code)++;
}

/* Name(\_S5_, Package { SLP_TYPa, ... }) is found by its name: the one thing that we want of the
 * definition block, for which an interpreter of it would be too much. */
static void find_power_off_value(uint64_t dsdt)
{
    const struct acpi_header *header = open_table(dsdt);
    const uint8_t *code = (const uint8_t *)header;
    const uint8_t *end = header ? code + header->length : NULL;

    for (; header && code + 16 < end; code++) {
        if (memcmp(code, "_S5_", 4) != 0 || code[4] != ACPI_AML_PACKAGE)
            continue;
        code += 5;
        code += 1 + (*code >> 6); /* the length takes one to four bytes */
        code++;                   /* number of elements */
        acpi_machine.power_off_value =
            (uint16_t)(read_aml_byte(&code) << ACPI_SLEEP_TYPE_SHIFT | ACPI_SLEEP_ENABLE);
        return;
    }
}

static void read_fadt(const struct acpi_header *header)
{
    const struct acpi_fadt *fadt = (const struct acpi_fadt *)header;

    if (header->length < ACPI_FADT_SIZE_1)
        return;
    acpi_machine.pm_timer_port = (uint16_t)fadt->pm_timer;
    acpi_machine.pm_timer_32bit = fadt->flags & ACPI_FADT_TIMER_32BIT;
    acpi_machine.power_control_port = (uint16_t)fadt->pm1a_control;
    find_power_off_value(fadt->dsdt);
    if (header->length >= sizeof(*fadt) && fadt->flags & ACPI_FADT_RESET &&
        fadt->reset_space == ACPI_SPACE_IO) {
        acpi_machine.reset_port = (uint16_t)fadt->reset_address;
        acpi_machine.reset_value = fadt->reset_value;
    }
}

static void read_table(uint64_t physical)
{
    const struct acpi_header *header = open_table(physical);

    if (!header)
        return;
    if (memcmp(header->signature, "APIC", 4) == 0)
        read_madt(header);
    else if (memcmp(header->signature, "FACP", 4) == 0)
        read_fadt(header);
}

/* The root table lists the others, by addresses of 8 bytes (XSDT) or 4 (RSDT). */
static void read_root_table(const struct acpi_root_pointer *root)
{
    bool wide = root->revision >= 2 && root->xsdt;
    const struct acpi_header *header = open_table(wide ? root->xsdt : root->rsdt);
    size_t width = wide ? 8 : 4;

    if (!header)
        return;
    for (size_t at = sizeof(*header); at + width <= header->length; at += width) {
        uint64_t physical = 0;

        memcpy(&physical, (const char *)header + at, width);
        read_table(physical);
    }
}

void acpi_init(uint64_t rsdp)
{
    const struct acpi_root_pointer *root = find_root(rsdp);

    acpi_machine.local_apic = USUAL_LOCAL_APIC;
    acpi_machine.io_apic_count = 1;
    acpi_machine.io_apics[0].physical = USUAL_IO_APIC;
    for (uint32_t irq = 0; irq < ACPI_ISA_IRQS; irq++)
        acpi_machine.isa[irq].interrupt = irq;
    if (root)
        read_root_table(root);
    else
        klog("acpi: no tables; going on with one CPU");
}
