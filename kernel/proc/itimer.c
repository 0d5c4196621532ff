/*
 * Interval timers and RLIMIT_CPU. See process_timers.h for the lock.
 *
 * CPU time is not watched instruction by instruction: one machine timer is armed for the earliest
 * moment at which the process could have used enough of it, and then looks again.
 */
#include "lib/errno.h"
#include "mm/slab.h"
#include "proc/posix_timer.h"
#include "proc/signal_internal.h"

#define NS_PER_SECOND      1000000000ull
#define NS_PER_MICROSECOND 1000ull
#define CPU_LOOK_MIN_NS    1000000ull  /* between two looks at CPU time */
#define CPU_LOOK_IDLE_NS   10000000ull /* the same while the process does not run */

static SLAB_CACHE(timers_cache, struct process_timers);

static const struct signal_info kernel_info = {.code = SI_KERNEL};

struct cpu_times process_cpu_times_locked(struct process *process)
{
    const struct process_signals *signals = &process->signals;
    struct cpu_times times = {signals->retired_user_ns, signals->retired_system_ns};
    struct thread_signals *thread;

    list_for_each (thread, &signals->threads, link) {
        times.user += thread_user_ns(&signal_thread_of(thread)->thread);
        times.system += thread_system_ns(&signal_thread_of(thread)->thread);
    }
    return times;
}

static void expire_real(struct timer *timer)
{
    struct process_timers *timers = container_of(timer, struct process_timers, real);
    struct interval_setting *setting = &timers->intervals[INTERVAL_REAL];
    irq_state_t state = signal_lock(timers->process);

    if (setting->expiry != 0 && port_clock_ns() >= setting->expiry) {
        if (setting->interval == 0)
            setting->expiry = 0;
        signal_send_locked(timers->process, NULL, SIGALRM, &kernel_info);
    } else if (setting->expiry != 0) {
        timer_arm(timer, setting->expiry);
    }
    signal_unlock(timers->process, state);
}

static void expire_cpu(struct timer *timer)
{
    struct process_timers *timers = container_of(timer, struct process_timers, cpu);
    irq_state_t state = signal_lock(timers->process);

    process_timers_check_cpu_locked(timers);
    signal_unlock(timers->process, state);
}

static struct process_timers *create(struct process *process)
{
    struct process_timers *timers = slab_alloc(&timers_cache);

    if (!timers)
        return NULL;
    timers->process = process;
    timer_init(&timers->real, expire_real);
    timer_init(&timers->cpu, expire_cpu);
    list_init(&timers->posix);
    return timers;
}

/* Gives the process timers if it has none. -ENOMEM */
static int ensure_timers(struct process *process)
{
    struct process_timers *fresh;
    irq_state_t state;

    if (process->signals.timers)
        return 0;
    fresh = create(process);
    if (!fresh)
        return -ENOMEM;
    state = signal_lock(process);
    /* Not for one whose threads are gone: nobody would free them. */
    if (!process->signals.timers && !list_is_empty(&process->signals.threads)) {
        process->signals.timers = fresh;
        fresh = NULL;
    }
    signal_unlock(process, state);
    if (fresh)
        slab_free(&timers_cache, fresh);
    return 0;
}

struct process_timers *process_timers_obtain(void)
{
    struct process *self = current_process();

    return ensure_timers(self) == 0 ? self->signals.timers : NULL;
}

/* Fires if it is time; returns how much CPU time is left to the next expiry. */
static uint64_t check_interval_locked(struct process_timers *timers, enum interval_timer which,
                                      int signal, uint64_t used)
{
    struct interval_setting *setting = &timers->intervals[which];

    if (setting->expiry == 0)
        return UINT64_MAX;
    if (used >= setting->expiry) {
        signal_send_locked(timers->process, NULL, signal, &kernel_info);
        setting->expiry = setting->interval ? setting->expiry + setting->interval : 0;
        if (setting->expiry == 0)
            return UINT64_MAX;
    }
    return setting->expiry > used ? setting->expiry - used : 0;
}

/* getrlimit(2): SIGXCPU at the soft limit and each second after, SIGKILL at the hard one. As Linux,
 * the soft limit moves up with each SIGXCPU. */
static uint64_t check_limit_locked(struct process_timers *timers, uint64_t used)
{
    struct rlimit64 *limit = &timers->process->limits.values[RLIMIT_CPU];
    uint64_t soft = __atomic_load_n(&limit->rlim_cur, __ATOMIC_RELAXED);
    uint64_t hard = __atomic_load_n(&limit->rlim_max, __ATOMIC_RELAXED);
    uint64_t seconds = used / NS_PER_SECOND;

    if (soft == RLIM64_INFINITY)
        return UINT64_MAX;
    if (hard != RLIM64_INFINITY && seconds >= hard) {
        signal_start_death_locked(timers->process, SIGKILL);
        return UINT64_MAX;
    }
    if (seconds >= soft) {
        signal_send_locked(timers->process, NULL, SIGXCPU, &kernel_info);
        __atomic_store_n(&limit->rlim_cur, ++soft, __ATOMIC_RELAXED);
    }
    if (soft > INT64_MAX / NS_PER_SECOND)
        return UINT64_MAX;
    return soft * NS_PER_SECOND > used ? soft * NS_PER_SECOND - used : 0;
}

