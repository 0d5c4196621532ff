/* Scheduling policies, affinity, and giving way. Threads are looked up under family_lock. */
#include <linux/sched.h>
#include <linux/sched/types.h>

#include "sched/cpu.h"
#include "sched/sched.h"
#include "sys/syscall.h"
#include "sys/thread_lookup.h"
#include "sys/time_copy.h"

#define PRIORITY_MAX 99

struct user_sched_param {
    int priority;
};

static bool is_realtime(int policy)
{
    return policy == SCHED_FIFO || policy == SCHED_RR;
}

static bool is_known(int policy)
{
    return is_realtime(policy) || policy == SCHED_NORMAL || policy == SCHED_BATCH ||
           policy == SCHED_IDLE;
}

SYSCALL0(sched_yield)
{
    sched_yield_current();
    return 0;
}

/* Linux's rules for a caller without CAP_SYS_NICE. */
static bool may_change_unprivileged(const struct process *process,
                                    const struct sched_attributes *old,
                                    const struct sched_attributes *new) REQUIRES(family_lock);
static bool may_change_unprivileged(const struct process *process,
                                    const struct sched_attributes *old,
                                    const struct sched_attributes *new)
{
    uint64_t limit = rlimit_soft(process, RLIMIT_RTPRIO);

    if (is_realtime(new->policy)) {
        if (new->policy != old->policy && limit == 0)
            return false;
        if (new->priority > old->priority && (uint64_t) new->priority > limit)
            return false;
    }
    if (old->policy == SCHED_IDLE && new->policy != SCHED_IDLE &&
        !thread_may_lower_nice(process, old->nice))
        return false;
    if (old->reset_on_fork && !new->reset_on_fork)
        return false;
    return thread_may_schedule_locked(process);
}

/* Policy and priority as wanted, the rest as it is. policy -1: unchanged too. -ESRCH -EINVAL -EPERM
 */
static int64_t change_policy_locked(pid_number number, int policy, int priority)
    REQUIRES(family_lock);
static int64_t change_policy_locked(pid_number number, int policy, int priority)
{
    struct user_thread *thread = thread_find_locked(number);
    struct sched_attributes old, new;

    if (!thread)
        return -ESRCH;
    thread_get_attributes(&thread->thread, &old);
    new = old;
    if (policy != -1) {
        new.policy = policy & ~SCHED_RESET_ON_FORK;
        new.reset_on_fork = policy &SCHED_RESET_ON_FORK;
    }
    new.priority = priority;
    if (!is_known(new.policy) || priority < 0 || priority > PRIORITY_MAX ||
        is_realtime(new.policy) != (priority != 0))
        return -EINVAL;
    if (!credentials_is_privileged(current_credentials()) &&
        !may_change_unprivileged(thread->process, &old, &new))
        return -EPERM;
    /* No realtime thread keeps to a job's nice floor. */
    if (is_realtime(new.policy) && thread_nice_floor(&thread->thread) > NICE_MIN)
        return -EPERM;
    thread_set_attributes(&thread->thread, &new);
    return 0;
}

static int64_t change_policy(pid_number number, int policy, uintptr_t param_address)
{
    struct user_sched_param param;
    int64_t result;

    if (!param_address || number < 0)
        return -EINVAL;
    if (copy_from_user(&param, param_address, sizeof(param)) != 0)
        return -EFAULT;
    spin_lock(&family_lock);
    result = change_policy_locked(number, policy, param.priority);
    spin_unlock(&family_lock);
    return result;
}

SYSCALL3(sched_setscheduler, pid_number, number, int, policy, uintptr_t, param_address)
{
    return policy < 0 ? -EINVAL : change_policy(number, policy, param_address);
}

SYSCALL2(sched_setparam, pid_number, number, uintptr_t, param_address)
{
    return change_policy(number, -1, param_address);
}

/* -EINVAL -ESRCH */
static int get_attributes(pid_number number, struct sched_attributes *attributes)
{
    struct user_thread *thread;

    if (number < 0)
        return -EINVAL;
    spin_lock(&family_lock);
    thread = thread_find_locked(number);
    if (thread)
        thread_get_attributes(&thread->thread, attributes);
    spin_unlock(&family_lock);
    return thread ? 0 : -ESRCH;
}

SYSCALL1(sched_getscheduler, pid_number, number)
{
    struct sched_attributes attributes;
    int error = get_attributes(number, &attributes);

    if (error)
        return error;
    return attributes.policy | (attributes.reset_on_fork ? SCHED_RESET_ON_FORK : 0);
}

SYSCALL2(sched_getparam, pid_number, number, uintptr_t, param_address)
{
    struct sched_attributes attributes;
    struct user_sched_param param;
    int error = param_address ? get_attributes(number, &attributes) : -EINVAL;

    if (error)
        return error;
    param.priority = attributes.priority;
    return copy_to_user(param_address, &param, sizeof(param));
}

SYSCALL1(sched_get_priority_max, int, policy)
{
    if (is_realtime(policy))
        return PRIORITY_MAX;
    return is_known(policy) || policy == SCHED_DEADLINE ? 0 : -EINVAL;
}

SYSCALL1(sched_get_priority_min, int, policy)
{
    if (is_realtime(policy))
        return 1;
    return is_known(policy) || policy == SCHED_DEADLINE ? 0 : -EINVAL;
}

SYSCALL2(sched_rr_get_interval, pid_number, number, uintptr_t, address)
{
    struct user_thread *thread;
    uint64_t slice_ns = 0;

    if (number < 0)
        return -EINVAL;
    spin_lock(&family_lock);
    thread = thread_find_locked(number);
    if (thread)
        slice_ns = thread_slice_ns(&thread->thread);
    spin_unlock(&family_lock);
    return thread ? copy_timespec_to_user(address, slice_ns) : -ESRCH;
}

SYSCALL3(sched_setaffinity, pid_number, number, unsigned, size, uintptr_t, address)
{
    struct user_thread *thread;
    uint64_t mask = 0;
    int64_t result;

    if (copy_from_user(&mask, address, size < sizeof(mask) ? size : sizeof(mask)) != 0)
        return -EFAULT;
    spin_lock(&family_lock);
    thread = thread_find_locked(number);
    if (!thread)
        result = -ESRCH;
    else if (!thread_may_schedule_locked(thread->process))
        result = -EPERM;
    else
        result = thread_set_affinity(&thread->thread, mask);
    spin_unlock(&family_lock);
    return result;
}

/* Returns the size of the kernel's mask. */
SYSCALL3(sched_getaffinity, pid_number, number, unsigned, size, uintptr_t, address)
{
    struct user_thread *thread;
    uint64_t mask = 0;

    if (size * 8 < port_cpu_count() || size % sizeof(mask) != 0)
        return -EINVAL;
    spin_lock(&family_lock);
    thread = thread_find_locked(number);
    if (thread)
        mask = thread_get_affinity(&thread->thread);
    spin_unlock(&family_lock);
    if (!thread)
        return -ESRCH;
    return copy_to_user(address, &mask, sizeof(mask)) != 0 ? -EFAULT : (int64_t)sizeof(mask);
}

/* The third argument has not been used since Linux 2.6.24. */
SYSCALL2(getcpu, uintptr_t, cpu_address, uintptr_t, node_address)
{
    unsigned cpu = this_cpu()->id;
    unsigned node = 0;

    if (cpu_address && copy_to_user(cpu_address, &cpu, sizeof(cpu)) != 0)
        return -EFAULT;
    if (node_address && copy_to_user(node_address, &node, sizeof(node)) != 0)
        return -EFAULT;
    return 0;
}
