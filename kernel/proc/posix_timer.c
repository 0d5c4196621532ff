/* Timers of timer_create(2). See posix_timer.h for the lock and for how periods go on. */
#include "proc/posix_timer.h"

#include <linux/time.h>

#include "lib/errno.h"
#include "mm/slab.h"
#include "proc/signal_internal.h"
#include "sched/clock.h"

#define IGNORED_PERIOD_MIN_NS 4000000ull /* of a timer whose signal nobody takes */

static SLAB_CACHE(timer_cache, struct posix_timer);

bool posix_timer_is_cpu(const struct posix_timer *timer)
{
    return timer->clock == CLOCK_PROCESS_CPUTIME_ID || timer->clock == CLOCK_THREAD_CPUTIME_ID;
}

/* Time of the timer's clock, as its expiry is kept: a wall clock's on the monotonic one. */
static uint64_t clock_of(const struct posix_timer *timer, const struct cpu_times *times)
{
    if (timer->clock == CLOCK_PROCESS_CPUTIME_ID)
        return times->user + times->system;
    if (timer->clock == CLOCK_THREAD_CPUTIME_ID)
        return timer->cpu_thread ? thread_cpu_ns(&timer->cpu_thread->thread) : 0;
    return port_clock_ns();
}

static uint64_t now_locked(const struct posix_timer *timer)
{
    struct cpu_times times = {0};

    if (timer->clock == CLOCK_PROCESS_CPUTIME_ID)
        times = process_cpu_times_locked(timer->owner->process);
    return clock_of(timer, &times);
}

/* Moves the expiry past `now`; returns how many periods that took. */
static uint64_t forward(struct interval_setting *setting, uint64_t now)
{
    uint64_t periods;

    if (setting->expiry > now)
        return 0;
    periods = (now - setting->expiry) / setting->interval + 1;
    setting->expiry += periods * setting->interval;
    return periods;
}

static void arm_locked(struct posix_timer *timer)
{
    if (timer->notify == SIGEV_NONE)
        return;
    if (posix_timer_is_cpu(timer))
        process_timers_check_cpu_locked(timer->owner);
    else
        timer_arm(&timer->timer, timer->setting.expiry);
}

enum sent { SENT, SENT_ALREADY, SENT_TO_NOBODY };

static enum sent send_locked(struct posix_timer *timer)
{
    struct process *process = timer->owner->process;
    struct process_signals *signals = &process->signals;
    struct user_thread *target = timer->target;
    struct signal_queue *queue = target ? &target->signals.own : &signals->shared;

    if (list_is_empty(&signals->threads) || signals->exiting_by_signal ||
        (timer->notify == SIGEV_THREAD_ID && !target))
        return SENT_TO_NOBODY;
    if (signal_is_in(timer->signal, SIGNALS_STOPPING | SIGNAL_BIT(SIGCONT)))
        stop_prepare_send_locked(process, timer->signal);
    if (signal_is_discarded_locked(process, target ? target : signal_first_thread_locked(process),
                                   timer->signal))
        return SENT_TO_NOBODY;
    if (list_is_linked(&timer->queued->link))
        return SENT_ALREADY;
    timer->queued->info = (struct signal_info){
        .signal = timer->signal,
        .code = SI_TIMER,
        .timer_id = timer->id,
        .value = timer->value,
    };
    signal_queue_add_slot_locked(queue, timer->queued);
    signal_announce_locked(process, target, timer->signal);
    return SENT;
}

/* The expiry has come. A period that nobody waits for goes on by itself, but not too fast. */
static void fire_locked(struct posix_timer *timer, uint64_t now)
{
    struct interval_setting *setting = &timer->setting;
    enum sent sent = send_locked(timer);

    if (sent == SENT_ALREADY)
        timer->overrun++;
    timer->awaits_taking = setting->interval != 0;
    if (setting->interval == 0) {
        setting->expiry = 0;
    } else if (sent == SENT_TO_NOBODY) {
        timer->overrun += (int64_t)forward(setting, now);
        timer->awaits_taking = false;
        if (setting->expiry < now + IGNORED_PERIOD_MIN_NS && !posix_timer_is_cpu(timer))
            timer_arm(&timer->timer, now + IGNORED_PERIOD_MIN_NS);
        else if (!posix_timer_is_cpu(timer))
            timer_arm(&timer->timer, setting->expiry);
    }
}

