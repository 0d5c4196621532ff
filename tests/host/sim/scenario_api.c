/* What scenarios say to the machine: see sim.h. */
#include <stdarg.h>
#include <stdio.h>

#include "machine.h"
#include "sched/sched.h"

#define POLL_LIMIT 5000

void sim_window_open(void)
{
    machine.window = true;
}

void sim_window_close(void)
{
    machine.window = false;
}

uint64_t sim_random(uint64_t bound)
{
    return choice_random(bound);
}

unsigned sim_branch(unsigned options)
{
    return choice_take(options, false, 0);
}

bool sim_poll(bool (*condition)(void *), void *argument)
{
    for (unsigned tries = 0; !condition(argument); tries++) {
        if (tries > POLL_LIMIT)
            return false;
        sched_yield_current();
        turns_let_others_go();
    }
    return true;
}

void sim_wait_until(bool (*condition)(void *), void *argument)
{
    if (!sim_poll(condition, argument))
        sim_fail("what the scenario waits for never happens");
}

static bool nobody_else_runs(void *argument)
{
    (void)argument;
    for (unsigned i = 0; i < machine.cpu_count; i++) {
        const struct machine_cpu *cpu = machine_of(i);

        if (cpu == sim_cpu ? machine_cpus[i].run_queue.ready_count > 0
                           : cpu->state != SIM_CPU_IDLE || cpu->pending)
            return false;
    }
    return true;
}

void sim_settle(void)
{
    sim_wait_until(nobody_else_runs, NULL);
}

void sim_note(const char *format, ...)
{
    char text[80];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    trace_note(text);
}

void sim_name_object(const void *object, size_t size, const char *name)
{
    trace_name_object(object, size, name);
}
