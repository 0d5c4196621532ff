/* What groups of threads have used. The sums are atomic; who adds holds the run queue of the
 * thread's CPU. */
#include "lib/string.h"
#include "sched/cpu.h"
#include "sched/group.h"
#include "sched/thread.h"

#define READ_TRIES 16

static void add(_Atomic uint64_t *sum, uint64_t amount)
{
    atomic_fetch_add_explicit(sum, amount, memory_order_relaxed);
}

static uint64_t standing(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static bool is_set(const _Atomic bool *flag)
{
    return atomic_load_explicit(flag, memory_order_relaxed);
}

/* What the thread has counted since the last time, and from now on no longer. */
static uint64_t take_part(struct thread *thread, enum thread_count what)
{
    uint64_t value = standing(&thread->usage.counts[what]);
    uint64_t part = value - thread->flushed.counts[what];

    thread->flushed.counts[what] = value;
    return part;
}

static void flush_transfers(struct thread *thread)
{
    uint64_t reads = take_part(thread, COUNT_READS);
    uint64_t writes = take_part(thread, COUNT_WRITES);
    uint64_t controls = take_part(thread, COUNT_CONTROLS);
    uint64_t read_bytes = take_part(thread, COUNT_READ_BYTES);
    uint64_t written_bytes = take_part(thread, COUNT_WRITTEN_BYTES);

    for (struct sched_group *group = thread->group; group; group = group->parent) {
        add(&group->counts[COUNT_READS], reads);
        add(&group->counts[COUNT_WRITES], writes);
        add(&group->counts[COUNT_CONTROLS], controls);
        add(&group->counts[COUNT_READ_BYTES], read_bytes);
        add(&group->counts[COUNT_WRITTEN_BYTES], written_bytes);
    }
}

/* The marks stay: the thread may be running, and counting. */
static void flush_counts(struct thread *thread)
{
    uint64_t faults;

    if (is_set(&thread->has_faulted)) {
        faults = take_part(thread, COUNT_FAULTS);
        for (struct sched_group *group = thread->group; group; group = group->parent)
            add(&group->counts[COUNT_FAULTS], faults);
    }
    if (is_set(&thread->has_transferred))
        flush_transfers(thread);
}

static void flush_counts_of_stopped(struct thread *thread)
{
    if (!is_set(&thread->has_faulted) && !is_set(&thread->has_transferred))
        return;
    flush_counts(thread);
    atomic_store_explicit(&thread->has_faulted, false, memory_order_relaxed);
    atomic_store_explicit(&thread->has_transferred, false, memory_order_relaxed);
}

/* What a thread has used and not added yet. */
static struct cpu_time unflushed(const struct thread *thread, struct cpu_time *used)
{
    const struct cpu_time *flushed = &thread->flushed.time;

    *used = (struct cpu_time){
        .user = thread_read_cycles(&thread->usage.user_cycles),
        .system = thread_read_cycles(&thread->usage.system_cycles),
        .ready = thread_read_cycles(&thread->usage.ready_cycles),
    };
    return (struct cpu_time){
        .user = used->user - flushed->user,
        .system = used->system - flushed->system,
        .ready = used->ready - flushed->ready,
    };
}

void group_account_flush(struct thread *thread, uint64_t now)
{
    struct cpu_time used;
    struct cpu_time part = unflushed(thread, &used);

    thread->flushed.time = used;
    for (struct sched_group *group = thread->group; group; group = group->parent) {
        add(&group->user, part.user);
        add(&group->system, part.system);
        add(&group->ready, part.ready);
    }
    flush_counts(thread);
    if (thread->is_watched)
        group_limit_charge(thread->group, part.user + part.system, now);
}

void group_account_stopped(struct thread *thread, uint64_t now)
{
    struct sched_group *group = thread->group;
    struct cpu_time *flushed = &thread->flushed.time;
    uint64_t user = standing(&thread->usage.user_cycles);
    uint64_t system = standing(&thread->usage.system_cycles);
    uint64_t ready = standing(&thread->usage.ready_cycles);
    uint64_t new_user = user - flushed->user, new_system = system - flushed->system;
    uint64_t new_ready = (int64_t)ready < 0 ? 0 : ready - flushed->ready;

    flushed->user = user;
    flushed->system = system;
    flushed->ready += new_ready;
    do {
        add(&group->user, new_user);
        add(&group->system, new_system);
        if (new_ready)
            add(&group->ready, new_ready);
        group = group->parent;
    } while (group);
    flush_counts_of_stopped(thread);
    if (unlikely(thread->is_watched))
        group_limit_charge(thread->group, new_user + new_system, now);
}

static bool is_below(const struct sched_group *group, const struct sched_group *top)
{
    while (group && group != top)
        group = group->parent;
    return group == top;
}

static void add_running(struct cpu *cpu, const struct sched_group *group, struct group_usage *usage)
{
    irq_state_t interrupts = spin_lock_irq_save(&cpu->run_queue.lock);
    const struct thread *running = cpu->run_queue.current;

    if (running->group && is_below(running->group, group)) {
        struct cpu_time used;
        struct cpu_time part = unflushed(running, &used);

        usage->time.user += part.user;
        usage->time.system += part.system;
        usage->time.ready += part.ready;
        for (unsigned what = 0; what < THREAD_COUNTS; what++)
            usage->counts[what] +=
                standing(&running->usage.counts[what]) - running->flushed.counts[what];
    }
    spin_unlock_irq_restore(&cpu->run_queue.lock, interrupts);
}

static void read_added(const struct sched_group *group, struct group_usage *usage)
{
    usage->time = (struct cpu_time){.user = standing(&group->user),
                                    .system = standing(&group->system),
                                    .ready = standing(&group->ready)};
    for (unsigned what = 0; what < THREAD_COUNTS; what++)
        usage->counts[what] = standing(&group->counts[what]);
}

/* A thread that stopped after the sums were read and before its CPU was looked at is in neither:
 * but then, seen through that CPU's lock, the sums have changed. */
void sched_group_read(const struct sched_group *group, struct group_usage *usage)
{
    struct group_usage before, after;
    unsigned tries = READ_TRIES;

    read_added(group, &after);
    do {
        *usage = before = after;
        for (unsigned id = 0; id < port_cpu_count(); id++)
            add_running(port_cpu(id), group, usage);
        read_added(group, &after);
    } while (memcmp(&before, &after, sizeof(before)) != 0 && --tries > 0);
}
