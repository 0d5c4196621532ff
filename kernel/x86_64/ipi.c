/*
 * Interrupts between CPUs. The one call in progress belongs to whoever has set `caller`; a CPU that
 * waits, for its turn or for an answer, serves the call of the other, so that two callers can't
 * wait for one another with interrupts masked.
 */
#include "x86_64/ipi.h"

#include <stdatomic.h>

#include "sched/cpu.h"
#include "x86_64/apic.h"
#include "x86_64/tlb.h"
#include "x86_64/trap.h"

static _Atomic(struct cpu *) caller;
static void (*call_function)(void *argument); /* (caller) */
static void *call_argument;                   /* (caller) */
static _Atomic uint64_t call_pending;         /* a bit for each CPU that is still to run it */

static void serve_call(void)
{
    uint64_t own = 1ul << this_cpu()->id;

    if (!(atomic_load_explicit(&call_pending, memory_order_acquire) & own))
        return;
    call_function(call_argument);
    atomic_fetch_and_explicit(&call_pending, ~own, memory_order_release);
}

static void take_turn(void)
{
    struct cpu *nobody = NULL;

    while (!atomic_compare_exchange_weak(&caller, &nobody, this_cpu())) {
        nobody = NULL;
        serve_call();
        port_relax();
    }
}

void ipi_call(uint64_t cpus, void (*function)(void *argument), void *argument)
{
    irq_state_t irq = port_irq_save();
    unsigned self = this_cpu()->id;
    uint64_t others = cpus & ~(1ul << self);

    take_turn();
    call_function = function;
    call_argument = argument;
    atomic_store_explicit(&call_pending, others, memory_order_release);
    for (uint64_t left = others; left; left &= left - 1)
        apic_send(port_cpu((unsigned)__builtin_ctzl(left))->machine.apic_id, VECTOR_CALL);
    if (cpus & 1ul << self)
        function(argument);
    while (atomic_load_explicit(&call_pending, memory_order_acquire))
        port_relax();
    atomic_store_explicit(&caller, NULL, memory_order_release);
    port_irq_restore(irq);
}

void port_send_reschedule(unsigned cpu)
{
    apic_send(port_cpu(cpu)->machine.apic_id, VECTOR_RESCHEDULE);
}

void tlb_send_interrupt(unsigned cpu)
{
    apic_send(port_cpu(cpu)->machine.apic_id, VECTOR_TLB);
}

static void reschedule_interrupt(void)
{
    port_handlers.reschedule_interrupt();
}

void ipi_init(void)
{
    trap_set_interrupt(VECTOR_RESCHEDULE, reschedule_interrupt);
    trap_set_interrupt(VECTOR_CALL, serve_call);
    trap_set_interrupt(VECTOR_TLB, tlb_interrupt);
}
