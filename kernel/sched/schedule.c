/*
 * The switch from one thread to the next, and the hooks through which the machine tells the
 * scheduler of interrupts and of crossings between user mode and the kernel.
 *
 * The run queue's lock is held across port_switch(): nobody sees a thread that is not RUNNING on
 * its old stack still. The thread that is switched to releases it, in finish_switch().
 */
#include "sched/sched.h"

#include "sched/placement.h"
#include "sched/run_queue_ops.h"
#include "sched/switch.h"
#include "sched/thread_state.h"

/* Frees a dead thread, or finds a new home for one that could not stay. No lock held any more. */
static void dispose_of(struct cpu *cpu, struct thread *left, bool is_dead)
{
    if (left == cpu->idle)
        return;
    if (!is_dead) {
        placement_enqueue(left, ENQUEUE_MOVED);
        return;
    }
    port_thread_destroy(left);
    left->release(left);
}

void NO_THREAD_SAFETY_ANALYSIS finish_switch(void)
{
    struct cpu *cpu = this_cpu();
    struct thread *left = cpu->run_queue.left;
    enum thread_state state = left->state;
    bool is_settled = left->on_queue || state == THREAD_SLEEPING;

    left->on_cpu = false;
    spin_unlock(&cpu->run_queue.lock);
    /* A settled thread may be running elsewhere by now, or be gone. */
    if (unlikely(!is_settled))
        dispose_of(cpu, left, state == THREAD_DEAD);
}

static void switch_to(struct cpu *cpu, struct thread *previous, struct thread *next, uint64_t now)
{
    struct run_queue *queue = &cpu->run_queue;

    counter_add(&previous->usage.system_cycles, now);
    if (previous->group)
        group_account_stopped(previous, now);
    counter_add(&next->usage.system_cycles, -now);
    counter_add(&queue->switches, 1);
    queue->left = previous;
    next->on_cpu = true;
    port_explore(PORT_POINT_SWITCH, next);
    port_switch(previous, next);
    finish_switch();
}

/* The running thread stops running: it sleeps, waits for its next turn, or is dead already. */
static void give_way(struct cpu *cpu, struct thread *thread, uint64_t now)
{
    if (thread->state == THREAD_DEAD)
        return;
    if (thread == cpu->idle) {
        thread_set_state(thread, THREAD_READY);
        return;
    }
    if (atomic_load_explicit(&thread->work, memory_order_relaxed) & THREAD_WORK_RESCHEDULE)
        atomic_fetch_and_explicit(&thread->work, ~(uint32_t)THREAD_WORK_RESCHEDULE,
                                  memory_order_relaxed);
    if (atomic_load_explicit(&thread->may_sleep, memory_order_relaxed)) {
        thread_set_state(thread, THREAD_SLEEPING);
        counter_add(&thread->usage.voluntary_switches, 1);
    } else {
        thread_set_state(thread, THREAD_READY);
        if (likely(!placement_should_leave(cpu, thread))) {
            run_queue_enqueue(&cpu->run_queue, thread, ENQUEUE_PREEMPTED, now);
            return;
        }
    }
    if (unlikely(thread->share))
        share_leave(cpu, thread);
}

void NO_THREAD_SAFETY_ANALYSIS schedule_locked(struct cpu *cpu, uint64_t now)
{
    struct run_queue *queue = &cpu->run_queue;
    struct thread *previous = queue->current;
    struct thread *next;

    run_queue_charge(queue, now);
    give_way(cpu, previous, now);
    next = run_queue_pick(queue, now);
    if (!next)
        next = cpu->idle;
    thread_set_state(next, THREAD_RUNNING);
    run_queue_set_current(queue, next);
    queue->slice_end = SLICE_ENDLESS;
    queue->watch_end = SLICE_ENDLESS;
    if (run_queue_ready(queue) > 0)
        run_queue_begin_slice(cpu, now);
    if (unlikely(next->is_watched))
        group_limit_watch(cpu, now);
    if (next == previous) {
        spin_unlock(&queue->lock);
        return;
    }
    if (previous->state == THREAD_READY)
        counter_add(&previous->usage.involuntary_switches, 1);
    if (unlikely(previous == cpu->idle && run_queue_ready(queue) > 0))
        placement_offer();
    if (unlikely(placement_has_realtime_waiting() && next->rank < RANK_REALTIME))
        placement_invite_realtime();
    switch_to(cpu, previous, next, now);
}

