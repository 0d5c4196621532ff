/* CPU time of groups of threads. The sums are atomic; who adds holds the run queue of the thread's
 * CPU. */
#include "sched/cpu.h"
#include "sched/group.h"
#include "sched/thread.h"

#define READ_TRIES 16

static void add(_Atomic uint64_t *sum, uint64_t cycles)
{
    atomic_fetch_add_explicit(sum, cycles, memory_order_relaxed);
}

static uint64_t standing(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

/* What a thread has used and not added yet. */
static struct cpu_time unflushed(const struct thread *thread, struct cpu_time *used)
{
    *used = (struct cpu_time){
        .user = thread_read_cycles(&thread->usage.user_cycles),
        .system = thread_read_cycles(&thread->usage.system_cycles),
        .ready = thread_read_cycles(&thread->usage.ready_cycles),
    };
    return (struct cpu_time){
        .user = used->user - thread->flushed.user,
        .system = used->system - thread->flushed.system,
        .ready = used->ready - thread->flushed.ready,
    };
}

void group_account_flush(struct thread *thread, uint64_t now)
{
    struct cpu_time used;
    struct cpu_time part = unflushed(thread, &used);

    thread->flushed = used;
    for (struct sched_group *group = thread->group; group; group = group->parent) {
        add(&group->user, part.user);
        add(&group->system, part.system);
        add(&group->ready, part.ready);
    }
    if (thread->is_watched)
        group_limit_charge(thread->group, part.user + part.system, now);
}

void group_account_stopped(struct thread *thread, uint64_t now)
{
    struct sched_group *group = thread->group;
    uint64_t user = standing(&thread->usage.user_cycles);
    uint64_t system = standing(&thread->usage.system_cycles);
    uint64_t ready = standing(&thread->usage.ready_cycles);
    uint64_t new_user = user - thread->flushed.user, new_system = system - thread->flushed.system;
    uint64_t new_ready = (int64_t)ready < 0 ? 0 : ready - thread->flushed.ready;

    thread->flushed.user = user;
    thread->flushed.system = system;
    thread->flushed.ready += new_ready;
    do {
        add(&group->user, new_user);
        add(&group->system, new_system);
        if (new_ready)
            add(&group->ready, new_ready);
        group = group->parent;
    } while (group);
    if (unlikely(thread->is_watched))
        group_limit_charge(thread->group, new_user + new_system, now);
}

static bool is_below(const struct sched_group *group, const struct sched_group *top)
{
    while (group && group != top)
        group = group->parent;
    return group == top;
}

static void add_running(struct cpu *cpu, const struct sched_group *group, struct cpu_time *time)
{
    irq_state_t interrupts = spin_lock_irq_save(&cpu->run_queue.lock);
    const struct thread *running = cpu->run_queue.current;

    if (running->group && is_below(running->group, group)) {
        struct cpu_time used;
        struct cpu_time part = unflushed(running, &used);

        time->user += part.user;
        time->system += part.system;
        time->ready += part.ready;
    }
    spin_unlock_irq_restore(&cpu->run_queue.lock, interrupts);
}

static struct cpu_time read_added(const struct sched_group *group)
{
    return (struct cpu_time){.user = standing(&group->user),
                             .system = standing(&group->system),
                             .ready = standing(&group->ready)};
}

static bool is_same(const struct cpu_time *left, const struct cpu_time *right)
{
    return left->user == right->user && left->system == right->system &&
           left->ready == right->ready;
}

/* A thread that stopped after the sums were read and before its CPU was looked at is in neither:
 * but then, seen through that CPU's lock, the sums have changed. */
void sched_group_read(const struct sched_group *group, struct cpu_time *time)
{
    struct cpu_time before, after = read_added(group);
    unsigned tries = READ_TRIES;

    do {
        *time = before = after;
        for (unsigned id = 0; id < port_cpu_count(); id++)
            add_running(port_cpu(id), group, time);
        after = read_added(group);
    } while (!is_same(&before, &after) && --tries > 0);
}
