/* Which CPU a thread runs on: wake-up placement, stealing, balancing. Private to kernel/sched. */
#pragma once

#include "sched/cpu.h"
#include "sched/policy.h"

/* CPUs that may be given threads; those of them that sleep in their idle thread; those where a
 * realtime thread waits, changed under the lock of their run queues. */
extern _Atomic uint64_t placement_online, placement_idle, placement_realtime;

static inline uint64_t cpu_bit(const struct cpu *cpu)
{
    return 1ull << cpu->id;
}

/* Locks the run queue that guards the thread. Interrupts masked. */
struct cpu *thread_lock_home(struct thread *thread);

/* The best CPU for the thread now. Under its home's lock. */
struct cpu *placement_choose(struct thread *thread);

/* Takes a thread that just became READY and is in no queue to the best CPU. Its home is locked, and
 * is released. Interrupts masked. */
void placement_send_locked(struct cpu *home, struct thread *thread, enum enqueue_reason reason);

/* Puts a READY thread that is in no queue and on no CPU into its home's queue, or, where its
 * affinity forbids that, into another's. Only the one who made it so may call it. Interrupts
 * masked, no run queue locked. */
void placement_enqueue(struct thread *thread, enum enqueue_reason reason);
/* Gives a thread that is in no queue and on no CPU another home. Under the old home's lock, which
 * no longer guards it afterwards. */
void placement_move(struct thread *thread, struct cpu *from, struct cpu *to);

/* Should a running thread that gives way leave its CPU too? Under the lock of its home. */
bool placement_should_leave_slowly(const struct cpu *cpu, const struct thread *thread);
static inline bool placement_should_leave(const struct cpu *cpu, const struct thread *thread)
{
    uint64_t idle = atomic_load_explicit(&placement_idle, memory_order_relaxed);

    if (likely(idle == 0 && (thread->affinity & cpu_bit(cpu)) &&
               thread->policy->class != SCHED_CLASS_REALTIME))
        return false;
    return placement_should_leave_slowly(cpu, thread);
}

/* Wakes an idle CPU, if there is one, so that it steals. */
void placement_offer(void);
/* This CPU turns to something less than realtime: asks one where a realtime thread waits to push it
 * away. */
void placement_invite_realtime(void);
static inline bool placement_has_realtime_waiting(void)
{
    return atomic_load_explicit(&placement_realtime, memory_order_relaxed) != 0;
}
/* Moves a waiting realtime thread to a CPU that runs something of lower rank. Interrupts masked. */
void placement_push_realtime(struct cpu *cpu);

/* Takes a waiting thread from another CPU to this one. Returns whether it did. Interrupts masked.
 */
bool placement_steal(struct cpu *cpu);
/* Gives a waiting thread of this CPU to one with less to do. Interrupts masked. */
void placement_balance(struct cpu *cpu, uint64_t now);
