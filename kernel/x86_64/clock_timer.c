/* The timer of each CPU: armed for one deadline at a time, and silent otherwise. Each CPU's is its
 * own, used with interrupts masked. */
#include "x86_64/clock_timer.h"

#include "lib/klog.h"
#include "sched/cpu.h"
#include "x86_64/apic.h"
#include "x86_64/clock.h"
#include "x86_64/cpu_features.h"
#include "x86_64/trap.h"

#define FRACTION_BITS 32
#define MEASURE_NS    5000000ul

static uint64_t ticks_per_ns; /* fixed point, FRACTION_BITS; of timers without a TSC deadline */

/* Rounded up: late rather than early. Capped: then the interrupt comes early, and arms again. */
static uint32_t ticks_until(uint64_t deadline)
{
    uint64_t now = port_clock_ns();
    unsigned __int128 ticks;

    if (deadline <= now)
        return 1;
    ticks = ((unsigned __int128)(deadline - now) * ticks_per_ns >> FRACTION_BITS) + 1;
    return ticks < UINT32_MAX ? (uint32_t)ticks : UINT32_MAX;
}

static void program(uint64_t deadline)
{
    bool never = deadline == DEADLINE_NEVER;

    if (cpu_features.tsc_deadline)
        apic_timer_set_deadline(never ? 0 : clock_cycles_at(deadline) + 1);
    else
        apic_timer_start(never ? 0 : ticks_until(deadline));
}

void port_timer_arm(uint64_t deadline)
{
    struct machine_cpu *cpu = &this_cpu()->machine;

    if (cpu->timer_deadline == deadline)
        return;
    cpu->timer_deadline = deadline;
    program(deadline);
}

static void timer_interrupt(void)
{
    struct machine_cpu *cpu = &this_cpu()->machine;

    if (cpu->timer_deadline == DEADLINE_NEVER)
        return;
    if (port_clock_ns() < cpu->timer_deadline) {
        program(cpu->timer_deadline);
        return;
    }
    cpu->timer_deadline = DEADLINE_NEVER;
    port_handlers.timer_interrupt();
}

void clock_timer_init(void)
{
    trap_set_interrupt(VECTOR_TIMER, timer_interrupt);
    if (cpu_features.tsc_deadline)
        return;
    apic_timer_start(UINT32_MAX);
    uint64_t start = port_clock_ns();
    clock_wait_ns(MEASURE_NS);
    uint64_t ticks = UINT32_MAX - apic_timer_count();
    uint64_t taken = port_clock_ns() - start;

    apic_timer_start(0);
    ticks_per_ns = (ticks << FRACTION_BITS) / taken;
}

void clock_timer_enable(void)
{
    this_cpu()->machine.timer_deadline = DEADLINE_NEVER;
}
