/*
 * Time limits of groups. Whenever a thread of a watched group is switched to, the CPU arms its tick
 * for the earliest moment at which a limit could be reached if every CPU ran the group; then it
 * adds what the thread has used, and looks again. So no time is polled that nobody uses, and the
 * overrun is at most sched_slices.watch_minimum on each CPU.
 */
#include "sched/cpu.h"
#include "sched/group.h"
#include "sched/placement.h"
#include "sched/run_queue_ops.h"

/* No limit, or one that this CPU cannot reach in years. */
#define FAR_AWAY (UINT64_MAX / CPU_MAX / 2)

static uint64_t minimum(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t until(const _Atomic uint64_t *alarm, uint64_t used)
{
    uint64_t at = atomic_load_explicit(alarm, memory_order_relaxed);

    return at > used ? at - used : 0;
}

/* How much CPU time the group has until one of its own limits. */
static uint64_t group_left(struct sched_group *group, uint64_t now)
{
    uint64_t user = atomic_load_explicit(&group->user, memory_order_relaxed);
    uint64_t system = atomic_load_explicit(&group->system, memory_order_relaxed);
    uint64_t left =
        minimum(until(&group->user_alarm, user), until(&group->total_alarm, user + system));

    return minimum(left, bandwidth_left(&group->bandwidth, now));
}

/* How long the thread may run before somebody must look. */
static uint64_t thread_left(const struct thread *thread, uint64_t now)
{
    uint64_t online = atomic_load_explicit(&placement_online, memory_order_relaxed);
    uint64_t left = until(&thread->user_alarm, thread->flushed.time.user);

    for (struct sched_group *group = thread->group; group; group = group->parent)
        left = minimum(left, group_left(group, now) / (unsigned)__builtin_popcountll(online));
    return left;
}

void group_limit_watch(struct cpu *cpu, uint64_t now)
{
    struct run_queue *queue = &cpu->run_queue;
    struct thread *thread = queue->current;
    uint64_t left = thread_left(thread, now);

    spin_assert_held(&queue->lock);
    if (left == 0)
        atomic_fetch_or_explicit(&thread->work, THREAD_WORK_CPU_LIMIT, memory_order_relaxed);
    if (left < sched_slices.watch_minimum)
        left = sched_slices.watch_minimum;
    queue->watch_end = left < FAR_AWAY ? now + left : SLICE_ENDLESS;
    run_queue_arm_tick(cpu, queue->watch_end, now);
}

void group_limit_charge(struct sched_group *group, uint64_t cycles, uint64_t now)
{
    for (; group; group = group->parent)
        if (bandwidth_is_limited(&group->bandwidth))
            bandwidth_charge(&group->bandwidth, cycles, now);
}

void sched_group_set_alarms(struct sched_group *group, uint64_t user, uint64_t total)
{
    atomic_store_explicit(&group->user_alarm, user, memory_order_relaxed);
    atomic_store_explicit(&group->total_alarm, total, memory_order_relaxed);
}

void thread_set_user_alarm(struct thread *thread, uint64_t user)
{
    atomic_store_explicit(&thread->user_alarm, user, memory_order_relaxed);
}

/* What threads that run now have used so far is added while nobody is charged for it yet. */
static void flush_running(void)
{
    for (unsigned id = 0; id < port_cpu_count(); id++) {
        struct cpu *cpu = port_cpu(id);
        irq_state_t interrupts = spin_lock_irq_save(&cpu->run_queue.lock);

        if (cpu->run_queue.current->group)
            group_account_flush(cpu->run_queue.current, port_cycles());
        spin_unlock_irq_restore(&cpu->run_queue.lock, interrupts);
    }
}

void sched_group_set_bandwidth(struct sched_group *group, uint64_t quota_ns, uint64_t period_ns,
                               uint64_t burst_ns)
{
    flush_running();
    bandwidth_set(&group->bandwidth, port_ns_to_cycles(quota_ns), port_ns_to_cycles(period_ns),
                  port_ns_to_cycles(burst_ns), port_cycles());
}

void group_limit_look(struct cpu *cpu, uint64_t now)
{
    struct thread *current = cpu->run_queue.current;

    if (!current->is_watched) {
        cpu->run_queue.watch_end = SLICE_ENDLESS;
        return;
    }
    group_account_flush(current, now);
    group_limit_watch(cpu, now);
}

void sched_group_limits_changed(void)
{
    irq_state_t interrupts = port_irq_save();
    struct cpu *own = this_cpu();

    for (unsigned id = 0; id < port_cpu_count(); id++)
        if (port_cpu(id) != own)
            port_send_reschedule(id);
    spin_lock(&own->run_queue.lock);
    group_limit_look(own, port_cycles());
    spin_unlock(&own->run_queue.lock);
    port_irq_restore(interrupts);
}

/* In cycles; a group above may hold it longer. */
static uint64_t available_at(struct sched_group *group, uint64_t now)
{
    uint64_t latest = now;

    for (; group; group = group->parent) {
        uint64_t at = bandwidth_available_at(&group->bandwidth, now);

        if (at > latest)
            latest = at;
    }
    return latest;
}

uint64_t sched_group_throttled_until(struct sched_group *group)
{
    uint64_t now = port_cycles();
    uint64_t wait = available_at(group, now) - now;

    return wait == 0 ? 0 : port_clock_ns() + port_cycles_to_ns(wait) + 1;
}
