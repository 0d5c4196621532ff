/*
 * What one does with a run queue, whatever the policies of its threads. Private to kernel/sched.
 * All under the queue's lock, with interrupts masked; `now` is port_cycles() time.
 */
#pragma once

#include "sched/cpu.h"
#include "sched/group_share.h"
#include "sched/policy.h"

void run_queue_init(struct run_queue *queue, struct thread *idle);

/* A READY thread whose thread->cpu is this queue's enters it, leaves it. */
void run_queue_enqueue(struct run_queue *queue, struct thread *thread, enum enqueue_reason reason,
                       uint64_t now);
void run_queue_dequeue(struct run_queue *queue, struct thread *thread, uint64_t now);
/* Takes out the thread that should run next; NULL if the queue is empty. */
struct thread *run_queue_pick(struct run_queue *queue, uint64_t now);
/* Should `thread`, just enqueued, run instead of the current one? */
bool run_queue_preempts(struct run_queue *queue, const struct thread *thread);

/* The tick comes at `at` or earlier. */
void run_queue_arm_tick(struct cpu *cpu, uint64_t at, uint64_t now);
/* Begins the slice of this CPU's current thread, because others wait, and arms the timer for its
 * end. */
void run_queue_begin_slice(struct cpu *cpu, uint64_t now);

/* Asks the queue's running thread to give way: at once if it is in user mode or idle. */
void run_queue_request_switch(struct cpu *cpu);

static inline uint32_t run_queue_ready(const struct run_queue *queue)
{
    return atomic_load_explicit(&queue->ready_count, memory_order_relaxed);
}

/* What a thread that runs adds to its CPU's load: nothing while its share has others waiting, who
 * stand for the whole share. */
static inline uint64_t fair_weight_of_current(const struct thread *thread)
{
    return likely(!thread->share) ? thread->fair.weight : share_weight_of_current(thread);
}

/* The load that balancing compares: the weight of all that is fair, and of what runs. Any context.
 */
static inline uint64_t run_queue_load(const struct run_queue *queue)
{
    return atomic_load_explicit(&queue->fair.weight, memory_order_relaxed) +
           atomic_load_explicit(&queue->current_weight, memory_order_relaxed);
}

/* Counters with one writer: a plain addition that others see whole. */
static inline void counter_add(_Atomic uint64_t *counter, uint64_t amount)
{
    port_add_own(counter, amount);
}

/* Tells the running thread's policy how long it has run. */
static inline void run_queue_charge(struct run_queue *queue, uint64_t now)
{
    uint64_t cycles = now - queue->charged;

    spin_assert_held(&queue->lock);
    queue->charged = now;
    if (likely((int64_t)cycles > 0))
        queue->current->policy->charge(queue, queue->current, cycles);
}

/* What other CPUs read about the thread that runs here. */
static inline void run_queue_publish(struct run_queue *queue, const struct thread *thread)
{
    atomic_store_explicit(&queue->current_rank, thread->rank, memory_order_relaxed);
    atomic_store_explicit(&queue->current_weight, fair_weight_of_current(thread),
                          memory_order_relaxed);
}

static inline void run_queue_set_current(struct run_queue *queue, struct thread *thread)
{
    queue->current = thread;
    run_queue_publish(queue, thread);
}
