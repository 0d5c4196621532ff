/* fork, vfork, clone, clone3: registers and structures to a struct fork_request. */
#include <linux/sched.h>

#include "fs/file.h"
#include "fs/job_file.h"
#include "fs/pidfd.h"
#include "lib/string.h"
#include "port.h"
#include "proc/fork.h"
#include "proc/job.h"
#include "sys/struct_copy.h"
#include "sys/syscall.h"

/* What the two forms of clone have in common, once their arguments are apart. */
struct clone_request {
    struct fork_request fork;
    uintptr_t tls;
    uintptr_t parent_tid; /* CLONE_PARENT_SETTID */
    uintptr_t pidfd;      /* CLONE_PIDFD: where the descriptor is stored */
};

/* The parent learns number and pidfd before the child can run. As on Linux a bad address for the
 * pidfd is -EFAULT, and one for the number goes unnoticed. */
static int tell_parent(const struct clone_request *request, struct process *child, int descriptor)
{
    pid_number number = process_number(child);

    if (request->fork.flags & CLONE_PARENT_SETTID)
        (void)copy_to_user_partial(request->parent_tid, &number, sizeof(number));
    if (request->fork.flags & CLONE_PIDFD)
        return copy_to_user(request->pidfd, &descriptor, sizeof(descriptor));
    return 0;
}

static int64_t fork_with_pidfd(const struct clone_request *request)
{
    struct process *child;
    struct file *file;
    int descriptor = file_reserve_descriptor(0, true);
    int64_t result;

    if (descriptor < 0)
        return descriptor;
    result = fork_prepare(&request->fork, &child);
    if (result)
        goto give_back;
    file = pidfd_create(child->pid, 0);
    result = file ? tell_parent(request, child, descriptor) : -ENOMEM;
    if (result == 0)
        result = fork_commit(&request->fork, child);
    else
        fork_abort(child);
    if (result >= 0) {
        file_fill_descriptor(descriptor, file);
        return result;
    }
    if (file)
        file_put(file);
give_back:
    file_unreserve_descriptor(descriptor);
    return result;
}

static int64_t clone_process(const struct clone_request *request)
{
    struct process *child;
    int64_t result = fork_check_flags(request->fork.flags);

    if (result)
        return result;
    if (request->fork.flags & CLONE_PIDFD)
        return fork_with_pidfd(request);
    result = fork_prepare(&request->fork, &child);
    if (result)
        return result;
    result = tell_parent(request, child, -1);
    if (result) {
        fork_abort(child);
        return result;
    }
    return fork_commit(&request->fork, child);
}

SYSCALL0(fork)
{
    struct clone_request request = {.fork = {.exit_signal = SIGCHLD}};

    return clone_process(&request);
}

SYSCALL0(vfork)
{
    struct clone_request request = {
        .fork = {.flags = CLONE_VM | CLONE_VFORK, .exit_signal = SIGCHLD}};

    return clone_process(&request);
}

/* Puts the addresses that the flags do not ask for out of the way. */
static void take_addresses(struct clone_request *request, uintptr_t child_tid)
{
    uint64_t flags = request->fork.flags;

    request->fork.set_child_tid = flags & CLONE_CHILD_SETTID ? child_tid : 0;
    request->fork.clear_child_tid = flags & CLONE_CHILD_CLEARTID ? child_tid : 0;
    request->fork.tls = flags & CLONE_SETTLS ? &request->tls : NULL;
}

SYSCALL5(clone, uint64_t, flags, uintptr_t, stack, uintptr_t, parent_tid, uintptr_t, child_tid,
         uintptr_t, tls)
{
    struct clone_request request = {
        .fork = {.flags = (uint32_t)flags & ~(uint64_t)CSIGNAL,
                 .exit_signal = (int)(flags & CSIGNAL),
                 .stack = stack},
        .tls = tls,
        .parent_tid = parent_tid,
        .pidfd = parent_tid,
    };

    /* Both would be stored at the same address. */
    if ((flags & CLONE_PIDFD) && (flags & CLONE_PARENT_SETTID))
        return -EINVAL;
    take_addresses(&request, child_tid);
    return clone_process(&request);
}

static int check_clone_args(const struct clone_args *arguments)
{
    if (arguments->set_tid || arguments->set_tid_size)
        return -EINVAL; /* needs pid namespaces */
    if ((arguments->flags & (CSIGNAL | CLONE_DETACHED)) || arguments->exit_signal > SIGNAL_COUNT ||
        !arguments->stack != !arguments->stack_size)
        return -EINVAL;
    if (arguments->stack && !user_range_ok(arguments->stack, arguments->stack_size))
        return -EINVAL;
    return 0;
}

/* A control group is a job here. */
static int64_t clone_into_job(struct clone_request *request, int descriptor)
{
    int64_t result =
        job_from_descriptor(descriptor, JOB_RIGHT_SPAWN, &request->fork.birth.into, NULL);

    if (result)
        return result;
    result = clone_process(request);
    job_put(request->fork.birth.into);
    return result;
}

SYSCALL2(clone3, uintptr_t, address, size_t, size)
{
    struct clone_args arguments;
    struct clone_request request;
    int error;

    if (size < CLONE_ARGS_SIZE_VER0)
        return -EINVAL;
    error = copy_struct_from_user(&arguments, sizeof(arguments), address, size);
    if (error == 0)
        error = check_clone_args(&arguments);
    if (error)
        return error;
    memset(&request, 0, sizeof(request));
    request.fork.flags = arguments.flags & ~(CLONE_INTO_CGROUP | CLONE_JOB_BREAKAWAY);
    request.fork.exit_signal = (int)arguments.exit_signal;
    request.fork.stack = arguments.stack ? arguments.stack + arguments.stack_size : 0;
    request.fork.birth.breakaway = (arguments.flags & CLONE_JOB_BREAKAWAY) != 0;
    request.tls = arguments.tls;
    request.parent_tid = arguments.parent_tid;
    request.pidfd = arguments.pidfd;
    take_addresses(&request, arguments.child_tid);
    if (arguments.flags & CLONE_INTO_CGROUP)
        return clone_into_job(&request, (int)arguments.cgroup);
    return clone_process(&request);
}
