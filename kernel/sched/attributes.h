/* Policy, priority, nice value and affinity of a thread; the rest is in thread.h. Private to
 * kernel/sched. */
#pragma once

#include "sched/thread.h"

/* What thread_init() and the adoption of an idle thread have in common. */
void thread_init_common(struct thread *thread, const char *name, struct cpu *home);

/* The thread is NEW. Nice 0, all CPUs. */
void attributes_init(struct thread *thread);
void attributes_inherit(struct thread *thread, const struct thread *creator);
/* Below everything: for the thread that a CPU runs when it has nothing to do. */
void attributes_init_idle(struct thread *thread);