static void expire(struct timer *machine_timer)
{
    struct posix_timer *timer = container_of(machine_timer, struct posix_timer, timer);
    struct process *process = timer->owner->process;
    irq_state_t state = signal_lock(process);
    uint64_t now = port_clock_ns();

    if (timer->setting.expiry != 0 && !timer->awaits_taking) {
        if (timer->setting.expiry <= now)
            fire_locked(timer, now);
        else
            timer_arm(machine_timer, timer->setting.expiry);
    }
    signal_unlock(process, state);
}

uint64_t posix_timer_check_cpu_locked(struct posix_timer *timer, const struct cpu_times *times)
{
    uint64_t now = clock_of(timer, times);

    if (timer->setting.expiry == 0 || timer->awaits_taking || timer->notify == SIGEV_NONE ||
        (timer->clock == CLOCK_THREAD_CPUTIME_ID && !timer->cpu_thread))
        return UINT64_MAX;
    if (timer->setting.expiry <= now)
        fire_locked(timer, now);
    if (timer->setting.expiry == 0 || timer->awaits_taking)
        return UINT64_MAX;
    return timer->setting.expiry - now;
}

static int clamp_overrun(int64_t overrun)
{
    return overrun > INT32_MAX ? INT32_MAX : overrun < 0 ? 0 : (int)overrun;
}

void posix_timer_taken_locked(struct process *process, struct posix_timer *timer,
                              struct signal_info *info)
{
    (void)process;
    if (!timer->awaits_taking)
        return;
    timer->awaits_taking = false;
    /* The expiry that the signal told of is not an overrun. */
    timer->overrun += (int64_t)forward(&timer->setting, now_locked(timer)) - 1;
    timer->last_overrun = clamp_overrun(timer->overrun);
    timer->overrun = 0;
    info->overrun = timer->last_overrun;
    arm_locked(timer);
}

static struct posix_timer *find_locked(int id)
{
    struct process_timers *timers = current_process()->signals.timers;
    struct posix_timer *timer;

    if (!timers)
        return NULL;
    list_for_each (timer, &timers->posix, link)
        if (timer->id == id)
            return timer;
    return NULL;
}

static int check_request(const struct posix_timer_request *request)
{
    switch (request->clock) {
    case CLOCK_REALTIME:
    case CLOCK_MONOTONIC:
    case CLOCK_BOOTTIME:
    case CLOCK_TAI:
    case CLOCK_PROCESS_CPUTIME_ID:
    case CLOCK_THREAD_CPUTIME_ID:
        break;
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_REALTIME_ALARM:
    case CLOCK_BOOTTIME_ALARM:
        return -EOPNOTSUPP;
    default:
        return -EINVAL;
    }
    switch (request->notify) {
    case SIGEV_NONE:
        return 0;
    case SIGEV_SIGNAL:
    case SIGEV_THREAD:
    case SIGEV_THREAD_ID:
        return request->signal >= 1 && request->signal <= SIGNAL_COUNT ? 0 : -EINVAL;
    default:
        return -EINVAL;
    }
}

static struct user_thread *find_thread_locked(struct process *process, int32_t number)
{
    struct thread_signals *thread;

    list_for_each (thread, &process->signals.threads, link)
        if (pid_number_of(signal_thread_of(thread)->tid) == number)
            return signal_thread_of(thread);
    return NULL;
}

/* Fills the new timer in and links it: its id, or -EAGAIN -EINVAL. */
static int link_timer(struct process_timers *timers, struct posix_timer *timer,
                      const struct posix_timer_request *request)
{
    struct process *process = timers->process;
    irq_state_t state = signal_lock(process);
    int result = -EAGAIN;

    timer->queued = queued_signal_allocate_locked(process);
    if (timer->queued && request->notify == SIGEV_THREAD_ID) {
        timer->target = find_thread_locked(process, request->thread);
        if (!timer->target) {
            queued_signal_free_locked(process, timer->queued);
            timer->queued = NULL;
            result = -EINVAL;
        }
    }
    if (timer->queued) {
        timer->queued->timer = timer;
        result = timer->id = timers->next_id;
        timers->next_id = timers->next_id == INT32_MAX ? 0 : timers->next_id + 1;
        if (request->value_is_id)
            timer->value = (uint64_t)timer->id;
        list_push_back(&timers->posix, &timer->link);
    }
    signal_unlock(process, state);
    return result;
}

