/* The table of CPUs: it grows while the boot CPU starts the others, and is constant afterwards. */
#include "x86_64/cpu_local.h"

#include <stdatomic.h>

#include "mm/slab.h"
#include "sched/cpu.h"
#include "x86_64/cpu_tables.h"

/* entry.S and port_machine.h know these places. */
_Static_assert(offsetof(struct cpu, machine.self) == 0, "port_this_cpu");
_Static_assert(offsetof(struct cpu, machine.current) == 8, "port_current");
_Static_assert(offsetof(struct cpu, machine.kernel_stack_top) == 16, "system_call_entry");
_Static_assert(offsetof(struct cpu, machine.user_stack_saved) == 24, "system_call_entry");
_Static_assert(offsetof(struct thread, machine.stack_pointer) == 0, "switch_stacks");

static struct cpu boot_cpu;
static struct cpu_tables boot_tables;
static struct thread boot_thread; /* becomes the boot CPU's idle thread */

static struct cpu *cpus[CPU_MAX] = {&boot_cpu};
static _Atomic unsigned cpu_count = 1;

void cpu_local_init_boot(void)
{
    boot_cpu.machine.tables = &boot_tables;
    boot_cpu.machine.current = &boot_thread;
    interrupt_table_init();
    cpu_tables_load(&boot_cpu);
}

struct cpu *cpu_local_create(void)
{
    struct cpu *cpu = kmalloc(sizeof(*cpu));

    if (!cpu)
        return NULL;
    cpu->id = atomic_load(&cpu_count);
    cpu->machine.tables = kmalloc(sizeof(*cpu->machine.tables));
    cpu->machine.current = kmalloc(sizeof(struct thread));
    if (cpu->machine.tables && cpu->machine.current)
        return cpu;
    cpu_local_destroy(cpu);
    return NULL;
}

void cpu_local_destroy(struct cpu *cpu)
{
    kfree(cpu->machine.current);
    kfree(cpu->machine.tables);
    kfree(cpu);
}

void cpu_local_publish(struct cpu *cpu)
{
    cpus[cpu->id] = cpu;
    atomic_store_explicit(&cpu_count, cpu->id + 1, memory_order_release);
}

unsigned port_cpu_count(void)
{
    return atomic_load_explicit(&cpu_count, memory_order_acquire);
}

struct cpu *port_cpu(unsigned id)
{
    return cpus[id];
}
