/* Resource limits: the values. Written under family_lock, each read whole. */
#include "proc/rlimit.h"

#include "lib/errno.h"
#include "proc/process.h"
#include "proc/process_timers.h"

/* Linux's values for the first process (include/asm-generic/resource.h says the same). */
static const struct rlimit64 initial[RLIM_NLIMITS] = {
    [RLIMIT_CPU] = {RLIM64_INFINITY, RLIM64_INFINITY},
    [RLIMIT_FSIZE] = {RLIM64_INFINITY, RLIM64_INFINITY},
    [RLIMIT_DATA] = {RLIM64_INFINITY, RLIM64_INFINITY},
    [RLIMIT_STACK] = {8 << 20, RLIM64_INFINITY},
    [RLIMIT_CORE] = {0, RLIM64_INFINITY},
    [RLIMIT_RSS] = {RLIM64_INFINITY, RLIM64_INFINITY},
    [RLIMIT_NPROC] = {PID_MAX - PID_RESERVED, PID_MAX - PID_RESERVED},
    [RLIMIT_NOFILE] = {1024, 4096},
    [RLIMIT_MEMLOCK] = {8 << 20, 8 << 20},
    [RLIMIT_AS] = {RLIM64_INFINITY, RLIM64_INFINITY},
    [RLIMIT_LOCKS] = {RLIM64_INFINITY, RLIM64_INFINITY},
    [RLIMIT_SIGPENDING] = {16384, 16384},
    [RLIMIT_MSGQUEUE] = {819200, 819200},
    [RLIMIT_NICE] = {0, 0},
    [RLIMIT_RTPRIO] = {0, 0},
    [RLIMIT_RTTIME] = {RLIM64_INFINITY, RLIM64_INFINITY},
};

void rlimits_init(struct rlimits *limits)
{
    for (unsigned i = 0; i < RLIM_NLIMITS; i++)
        limits->values[i] = initial[i];
}

uint64_t rlimit_soft(const struct process *process, unsigned resource)
{
    return __atomic_load_n(&process->limits.values[resource].rlim_cur, __ATOMIC_RELAXED);
}

static bool ids_all_are(const struct id_set *ids, uint32_t id)
{
    return ids->real == id && ids->effective == id && ids->saved == id;
}

/* prlimit(2): another process's limits may be touched by root, or if all its real, effective and
 * saved ids equal the caller's real ones. */
static bool may_access(struct process *target)
{
    const struct credentials *own = current_credentials();
    const struct credentials *its = target->credentials;

    return target == current_process() || credentials_is_privileged(own) ||
           (ids_all_are(&its->user, own->user.real) && ids_all_are(&its->group, own->group.real));
}

static int check_new(const struct rlimit64 *old, const struct rlimit64 *new_limit,
                     unsigned resource)
{
    if (new_limit->rlim_cur > new_limit->rlim_max)
        return -EINVAL;
    if (resource == RLIMIT_NOFILE && new_limit->rlim_max > RLIMIT_NOFILE_CEILING)
        return -EPERM;
    if (new_limit->rlim_max > old->rlim_max && !credentials_is_privileged(current_credentials()))
        return -EPERM;
    return 0;
}

int rlimit_change(pid_number pid, unsigned resource, const struct rlimit64 *new_limit,
                  struct rlimit64 *old_limit)
{
    struct process *target;
    struct rlimit64 *limit;
    int error = 0;

    if (resource >= RLIM_NLIMITS)
        return -EINVAL;
    spin_lock(&family_lock);
    target = pid == 0 ? current_process() : process_find_locked(pid);
    if (!target) {
        error = -ESRCH;
    } else if (!may_access(target)) {
        error = -EPERM;
    } else {
        limit = &target->limits.values[resource];
        if (new_limit)
            error = check_new(limit, new_limit, resource);
        if (error == 0 && old_limit)
            *old_limit = *limit;
        if (error == 0 && new_limit)
            *limit = *new_limit;
        if (error == 0 && new_limit && resource == RLIMIT_CPU)
            error = process_timers_limit_changed(target);
    }
    spin_unlock(&family_lock);
    return error;
}
