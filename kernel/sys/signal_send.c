/* Sending signals to processes and threads. */
#include "fs/pidfd.h"
#include "proc/process.h"
#include "sys/signal_copy.h"

SYSCALL2(kill, int, selector, int, signal)
{
    struct signal_info info;

    signal_info_from_current(&info, signal, SI_USER);
    return signal_kill(selector, signal, &info);
}

static int64_t send_to_thread(int process_id, int thread_id, int signal)
{
    struct signal_info info;

    if (thread_id <= 0)
        return -EINVAL;
    signal_info_from_current(&info, signal, SI_TKILL);
    return signal_kill_thread(process_id, thread_id, signal, &info);
}

SYSCALL2(tkill, int, thread_id, int, signal)
{
    return send_to_thread(0, thread_id, signal);
}

SYSCALL3(tgkill, int, process_id, int, thread_id, int, signal)
{
    return process_id <= 0 ? -EINVAL : send_to_thread(process_id, thread_id, signal);
}

/* Nobody may pretend, to others, that the kernel sent it, or kill(2) by somebody else. */
static bool may_claim(const struct signal_info *info, bool to_itself)
{
    return to_itself || (info->code < 0 && info->code != SI_TKILL);
}

SYSCALL3(rt_sigqueueinfo, int, process_id, int, signal, uintptr_t, address)
{
    struct signal_info info;
    int error = copy_signal_info_from_user(&info, address);

    if (error)
        return error;
    if (!may_claim(&info, process_id == pid_number_of(current_user_thread()->tid)))
        return -EPERM;
    info.signal = signal;
    return process_id > 0 ? signal_kill(process_id, signal, &info) : -ESRCH;
}

SYSCALL4(rt_tgsigqueueinfo, int, process_id, int, thread_id, int, signal, uintptr_t, address)
{
    struct signal_info info;
    int error = copy_signal_info_from_user(&info, address);

    if (error)
        return error;
    if (process_id <= 0 || thread_id <= 0)
        return -EINVAL;
    if (!may_claim(&info, thread_id == pid_number_of(current_user_thread()->tid)))
        return -EPERM;
    info.signal = signal;
    return signal_kill_thread(process_id, thread_id, signal, &info);
}

static int64_t send_to_target(struct process *target, int signal, uintptr_t address)
{
    struct signal_info info;
    int error;

    if (!address) {
        signal_info_from_current(&info, signal, SI_USER);
        return signal_kill_process_checked(target, signal, &info);
    }
    error = copy_signal_info_from_user(&info, address);
    if (error)
        return error;
    if (info.signal != signal)
        return -EINVAL;
    if (!may_claim(&info, target == current_process()))
        return -EPERM;
    return signal_kill_process_checked(target, signal, &info);
}

SYSCALL4(pidfd_send_signal, int, descriptor, int, signal, uintptr_t, address, unsigned, flags)
{
    struct process *target;
    int64_t result;

    if (flags)
        return -EINVAL;
    result = pidfd_get_process(descriptor, &target);
    if (result)
        return result;
    result = send_to_target(target, signal, address);
    process_put(target);
    return result;
}
