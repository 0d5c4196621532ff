/*
 * The simulated machine: CPUs, interrupts, the clock. One CPU executes at a time; at each point
 * where a real one could be overtaken, pass_point() asks choice.c who goes on.
 *
 * A CPU that does not execute stands in sim_fiber_switch(), on the fiber of the thread it runs; so
 * a thread's fiber holds its registers both while it is switched out and while its CPU waits its
 * turn.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "lib/panic.h"
#include "sched/cpu.h"
#include "sched/sched.h"

#define STEP_NS            25
#define BOOT_CLOCK         1000000
#define DEFAULT_STEP_LIMIT 400000
#define DEVICE_QUEUE       16
#define POLL_LIMIT         5000
#define LATER_NS           20000

struct machine_cpu *sim_cpu;
uint64_t sim_steps;
struct port_handlers port_handlers;
void (*sim_program_returned)(void);

static struct cpu cpus[CPU_MAX];
static struct thread idle_threads[CPU_MAX];
static unsigned cpu_count;
static const struct sim_scenario *scenario;
static const struct sim_plan *plan;
static uint64_t clock_ns, progress, next_deadline;
static bool window;
static enum sim_result result;
static char failure[512];

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

static const char *const point_names[] = {
    [PORT_POINT_LOCK] = "lock",           [PORT_POINT_UNLOCK] = "unlock",
    [PORT_POINT_ATOMIC] = "atomic",       [PORT_POINT_SLEEP] = "sleep",
    [PORT_POINT_WAKE] = "wake",           [PORT_POINT_SWITCH] = "switch",
    [PORT_POINT_INTERRUPT] = "interrupt", [PORT_POINT_USER] = "user",
};

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

/* --- Who goes on --- */

static struct machine_cpu *machine_of(unsigned index)
{
    return &cpus[index].machine;
}

static bool can_go_on(const struct machine_cpu *cpu)
{
    switch (cpu->state) {
    case SIM_CPU_RUNNABLE:
        return true;
    case SIM_CPU_SPINNING:
        return progress > cpu->spin_progress || (cpu->pending && cpu->interrupts);
    case SIM_CPU_IDLE:
        return cpu->pending != 0;
    default:
        return false;
    }
}

static void update_next_deadline(void)
{
    next_deadline = later.deadline;
    for (unsigned i = 0; i < cpu_count; i++)
        if (machine_of(i)->timer_deadline < next_deadline)
            next_deadline = machine_of(i)->timer_deadline;
}

static void expire_timers(void)
{
    if (clock_ns < next_deadline)
        return;
    if (later.deadline <= clock_ns) {
        later.deadline = DEADLINE_NEVER;
        device_queue[later.cpu][device_count[later.cpu]++] = later.device;
        machine_of(later.cpu)->pending |= SIM_INTERRUPT_DEVICE;
    }
    for (unsigned i = 0; i < cpu_count; i++) {
        struct machine_cpu *cpu = machine_of(i);

        if (cpu->timer_deadline > clock_ns)
            continue;
        cpu->timer_deadline = DEADLINE_NEVER;
        cpu->pending |= SIM_INTERRUPT_TIMER;
    }
    update_next_deadline();
}

static void jump_to(uint64_t deadline)
{
    if (clock_ns < deadline)
        clock_ns = deadline;
    expire_timers();
}

/* CPUs that can go on, the present one first if it can. */
static unsigned candidates(struct machine_cpu **list)
{
    unsigned count = 0;

    if (can_go_on(sim_cpu))
        list[count++] = sim_cpu;
    for (unsigned i = 0; i < cpu_count; i++)
        if (machine_of(i) != sim_cpu && can_go_on(machine_of(i)))
            list[count++] = machine_of(i);
    return count;
}

/* Nobody can go on: only time can help. */
static void wait_for_time(void)
{
    expire_timers();
    if (next_deadline == DEADLINE_NEVER)
        sim_fail("deadlock: no CPU can go on, no interrupt is due, the scenario is not done "
                 "(a wake-up was lost, or a lock is never released)");
    jump_to(next_deadline);
}

static struct machine_cpu *choose_cpu(void)
{
    struct machine_cpu *list[CPU_MAX];
    unsigned count, chosen;
    bool timer;

    while (!(count = candidates(list)))
        wait_for_time();
    if (!window)
        return list[0];
    timer = next_deadline != DEADLINE_NEVER && choice_timer_wanted();
    chosen = choice_take(count + timer, list[0] == sim_cpu, timer);
    if (chosen < count)
        return list[chosen];
    jump_to(next_deadline);
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

static void count_step(void)
{
    clock_ns += STEP_NS;
    if (++sim_steps > plan->step_limit)
        sim_fail("livelock: %lu steps and no end", (unsigned long)sim_steps);
    expire_timers();
}

static void pass_point(const char *what, const void *object, void *caller, void *caller2)
{
    trace_add(what, object, caller, caller2);
    count_step();
    progress++;
    if (window && choice_wanted())
        go_on_as(choose_cpu());
    if (sim_cpu->pending && sim_cpu->interrupts)
        sim_interrupt_window();
}

/* The return address of the caller's caller, by frame pointers. */
#define CALLER() __builtin_return_address(0)
#define CALLERS_CALLER()                                                                           \
    (*(void **)__builtin_frame_address(0) ? (*(void ***)__builtin_frame_address(0))[1] : NULL)

__attribute__((no_sanitize_address)) void sim_explore(int point, const void *object)
{
    pass_point(point_names[point], object, CALLER(), CALLERS_CALLER());
}

__attribute__((no_sanitize_address)) void sim_atomic(const volatile void *object)
{
    if (choice_atomics())
        pass_point("atomic", (const void *)object, CALLER(), CALLERS_CALLER());
}

void sim_point(void)
{
    pass_point("scenario", NULL, CALLER(), NULL);
}

void sim_relax(void)
{
    trace_add("relax", NULL, CALLER(), NULL);
    count_step();
    sim_cpu->state = SIM_CPU_SPINNING;
    sim_cpu->spin_progress = progress;
    go_on_as(choose_cpu());
    sim_cpu->state = SIM_CPU_RUNNABLE;
    if (sim_cpu->pending && sim_cpu->interrupts)
        sim_interrupt_window();
}

/* --- Interrupts --- */

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
    later.deadline = clock_ns + LATER_NS;
    race_machine_order();
    update_next_deadline();
}

