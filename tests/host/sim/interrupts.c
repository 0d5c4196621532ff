/* Interrupts of the simulated machine: what a CPU takes at its next point with interrupts enabled.
 */
#include <string.h>

#include "machine.h"

#define DEVICE_QUEUE 16
#define LATER_NS     20000

static struct device_interrupt {
    void (*function)(void *argument);
    void *argument;
} device_queue[CPU_MAX][DEVICE_QUEUE];
static unsigned device_count[CPU_MAX];

/* sim_post_interrupt_later() */
static struct {
    struct device_interrupt device;
    unsigned cpu;
    uint64_t deadline;
} later;

void interrupts_begin_run(void)
{
    memset(device_count, 0, sizeof(device_count));
    later.deadline = DEADLINE_NEVER;
}

uint64_t interrupts_deadline(void)
{
    return later.deadline;
}

void interrupts_expire(void)
{
    if (later.deadline > machine.clock_ns)
        return;
    later.deadline = DEADLINE_NEVER;
    device_queue[later.cpu][device_count[later.cpu]++] = later.device;
    machine_of(later.cpu)->pending |= SIM_INTERRUPT_DEVICE;
}

static void run_device_interrupts(void)
{
    unsigned index = sim_cpu->index;

    while (device_count[index]) {
        struct device_interrupt device = device_queue[index][0];

        memmove(device_queue[index], device_queue[index] + 1,
                --device_count[index] * sizeof(device));
        device.function(device.argument);
    }
}

static void run_handler(enum sim_interrupt interrupt)
{
    trace_add(interrupt == SIM_INTERRUPT_TIMER        ? "timer"
              : interrupt == SIM_INTERRUPT_RESCHEDULE ? "ipi"
                                                      : "device",
              NULL, NULL, NULL);
    sim_cpu->pending &= ~interrupt;
    race_machine_order();
    if (interrupt == SIM_INTERRUPT_TIMER)
        port_handlers.timer_interrupt();
    else if (interrupt == SIM_INTERRUPT_RESCHEDULE)
        port_handlers.reschedule_interrupt();
    else
        run_device_interrupts();
}

/* Takes what is pending, as the hardware does at the next instruction with interrupts enabled. From
 * a user program it is an entry to the kernel, with all that the way back entails. */
void sim_interrupt_window(void)
{
    while (sim_cpu->pending && sim_cpu->interrupts && !sim_cpu->in_interrupt) {
        bool from_user = sim_cpu->in_user;

        sim_cpu->interrupts = false;
        sim_cpu->in_user = false;
        sim_cpu->in_interrupt = true;
        if (from_user)
            port_handlers.kernel_enter();
        run_handler(sim_cpu->pending & -sim_cpu->pending);
        if (sim_cpu->interrupts)
            sim_fail("an interrupt handler returned with interrupts enabled");
        sim_cpu->in_interrupt = false;
        if (from_user)
            sim_return_to_user();
        else
            sim_cpu->interrupts = true;
    }
}

void sim_post_interrupt(unsigned cpu, void (*function)(void *), void *argument)
{
    SIM_CHECK(device_count[cpu] < DEVICE_QUEUE);
    device_queue[cpu][device_count[cpu]++] = (struct device_interrupt){function, argument};
    race_machine_order();
    machine_of(cpu)->pending |= SIM_INTERRUPT_DEVICE;
    sim_point();
}

void sim_post_interrupt_later(unsigned cpu, void (*function)(void *), void *argument)
{
    SIM_CHECK(later.deadline == DEADLINE_NEVER);
    later.device = (struct device_interrupt){function, argument};
    later.cpu = cpu;
    later.deadline = machine.clock_ns + LATER_NS;
    race_machine_order();
    turns_update_deadline();
}

void port_send_reschedule(unsigned cpu)
{
    SIM_CHECK(cpu < machine.cpu_count);
    race_machine_order();
    machine_of(cpu)->pending |= SIM_INTERRUPT_RESCHEDULE;
    turns_pass_point("send ipi", NULL, CALLER(), NULL);
}

void port_idle(void)
{
    SIM_CHECK(!sim_cpu->interrupts && !sim_cpu->in_interrupt);
    trace_add("idle", NULL, NULL, NULL);
    if (!sim_cpu->is_up)
        race_machine_order(); /* the boot CPU waits for this one */
    sim_cpu->is_up = true;
    turns_count_step();
    machine.progress++;
    sim_cpu->state = SIM_CPU_IDLE;
    turns_go_on();
    sim_cpu->state = SIM_CPU_RUNNABLE;
    sim_cpu->interrupts = true;
    sim_interrupt_window();
    sim_cpu->interrupts = false;
}
