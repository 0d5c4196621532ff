/* Making sure that what ran in user mode a moment ago has been in the kernel: by an interrupt to
 * each CPU. */
#include "sched/cpu.h"
#include "sched/sched.h"

static uint64_t interrupts_of(const struct cpu *cpu)
{
    return atomic_load_explicit(&cpu->reschedule_interrupts, memory_order_acquire);
}

void sched_quiesce_user_mode(void)
{
    unsigned count = port_cpu_count();
    uint64_t before[CPU_MAX];

    /* Our own CPU is in the kernel: it runs this. Should we be moved meanwhile, that is a switch,
     * in the kernel. */
    for (unsigned id = 0; id < count; id++) {
        before[id] = interrupts_of(port_cpu(id));
        if (port_cpu(id) != this_cpu())
            port_send_reschedule(id);
        else
            before[id]--;
    }
    for (unsigned id = 0; id < count; id++)
        while (interrupts_of(port_cpu(id)) == before[id])
            port_relax();
}
