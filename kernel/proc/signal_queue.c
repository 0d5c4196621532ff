/*
 * Pending sets and the queues behind them. Guarded by the signal lock of the process; used by the
 * signal code and its timers only.
 *
 * A bit in `pending` is the truth; the queued entry only carries the siginfo. Standard signals are
 * counted once, real-time signals once for each sending.
 */
#include "lib/errno.h"
#include "mm/slab.h"
#include "proc/account.h"
#include "proc/posix_timer.h"
#include "proc/process_timers.h"
#include "proc/signal_internal.h"

static SLAB_CACHE(queued_signal_cache, struct queued_signal);

void signal_queue_init(struct signal_queue *queue)
{
    queue->pending = 0;
    list_init(&queue->queued);
    list_init(&queue->spare.link);
    queue->spare.is_embedded = true;
}

/* Counts one queued signal; false if that would be more than the limit and the limit applies. */
static bool charge_locked(struct process *process, bool limited)
{
    struct process_signals *signals = &process->signals;
    uint32_t before =
        atomic_fetch_add_explicit(&signals->account->queued_signals, 1, memory_order_relaxed);

    if (limited && before >= rlimit_soft(process, RLIMIT_SIGPENDING)) {
        atomic_fetch_sub_explicit(&signals->account->queued_signals, 1, memory_order_relaxed);
        return false;
    }
    signals->charged++;
    return true;
}

static void discharge_locked(struct process *process)
{
    struct process_signals *signals = &process->signals;

    assert(signals->charged > 0);
    signals->charged--;
    atomic_fetch_sub_explicit(&signals->account->queued_signals, 1, memory_order_relaxed);
}

static struct queued_signal *allocate_locked(struct process *process, bool limited)
{
    struct queued_signal *queued;

    if (!charge_locked(process, limited))
        return NULL;
    queued = slab_alloc(&queued_signal_cache);
    if (queued)
        list_init(&queued->link);
    else
        discharge_locked(process);
    return queued;
}

struct queued_signal *queued_signal_allocate_locked(struct process *process)
{
    return allocate_locked(process, true);
}

void queued_signal_free_locked(struct process *process, struct queued_signal *queued)
{
    discharge_locked(process);
    slab_free(&queued_signal_cache, queued);
}

/* Takes an entry out of its queue and gives it back to whom it belongs. */
static void release_locked(struct process *process, struct queued_signal *queued)
{
    list_remove(&queued->link);
    if (!queued->is_embedded && !queued->timer)
        queued_signal_free_locked(process, queued);
}

int signal_queue_add_locked(struct process *process, struct signal_queue *queue, int signal,
                            const struct signal_info *info)
{
    /* RLIMIT_SIGPENDING is for what programs queue: kill(2) and the kernel are exempt from it. */
    bool limited = signal >= SIGNAL_FIRST_REALTIME || info->code < 0;
    struct queued_signal *queued = &queue->spare;

    if (limited || list_is_linked(&queued->link))
        queued = allocate_locked(process, limited);
    if (queued) {
        queued->info = *info;
        queued->info.signal = signal;
        signal_queue_add_slot_locked(queue, queued);
        return 0;
    }
    if (signal >= SIGNAL_FIRST_REALTIME && info->code != SI_USER && info->code != SI_KERNEL)
        return -EAGAIN;
    queue->pending |= SIGNAL_BIT(signal);
    return 0;
}

/* Faults first, then standard signals, each by number. */
static int choose_next(signal_set pending)
{
    if (pending & SIGNALS_SYNCHRONOUS)
        pending &= SIGNALS_SYNCHRONOUS;
    return pending ? __builtin_ctzll(pending) + 1 : 0;
}

static void set_plain_info(struct signal_info *info, int signal)
{
    *info = (struct signal_info){.signal = signal, .code = SI_USER};
}

/* Moves the oldest entry of the signal to *info; the bit stays if another one is queued. */
static inline void collect_locked(struct process *process, struct signal_queue *queue, int signal,
                                  struct signal_info *info)
{
    struct queued_signal *found = NULL;
    struct queued_signal *queued;
    bool more = false;

    list_for_each (queued, &queue->queued, link) {
        if (queued->info.signal != signal)
            continue;
        more = found != NULL;
        if (found)
            break;
        found = queued;
    }
    if (!more)
        queue->pending &= ~SIGNAL_BIT(signal);
    if (!found) {
        set_plain_info(info, signal);
        return;
    }
    *info = found->info;
    if (found->timer) {
        list_remove(&found->link);
        posix_timer_taken_locked(process, found->timer, info);
    } else {
        release_locked(process, found);
    }
}

int signal_take_locked(struct user_thread *thread, signal_set blocked, struct signal_info *info)
{
    struct process *process = thread->process;
    struct signal_queue *queue = &thread->signals.own;
    int signal;

    if (!(queue->pending & ~blocked))
        queue = &process->signals.shared;
    signal = choose_next(queue->pending & ~blocked);
    if (!signal)
        return 0;
    collect_locked(process, queue, signal, info);
    if (signal == SIGALRM)
        process_timers_alarm_taken_locked(process);
    return signal;
}

int signal_take_synchronous_locked(struct user_thread *thread, struct signal_info *info)
{
    struct signal_queue *queue = &thread->signals.own;
    signal_set wanted = queue->pending & SIGNALS_SYNCHRONOUS & ~signal_mask_of(&thread->signals);
    struct queued_signal *queued;

    if (!wanted)
        return 0;
    list_for_each (queued, &queue->queued, link) {
        if (queued->info.code > SI_USER && signal_is_in(queued->info.signal, wanted)) {
            int signal = queued->info.signal;

            collect_locked(thread->process, queue, signal, info);
            return signal;
        }
    }
    return 0;
}

void signal_queue_flush_locked(struct process *process, struct signal_queue *queue, signal_set set)
{
    struct queued_signal *queued;
    struct queued_signal *next;

    if (!(queue->pending & set))
        return;
    queue->pending &= ~set;
    list_for_each_safe (queued, next, &queue->queued, link)
        if (signal_is_in(queued->info.signal, set))
            release_locked(process, queued);
}

void signal_flush_everywhere_locked(struct process *process, signal_set set)
{
    struct thread_signals *thread;

    signal_queue_flush_locked(process, &process->signals.shared, set);
    list_for_each (thread, &process->signals.threads, link)
        signal_queue_flush_locked(process, &thread->own, set);
}
