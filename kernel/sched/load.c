/*
 * Load averages and per-CPU counters, for people. No timer ticks on an idle machine, so the
 * averages are brought up to date when somebody asks: the periods since then count with the present
 * load.
 */
#include "sched/run_queue_ops.h"
#include "sched/sched.h"

#define SAMPLE_NS 5000000000ull
#define ONE       65536ull

/* e^(-5 s / 1, 5, 15 min) */
static const uint64_t decay[3] = {60296, 64453, 65173};

static struct spinlock load_lock = SPINLOCK_INITIALIZER(LOCK_RANK_TIMER);
static uint64_t sampled_ns;       /* (load_lock) */
static uint64_t load_averages[3]; /* (load_lock) */

static struct cpu *online_cpu(unsigned id)
{
    return (sched_online_cpus() >> id) & 1 ? port_cpu(id) : NULL;
}

static uint32_t running_on(const struct cpu *cpu)
{
    bool is_busy = atomic_load_explicit(&cpu->run_queue.current_rank, memory_order_relaxed) > 0;

    return run_queue_ready(&cpu->run_queue) + is_busy;
}

static uint64_t running_now(void)
{
    uint64_t running = 0;

    for (unsigned id = 0; id < CPU_MAX; id++)
        if (online_cpu(id))
            running += running_on(online_cpu(id));
    return running;
}

static uint64_t decayed(uint64_t average, uint64_t load, uint64_t factor, uint64_t periods)
{
    /* Older samples than these leave no trace. */
    for (uint64_t i = 0; i < periods && i < 2000; i++)
        average = (average * factor + load * (ONE - factor)) / ONE;
    return average;
}

void sched_load_averages(uint64_t averages[3])
{
    uint64_t load = running_now() * ONE;
    irq_state_t interrupts = spin_lock_irq_save(&load_lock);
    uint64_t periods = (port_clock_ns() - sampled_ns) / SAMPLE_NS;

    sampled_ns += periods * SAMPLE_NS;
    for (int i = 0; i < 3; i++) {
        load_averages[i] = decayed(load_averages[i], load, decay[i], periods);
        averages[i] = load_averages[i];
    }
    spin_unlock_irq_restore(&load_lock, interrupts);
}

void sched_cpu_usage(unsigned id, struct sched_cpu_usage *usage)
{
    struct cpu *cpu = online_cpu(id);

    *usage = (struct sched_cpu_usage){0};
    if (!cpu)
        return;
    usage->idle_ns = thread_system_ns(cpu->idle);
    usage->switches = atomic_load_explicit(&cpu->run_queue.switches, memory_order_relaxed);
    usage->timer_interrupts =
        atomic_load_explicit(&cpu->run_queue.timer_interrupts, memory_order_relaxed);
    usage->running = running_on(cpu);
}
