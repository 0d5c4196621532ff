/*
 * The coming up of the scheduler and of each CPU, and what a CPU does when it has nothing to do: it
 * takes a waiting thread from another CPU, or sleeps until an interrupt, with the timer armed for
 * the first of its timers only.
 */
#include "sched/attributes.h"
#include "sched/placement.h"
#include "sched/policy.h"
#include "sched/run_queue_ops.h"
#include "sched/sched.h"
#include "sched/thread_state.h"

struct sched_slices sched_slices;

static void init_slices(void)
{
    sched_slices = (struct sched_slices){
        .fair_period = port_ns_to_cycles(8000000),
        .fair_minimum = port_ns_to_cycles(1000000),
        .wakeup_margin = port_ns_to_cycles(1000000),
        .round_robin = port_ns_to_cycles(ROUND_ROBIN_NS),
        .balance = port_ns_to_cycles(4000000),
        .watch_minimum = port_ns_to_cycles(250000),
    };
}

/* The thread that runs on this CPU becomes its idle thread. */
static void adopt_idle_thread(struct cpu *cpu)
{
    struct thread *idle = current_thread();

    thread_init_common(idle, "idle", cpu);
    attributes_init_idle(idle);
    idle->affinity = cpu_bit(cpu);
    thread_set_state(idle, THREAD_READY);
    thread_set_state(idle, THREAD_RUNNING);
    idle->on_cpu = true;
    atomic_store_explicit(&idle->usage.system_cycles, -port_cycles(), memory_order_relaxed);
    cpu->idle = idle;
}

static void bring_up(struct cpu *cpu)
{
    adopt_idle_thread(cpu);
    run_queue_init(&cpu->run_queue, cpu->idle);
    timer_queue_init(&cpu->timers);
    atomic_store_explicit(&cpu->online, true, memory_order_release);
    atomic_fetch_or(&placement_online, cpu_bit(cpu));
}

void sched_init(void)
{
    init_slices();
    bring_up(this_cpu());
}

static bool has_something_to_run(struct cpu *cpu)
{
    return run_queue_ready(&cpu->run_queue) > 0 || placement_steal(cpu);
}

/* Interrupts stay masked from the last look at the queue to port_idle(): whoever puts a thread
 * there afterwards sends an interrupt, which ends it. */
static void wait_for_interrupt(struct cpu *cpu)
{
    cpu->run_queue.tick = UINT64_MAX;
    timer_queue_program(&cpu->timers, DEADLINE_NEVER);
    atomic_fetch_or_explicit(&placement_idle, cpu_bit(cpu), memory_order_relaxed);
    port_explore(PORT_POINT_ATOMIC, &placement_idle);
    port_idle();
    atomic_fetch_and_explicit(&placement_idle, ~cpu_bit(cpu), memory_order_relaxed);
}

void sched_run_idle(void)
{
    struct cpu *cpu = this_cpu();

    port_irq_disable();
    if (!cpu->online)
        bring_up(cpu);
    for (;;) {
        if (has_something_to_run(cpu))
            schedule();
        else
            wait_for_interrupt(cpu);
    }
}

uint64_t sched_online_cpus(void)
{
    return atomic_load_explicit(&placement_online, memory_order_relaxed);
}