static uint64_t minimum(uint64_t left, uint64_t right)
{
    return left < right ? left : right;
}

void process_timers_check_cpu_locked(struct process_timers *timers)
{
    struct process_signals *signals = &timers->process->signals;
    struct cpu_times times;
    struct posix_timer *timer;
    uint64_t total, left, pause;

    if (list_is_empty(&signals->threads) || signals->exiting_by_signal)
        return;
    times = process_cpu_times_locked(timers->process);
    total = times.user + times.system;
    left = check_interval_locked(timers, INTERVAL_VIRTUAL, SIGVTALRM, times.user);
    left = minimum(left, check_interval_locked(timers, INTERVAL_PROFILING, SIGPROF, total));
    left = minimum(left, check_limit_locked(timers, total));
    list_for_each (timer, &timers->posix, link)
        if (posix_timer_is_cpu(timer))
            left = minimum(left, posix_timer_check_cpu_locked(timer, &times));
    pause = total == timers->cpu_seen ? CPU_LOOK_IDLE_NS : CPU_LOOK_MIN_NS;
    timers->cpu_seen = total;
    if (left == UINT64_MAX)
        return;
    timer_arm(&timers->cpu, port_clock_ns() + (left > pause ? left : pause));
}

/* Time of the clock that an interval timer counts on. */
static uint64_t interval_clock_locked(struct process *process, enum interval_timer which)
{
    struct cpu_times times;

    if (which == INTERVAL_REAL)
        return port_clock_ns();
    times = process_cpu_times_locked(process);
    return which == INTERVAL_VIRTUAL ? times.user : times.user + times.system;
}

/* One that is due but has not fired yet shows the least time that it can. */
static uint64_t remaining(const struct interval_setting *setting, uint64_t now)
{
    if (setting->expiry == 0)
        return 0;
    return setting->expiry > now ? setting->expiry - now : NS_PER_MICROSECOND;
}

static void set_interval_locked(struct process_timers *timers, enum interval_timer which,
                                const struct interval_setting *wanted, uint64_t now)
{
    struct interval_setting *setting = &timers->intervals[which];

    /* As on Linux, a timer of real time that is off has no interval; one of CPU time keeps it. */
    setting->interval = which == INTERVAL_REAL && wanted->expiry == 0 ? 0 : wanted->interval;
    setting->expiry = wanted->expiry ? minimum(now + wanted->expiry, INT64_MAX) : 0;
    if (setting->expiry == 0)
        return;
    if (which == INTERVAL_REAL)
        timer_arm(&timers->real, setting->expiry);
    else
        process_timers_check_cpu_locked(timers);
}

int process_set_interval(enum interval_timer which, const struct interval_setting *new_setting,
                         struct interval_setting *old)
{
    struct process *self = current_process();
    irq_state_t state;
    uint64_t now;

    if (new_setting && (new_setting->expiry || new_setting->interval) && ensure_timers(self) != 0)
        return -ENOMEM;
    if (!self->signals.timers) {
        if (old)
            *old = (struct interval_setting){0};
        return 0;
    }
    state = signal_lock(self);
    now = interval_clock_locked(self, which);
    if (old) {
        *old = self->signals.timers->intervals[which];
        old->expiry = remaining(old, now);
    }
    if (new_setting)
        set_interval_locked(self->signals.timers, which, new_setting, now);
    signal_unlock(self, state);
    return 0;
}

void process_timers_alarm_taken_locked(struct process *process)
{
    struct process_timers *timers = process->signals.timers;
    struct interval_setting *setting;
    uint64_t now;

    if (!timers)
        return;
    setting = &timers->intervals[INTERVAL_REAL];
    now = port_clock_ns();
    if (setting->interval == 0 || setting->expiry == 0 || setting->expiry > now)
        return;
    setting->expiry += setting->interval * ((now - setting->expiry) / setting->interval + 1);
    timer_arm(&timers->real, setting->expiry);
}

int process_timers_limit_changed(struct process *process)
{
    irq_state_t state;

    if (rlimit_soft(process, RLIMIT_CPU) == RLIM64_INFINITY)
        return 0;
    if (ensure_timers(process) != 0)
        return -ENOMEM;
    state = signal_lock(process);
    if (process->signals.timers)
        process_timers_check_cpu_locked(process->signals.timers);
    signal_unlock(process, state);
    return 0;
}

int process_timers_inherit(struct process *child)
{
    return process_timers_limit_changed(child);
}

void process_timers_exec(struct process *process)
{
    if (process->signals.timers)
        posix_timers_delete_all(process, process->signals.timers);
}

void process_timers_forget_thread_locked(struct process *process, struct user_thread *thread)
{
    struct posix_timer *timer;

    if (!process->signals.timers)
        return;
    list_for_each (timer, &process->signals.timers->posix, link) {
        if (timer->target == thread)
            timer->target = NULL;
        if (timer->cpu_thread == thread)
            timer->cpu_thread = NULL;
    }
}

void process_timers_exit(struct process *process)
{
    struct process_timers *timers = process->signals.timers;
    irq_state_t state;

    if (!timers)
        return;
    posix_timers_delete_all(process, timers);
    state = signal_lock(process);
    process->signals.timers = NULL;
    signal_unlock(process, state);
    timer_cancel(&timers->real);
    timer_cancel(&timers->cpu);
    slab_free(&timers_cache, timers);
}
