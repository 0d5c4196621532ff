/*
 * The mask of the current thread, and whether anything pending gets through it.
 *
 * A mask is written by its own thread alone, without the lock; senders, who hold the lock, look at
 * it to choose a thread. Nothing falls between: the writer stores the mask and then looks at the
 * pending sets, a sender stores the pending bit and then looks at the masks, each with a full
 * barrier between. So at least one of the two sees the other's store, and acts
 * (signal_announce_locked() is the sender's part).
 */
#include "lib/errno.h"
#include "proc/signal_internal.h"

/* What of the pending sets would be taken, by delivery or by sigtimedwait. */
static signal_set deliverable_locked(const struct user_thread *thread)
{
    const struct thread_signals *signals = &thread->signals;
    signal_set pending = signals->own.pending | thread->process->signals.shared.pending;

    return pending & ~(signal_mask_of(signals) & ~signals->waiting_for);
}

static inline void recalculate_locked(struct user_thread *thread)
{
    const struct process_signals *signals = &thread->process->signals;

    spin_assert_held(&signals->lock);
    if (deliverable_locked(thread) || signals->stopping || signals->continue_due)
        thread_post_work(&thread->thread, THREAD_WORK_SIGNAL);
    else if (&thread->thread == current_thread() &&
             thread_has_work(&thread->thread, THREAD_WORK_SIGNAL))
        thread_clear_work(&thread->thread, THREAD_WORK_SIGNAL);
}

void signal_recalculate_locked(struct user_thread *thread)
{
    recalculate_locked(thread);
}

/* The current thread no longer takes `newly` blocked signals: another thread must be told of those
 * that are pending for the process. */
static void hand_over_locked(struct user_thread *self, signal_set newly)
{
    struct process_signals *signals = &self->process->signals;
    struct thread_signals *other;

    newly &= signals->shared.pending;
    list_for_each (other, &signals->threads, link)
        if (other != &self->signals && (newly & ~signal_mask_of(other)))
            signal_recalculate_locked(signal_thread_of(other));
}

void signal_set_mask_locked(struct user_thread *self, signal_set mask)
{
    signal_set newly = mask & ~self->signals.blocked;

    __atomic_store_n(&self->signals.blocked, mask, __ATOMIC_RELAXED);
    if (newly & self->process->signals.shared.pending)
        hand_over_locked(self, newly);
    recalculate_locked(self);
}

static signal_set pending_now(const struct signal_queue *queue)
{
    return __atomic_load_n(&queue->pending, __ATOMIC_RELAXED);
}

/* Something is or was pending that the new mask lets through, or that the old one did. */
static __attribute__((noinline)) void settle_with_lock(struct user_thread *self, signal_set newly)
{
    irq_state_t state = signal_lock(self->process);

    hand_over_locked(self, newly);
    recalculate_locked(self);
    signal_unlock(self->process, state);
}

void signal_settle_mask(signal_set mask)
{
    struct user_thread *self = current_user_thread();
    struct process_signals *signals = &self->process->signals;
    signal_set old = __atomic_exchange_n(&self->signals.blocked, mask, __ATOMIC_SEQ_CST);
    signal_set shared;

    port_explore(PORT_POINT_ATOMIC, &self->signals.blocked);
    shared = pending_now(&signals->shared);
    if (((shared | pending_now(&self->signals.own)) & ~mask) || (shared & mask & ~old) ||
        thread_has_work(&self->thread, THREAD_WORK_SIGNAL))
        settle_with_lock(self, mask & ~old);
}

void signal_set_mask(signal_set mask)
{
    mask &= ~SIGNALS_UNBLOCKABLE;
    if (mask != current_user_thread()->signals.blocked)
        signal_settle_mask(mask);
}

void signal_set_mask_temporarily(signal_set mask)
{
    struct user_thread *self = current_user_thread();

    self->signals.saved_mask = self->signals.blocked;
    thread_post_work(&self->thread, THREAD_WORK_RESTORE_MASK);
    signal_set_mask(mask);
}

void signal_restore_mask_unless(bool interrupted)
{
    struct user_thread *self = current_user_thread();

    if (interrupted || !thread_has_work(&self->thread, THREAD_WORK_RESTORE_MASK))
        return;
    thread_clear_work(&self->thread, THREAD_WORK_RESTORE_MASK);
    signal_set_mask(self->signals.saved_mask);
}

signal_set signal_pending_set(void)
{
    struct user_thread *self = current_user_thread();
    irq_state_t state = signal_lock(self->process);
    signal_set pending = self->signals.own.pending | self->process->signals.shared.pending;

    signal_unlock(self->process, state);
    return pending & self->signals.blocked;
}

static bool is_on_stack(const stack_t *stack, uintptr_t stack_pointer)
{
    uintptr_t bottom = (uintptr_t)stack->ss_sp;

    /* With SS_AUTODISARM a handler has disarmed it, so nobody is on it. */
    return !(stack->ss_flags & SS_AUTODISARM) && stack_pointer > bottom &&
           stack_pointer - bottom <= stack->ss_size;
}

static int stack_status(const stack_t *stack, uintptr_t stack_pointer)
{
    if (stack->ss_size == 0)
        return SS_DISABLE;
    return is_on_stack(stack, stack_pointer) ? SS_ONSTACK : 0;
}

int signal_set_alternate_stack(const stack_t *new_stack, stack_t *old, uintptr_t stack_pointer)
{
    stack_t *own = &current_user_thread()->signals.alternate_stack;
    int mode;

    if (old) {
        *old = *own;
        old->ss_flags = stack_status(own, stack_pointer) | (own->ss_flags & SS_FLAG_BITS);
    }
    if (!new_stack)
        return 0;
    if (is_on_stack(own, stack_pointer))
        return -EPERM;
    mode = new_stack->ss_flags & ~SS_FLAG_BITS;
    if (mode != SS_DISABLE && mode != SS_ONSTACK && mode != 0)
        return -EINVAL;
    if (mode == SS_DISABLE) {
        *own = (stack_t){.ss_flags = new_stack->ss_flags};
        return 0;
    }
    if (new_stack->ss_size < MINSIGSTKSZ)
        return -ENOMEM;
    *own = *new_stack;
    return 0;
}
