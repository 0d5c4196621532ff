/* Policy, priority, nice value and affinity of a thread; the rest is in thread.h. Private to
 * kernel/sched. */
#pragma once

#include "sched/thread.h"

/* What thread_init() and the adoption of an idle thread have in common. */
void thread_init_common(struct thread *thread, const char *name, struct cpu *home);

/* The thread is NEW. Nice 0, all CPUs. */
void attributes_init(struct thread *thread);
void attributes_inherit(struct thread *thread, struct thread *creator);
/* Below everything: for the thread that a CPU runs when it has nothing to do. */
void attributes_init_idle(struct thread *thread);

/* The thread's group or its bounds have changed, and nobody else knows the thread yet. */
void attributes_apply_new(struct thread *thread);

/* Between the two, its home locked, what a thread asks for or its group may change. It takes its
 * place in a queue accordingly afterwards, if it is in one. */
struct attributes_change {
    irq_state_t interrupts;
    bool was_queued;
    struct fair_queue *queue_before;
};
struct cpu *attributes_begin_change(struct thread *thread, struct attributes_change *change);
void attributes_end_change(struct cpu *home, struct thread *thread,
                           struct attributes_change *change);
