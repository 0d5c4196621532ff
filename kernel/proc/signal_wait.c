/*
 * Waiting for signals: sigsuspend, pause, sigtimedwait, and taking without a handler (signalfd).
 *
 * No signal is lost between the mask and the sleep: a sender who finds the signal unblocked sets
 * THREAD_WORK_SIGNAL, and no interruptible sleep begins or lasts while that is set.
 */
#include "lib/errno.h"
#include "mm/slab.h"
#include "proc/signal_internal.h"

static SLAB_CACHE(channel_cache, struct signal_channel);

static bool never(void *argument)
{
    return false;
}

int signal_pause(void)
{
    (void)thread_sleep(never, NULL, SLEEP_INTERRUPTIBLE, DEADLINE_NEVER);
    return -ERESTARTNOHAND;
}

int signal_suspend(signal_set mask)
{
    signal_set_mask_temporarily(mask);
    return signal_pause();
}

int signal_take(signal_set wanted, struct signal_info *info)
{
    struct user_thread *self = current_user_thread();
    irq_state_t state = signal_lock(self->process);
    int signal = signal_take_locked(self, ~wanted, info);

    if (signal)
        signal_recalculate_locked(self);
    signal_unlock(self->process, state);
    return signal;
}

bool signal_any_pending(signal_set wanted)
{
    struct user_thread *self = current_user_thread();
    irq_state_t state = signal_lock(self->process);
    signal_set pending = self->signals.own.pending | self->process->signals.shared.pending;

    signal_unlock(self->process, state);
    return (pending & wanted) != 0;
}

void signal_channel_put(struct signal_channel *channel)
{
    if (refcount_put(&channel->refs))
        slab_free(&channel_cache, channel);
}

struct signal_channel *signal_channel_obtain(void)
{
    struct process *self = current_process();
    struct signal_channel *fresh = NULL;
    struct signal_channel *channel;
    irq_state_t state;

    if (!self->signals.channel) {
        fresh = slab_alloc(&channel_cache);
        if (!fresh)
            return NULL;
        refcount_init(&fresh->refs);
        wait_queue_init(&fresh->wait);
    }
    state = signal_lock(self);
    if (!self->signals.channel) {
        self->signals.channel = fresh;
        fresh = NULL;
    }
    channel = self->signals.channel;
    refcount_get(&channel->refs);
    signal_unlock(self, state);
    if (fresh)
        signal_channel_put(fresh);
    return channel;
}

/* Takes one, or else declares what the thread is about to wait for. */
static int take_or_expect(struct user_thread *self, signal_set wanted, bool expect,
                          struct signal_info *info)
{
    irq_state_t state = signal_lock(self->process);
    int signal = signal_take_locked(self, ~wanted, info);

    self->signals.waiting_for = !signal && expect ? wanted : 0;
    if (signal || !expect)
        signal_recalculate_locked(self);
    signal_unlock(self->process, state);
    return signal;
}

int signal_wait(signal_set wanted, uint64_t deadline, struct signal_info *info)
{
    struct user_thread *self = current_user_thread();
    int error;
    int signal;

    wanted &= ~SIGNALS_UNBLOCKABLE;
    signal = take_or_expect(self, wanted, deadline != 0, info);
    if (signal)
        return signal;
    if (deadline == 0)
        return -EAGAIN;
    error = thread_sleep(never, NULL, SLEEP_INTERRUPTIBLE, deadline);
    signal = take_or_expect(self, wanted, false, info);
    if (signal)
        return signal;
    return error == -ETIMEDOUT ? -EAGAIN : -EINTR;
}
