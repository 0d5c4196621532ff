/*
 * Groups that share the CPUs as one: the fair policy's queues in queues. On each CPU the group is
 * an entity of its own, with a part of the group's weight: as much as the CPU has of the group's
 * runnable threads. Private to kernel/sched.
 *
 * A thread of such a group is in the queue of its share. All under the run queue's lock.
 */
#pragma once

#include "sched/cpu.h"
#include "sched/policy.h"

struct group_share {
    _Atomic uint64_t weight;   /* FAIR_WEIGHT_UNIT: as much as a thread of nice 0 */
    _Atomic uint64_t runnable; /* of the weights of all threads below, on all CPUs */
    struct fair_share cpus[];  /* by CPU */
};

static inline struct fair_share *share_on(struct group_share *share, const struct cpu *cpu)
{
    return share ? &share->cpus[cpu->id] : NULL;
}

/* The queue that the thread is in when it is ready on that CPU. */
static inline struct fair_queue *fair_queue_on(struct cpu *cpu, const struct thread *thread)
{
    return unlikely(thread->share) ? &thread->share->cpus[cpu->id].queue : &cpu->run_queue.fair;
}

/* The thread, of a share, begins or ceases to be runnable on the CPU. */
void share_enter(struct cpu *cpu, struct thread *thread);
void share_leave(struct cpu *cpu, struct thread *thread);

/* Puts an entity that is in none into the queue of its share, and the shares above that had nobody
 * waiting into theirs. */
void share_insert(struct cpu *cpu, struct fair_share *share, struct fair_entity *entity,
                  enum enqueue_reason reason);
void share_remove(struct cpu *cpu, struct fair_share *share, struct fair_entity *entity);
/* The current thread, of that share, has run for so long. */
void share_charge(struct cpu *cpu, struct fair_share *share, uint64_t cycles);
/* The two entities, of these threads or of shares that they are in, that stand in one queue. */
void share_match(struct cpu *cpu, const struct thread *a, const struct thread *b,
                 const struct fair_entity **entity_a, const struct fair_entity **entity_b);

/* What a thread of a share adds to its CPU's load: queued, or running. */
uint64_t share_weight_of_queued(const struct thread *thread);
uint64_t share_weight_of_current(const struct thread *thread);