int posix_timer_create(const struct posix_timer_request *request)
{
    struct process_timers *timers;
    struct posix_timer *timer;
    int result = check_request(request);

    if (result)
        return result;
    timers = process_timers_obtain();
    timer = timers ? slab_alloc(&timer_cache) : NULL;
    if (!timer)
        return -EAGAIN;
    timer->owner = timers;
    timer_init(&timer->timer, expire);
    timer->clock = request->clock;
    timer->notify = request->notify;
    timer->signal = request->signal;
    timer->value = request->value;
    if (request->clock == CLOCK_THREAD_CPUTIME_ID)
        timer->cpu_thread = current_user_thread();
    result = link_timer(timers, timer, request);
    if (result < 0)
        slab_free(&timer_cache, timer);
    return result;
}

/* A signal of the timer that is still pending stays so, and is then as any other. */
static void unlink_locked(struct process *process, struct posix_timer *timer)
{
    list_remove(&timer->link);
    timer->setting.expiry = 0;
    timer->queued->timer = NULL;
    if (!list_is_linked(&timer->queued->link))
        queued_signal_free_locked(process, timer->queued);
}

static void destroy(struct posix_timer *timer)
{
    timer_cancel(&timer->timer);
    slab_free(&timer_cache, timer);
}

int posix_timer_delete(int id)
{
    struct process *self = current_process();
    irq_state_t state = signal_lock(self);
    struct posix_timer *timer = find_locked(id);

    if (timer)
        unlink_locked(self, timer);
    signal_unlock(self, state);
    if (!timer)
        return -EINVAL;
    destroy(timer);
    return 0;
}

void posix_timers_delete_all(struct process *process, struct process_timers *timers)
{
    for (;;) {
        irq_state_t state = signal_lock(process);
        struct posix_timer *timer = NULL;

        if (!list_is_empty(&timers->posix)) {
            timer = list_first(&timers->posix, struct posix_timer, link);
            unlink_locked(process, timer);
        }
        signal_unlock(process, state);
        if (!timer)
            return;
        destroy(timer);
    }
}

/* What timer_gettime(2) shows: time left, relative. */
static void read_locked(struct posix_timer *timer, struct interval_setting *setting)
{
    bool silent = timer->notify == SIGEV_NONE;
    uint64_t now = now_locked(timer);

    if (timer->setting.expiry && timer->setting.interval && (silent || timer->awaits_taking))
        timer->overrun += (int64_t)forward(&timer->setting, now);
    *setting = timer->setting;
    if (setting->expiry > now)
        setting->expiry -= now;
    else if (setting->expiry != 0)
        setting->expiry = silent ? 0 : 1;
}

int posix_timer_get(int id, struct interval_setting *setting)
{
    struct process *self = current_process();
    irq_state_t state = signal_lock(self);
    struct posix_timer *timer = find_locked(id);

    if (timer)
        read_locked(timer, setting);
    signal_unlock(self, state);
    return timer ? 0 : -EINVAL;
}

/* An absolute time of the timer's clock, as expiries are kept. */
static uint64_t to_kept_time(const struct posix_timer *timer, uint64_t absolute)
{
    uint64_t offset;

    if (timer->clock != CLOCK_REALTIME && timer->clock != CLOCK_TAI)
        return absolute;
    offset = clock_realtime_offset();
    return absolute > offset ? absolute - offset : 1;
}

static void set_locked(struct posix_timer *timer, bool absolute,
                       const struct interval_setting *wanted)
{
    timer->awaits_taking = false;
    timer->overrun = 0;
    timer->last_overrun = 0;
    timer->setting = (struct interval_setting){0};
    if (wanted->expiry == 0)
        return;
    timer->setting.interval = wanted->interval;
    timer->setting.expiry =
        absolute ? to_kept_time(timer, wanted->expiry) : now_locked(timer) + wanted->expiry;
    arm_locked(timer);
}

int posix_timer_set(int id, bool absolute, const struct interval_setting *new_setting,
                    struct interval_setting *old)
{
    struct process *self = current_process();
    irq_state_t state = signal_lock(self);
    struct posix_timer *timer = find_locked(id);

    if (timer) {
        read_locked(timer, old);
        set_locked(timer, absolute, new_setting);
    }
    signal_unlock(self, state);
    return timer ? 0 : -EINVAL;
}

int posix_timer_overrun(int id)
{
    struct process *self = current_process();
    irq_state_t state = signal_lock(self);
    struct posix_timer *timer = find_locked(id);
    int overrun = timer ? timer->last_overrun : -EINVAL;

    signal_unlock(self, state);
    return overrun;
}
