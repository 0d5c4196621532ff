/* Threads by number, and who may change how they run. See thread_lookup.h. */
#include "sys/thread_lookup.h"

struct user_thread *thread_find_locked(pid_number number)
{
    struct pid *pid;
    struct user_thread *thread;

    spin_assert_held(&family_lock);
    if (number == 0)
        return current_user_thread();
    pid = pid_find(number);
    if (!pid)
        return NULL;
    thread = pid->thread;
    pid_put(pid);
    return thread;
}

bool thread_may_schedule_locked(const struct process *process)
{
    const struct credentials *own = current_credentials();
    const struct credentials *other = process->credentials;

    spin_assert_held(&family_lock);
    return credentials_is_privileged(own) || own->user.effective == other->user.effective ||
           own->user.effective == other->user.real;
}

bool thread_may_lower_nice(const struct process *process, int nice)
{
    /* The limit is 1..40 for nice 19..-20. */
    return (uint64_t)(20 - nice) <= rlimit_soft(process, RLIMIT_NICE) ||
           credentials_is_privileged(current_credentials());
}
