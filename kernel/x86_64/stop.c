/* The CPU that runs alone at the end. One atomic word decides who it is. */
#include "x86_64/stop.h"

#include <stdatomic.h>

#include "sched/cpu.h"
#include "x86_64/apic.h"
#include "x86_64/instructions.h"

#define WAIT_ROUNDS 10000000ul

static _Atomic(struct cpu *) survivor;
static _Atomic unsigned stopped;

static _Noreturn void stop_here(void)
{
    atomic_fetch_add(&stopped, 1);
    halt_forever();
}

void stop_other_cpus(void)
{
    struct cpu *nobody = NULL;

    port_irq_disable();
    if (!atomic_compare_exchange_strong(&survivor, &nobody, port_this_cpu())) {
        if (nobody != port_this_cpu())
            stop_here();
        return;
    }
    for (unsigned id = 0; id < port_cpu_count(); id++)
        if (port_cpu(id) != port_this_cpu())
            apic_send_nmi(port_cpu(id)->machine.apic_id);
    for (unsigned long i = 0; i < WAIT_ROUNDS && atomic_load(&stopped) + 1 < port_cpu_count(); i++)
        port_relax();
}

void stop_if_asked(void)
{
    struct cpu *alone = atomic_load(&survivor);

    if (alone && alone != port_this_cpu())
        stop_here();
}
