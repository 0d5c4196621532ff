/*
 * kill(2) and its kin: who is meant, and who may. Everything under one hold of family_lock, so that
 * a fork is wholly before a signal to many (and the child gets it too, or is not born) or wholly
 * after.
 */
#include "lib/errno.h"
#include "proc/pgrp.h"
#include "proc/signal_internal.h"

int signal_check_permission_locked(struct process *target, int signal)
{
    struct process *self = current_process();
    const struct id_set *own;
    const struct id_set *its;

    spin_assert_held(&family_lock);
    if (target == self)
        return 0;
    own = &self->credentials->user;
    its = &target->credentials->user;
    if (own->effective == its->saved || own->effective == its->real || own->real == its->saved ||
        own->real == its->real)
        return 0;
    if (credentials_is_privileged(self->credentials))
        return 0;
    if (signal == SIGCONT && target->group && target->group->session == self->group->session)
        return 0;
    return -EPERM;
}

/* A zombie is as good a target as any: the signal has no effect. */
static int kill_one_locked(struct process *target, int signal, const struct signal_info *info)
    REQUIRES(family_lock);
static int kill_one_locked(struct process *target, int signal, const struct signal_info *info)
{
    int error;

    if (signal < 0 || signal > SIGNAL_COUNT)
        return -EINVAL;
    error = signal_check_permission_locked(target, signal);
    if (error || signal == 0)
        return error;
    if (signal == SIGCONT)
        return signal_post_process_locked(target, signal, info);
    return signal_post_process(target, signal, info);
}

static int kill_group_locked(struct process_group *group, int signal,
                             const struct signal_info *info) REQUIRES(family_lock);
static int kill_group_locked(struct process_group *group, int signal,
                             const struct signal_info *info)
{
    struct process *member;
    bool reached = false;
    int error = -ESRCH;

    if (!group)
        return -ESRCH;
    list_for_each (member, &group->members, group_link) {
        error = kill_one_locked(member, signal, info);
        reached |= error == 0;
    }
    return reached ? 0 : error;
}

/* The living in the order of the family tree, parents first. */
static struct process *next_living_locked(struct process *process) REQUIRES(family_lock);
static struct process *next_living_locked(struct process *process)
{
    if (!list_is_empty(&process->living))
        return list_first(&process->living, struct process, sibling);
    while (process != init_process) {
        struct process *parent = process->parent;

        if (process->sibling.next != &parent->living)
            return list_next(process, sibling);
        process = parent;
    }
    return NULL;
}

struct broadcast {
    int signal;
    const struct signal_info *info;
    bool found;
    int error; /* the last one, but for -EPERM: who may not be signalled is passed over in silence
                */
};

static void broadcast_to_locked(struct broadcast *broadcast, struct process *target)
    REQUIRES(family_lock);
static void broadcast_to_locked(struct broadcast *broadcast, struct process *target)
{
    int error;

    if (target == current_process() || target == init_process)
        return;
    error = kill_one_locked(target, broadcast->signal, broadcast->info);
    broadcast->found = true;
    if (error != -EPERM)
        broadcast->error = error;
}

static int kill_all_locked(int signal, const struct signal_info *info) REQUIRES(family_lock);
static int kill_all_locked(int signal, const struct signal_info *info)
{
    struct broadcast broadcast = {.signal = signal, .info = info};
    struct process *process;
    struct process *zombie;

    for (process = init_process; process; process = next_living_locked(process)) {
        broadcast_to_locked(&broadcast, process);
        list_for_each (zombie, &process->zombies, sibling)
            broadcast_to_locked(&broadcast, zombie);
    }
    return broadcast.found ? broadcast.error : -ESRCH;
}

/* The process that owns the number, be it that of a thread. */
static struct process *find_target_locked(pid_number number) REQUIRES(family_lock);
static struct process *find_target_locked(pid_number number)
{
    struct pid *pid = pid_find(number);
    struct process *process = NULL;

    if (!pid)
        return NULL;
    if (pid->process)
        process = pid->process;
    else if (pid->thread)
        process = pid->thread->process;
    pid_put(pid);
    return process;
}

/* Nothing about the caller can change under its feet, so this needs no family_lock; but for
 * SIGCONT, which is reported to the parent. */
static bool is_plainly_to_itself(int32_t selector, int signal)
{
    return selector == process_number(current_process()) && signal >= 0 && signal <= SIGNAL_COUNT &&
           signal != SIGCONT;
}

int signal_kill(int32_t selector, int signal, const struct signal_info *info)
{
    struct process *target;
    int error;

    if (is_plainly_to_itself(selector, signal))
        return signal ? signal_post_process(current_process(), signal, info) : 0;
    spin_lock(&family_lock);
    if (selector > 0) {
        target = find_target_locked(selector);
        error = target ? kill_one_locked(target, signal, info) : -ESRCH;
    } else if (selector == -1) {
        error = kill_all_locked(signal, info);
    } else if (selector == 0) {
        error = kill_group_locked(current_process()->group, signal, info);
    } else if (selector == INT32_MIN) {
        error = -ESRCH;
    } else {
        error = kill_group_locked(pgrp_find_locked(-selector), signal, info);
    }
    spin_unlock(&family_lock);
    return error;
}

int signal_kill_process_checked(struct process *target, int signal, const struct signal_info *info)
{
    int error;

    spin_lock(&family_lock);
    error = target->state == PROCESS_DEAD ? -ESRCH : kill_one_locked(target, signal, info);
    spin_unlock(&family_lock);
    return error;
}

static int kill_thread_locked(int32_t process_id, int32_t thread_id, int signal,
                              const struct signal_info *info) REQUIRES(family_lock);
static int kill_thread_locked(int32_t process_id, int32_t thread_id, int signal,
                              const struct signal_info *info)
{
    struct pid *pid = pid_find(thread_id);
    struct user_thread *thread;
    struct process *target;
    int error;

    if (!pid)
        return -ESRCH;
    thread = pid->thread;
    target = thread ? thread->process : pid->process;
    pid_put(pid);
    if (!target || (process_id > 0 && process_number(target) != process_id))
        return -ESRCH;
    if (signal < 0 || signal > SIGNAL_COUNT)
        return -EINVAL;
    error = signal_check_permission_locked(target, signal);
    /* A zombie's leader is no thread any more, but may still be signalled. */
    if (error || signal == 0 || !thread)
        return error;
    return signal_post_thread_locked(thread, signal, info);
}

int signal_kill_thread(int32_t process_id, int32_t thread_id, int signal,
                       const struct signal_info *info)
{
    int error;

    spin_lock(&family_lock);
    error = kill_thread_locked(process_id, thread_id, signal, info);
    spin_unlock(&family_lock);
    return error;
}