void NO_THREAD_SAFETY_ANALYSIS schedule(void)
{
    irq_state_t interrupts = port_irq_save();
    struct cpu *cpu = this_cpu();

    lock_check_may_sleep();
    port_explore(PORT_POINT_SLEEP, current_thread());
    spin_lock(&cpu->run_queue.lock);
    schedule_locked(cpu, port_cycles());
    port_irq_restore(interrupts);
}

void sched_point(void)
{
    if (unlikely(thread_has_work(current_thread(), THREAD_WORK_RESCHEDULE)))
        schedule();
}

void NO_THREAD_SAFETY_ANALYSIS sched_yield_current(void)
{
    struct cpu *cpu;

    if (run_queue_ready(&this_cpu()->run_queue) == 0)
        return;
    port_irq_disable();
    cpu = this_cpu();
    spin_lock(&cpu->run_queue.lock);
    current_thread()->policy->yield(&cpu->run_queue, current_thread());
    schedule_locked(cpu, port_cycles());
    port_irq_enable();
}

void sched_kernel_enter(void)
{
    struct thread_usage *usage = &current_thread()->usage;
    uint64_t now = port_cycles();

    counter_add(&usage->user_cycles, now);
    counter_add(&usage->system_cycles, -now);
}

void sched_kernel_leave(void)
{
    struct thread_usage *usage = &current_thread()->usage;
    uint64_t now = port_cycles();

    counter_add(&usage->system_cycles, now);
    counter_add(&usage->user_cycles, -now);
}

/* The timer came for the tick, or for something else. Returns when the next tick is due, in
 * port_clock_ns() time, and whether the slice has ended. */
static uint64_t tick(struct cpu *cpu, uint64_t now, bool *slice_ended)
{
    struct run_queue *queue = &cpu->run_queue;
    uint64_t next;

    spin_lock(&queue->lock);
    *slice_ended = queue->slice_end <= now;
    if (*slice_ended) {
        /* schedule() begins the next one. */
        queue->slice_end = SLICE_ENDLESS;
        run_queue_request_switch(cpu);
    }
    if (unlikely(queue->watch_end <= now))
        group_limit_look(cpu, now);
    next = queue->slice_end < queue->watch_end ? queue->slice_end : queue->watch_end;
    queue->tick = next;
    spin_unlock(&queue->lock);
    return next == SLICE_ENDLESS ? DEADLINE_NEVER
                                 : port_clock_ns() + port_cycles_to_ns(next - now) + 1;
}

void sched_timer_interrupt(void)
{
    struct cpu *cpu = this_cpu();
    uint64_t now, next_tick;
    bool slice_ended;

    counter_add(&cpu->run_queue.timer_interrupts, 1);
    timer_queue_expire(&cpu->timers, port_clock_ns());
    now = port_cycles();
    next_tick = tick(cpu, now, &slice_ended);
    timer_queue_program(&cpu->timers, next_tick);
    if (slice_ended)
        placement_balance(cpu, now);
}

/* Another CPU put a thread into this queue: its slice begins here, where the timer is. Whether the
 * running thread must give way was decided there; it looks on its way to user mode. Or another CPU
 * would take a realtime thread that waits here. Or a group's limits have changed. */
void sched_reschedule_interrupt(void)
{
    struct cpu *cpu = this_cpu();

    atomic_fetch_add_explicit(&cpu->reschedule_interrupts, 1, memory_order_release);
    spin_lock(&cpu->run_queue.lock);
    if (cpu->run_queue.slice_end == SLICE_ENDLESS && run_queue_ready(&cpu->run_queue) > 0)
        run_queue_begin_slice(cpu, port_cycles());
    if (unlikely(cpu->run_queue.current->is_watched))
        group_limit_look(cpu, port_cycles());
    spin_unlock(&cpu->run_queue.lock);
    placement_push_realtime(cpu);
}
