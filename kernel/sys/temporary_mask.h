/* The signal mask of calls that take one for as long as they wait: ppoll, pselect6, epoll_pwait. */
#pragma once

#include "proc/process.h"
#include "sys/syscall.h"

/* Puts the mask in effect; NULL address: nothing. -EINVAL -EFAULT. */
static inline int temporary_mask_set(uintptr_t address, size_t size)
{
    signal_set mask;

    if (!address)
        return 0;
    if (size != sizeof(mask))
        return -EINVAL;
    if (copy_from_user(&mask, address, sizeof(mask)) != 0)
        return -EFAULT;
    signal_set_mask_temporarily(mask);
    return 0;
}

/* Call it with the call's result. If a signal ended the call, the mask stays for its handler and
 * the way to user mode puts the old one back; otherwise that is done now, before signals are looked
 * at. */
static inline void temporary_mask_end(int64_t result)
{
    struct thread *thread = current_thread();

    if (result == -ERESTARTNOHAND || result == -EINTR ||
        !thread_has_work(thread, THREAD_WORK_RESTORE_MASK))
        return;
    thread_clear_work(thread, THREAD_WORK_RESTORE_MASK);
    signal_set_mask(current_user_thread()->signals.saved_mask);
}
