/* alarm(2), setitimer(2), getitimer(2), and timer_create(2) with its family. */
#include "proc/posix_timer.h"
#include "sys/timer_copy.h"

#define MICROSECONDS_PER_SECOND 1000000

static int ns_from_timeval(uint64_t *ns, const struct __kernel_old_timeval *time)
{
    if (time->tv_sec < 0 || time->tv_usec < 0 || time->tv_usec >= MICROSECONDS_PER_SECOND)
        return -EINVAL;
    if ((uint64_t)time->tv_sec >= TIME_NS_MAX / NSEC_PER_SEC)
        *ns = TIME_NS_MAX;
    else
        *ns = (uint64_t)time->tv_sec * NSEC_PER_SEC + (uint64_t)time->tv_usec * NSEC_PER_USEC;
    return 0;
}

static struct __kernel_old_timeval timeval_from_ns(uint64_t ns)
{
    return (struct __kernel_old_timeval){
        .tv_sec = (__kernel_long_t)(ns / NSEC_PER_SEC),
        .tv_usec = (__kernel_long_t)(ns % NSEC_PER_SEC / NSEC_PER_USEC),
    };
}

static int copy_interval_to_user(uintptr_t address, const struct interval_setting *setting)
{
    struct __kernel_old_itimerval value = {
        .it_interval = timeval_from_ns(setting->interval),
        .it_value = timeval_from_ns(setting->expiry),
    };

    return copy_to_user(address, &value, sizeof(value));
}

/* No new value means zero, as Linux has it. */
static int copy_interval_from_user(struct interval_setting *setting, uintptr_t address)
{
    struct __kernel_old_itimerval value = {0};
    int error;

    if (address && copy_from_user(&value, address, sizeof(value)) != 0)
        return -EFAULT;
    error = ns_from_timeval(&setting->expiry, &value.it_value);
    return error ? error : ns_from_timeval(&setting->interval, &value.it_interval);
}

SYSCALL2(getitimer, int, which, uintptr_t, address)
{
    struct interval_setting setting;

    if (which < 0 || which >= INTERVAL_COUNT)
        return -EINVAL;
    process_set_interval((enum interval_timer)which, NULL, &setting);
    return copy_interval_to_user(address, &setting);
}

SYSCALL3(setitimer, int, which, uintptr_t, new_address, uintptr_t, old_address)
{
    struct interval_setting setting;
    struct interval_setting old;
    int error = copy_interval_from_user(&setting, new_address);

    if (error)
        return error;
    if (which < 0 || which >= INTERVAL_COUNT)
        return -EINVAL;
    error = process_set_interval((enum interval_timer)which, &setting, &old);
    if (error || !old_address)
        return error;
    return copy_interval_to_user(old_address, &old);
}

/* Tells the seconds that were left, rounded, but never to 0. */
SYSCALL1(alarm, unsigned, seconds)
{
    struct interval_setting setting = {.expiry = seconds * NSEC_PER_SEC};
    struct interval_setting old;
    int64_t left;
    int error = process_set_interval(INTERVAL_REAL, &setting, &old);

    if (error)
        return error;
    left = (int64_t)((old.expiry + NSEC_PER_SEC / 2) / NSEC_PER_SEC);
    return left == 0 && old.expiry != 0 ? 1 : left;
}

/* NULL: SIGALRM with the timer's id. */
static int copy_sigevent_from_user(struct posix_timer_request *request, uintptr_t address)
{
    struct sigevent event;

    if (!address) {
        request->notify = SIGEV_SIGNAL;
        request->signal = SIGALRM;
        request->value_is_id = true;
        return 0;
    }
    if (copy_from_user(&event, address, sizeof(event)) != 0)
        return -EFAULT;
    request->notify = event.sigev_notify;
    request->signal = event.sigev_signo;
    request->value = (uint64_t)event.sigev_value.sival_ptr;
    request->thread = event.sigev_notify_thread_id;
    return 0;
}

SYSCALL3(timer_create, int, clock, uintptr_t, event_address, uintptr_t, id_address)
{
    struct posix_timer_request request = {.clock = clock};
    int error = copy_sigevent_from_user(&request, event_address);
    int id;

    if (error)
        return error;
    id = posix_timer_create(&request);
    if (id < 0)
        return id;
    if (copy_to_user(id_address, &id, sizeof(id)) == 0)
        return 0;
    posix_timer_delete(id);
    return -EFAULT;
}

SYSCALL4(timer_settime, int, id, int, flags, uintptr_t, new_address, uintptr_t, old_address)
{
    struct interval_setting setting;
    struct interval_setting old;
    int error;

    if (!new_address)
        return -EINVAL;
    error = copy_itimerspec_from_user(&setting, new_address);
    if (error)
        return error;
    error = posix_timer_set(id, flags & TIMER_ABSTIME, &setting, &old);
    if (error || !old_address)
        return error;
    return copy_itimerspec_to_user(old_address, &old);
}

SYSCALL2(timer_gettime, int, id, uintptr_t, address)
{
    struct interval_setting setting;
    int error = posix_timer_get(id, &setting);

    return error ? error : copy_itimerspec_to_user(address, &setting);
}

SYSCALL1(timer_getoverrun, int, id)
{
    return posix_timer_overrun(id);
}

SYSCALL1(timer_delete, int, id)
{
    return posix_timer_delete(id);
}
