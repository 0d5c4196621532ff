/*
 * Which CPU a thread runs on. A thread has a home, thread->cpu, whose run queue's lock guards it.
 * One that changes its home is READY and in no queue meanwhile: whoever took it out puts it in
 * again, so two queues are never locked at once. Its virtual runtime is relative to the queue's
 * minimum then.
 */
#include "sched/placement.h"

#include "lib/assert.h"
#include "sched/run_queue_ops.h"
#include "sched/thread_state.h"

/* How many threads one balancing moves: it runs in an interrupt. */
#define BALANCE_LIMIT 4

_Atomic uint64_t placement_online, placement_idle, placement_realtime;

static uint64_t allowed_cpus(const struct thread *thread)
{
    return thread->affinity & atomic_load_explicit(&placement_online, memory_order_relaxed);
}

static uint64_t idle_cpus(void)
{
    return atomic_load_explicit(&placement_idle, memory_order_relaxed);
}

struct cpu *NO_THREAD_SAFETY_ANALYSIS thread_lock_home(struct thread *thread)
{
    for (;;) {
        struct cpu *cpu = atomic_load_explicit(&thread->cpu, memory_order_acquire);

        spin_lock(&cpu->run_queue.lock);
        if (likely(cpu == atomic_load_explicit(&thread->cpu, memory_order_relaxed)))
            return cpu;
        spin_unlock(&cpu->run_queue.lock);
    }
}

static struct cpu *first_cpu(uint64_t cpus)
{
    return port_cpu((unsigned)__builtin_ctzll(cpus));
}

/* The CPU of the mask that has the smallest value; there is one. */
static struct cpu *least_cpu(uint64_t cpus, uint64_t (*value)(const struct run_queue *queue))
{
    struct cpu *best = NULL;
    uint64_t least = UINT64_MAX;

    for (; cpus; cpus &= cpus - 1) {
        struct cpu *cpu = first_cpu(cpus);
        uint64_t present = value(&cpu->run_queue);

        if (!best || present < least) {
            best = cpu;
            least = present;
        }
    }
    return best;
}

static uint64_t rank_of(const struct run_queue *queue)
{
    return atomic_load_explicit(&queue->current_rank, memory_order_relaxed);
}

/* Takes an idle CPU off the list, so that the next one who looks finds another. It puts itself on
 * again before it next sleeps. */
static struct cpu *claim_idle(uint64_t candidates)
{
    struct cpu *cpu = first_cpu(candidates);

    port_explore(PORT_POINT_ATOMIC, &placement_idle);
    atomic_fetch_and_explicit(&placement_idle, ~cpu_bit(cpu), memory_order_relaxed);
    return cpu;
}

/* Would the thread wait at home while another CPU has less to do? Looked at only if somebody
 * already waits there. */
static struct cpu *less_loaded(struct cpu *home, uint64_t allowed, const struct thread *thread)
{
    struct cpu *other;

    if (allowed == cpu_bit(home) || run_queue_ready(&home->run_queue) == 0)
        return home;
    other = least_cpu(allowed, run_queue_load);
    return run_queue_load(&other->run_queue) + thread->fair.weight <=
                   run_queue_load(&home->run_queue)
               ? other
               : home;
}

struct cpu *placement_choose(struct thread *thread)
{
    struct cpu *home = thread->cpu;
    uint64_t allowed = allowed_cpus(thread);
    uint64_t idle = idle_cpus() & allowed;
    bool home_allowed = allowed & cpu_bit(home);

    debug_assert(allowed != 0);
    if (idle)
        return claim_idle((idle & cpu_bit(home)) ? cpu_bit(home) : idle);
    if (thread->policy->class == SCHED_CLASS_REALTIME) {
        if (home_allowed && rank_of(&home->run_queue) < thread->rank)
            return home;
        return least_cpu(allowed, rank_of);
    }
    if (home_allowed && thread->state != THREAD_NEW)
        return less_loaded(home, allowed, thread);
    return least_cpu(allowed, run_queue_load);
}

void placement_move(struct thread *thread, struct cpu *from, struct cpu *to)
{
    spin_assert_held(&from->run_queue.lock);
    if (from == to)
        return;
    thread->fair.virtual_runtime += fair_virtual_minimum(fair_queue_on(to, thread)) -
                                    fair_virtual_minimum(fair_queue_on(from, thread));
    counter_add(&thread->usage.migrations, 1);
    atomic_store_explicit(&thread->cpu, to, memory_order_release);
}

/* Releases the home's lock. */
static void NO_THREAD_SAFETY_ANALYSIS enqueue_at(struct cpu *home, struct thread *thread,
                                                 enum enqueue_reason reason)
{
    struct run_queue *queue = &home->run_queue;
    uint64_t now = port_cycles();

    run_queue_charge(queue, now);
    run_queue_enqueue(queue, thread, reason, now);
    if (run_queue_preempts(queue, thread))
        run_queue_request_switch(home);
    else if (queue->slice_end == SLICE_ENDLESS) {
        if (home == this_cpu())
            run_queue_begin_slice(home, now);
        else
            port_send_reschedule(home->id);
    }
    spin_unlock(&queue->lock);
}

