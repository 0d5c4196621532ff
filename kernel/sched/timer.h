/*
 * Timers: a function to be called at a time, in interrupt context. Each CPU keeps its own timers in
 * order of deadline and arms the machine for the first one only.
 */
#pragma once

#include "lib/rbtree.h"
#include "sched/spinlock.h"

struct timer {
    struct rb_node node;       /* (lock of its CPU's queue) */
    _Atomic(struct cpu *) cpu; /* (the same) in whose queue it is, or was last */
    uint64_t deadline;         /* (the same) port_clock_ns() time */
    /* Interrupt context, interrupts masked, no lock held; may arm this timer again. The timer
     * itself may be freed in it, unless somebody may call timer_cancel(). */
    void (*expire)(struct timer *timer);
};

struct timer_queue {
    struct spinlock lock;            /* rank TIMER */
    struct rb_tree timers;           /* (lock) by deadline */
    _Atomic(struct timer *) running; /* (lock to write) whose function this CPU is in */
    uint64_t armed; /* (this CPU, interrupts masked) what the machine is armed for */
};

void timer_init(struct timer *timer, void (*expire)(struct timer *timer));
/* Arms, or moves, the timer. One that has passed expires at once (by interrupt). Any context. */
void timer_arm(struct timer *timer, uint64_t deadline);
/* After it returns the timer is not armed and its function is not running on another CPU. Returns
 * whether it had been armed. Not from its own function, nor with a lock held that this takes. */
bool timer_cancel(struct timer *timer);
/* Time left in ns, 0 if not armed or due. */
uint64_t timer_remaining(const struct timer *timer);

/* Private to kernel/sched; for this CPU's own queue, interrupts masked. */
void timer_queue_init(struct timer_queue *queue);
/* Calls what is due at `now`. */
void timer_queue_expire(struct timer_queue *queue, uint64_t now);
/* Makes sure that an interrupt comes at `deadline` or earlier. Takes no lock. */
void timer_queue_hasten(struct timer_queue *queue, uint64_t deadline);
/* Arms the machine for exactly the first timer or `tick`, whichever comes first. */
void timer_queue_program(struct timer_queue *queue, uint64_t tick);
