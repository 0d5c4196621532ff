/* System calls for the programs of the proc scenarios. */
#include "calls.h"

#include <linux/time.h>

#include "lib/errno.h"
#include "lib/string.h"
#include "mm/user_copy.h"
#include "proc/exit.h"
#include "proc/fork.h"
#include "proc/pgrp.h"
#include "proc/posix_timer.h"
#include "proc/tree.h"
#include "sched/sched.h"

/* --- fork --- */

int64_t do_fork(const uint64_t a[6])
{
    struct fork_request request = {.flags = a[0],
                                   .exit_signal = (int)a[1],
                                   .stack = a[2],
                                   .tls = (const uintptr_t *)&a[3],
                                   .birth = {.into = (struct job *)a[4]}};
    struct process *child;
    int error = fork_check_flags(request.flags);

    if (error)
        return error;
    error = fork_prepare(&request, &child);
    return error ? error : fork_commit(&request, child);
}

int call_fork_with(uint64_t flags, int exit_signal, sim_program *program, uintptr_t argument)
{
    const uint64_t a[6] = {flags, (uint64_t)exit_signal, (uintptr_t)program, argument};

    return (int)sim_call(do_fork, a);
}

int call_fork(sim_program *program, uintptr_t argument)
{
    return call_fork_with(0, SIGCHLD, program, argument);
}

/* --- exit and identity --- */

static int64_t do_exit(const uint64_t a[6])
{
    process_exit((int)a[0]);
}

void call_exit(int status)
{
    const uint64_t a[6] = {(uint64_t)status};

    sim_call(do_exit, a);
    sim_fail("exit returned");
}

static int64_t do_getpid(const uint64_t a[6])
{
    (void)a;
    return process_number(current_process());
}

static int64_t do_getppid(const uint64_t a[6])
{
    (void)a;
    return process_parent_number(current_process());
}

static const uint64_t no_arguments[6];

int call_getpid(void)
{
    return (int)sim_call(do_getpid, no_arguments);
}

int call_getppid(void)
{
    return (int)sim_call(do_getppid, no_arguments);
}

/* --- wait --- */

static struct pid *own_group(void)
{
    struct pid *pid;

    spin_lock(&family_lock);
    pid = current_process()->group->pid;
    pid_get(pid);
    spin_unlock(&family_lock);
    return pid;
}

static struct pid *selected_pid(int selector)
{
    if (selector == 0)
        return own_group();
    return selector == -1 ? NULL : pid_find(selector > 0 ? selector : -selector);
}

/* a: selector, options, where the result goes, whether that is a bad address. */
static int64_t do_wait(const uint64_t a[6])
{
    int selector = (int)a[0];
    struct wait_request request = {.kind = selector == -1 ? WAIT_ANY
                                           : selector > 0 ? WAIT_PROCESS
                                                          : WAIT_GROUP,
                                   .pid = selected_pid(selector),
                                   .options = (int)a[1]};
    struct wait_result result;
    int error = process_wait(&request, &result);

    if (request.pid)
        pid_put(request.pid);
    if (error)
        return error;
    if (result.child) {
        const struct waited waited = {result.pid, result.code, result.status};

        error = copy_to_user(a[3] ? 16 : a[2], &waited, sizeof(waited));
        process_wait_finish(&result, error == 0);
    }
    return error;
}

int call_wait(int selector, int options, struct waited *waited)
{
    const uint64_t a[6] = {(uint64_t)selector, (uint64_t)options, (uintptr_t)waited};

    *waited = (struct waited){0};
    return (int)sim_call(do_wait, a);
}

int call_wait_faulting(int selector, int options)
{
    struct waited waited;
    const uint64_t a[6] = {(uint64_t)selector, (uint64_t)options, (uintptr_t)&waited, 1};

    return (int)sim_call(do_wait, a);
}

int call_wait_any(void)
{
    struct waited waited;
    int error = call_wait(-1, WEXITED, &waited);

    return error ? error : waited.pid;
}

/* --- groups and the like --- */

static int64_t do_setpgid(const uint64_t a[6])
{
    return process_set_group((pid_number)a[0], (pid_number)a[1]);
}

int call_setpgid(int pid, int group)
{
    const uint64_t a[6] = {(uint64_t)pid, (uint64_t)group};

    return (int)sim_call(do_setpgid, a);
}

static int64_t do_getpgid(const uint64_t a[6])
{
    return process_get_group((pid_number)a[0]);
}

int call_getpgid(int pid)
{
    const uint64_t a[6] = {(uint64_t)pid};

    return (int)sim_call(do_getpgid, a);
}

static int64_t do_setsid(const uint64_t a[6])
{
    (void)a;
    return process_set_session();
}

int call_setsid(void)
{
    return (int)sim_call(do_setsid, no_arguments);
}

static int64_t do_set_subreaper(const uint64_t a[6])
{
    process_set_subreaper(current_process(), a[0] != 0);
    return 0;
}

int call_set_subreaper(bool enabled)
{
    const uint64_t a[6] = {enabled};

    return (int)sim_call(do_set_subreaper, a);
}

static int64_t do_set_parent_death_signal(const uint64_t a[6])
{
    spin_lock(&family_lock);
    current_process()->parent_death_signal = (int)a[0];
    spin_unlock(&family_lock);
    return 0;
}

