/*
 * Timers: one queue a CPU, ordered by deadline, guarded by its lock; a timer belongs to the CPU on
 * which it was armed last. Only that CPU arms its machine's timer, so a timer that another CPU
 * takes out leaves at most one interrupt that finds nothing to do.
 */
#include "sched/timer.h"

#include "sched/cpu.h"

static struct timer *timer_of(const struct rb_node *node)
{
    return rb_entry(node, struct timer, node);
}

static bool timer_before(const struct rb_node *a, const struct rb_node *b)
{
    return timer_of(a)->deadline < timer_of(b)->deadline;
}

static bool is_running_on(const struct timer *timer, const struct cpu *cpu)
{
    return atomic_load_explicit(&cpu->timers.running, memory_order_acquire) == timer;
}

void timer_queue_init(struct timer_queue *queue)
{
    spin_init(&queue->lock, LOCK_RANK_TIMER);
    rb_tree_init(&queue->timers);
    queue->armed = DEADLINE_NEVER;
}

void timer_init(struct timer *timer, void (*expire)(struct timer *timer))
{
    rb_node_init(&timer->node);
    timer->cpu = this_cpu();
    timer->deadline = DEADLINE_NEVER;
    timer->expire = expire;
}

/* Locks the queue that guards the timer. Interrupts masked. */
static struct cpu *NO_THREAD_SAFETY_ANALYSIS lock_home(const struct timer *timer)
{
    for (;;) {
        struct cpu *cpu = atomic_load_explicit(&timer->cpu, memory_order_relaxed);

        spin_lock(&cpu->timers.lock);
        if (likely(cpu == atomic_load_explicit(&timer->cpu, memory_order_relaxed)))
            return cpu;
        spin_unlock(&cpu->timers.lock);
    }
}

/* Takes the timer out of its queue, if it is in one; the home stays locked. Whether it was. */
static bool take_out(struct cpu *home, struct timer *timer)
{
    if (!rb_node_is_linked(&timer->node))
        return false;
    rb_remove(&home->timers.timers, &timer->node);
    return true;
}

/* Locks this CPU's queue, with the timer in none and at home in it. One whose function is running
 * stays where that runs, so that timer_cancel() finds it; that CPU looks at its queue afterwards.
 */
static struct cpu *NO_THREAD_SAFETY_ANALYSIS bring_home(struct timer *timer)
{
    for (;;) {
        struct cpu *home = lock_home(timer);

        take_out(home, timer);
        if (home == this_cpu() || is_running_on(timer, home))
            return home;
        atomic_store_explicit(&timer->cpu, this_cpu(), memory_order_relaxed);
        spin_unlock(&home->timers.lock);
    }
}

void NO_THREAD_SAFETY_ANALYSIS timer_arm(struct timer *timer, uint64_t deadline)
{
    irq_state_t interrupts = port_irq_save();
    struct cpu *home = bring_home(timer);

    timer->deadline = deadline;
    rb_insert(&home->timers.timers, &timer->node, timer_before);
    if (home == this_cpu())
        timer_queue_hasten(&home->timers, deadline);
    spin_unlock(&home->timers.lock);
    port_irq_restore(interrupts);
}

bool NO_THREAD_SAFETY_ANALYSIS timer_cancel(struct timer *timer)
{
    for (;;) {
        irq_state_t interrupts = port_irq_save();
        struct cpu *home = lock_home(timer);
        bool was_armed = take_out(home, timer);
        bool is_running = is_running_on(timer, home);

        spin_unlock(&home->timers.lock);
        port_irq_restore(interrupts);
        if (!is_running)
            return was_armed;
        /* Its function may arm it again: look once more when that has returned. */
        while (is_running_on(timer, home))
            port_relax();
        if (was_armed)
            return true;
    }
}

uint64_t NO_THREAD_SAFETY_ANALYSIS timer_remaining(const struct timer *timer)
{
    irq_state_t interrupts = port_irq_save();
    struct cpu *home = lock_home(timer);
    uint64_t deadline = rb_node_is_linked(&timer->node) ? timer->deadline : 0;
    uint64_t now = port_clock_ns();

    spin_unlock(&home->timers.lock);
    port_irq_restore(interrupts);
    return deadline > now ? deadline - now : 0;
}

/* The first timer that is due, out of the queue and marked as running; NULL if none is. */
static struct timer *take_due(struct timer_queue *queue, uint64_t now)
{
    struct rb_node *first;
    struct timer *timer = NULL;

    spin_lock(&queue->lock);
    first = rb_first(&queue->timers);
    if (first && timer_of(first)->deadline <= now) {
        timer = timer_of(first);
        rb_remove(&queue->timers, first);
    }
    atomic_store_explicit(&queue->running, timer, memory_order_release);
    spin_unlock(&queue->lock);
    return timer;
}

void timer_queue_expire(struct timer_queue *queue, uint64_t now)
{
    struct timer *timer;

    queue->armed = DEADLINE_NEVER;
    while ((timer = take_due(queue, now)))
        timer->expire(timer);
}

void timer_queue_hasten(struct timer_queue *queue, uint64_t deadline)
{
    if (deadline >= queue->armed)
        return;
    queue->armed = deadline;
    port_timer_arm(deadline);
}

void timer_queue_program(struct timer_queue *queue, uint64_t tick)
{
    struct rb_node *first;
    uint64_t deadline = tick;

    spin_lock(&queue->lock);
    first = rb_first(&queue->timers);
    if (first && timer_of(first)->deadline < deadline)
        deadline = timer_of(first)->deadline;
    if (deadline != queue->armed) {
        queue->armed = deadline;
        port_timer_arm(deadline);
    }
    spin_unlock(&queue->lock);
}
