/* Starting the other CPUs. */
#pragma once

struct boot_info;

/* Boot CPU, once the scheduler is there: starts the CPUs that ACPI names, one after another. Each
 * ends in port_handlers.cpu_online(). If one
 * does not answer, the rest is left out too. */
void smp_start(const struct boot_info *info);