void port_send_reschedule(unsigned cpu)
{
    SIM_CHECK(cpu < cpu_count);
    race_machine_order();
    machine_of(cpu)->pending |= SIM_INTERRUPT_RESCHEDULE;
    pass_point("send ipi", NULL, CALLER(), NULL);
}

void port_idle(void)
{
    SIM_CHECK(!sim_cpu->interrupts && !sim_cpu->in_interrupt);
    trace_add("idle", NULL, NULL, NULL);
    if (!sim_cpu->is_up)
        race_machine_order(); /* the boot CPU waits for this one */
    sim_cpu->is_up = true;
    count_step();
    progress++;
    sim_cpu->state = SIM_CPU_IDLE;
    go_on_as(choose_cpu());
    sim_cpu->state = SIM_CPU_RUNNABLE;
    sim_cpu->interrupts = true;
    sim_interrupt_window();
    sim_cpu->interrupts = false;
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
    pass_point("switch", next, CALLER(), NULL);
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
    return ++clock_ns;
}

uint64_t port_clock_ns(void)
{
    return ++clock_ns;
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
    update_next_deadline();
}

void port_random(void *buffer, size_t size)
{
    for (size_t i = 0; i < size; i++)
        ((uint8_t *)buffer)[i] = choice_random(256);
}

/* --- Processors and a run's life --- */

unsigned port_cpu_count(void)
{
    return cpu_count;
}

unsigned sim_cpu_total(void)
{
    return cpu_count;
}

struct cpu *port_cpu(unsigned id)
{
    return &cpus[id];
}

static void scenario_thread(void *argument)
{
    (void)argument;
    window = true;
    scenario->run();
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
    sim_machine_boot(scenario);
    for (unsigned i = 1; i < cpu_count; i++)
        machine_of(i)->state = SIM_CPU_RUNNABLE;
    for (unsigned i = 1; i < cpu_count; i++)
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
    trace_name_object(&cpus[index].run_queue, sizeof(cpus[index].run_queue), names[index][0]);
    trace_name_object(&cpus[index].timers, sizeof(cpus[index].timers), names[index][1]);
    trace_name_object(&idle_threads[index], sizeof(idle_threads[index]), names[index][2]);
}

static void set_up_cpu(unsigned index)
{
    struct machine_cpu *cpu = machine_of(index);

    memset(&cpus[index], 0, sizeof(cpus[index]));
    cpus[index].id = index;
    cpu->index = index;
    cpu->state = index ? SIM_CPU_OFFLINE : SIM_CPU_RUNNABLE;
    cpu->timer_deadline = DEADLINE_NEVER;
    cpu->fiber = sim_fiber_create(index ? boot_other_cpu : boot_first_cpu, NULL);
    cpu->fiber->on_cpu = true;
    memcpy(cpu->fiber->name, "boot", 5);
    memset(&idle_threads[index], 0, sizeof(idle_threads[index]));
    idle_threads[index].machine.fiber = cpu->fiber;
    cpu->current = &idle_threads[index];
    device_count[index] = 0;
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
    scenario = new_scenario;
    plan = &with_defaults;
    snapshot_restore();
    trace_reset();
    choice_begin_run(plan);
    race_begin_run();
    memory_begin_run(plan->fail_allocation);
    clock_ns = BOOT_CLOCK;
    next_deadline = later.deadline = DEADLINE_NEVER;
    progress = sim_steps = 0;
    window = false;
    cpu_count = plan->cpus;
    for (unsigned i = 0; i < cpu_count; i++)
        set_up_cpu(i);
    sim_cpu = machine_of(0);
    sim_fiber_switch(sim_fiber_host(), sim_cpu->fiber);
    return result;
}

/* --- What scenarios say to the machine --- */

void sim_window_open(void)
{
    window = true;
}

void sim_window_close(void)
{
    window = false;
}

uint64_t sim_random(uint64_t bound)
{
    return choice_random(bound);
}

unsigned sim_branch(unsigned options)
{
    return choice_take(options, false, 0);
}

/* For who polls: the next CPU in turn goes on, and if there is none, time does. No decision. */
static void let_others_go(void)
{
    struct machine_cpu *next = sim_cpu;

    count_step();
    progress++;
    do
        next = machine_of((next->index + 1) % cpu_count);
    while (next != sim_cpu && !can_go_on(next));
    if (next == sim_cpu && next_deadline != DEADLINE_NEVER)
        jump_to(next_deadline);
    go_on_as(next);
    if (sim_cpu->pending && sim_cpu->interrupts)
        sim_interrupt_window();
}

bool sim_poll(bool (*condition)(void *), void *argument)
{
    for (unsigned tries = 0; !condition(argument); tries++) {
        if (tries > POLL_LIMIT)
            return false;
        sched_yield_current();
        let_others_go();
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
    for (unsigned i = 0; i < cpu_count; i++) {
        const struct machine_cpu *cpu = machine_of(i);

        if (cpu == sim_cpu ? cpus[i].run_queue.ready_count > 0
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
