/* Making the per-CPU data of each CPU. Boot CPU only. */
#pragma once

#include "lib/compiler.h"

struct cpu;

/* The boot CPU's, static: the very first step, before which no lock may be taken. */
void cpu_local_init_boot(void);
/* Another CPU's, numbered next; NULL if memory is short. It counts for port_cpu_count() when it is
 * published, having come up. */
struct cpu *cpu_local_create(void) MUST_CHECK;
void cpu_local_destroy(struct cpu *cpu);
void cpu_local_publish(struct cpu *cpu);
