/* The steps of the machine's start-up that main.c takes, in this order. All on the boot CPU. */
#pragma once

struct boot_info;

/* Per-CPU data, descriptor tables, CPU features: faults are reported from here on. */
void machine_init_cpu(void);
/* After mm_init(): the kernel's own address space. */
void machine_init_memory(const struct boot_info *info);
/* ACPI, interrupt controllers, clock and timer, random numbers, serial lines. Interrupts stay
 * masked. */
void machine_init_devices(const struct boot_info *info);