void NO_THREAD_SAFETY_ANALYSIS placement_enqueue(struct thread *thread, enum enqueue_reason reason)
{
    struct cpu *home = thread_lock_home(thread);

    while (unlikely(!(allowed_cpus(thread) & cpu_bit(home)))) {
        placement_move(thread, home, placement_choose(thread));
        spin_unlock(&home->run_queue.lock);
        home = thread_lock_home(thread);
    }
    enqueue_at(home, thread, reason);
}

void NO_THREAD_SAFETY_ANALYSIS placement_send_locked(struct cpu *home, struct thread *thread,
                                                     enum enqueue_reason reason)
{
    struct cpu *target = placement_choose(thread);

    thread_set_state(thread, THREAD_READY);
    if (likely(target == home)) {
        enqueue_at(home, thread, reason);
        return;
    }
    placement_move(thread, home, target);
    spin_unlock(&home->run_queue.lock);
    placement_enqueue(thread, reason);
}

bool placement_should_leave_slowly(const struct cpu *cpu, const struct thread *thread)
{
    uint64_t allowed = allowed_cpus(thread);

    if (unlikely(!(allowed & cpu_bit(cpu))))
        return true;
    if (run_queue_ready(&cpu->run_queue) == 0)
        return false;
    if (idle_cpus() & allowed)
        return true;
    return thread->policy->class == SCHED_CLASS_REALTIME &&
           rank_of(&least_cpu(allowed, rank_of)->run_queue) < thread->rank;
}

void placement_offer(void)
{
    uint64_t idle = idle_cpus();

    if (idle)
        port_send_reschedule(claim_idle(idle)->id);
}

/* Takes a waiting thread of these classes out of one CPU's queue, and makes another its home. */
static struct thread *take_movable(struct cpu *from, struct cpu *to, unsigned first_class,
                                   unsigned last_class, uint64_t weight_limit)
{
    struct run_queue *queue = &from->run_queue;
    struct thread *thread = NULL;

    spin_lock(&queue->lock);
    for (unsigned class = first_class; class <= last_class && !thread; class ++)
        if (queue->class_count[class] > 0)
            thread = sched_policies[class]->find_movable(queue, cpu_bit(to), weight_limit);
    if (thread) {
        run_queue_dequeue(queue, thread, port_cycles());
        placement_move(thread, from, to);
    }
    spin_unlock(&queue->lock);
    return thread;
}

/* A victim that is itself idle is about to run what it has. */
bool placement_steal(struct cpu *cpu)
{
    unsigned count = port_cpu_count();

    for (unsigned i = 1; i < count; i++) {
        struct cpu *victim = port_cpu((cpu->id + i) % count);
        struct thread *thread = NULL;

        if (atomic_load_explicit(&victim->online, memory_order_acquire) &&
            run_queue_ready(&victim->run_queue) > 0 && rank_of(&victim->run_queue) > 0)
            thread = take_movable(victim, cpu, SCHED_CLASS_REALTIME, SCHED_CLASS_IDLE, UINT64_MAX);
        if (thread) {
            placement_enqueue(thread, ENQUEUE_MOVED);
            return true;
        }
    }
    return false;
}

/* Gives one thread away; false if that would not lessen the difference. */
static bool give_one(struct cpu *cpu, uint64_t others)
{
    struct cpu *target = least_cpu(others, run_queue_load);
    uint64_t own_load = run_queue_load(&cpu->run_queue);
    uint64_t load = run_queue_load(&target->run_queue);
    struct thread *thread = NULL;

    /* Lighter than the difference: the target will carry less than this CPU did. */
    if (own_load > load)
        thread = take_movable(cpu, target, SCHED_CLASS_FAIR, SCHED_CLASS_IDLE, own_load - load);
    if (thread)
        placement_enqueue(thread, ENQUEUE_MOVED);
    return thread != NULL;
}

void placement_balance(struct cpu *cpu, uint64_t now)
{
    struct run_queue *queue = &cpu->run_queue;
    uint64_t others = atomic_load_explicit(&placement_online, memory_order_relaxed) & ~cpu_bit(cpu);
    int given = 0;

    if (!others || now - queue->balanced < sched_slices.balance)
        return;
    queue->balanced = now;
    while (given < BALANCE_LIMIT && give_one(cpu, others))
        given++;
}

void placement_invite_realtime(void)
{
    uint64_t waiting = atomic_load_explicit(&placement_realtime, memory_order_relaxed);

    if (waiting)
        port_send_reschedule(first_cpu(waiting)->id);
}

void placement_push_realtime(struct cpu *cpu)
{
    uint64_t others = atomic_load_explicit(&placement_online, memory_order_relaxed) & ~cpu_bit(cpu);
    struct thread *thread = NULL;

    if (!(atomic_load_explicit(&placement_realtime, memory_order_relaxed) & cpu_bit(cpu)))
        return;
    /* It is about to run here. If it were pushed to a CPU like this one, that would do the same. */
    if (rank_of(&cpu->run_queue) < RANK_REALTIME)
        return;
    for (; others && !thread; others &= others - 1)
        if (rank_of(&first_cpu(others)->run_queue) < RANK_REALTIME)
            thread = take_movable(cpu, first_cpu(others), SCHED_CLASS_REALTIME,
                                  SCHED_CLASS_REALTIME, UINT64_MAX);
    if (thread)
        placement_enqueue(thread, ENQUEUE_MOVED);
}
