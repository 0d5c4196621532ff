/* exit, exit_group, wait4, waitid. */
#include <linux/wait.h>

#include "fs/pidfd.h"
#include "lib/string.h"
#include "proc/exit.h"
#include "proc/pgrp.h"
#include "proc/wait.h"
#include "sys/syscall.h"

#include <linux/resource.h>

#define WAIT4_OPTIONS (WNOHANG | WUNTRACED | WCONTINUED | __WNOTHREAD | __WCLONE | __WALL)
#define WAITID_OPTIONS                                                                             \
    (WNOHANG | WNOWAIT | WEXITED | WSTOPPED | WCONTINUED | __WNOTHREAD | __WCLONE | __WALL)

SYSCALL1(exit, int, status)
{
    process_exit(status);
}

SYSCALL1(exit_group, int, status)
{
    process_exit(status);
}

/* The pid of the caller's own group, with a reference. */
static struct pid *own_group(void)
{
    struct pid *pid;

    spin_lock(&family_lock);
    pid = current_process()->group->pid;
    pid_get(pid);
    spin_unlock(&family_lock);
    return pid;
}

static void put_pid(struct pid *pid)
{
    if (pid)
        pid_put(pid);
}

/* wait4's pid argument: -1 any, 0 own group, > 0 a process, < -1 a group. */
static int take_selector(struct wait_request *request, pid_number pid)
{
    if (pid == INT32_MIN)
        return -ESRCH;
    request->kind = pid == -1 ? WAIT_ANY : pid > 0 ? WAIT_PROCESS : WAIT_GROUP;
    if (pid == 0)
        request->pid = own_group();
    else if (pid != -1)
        request->pid = pid_find(pid > 0 ? pid : -pid);
    return 0;
}

static int copy_rusage(uintptr_t address, const struct usage_totals *usage)
{
    struct rusage rusage;

    if (!address)
        return 0;
    usage_to_rusage(usage, &rusage);
    return copy_to_user(address, &rusage, sizeof(rusage));
}

SYSCALL4(wait4, pid_number, pid, uintptr_t, status, int, options, uintptr_t, rusage)
{
    struct wait_request request = {.options = options | WEXITED};
    struct wait_result result;
    int64_t answer;

    if (options & ~WAIT4_OPTIONS)
        return -EINVAL;
    answer = take_selector(&request, pid);
    if (answer)
        return answer;
    answer = process_wait(&request, &result);
    put_pid(request.pid);
    if (answer || !result.child)
        return answer;
    if (status)
        answer = copy_to_user(status, &result.status, sizeof(result.status));
    if (answer == 0)
        answer = copy_rusage(rusage, &result.usage);
    process_wait_finish(&result, answer == 0);
    return answer ? answer : result.pid;
}

/* A wait by a pidfd that was opened with PIDFD_NONBLOCK does not sleep either. */
static int take_pidfd(struct wait_request *request, int descriptor)
{
    bool nonblocking;
    int error = pidfd_get_pid(descriptor, &request->pid, &nonblocking);

    if (!error && nonblocking)
        request->options |= WNOHANG;
    return error;
}

/* waitid's id. 0 with request->pid NULL means a number that names nothing: -ECHILD in the end. */
static int take_id(struct wait_request *request, int type, pid_number id)
{
    switch (type) {
    case P_ALL:
        request->kind = WAIT_ANY;
        return 0;
    case P_PID:
        request->kind = WAIT_PROCESS;
        if (id <= 0)
            return -EINVAL;
        request->pid = pid_find(id);
        return 0;
    case P_PGID:
        request->kind = WAIT_GROUP;
        if (id < 0)
            return -EINVAL;
        request->pid = id == 0 ? own_group() : pid_find(id);
        return 0;
    case P_PIDFD:
        request->kind = WAIT_PROCESS;
        if (id < 0)
            return -EINVAL;
        return take_pidfd(request, id);
    default:
        return -EINVAL;
    }
}

static int copy_siginfo(uintptr_t address, const struct wait_result *result)
{
    siginfo_t info;
    int status = result->status;

    if (!address)
        return 0;
    memset(&info, 0, sizeof(info));
    if (result->child) {
        info.si_signo = SIGCHLD;
        info.si_code = result->code;
        info.si_pid = result->pid;
        info.si_uid = result->uid;
        if (result->code == CLD_KILLED)
            info.si_status = status & 0x7f;
        else if (result->code == CLD_CONTINUED)
            info.si_status = SIGCONT;
        else
            info.si_status = (status >> 8) & 0xff;
    }
    /* Only what waitid(2) names; the rest of the program's structure stays as it was. */
    return copy_to_user(address, &info, offsetof(siginfo_t, si_status) + sizeof(info.si_status));
}

static int64_t wait_by_id(int type, pid_number id, int options, struct wait_result *result)
{
    struct wait_request request = {.options = options};
    int64_t answer;

    if ((options & ~WAITID_OPTIONS) || !(options & (WEXITED | WSTOPPED | WCONTINUED)))
        return -EINVAL;
    answer = take_id(&request, type, id);
    if (answer)
        return answer;
    answer = process_wait(&request, result);
    put_pid(request.pid);
    if (answer == 0 && !result->child && request.options != options)
        return -EAGAIN;
    return answer;
}

/* The program's structure is cleared by calls that fail, too. */
SYSCALL5(waitid, int, type, pid_number, id, uintptr_t, info, int, options, uintptr_t, rusage)
{
    struct wait_result result = {.child = NULL};
    int64_t answer = wait_by_id(type, id, options, &result);
    int error = copy_siginfo(info, &result);

    if (error == 0 && result.child)
        error = copy_rusage(rusage, &result.usage);
    if (result.child)
        process_wait_finish(&result, error == 0);
    return error ? error : answer;
}
