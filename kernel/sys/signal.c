/* Signal calls about the caller itself: dispositions, masks, waiting, the return from handlers. */
#include "sys/signal_copy.h"

#include <port_user.h>

#include "proc/process.h"
#include "sys/time_copy.h"

_Static_assert(sizeof(siginfo_t) == 128, "siginfo_t");

int copy_signal_info_to_user(uintptr_t address, const struct signal_info *info)
{
    uint8_t whole[sizeof(siginfo_t)] = {0};

    memcpy(whole, info, sizeof(*info));
    return copy_to_user(address, whole, sizeof(whole));
}

/* What is sent by programs or asynchronous I/O has a form that the kernel knows to be short. */
static bool is_known_form(int code)
{
    return (code >= SI_DETHREAD && code <= SI_KERNEL) || code == SI_ASYNCNL;
}

int copy_signal_info_from_user(struct signal_info *info, uintptr_t address)
{
    uint8_t rest[sizeof(siginfo_t) - sizeof(*info)];

    if (copy_from_user(info, address, sizeof(*info)) != 0)
        return -EFAULT;
    if (is_known_form(info->code))
        return 0;
    if (copy_from_user(rest, address + sizeof(*info), sizeof(rest)) != 0)
        return -EFAULT;
    for (size_t i = 0; i < sizeof(rest); i++)
        if (rest[i])
            return -E2BIG;
    return 0;
}

/* struct sigaction of the system call: kernel_sigaction, with the same fields in the same order. */
SYSCALL4(rt_sigaction, int, signal, uintptr_t, new_address, uintptr_t, old_address, size_t, size)
{
    struct kernel_sigaction new_action;
    struct kernel_sigaction old;
    int error;

    if (size != sizeof(signal_set))
        return -EINVAL;
    if (new_address && copy_from_user(&new_action, new_address, sizeof(new_action)) != 0)
        return -EFAULT;
    error = signal_set_action(signal, new_address ? &new_action : NULL, &old);
    if (error || !old_address)
        return error;
    return copy_to_user(old_address, &old, sizeof(old));
}

SYSCALL4(rt_sigprocmask, int, how, uintptr_t, new_address, uintptr_t, old_address, size_t, size)
{
    signal_set old = current_user_thread()->signals.blocked;
    signal_set set;

    if (size != sizeof(set))
        return -EINVAL;
    if (new_address) {
        if (!port_load_user_word(&set, new_address))
            return -EFAULT;
        if (how == SIG_BLOCK)
            set |= old;
        else if (how == SIG_UNBLOCK)
            set = old & ~set;
        else if (how != SIG_SETMASK)
            return -EINVAL;
        if (set != old)
            signal_set_mask(set);
    }
    return old_address ? copy_to_user(old_address, &old, sizeof(old)) : 0;
}

SYSCALL2(rt_sigpending, uintptr_t, address, size_t, size)
{
    signal_set pending;

    if (size > sizeof(pending))
        return -EINVAL;
    pending = signal_pending_set();
    return copy_to_user(address, &pending, size);
}

SYSCALL2(rt_sigsuspend, uintptr_t, address, size_t, size)
{
    signal_set mask;
    int error = copy_signal_set_from_user(&mask, address, size);

    return error ? error : signal_suspend(mask);
}

SYSCALL0(pause)
{
    return signal_pause();
}

SYSCALL4(rt_sigtimedwait, uintptr_t, set_address, uintptr_t, info_address, uintptr_t, time_address,
         size_t, size)
{
    uint64_t deadline = DEADLINE_NEVER;
    struct signal_info info;
    uint64_t duration;
    signal_set wanted;
    int result = copy_signal_set_from_user(&wanted, set_address, size);

    if (result)
        return result;
    if (time_address) {
        result = copy_timespec_from_user(&duration, time_address);
        if (result)
            return result;
        deadline = duration ? port_clock_ns() + duration : 0;
    }
    result = signal_wait(wanted, deadline, &info);
    if (result > 0 && info_address && copy_signal_info_to_user(info_address, &info) != 0)
        return -EFAULT;
    return result;
}

SYSCALL2(sigaltstack, uintptr_t, new_address, uintptr_t, old_address)
{
    uintptr_t stack_pointer = port_user_stack_pointer(port_user_frame(current_thread()));
    stack_t new_stack;
    stack_t old = {0};
    int error;

    if (new_address && copy_from_user(&new_stack, new_address, sizeof(new_stack)) != 0)
        return -EFAULT;
    error = signal_set_alternate_stack(new_address ? &new_stack : NULL, &old, stack_pointer);
    if (error || !old_address)
        return error;
    return copy_to_user(old_address, &old, sizeof(old));
}

SYSCALL0(rt_sigreturn)
{
    return signal_return(port_user_frame(current_thread()));
}

/* Goes on with the sleep that the last signal interrupted. */
SYSCALL0(restart_syscall)
{
    struct restart_block *block = &current_user_thread()->restart;

    return block->restart ? block->restart(block) : -EINTR;
}
