/*
 * Timers: a function to be called at a time, in interrupt context. Each CPU keeps its own timers in
 * order of deadline and arms the machine for the first one only.
 */
#pragma once

#include "lib/rbtree.h"
#include "sched/spinlock.h"

struct timer {
    struct rb_node node; /* (the CPU's timer lock) */
    struct cpu *cpu;     /* whose queue it is in; NULL when idle */
    uint64_t deadline;   /* port_clock_ns() time */
    /* Interrupt context, interrupts masked, no lock held; may arm this timer again. The timer
     * itself may be freed in it, unless somebody may call timer_cancel(). */
    void (*expire)(struct timer *timer);
};

void timer_init(struct timer *timer, void (*expire)(struct timer *timer));
/* Arms, or moves, the timer. One that has passed expires at once (by interrupt). Any context. */
void timer_arm(struct timer *timer, uint64_t deadline);
/* After it returns the timer is not armed and its function is not running on another CPU. Returns
 * whether it had been armed. Not from its own function, nor with a lock held that this takes. */
bool timer_cancel(struct timer *timer);
/* Time left in ns, 0 if not armed or due. */
uint64_t timer_remaining(const struct timer *timer);
