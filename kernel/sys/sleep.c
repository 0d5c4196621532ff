/* nanosleep and clock_nanosleep. */
#include "proc/process.h"
#include "sys/clock.h"
#include "sys/time_copy.h"

static int64_t restart_sleep(struct restart_block *block);

/* A relative sleep that a signal interrupts tells what is left. If no handler runs it goes on until
 * the same moment; after one, the program sees EINTR. */
static int64_t sleep_relative(int id, uint64_t target, uintptr_t remaining_address)
{
    const struct clock *clock = clock_find(id);
    int outcome = clock->sleep(id, target);
    uint64_t now;

    if (outcome != -ERESTARTSYS)
        return outcome;
    if (clock_read(id, &now) != 0 || now >= target)
        return 0;
    if (remaining_address && copy_timespec_to_user(remaining_address, target - now) != 0)
        return -EFAULT;
    current_user_thread()->restart = (struct restart_block){
        .restart = restart_sleep,
        .arguments = {(uint64_t)id, target, remaining_address},
    };
    return -ERESTART_RESTARTBLOCK;
}

static int64_t restart_sleep(struct restart_block *block)
{
    return sleep_relative((int)block->arguments[0], block->arguments[1], block->arguments[2]);
}

static int64_t sleep_for(int id, uint64_t duration, uintptr_t remaining_address)
{
    uint64_t now;
    int error = clock_read(id, &now);

    if (error)
        return error;
    return sleep_relative(id, duration < TIME_NS_MAX - now ? now + duration : TIME_NS_MAX,
                          remaining_address);
}

SYSCALL2(nanosleep, uintptr_t, address, uintptr_t, remaining_address)
{
    uint64_t duration;
    int error = copy_timespec_from_user(&duration, address);

    return error ? error : sleep_for(CLOCK_MONOTONIC, duration, remaining_address);
}

SYSCALL4(clock_nanosleep, int, id, int, flags, uintptr_t, address, uintptr_t, remaining_address)
{
    const struct clock *clock = clock_find(id);
    uint64_t time;
    int64_t outcome;

    if (!clock || (!clock->now && !clock->read))
        return -EINVAL;
    if (!clock->sleep)
        return -EOPNOTSUPP;
    outcome = copy_timespec_from_user(&time, address);
    if (outcome < 0)
        return outcome;
    if (!(flags & TIMER_ABSTIME))
        return sleep_for(id < 0 ? id : clock->relative_id, time, remaining_address);
    outcome = clock->sleep(id, time);
    return outcome == -ERESTARTSYS ? -ERESTARTNOHAND : outcome;
}
