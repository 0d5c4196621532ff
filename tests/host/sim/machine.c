/*
 * The simulated machine: its CPUs, their threads and clock, and the life of a run. One CPU executes
 * at a time (turns.c).
 *
 * A CPU that does not execute stands in sim_fiber_switch(), on the fiber of the thread it runs; so
 * a thread's fiber holds its registers both while it is switched out and while its CPU waits its
 * turn.
 */
#include "machine.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/panic.h"
#include "sched/sched.h"

#define BOOT_CLOCK         1000000
#define DEFAULT_STEP_LIMIT 400000

struct machine_cpu *sim_cpu;
uint64_t sim_steps;
struct port_handlers port_handlers;
void (*sim_program_returned)(void);

struct machine machine;
struct cpu machine_cpus[CPU_MAX];
static struct thread idle_threads[CPU_MAX];
static enum sim_result result;
static char failure[512];

/* --- The end of a run --- */

void sim_end_run(enum sim_result how)
{
    result = how;
    sim_fiber_switch(sim_cpu->fiber, sim_fiber_host());
    abort();
}

void sim_fail_with(const char *message)
{
    snprintf(failure, sizeof(failure), "%s", message);
    sim_end_run(SIM_FAILED);
}

void sim_fail(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(failure, sizeof(failure), format, arguments);
    va_end(arguments);
    sim_end_run(SIM_FAILED);
}

void panic(const char *format, ...)
{
    va_list arguments;
    int length = snprintf(failure, sizeof(failure), "panic: ");

    va_start(arguments, format);
    vsnprintf(failure + length, sizeof(failure) - length, format, arguments);
    va_end(arguments);
    sim_end_run(SIM_FAILED);
}

void panic_add_section(struct panic_section *section)
{
    (void)section;
}

const char *sim_failure(void)
{
    return failure;
}

/* --- Threads --- */

static void thread_fiber(void *argument)
{
    struct sim_fiber *fiber = sim_cpu->fiber;

    (void)argument;
    ((void (*)(void *))fiber->entry_function)(fiber->entry_argument);
    sim_fail("the entry function of thread %s returned", fiber->name);
}

int port_thread_create(struct thread *thread, void (*entry)(void *), void *argument, bool user)
{
    if (memory_refuse())
        return -12; /* ENOMEM */
    race_machine_order();
    thread->machine = (struct machine_thread){.is_user = user};
    thread->machine.fiber = sim_fiber_create(thread_fiber, NULL);
    thread->machine.fiber->entry_function = (void *)entry;
    thread->machine.fiber->entry_argument = argument;
    memcpy(thread->machine.fiber->name, thread->name, sizeof(thread->name));
    thread->machine.handlers = thread->machine.fiber->handlers;
    race_forget(thread->machine.fiber->stack, thread->machine.fiber->stack_size);
    return 0;
}

void port_thread_destroy(struct thread *thread)
{
    struct sim_fiber *fiber = thread->machine.fiber;

    SIM_CHECK(fiber);
    if (fiber->on_cpu)
        sim_fail("the stack of thread %s is destroyed while it is on a CPU", fiber->name);
    thread->machine.fiber = NULL;
    race_machine_order();
    sim_fiber_destroy(fiber);
}

struct thread *port_switch(struct thread *previous, struct thread *next)
{
    struct sim_fiber *from = sim_cpu->fiber;
    struct sim_fiber *to;

    SIM_CHECK(!sim_cpu->interrupts);
    SIM_CHECK(previous != next && previous == sim_cpu->current);
    turns_pass_point("switch", next, CALLER(), NULL);
    memcpy(from->name, previous->name, sizeof(from->name));
    to = next->machine.fiber;
    SIM_CHECK(to);
    if (to->on_cpu)
        sim_fail("thread %s is switched to while it is on another CPU", to->name);
    from->on_cpu = false;
    to->on_cpu = true;
    memcpy(to->name, next->name, sizeof(to->name));
    sim_cpu->current = next;
    sim_cpu->fiber = to;
    sim_cpu->left = previous;
    sim_fiber_switch(from, to);
    return sim_cpu->left;
}

/* --- Time --- */

uint64_t sim_clock(void)
{
    return ++machine.clock_ns;
}

uint64_t port_clock_ns(void)
{
    return ++machine.clock_ns;
}

uint64_t port_cycles_to_ns(uint64_t cycles)
{
    return cycles;
}

uint64_t port_ns_to_cycles(uint64_t ns)
{
    return ns;
}

