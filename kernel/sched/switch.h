/* The two halves of a switch. Private to kernel/sched; interrupts masked. */
#pragma once

#include "sched/cpu.h"

/* The running thread sleeps, gives way or is dead; the next one runs. The run queue of this CPU is
 * locked, and is unlocked when it returns. */
void schedule_locked(struct cpu *cpu, uint64_t now);
/* The first thing that a thread does that was switched to: releases the run queue, and settles the
 * thread that was left. */
void finish_switch(void);
