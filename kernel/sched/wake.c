/*
 * Waking: from SLEEPING to READY, and what else makes a thread look up from what it does. Any
 * context, under any lock below RUN_QUEUE.
 */
#include "sched/placement.h"
#include "sched/run_queue_ops.h"
#include "sched/thread_state.h"

/* The thread's home is locked, and is released. */
static bool NO_THREAD_SAFETY_ANALYSIS wake_locked(struct cpu *home, struct thread *thread)
{
    bool woken = atomic_load_explicit(&thread->may_sleep, memory_order_relaxed);

    atomic_store_explicit(&thread->may_sleep, false, memory_order_relaxed);
    if (thread->state == THREAD_SLEEPING)
        placement_send_locked(home, thread, ENQUEUE_WAKE);
    else
        spin_unlock(&home->run_queue.lock); /* on its way to sleep, or not: it goes on running */
    return woken;
}

bool thread_wake(struct thread *thread)
{
    irq_state_t interrupts;
    bool woken;

    /* Pairs with the fence in sleep_begin(): see README.md. */
    atomic_thread_fence(memory_order_seq_cst);
    port_explore(PORT_POINT_WAKE, thread);
    if (!atomic_load_explicit(&thread->may_sleep, memory_order_relaxed))
        return false;
    interrupts = port_irq_save();
    woken = wake_locked(thread_lock_home(thread), thread);
    port_irq_restore(interrupts);
    return woken;
}

static bool ends_sleep(const struct thread *thread, uint32_t bits)
{
    switch (thread->sleep_mode) {
    case SLEEP_INTERRUPTIBLE:
        return bits & (THREAD_WORK_SIGNAL | THREAD_WORK_KILL);
    case SLEEP_KILLABLE:
        return bits & THREAD_WORK_KILL;
    default:
        return false;
    }
}

void NO_THREAD_SAFETY_ANALYSIS thread_post_work(struct thread *thread, uint32_t bits)
{
    irq_state_t interrupts;
    struct cpu *home;

    atomic_fetch_or(&thread->work, bits);
    port_explore(PORT_POINT_WAKE, thread);
    if (thread == current_thread()) {
        /* From an interrupt that came after the thread's last look, and before its schedule(). */
        if (ends_sleep(thread, bits))
            atomic_store_explicit(&thread->may_sleep, false, memory_order_relaxed);
        return;
    }
    interrupts = port_irq_save();
    home = thread_lock_home(thread);
    if (atomic_load_explicit(&thread->may_sleep, memory_order_acquire) &&
        ends_sleep(thread, bits)) {
        wake_locked(home, thread);
    } else {
        if (thread->state == THREAD_RUNNING && home != this_cpu())
            port_send_reschedule(home->id);
        spin_unlock(&home->run_queue.lock);
    }
    port_irq_restore(interrupts);
}

void thread_clear_work(struct thread *thread, uint32_t bits)
{
    atomic_fetch_and_explicit(&thread->work, ~bits, memory_order_relaxed);
}
