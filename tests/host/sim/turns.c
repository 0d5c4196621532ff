/*
 * Who goes on: at each point where a real CPU could be overtaken, the one that executes asks
 * choice.c. Also the passing of time, which goes on with each step and jumps when nobody has
 * anything to do.
 */
#include "machine.h"

#define STEP_NS 25

static const char *const point_names[] = {
    [PORT_POINT_LOCK] = "lock",           [PORT_POINT_UNLOCK] = "unlock",
    [PORT_POINT_ATOMIC] = "atomic",       [PORT_POINT_SLEEP] = "sleep",
    [PORT_POINT_WAKE] = "wake",           [PORT_POINT_SWITCH] = "switch",
    [PORT_POINT_INTERRUPT] = "interrupt", [PORT_POINT_USER] = "user",
};

static bool can_go_on(const struct machine_cpu *cpu)
{
    switch (cpu->state) {
    case SIM_CPU_RUNNABLE:
        return true;
    case SIM_CPU_SPINNING:
        return machine.progress > cpu->spin_progress || (cpu->pending && cpu->interrupts);
    case SIM_CPU_IDLE:
        return cpu->pending != 0;
    default:
        return false;
    }
}

void turns_update_deadline(void)
{
    machine.next_deadline = interrupts_deadline();
    for (unsigned i = 0; i < machine.cpu_count; i++)
        if (machine_of(i)->timer_deadline < machine.next_deadline)
            machine.next_deadline = machine_of(i)->timer_deadline;
}

static void expire_timers(void)
{
    if (machine.clock_ns < machine.next_deadline)
        return;
    interrupts_expire();
    for (unsigned i = 0; i < machine.cpu_count; i++) {
        struct machine_cpu *cpu = machine_of(i);

        if (cpu->timer_deadline > machine.clock_ns)
            continue;
        cpu->timer_deadline = DEADLINE_NEVER;
        cpu->pending |= SIM_INTERRUPT_TIMER;
    }
    turns_update_deadline();
}

static void jump_to(uint64_t deadline)
{
    if (machine.clock_ns < deadline)
        machine.clock_ns = deadline;
    expire_timers();
}

/* CPUs that can go on, the present one first if it can. */
static unsigned candidates(struct machine_cpu **list)
{
    unsigned count = 0;

    if (can_go_on(sim_cpu))
        list[count++] = sim_cpu;
    for (unsigned i = 0; i < machine.cpu_count; i++)
        if (machine_of(i) != sim_cpu && can_go_on(machine_of(i)))
            list[count++] = machine_of(i);
    return count;
}

/* Nobody can go on: only time can help. */
static void wait_for_time(void)
{
    expire_timers();
    if (machine.next_deadline == DEADLINE_NEVER)
        sim_fail("deadlock: no CPU can go on, no interrupt is due, the scenario is not done "
                 "(a wake-up was lost, or a lock is never released)");
    jump_to(machine.next_deadline);
}

static struct machine_cpu *choose_cpu(void)
{
    struct machine_cpu *list[CPU_MAX];
    unsigned count, chosen;
    bool timer;

    while (!(count = candidates(list)))
        wait_for_time();
    if (!machine.window)
        return list[0];
    timer = machine.next_deadline != DEADLINE_NEVER && choice_timer_wanted();
    chosen = choice_take(count + timer, list[0] == sim_cpu, timer);
    if (chosen < count)
        return list[chosen];
    jump_to(machine.next_deadline);
    return can_go_on(sim_cpu) ? sim_cpu : choose_cpu();
}

static void go_on_as(struct machine_cpu *next)
{
    struct sim_fiber *here = sim_cpu->fiber;

    if (next == sim_cpu)
        return;
    sim_cpu = next;
    sim_fiber_switch(here, next->fiber);
}

void turns_go_on(void)
{
    go_on_as(choose_cpu());
}

void turns_count_step(void)
{
    machine.clock_ns += STEP_NS;
    if (++sim_steps > machine.plan->step_limit)
        sim_fail("livelock: %lu steps and no end", (unsigned long)sim_steps);
    expire_timers();
}

void turns_pass_point(const char *what, const void *object, void *caller, void *caller2)
{
    trace_add(what, object, caller, caller2);
    turns_count_step();
    machine.progress++;
    if (machine.window && choice_wanted())
        turns_go_on();
    if (sim_cpu->pending && sim_cpu->interrupts)
        sim_interrupt_window();
}

__attribute__((no_sanitize_address)) void sim_explore(int point, const void *object)
{
    turns_pass_point(point_names[point], object, CALLER(), CALLERS_CALLER());
}

__attribute__((no_sanitize_address)) void sim_atomic(const volatile void *object)
{
    if (choice_atomics())
        turns_pass_point("atomic", (const void *)object, CALLER(), CALLERS_CALLER());
}

void sim_point(void)
{
    turns_pass_point("scenario", NULL, CALLER(), NULL);
}

void sim_relax(void)
{
    trace_add("relax", NULL, CALLER(), NULL);
    turns_count_step();
    sim_cpu->state = SIM_CPU_SPINNING;
    sim_cpu->spin_progress = machine.progress;
    turns_go_on();
    sim_cpu->state = SIM_CPU_RUNNABLE;
    if (sim_cpu->pending && sim_cpu->interrupts)
        sim_interrupt_window();
}

/* For who polls: the next CPU in turn goes on, and if there is none, time does. No decision. */
void turns_let_others_go(void)
{
    struct machine_cpu *next = sim_cpu;

    turns_count_step();
    machine.progress++;
    do
        next = machine_of((next->index + 1) % machine.cpu_count);
    while (next != sim_cpu && !can_go_on(next));
    if (next == sim_cpu && machine.next_deadline != DEADLINE_NEVER)
        jump_to(machine.next_deadline);
    go_on_as(next);
    if (sim_cpu->pending && sim_cpu->interrupts)
        sim_interrupt_window();
}
