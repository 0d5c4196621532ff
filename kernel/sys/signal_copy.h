/* siginfo_t and signal sets in user memory. */
#pragma once

#include "lib/string.h"
#include "proc/signal.h"
#include "sys/syscall.h"

/* -EFAULT */
int MUST_CHECK copy_signal_info_to_user(uintptr_t address, const struct signal_info *info);
/* -EFAULT; -E2BIG if it says more than the kernel keeps. */
int MUST_CHECK copy_signal_info_from_user(struct signal_info *info, uintptr_t address);

/* -EINVAL if the size is not the kernel's, -EFAULT. */
static inline int copy_signal_set_from_user(signal_set *set, uintptr_t address, size_t size)
{
    if (size != sizeof(*set))
        return -EINVAL;
    return copy_from_user(set, address, sizeof(*set));
}
