/* Starting the other CPUs. */
#pragma once

struct boot_info;

/* Boot CPU, once the scheduler is there: starts the CPUs that ACPI names, one after another. Each
 * ends in port_handlers.cpu_online(). One that does not answer is a panic: it might answer later,
 * on memory that is no longer its own. */
void smp_start(const struct boot_info *info);