int call_set_parent_death_signal(int signal)
{
    const uint64_t a[6] = {(uint64_t)signal};

    return (int)sim_call(do_set_parent_death_signal, a);
}

/* --- signals --- */

static int64_t do_kill(const uint64_t a[6])
{
    struct signal_info info;

    signal_info_from_current(&info, (int)a[1], SI_USER);
    return signal_kill((int32_t)a[0], (int)a[1], &info);
}

int call_kill(int selector, int signal)
{
    const uint64_t a[6] = {(uint64_t)selector, (uint64_t)signal};

    return (int)sim_call(do_kill, a);
}

static int64_t do_sigqueue(const uint64_t a[6])
{
    struct signal_info info;

    signal_info_from_current(&info, (int)a[1], SI_QUEUE);
    info.value = a[2];
    return signal_kill((int32_t)a[0], (int)a[1], &info);
}

int call_sigqueue(int pid, int signal, uint64_t value)
{
    const uint64_t a[6] = {(uint64_t)pid, (uint64_t)signal, value};

    return (int)sim_call(do_sigqueue, a);
}

static int64_t do_sigaction(const uint64_t a[6])
{
    const struct kernel_sigaction action = {.handler = a[1], .flags = a[2]};

    return signal_set_action((int)a[0], &action, NULL);
}

int call_sigaction(int signal, signal_handler *handler, uint64_t flags)
{
    const uint64_t a[6] = {(uint64_t)signal, (uintptr_t)handler, flags};

    return (int)sim_call(do_sigaction, a);
}

static int64_t do_sigprocmask(const uint64_t a[6])
{
    *(signal_set *)a[1] = current_user_thread()->signals.blocked;
    signal_set_mask(a[0]);
    return 0;
}

signal_set call_sigprocmask(signal_set mask)
{
    signal_set old;
    const uint64_t a[6] = {mask, (uintptr_t)&old};

    sim_call(do_sigprocmask, a);
    return old;
}

static int64_t do_sigsuspend(const uint64_t a[6])
{
    return signal_suspend(a[0]);
}

int call_sigsuspend(signal_set mask)
{
    const uint64_t a[6] = {mask};

    return (int)sim_call(do_sigsuspend, a);
}

static int64_t do_pause(const uint64_t a[6])
{
    (void)a;
    return signal_pause();
}

int call_pause(void)
{
    return (int)sim_call(do_pause, no_arguments);
}

static int64_t do_sigtimedwait(const uint64_t a[6])
{
    struct signal_info info;
    uint64_t deadline = a[1] == 0                ? 0
                        : a[1] == DEADLINE_NEVER ? DEADLINE_NEVER
                                                 : port_clock_ns() + a[1];
    int result = signal_wait(a[0], deadline, &info);

    if (result > 0 && a[2])
        memcpy((void *)a[2], &info, sizeof(info));
    return result;
}

int call_sigtimedwait(signal_set wanted, uint64_t timeout_ns, struct signal_info *info)
{
    const uint64_t a[6] = {wanted, timeout_ns, (uintptr_t)info};

    return (int)sim_call(do_sigtimedwait, a);
}

static int64_t do_sigpending(const uint64_t a[6])
{
    *(signal_set *)a[0] = signal_pending_set();
    return 0;
}

signal_set call_sigpending(void)
{
    signal_set set;
    const uint64_t a[6] = {(uintptr_t)&set};

    sim_call(do_sigpending, a);
    return set;
}

static int64_t do_yield(const uint64_t a[6])
{
    (void)a;
    sched_yield_current();
    return 0;
}

int call_yield(void)
{
    return (int)sim_call(do_yield, no_arguments);
}

/* --- timers --- */

static int64_t do_setitimer(const uint64_t a[6])
{
    const struct interval_setting setting = {.expiry = a[0], .interval = a[1]};

    return process_set_interval(INTERVAL_REAL, &setting, NULL);
}

int call_setitimer(uint64_t expiry, uint64_t interval)
{
    const uint64_t a[6] = {expiry, interval};

    return (int)sim_call(do_setitimer, a);
}

static int64_t do_timer_create(const uint64_t a[6])
{
    const struct posix_timer_request request = {
        .clock = CLOCK_MONOTONIC, .notify = SIGEV_SIGNAL, .signal = (int)a[0], .value_is_id = true};

    return posix_timer_create(&request);
}

int call_timer_create(int signal)
{
    const uint64_t a[6] = {(uint64_t)signal};

    return (int)sim_call(do_timer_create, a);
}

static int64_t do_timer_settime(const uint64_t a[6])
{
    const struct interval_setting setting = {.expiry = a[1], .interval = a[2]};
    struct interval_setting old;

    return posix_timer_set((int)a[0], false, &setting, &old);
}

int call_timer_settime(int id, uint64_t expiry, uint64_t interval)
{
    const uint64_t a[6] = {(uint64_t)id, expiry, interval};

    return (int)sim_call(do_timer_settime, a);
}

static int64_t do_timer_delete(const uint64_t a[6])
{
    return posix_timer_delete((int)a[0]);
}

int call_timer_delete(int id)
{
    const uint64_t a[6] = {(uint64_t)id};

    return (int)sim_call(do_timer_delete, a);
}