uint64_t port_boot_realtime_ns(void)
{
    return 1700000000ull * 1000000000ull;
}

void port_timer_arm(uint64_t deadline)
{
    SIM_CHECK(!sim_cpu->interrupts);
    sim_cpu->timer_deadline = deadline;
    turns_update_deadline();
}

void port_random(void *buffer, size_t size)
{
    for (size_t i = 0; i < size; i++)
        ((uint8_t *)buffer)[i] = choice_random(256);
}

/* --- Processors and a run's life --- */

unsigned port_cpu_count(void)
{
    return machine.cpu_count;
}

unsigned sim_cpu_total(void)
{
    return machine.cpu_count;
}

struct cpu *port_cpu(unsigned id)
{
    return &machine_cpus[id];
}

static void scenario_thread(void *argument)
{
    (void)argument;
    machine.window = true;
    machine.scenario->run();
    sim_end_run(SIM_PASSED);
}

static void boot_other_cpu(void *argument)
{
    (void)argument;
    port_handlers.cpu_online();
    abort();
}

static void boot_first_cpu(void *argument)
{
    (void)argument;
    sim_machine_boot(machine.scenario);
    for (unsigned i = 1; i < machine.cpu_count; i++)
        machine_of(i)->state = SIM_CPU_RUNNABLE;
    for (unsigned i = 1; i < machine.cpu_count; i++)
        while (machine_of(i)->state != SIM_CPU_IDLE)
            sim_relax();
    race_machine_order();
    if (!kernel_thread_start("scenario", scenario_thread, NULL))
        sim_fail("no memory for the scenario's thread");
    sched_run_idle();
}

/* CPUs beyond the fourth are only found in big runs, whose traces nobody reads in full. */
static void name_cpu(unsigned index)
{
    static const char *const names[][3] = {{"cpu0.run_queue", "cpu0.timers", "cpu0.idle"},
                                           {"cpu1.run_queue", "cpu1.timers", "cpu1.idle"},
                                           {"cpu2.run_queue", "cpu2.timers", "cpu2.idle"},
                                           {"cpu3.run_queue", "cpu3.timers", "cpu3.idle"}};

    if (index >= array_length(names))
        return;
    trace_name_object(&machine_cpus[index].run_queue, sizeof(machine_cpus[index].run_queue),
                      names[index][0]);
    trace_name_object(&machine_cpus[index].timers, sizeof(machine_cpus[index].timers),
                      names[index][1]);
    trace_name_object(&idle_threads[index], sizeof(idle_threads[index]), names[index][2]);
}

static void set_up_cpu(unsigned index)
{
    struct machine_cpu *cpu = machine_of(index);

    memset(&machine_cpus[index], 0, sizeof(machine_cpus[index]));
    machine_cpus[index].id = index;
    cpu->index = index;
    cpu->state = index ? SIM_CPU_OFFLINE : SIM_CPU_RUNNABLE;
    cpu->timer_deadline = DEADLINE_NEVER;
    cpu->fiber = sim_fiber_create(index ? boot_other_cpu : boot_first_cpu, NULL);
    cpu->fiber->on_cpu = true;
    memcpy(cpu->fiber->name, "boot", 5);
    memset(&idle_threads[index], 0, sizeof(idle_threads[index]));
    idle_threads[index].machine.fiber = cpu->fiber;
    cpu->current = &idle_threads[index];
    name_cpu(index);
}

enum sim_result sim_run(const struct sim_scenario *new_scenario, const struct sim_plan *new_plan)
{
    struct sim_plan with_defaults = *new_plan;

    if (!with_defaults.cpus)
        with_defaults.cpus = new_scenario->cpus;
    if (!with_defaults.step_limit)
        with_defaults.step_limit =
            new_scenario->step_limit ? new_scenario->step_limit : DEFAULT_STEP_LIMIT;
    machine.scenario = new_scenario;
    machine.plan = &with_defaults;
    snapshot_restore();
    trace_reset();
    choice_begin_run(machine.plan);
    race_begin_run();
    memory_begin_run(machine.plan->fail_allocation);
    machine.clock_ns = BOOT_CLOCK;
    machine.next_deadline = DEADLINE_NEVER;
    interrupts_begin_run();
    machine.progress = sim_steps = 0;
    machine.window = false;
    machine.cpu_count = machine.plan->cpus;
    for (unsigned i = 0; i < machine.cpu_count; i++)
        set_up_cpu(i);
    sim_cpu = machine_of(0);
    sim_fiber_switch(sim_fiber_host(), sim_cpu->fiber);
    return result;
}
