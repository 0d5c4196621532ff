/* prctl, rlimits, capabilities and the thread's registrations. */
#include <linux/capability.h>
#include <linux/futex.h>
#include <linux/prctl.h>

#include "lib/string.h"
#include "proc/pgrp.h"
#include "proc/process.h"
#include "proc/tree.h"
#include "sys/syscall.h"

static int64_t set_name(uintptr_t address)
{
    char name[THREAD_NAME_SIZE] = {0};
    long length = copy_string_from_user(name, address, sizeof(name));

    if (length < 0 && length != -ENAMETOOLONG)
        return length;
    name[THREAD_NAME_SIZE - 1] = '\0';
    user_thread_set_name(current_user_thread(), name);
    return 0;
}

static int64_t put_int(uintptr_t address, int value)
{
    return copy_to_user(address, &value, sizeof(value));
}

static int64_t set_parent_death_signal(uint64_t signal)
{
    if (signal > SIGNAL_COUNT)
        return -EINVAL;
    spin_lock(&family_lock);
    current_process()->parent_death_signal = (int)signal;
    spin_unlock(&family_lock);
    return 0;
}

static int64_t set_dumpable(uint64_t value)
{
    if (value > 1)
        return -EINVAL;
    current_process()->dumpable = value != 0;
    return 0;
}

static int64_t set_no_new_privileges(const uint64_t a[4])
{
    if (a[0] != 1 || a[1] || a[2] || a[3])
        return -EINVAL;
    current_process()->no_new_privileges = true;
    return 0;
}

SYSCALL5(prctl, int, option, uint64_t, a, uint64_t, b, uint64_t, c, uint64_t, d)
{
    const uint64_t arguments[4] = {a, b, c, d};
    struct process *self = current_process();

    switch (option) {
    case PR_SET_NAME:
        return set_name(a);
    case PR_GET_NAME:
        return copy_to_user(a, current_thread()->name, THREAD_NAME_SIZE);
    case PR_SET_PDEATHSIG:
        return set_parent_death_signal(a);
    case PR_GET_PDEATHSIG:
        return put_int(a, self->parent_death_signal);
    case PR_SET_CHILD_SUBREAPER:
        process_set_subreaper(self, a != 0);
        return 0;
    case PR_GET_CHILD_SUBREAPER:
        return put_int(a, self->is_subreaper);
    case PR_SET_DUMPABLE:
        return set_dumpable(a);
    case PR_GET_DUMPABLE:
        return self->dumpable;
    case PR_SET_NO_NEW_PRIVS:
        return set_no_new_privileges(arguments);
    case PR_GET_NO_NEW_PRIVS:
        return a || b || c || d ? -EINVAL : self->no_new_privileges;
    case PR_CAPBSET_READ:
        return a <= CAP_LAST_CAP ? 1 : -EINVAL;
    case PR_GET_KEEPCAPS:
    case PR_GET_SECUREBITS:
        return 0;
    default:
        return -EINVAL;
    }
}

SYSCALL4(prlimit64, pid_number, pid, unsigned, resource, uintptr_t, new_address, uintptr_t,
         old_address)
{
    struct rlimit64 new_limit;
    struct rlimit64 old_limit;
    int error;

    if (new_address && copy_from_user(&new_limit, new_address, sizeof(new_limit)) != 0)
        return -EFAULT;
    if (pid < 0)
        return -ESRCH;
    error = rlimit_change(pid, resource, new_address ? &new_limit : NULL, &old_limit);
    if (error == 0 && old_address)
        error = copy_to_user(old_address, &old_limit, sizeof(old_limit));
    return error;
}

/* The older pair has the same structure on a 64-bit machine. */
SYSCALL2(getrlimit, unsigned, resource, uintptr_t, address)
{
    struct rlimit64 limit;
    int error = rlimit_change(0, resource, NULL, &limit);

    return error ? error : copy_to_user(address, &limit, sizeof(limit));
}

SYSCALL2(setrlimit, unsigned, resource, uintptr_t, address)
{
    struct rlimit64 limit;

    if (copy_from_user(&limit, address, sizeof(limit)) != 0)
        return -EFAULT;
    return rlimit_change(0, resource, &limit, NULL);
}

SYSCALL2(set_robust_list, uintptr_t, head, size_t, size)
{
    if (size != sizeof(struct robust_list_head))
        return -EINVAL;
    current_user_thread()->robust_list = head;
    return 0;
}

/* Capabilities follow the effective uid: root has all that Linux 6.1 knows, others none. */
static uint64_t capabilities_of(pid_number pid, int *error)
{
    struct process *process;
    uint64_t set = 0;

    *error = 0;
    spin_lock(&family_lock);
    process = pid == 0 ? current_process() : process_find_locked(pid);
    if (!process)
        *error = -ESRCH;
    else if (credentials_is_privileged(process->credentials))
        set = (1ull << (CAP_LAST_CAP + 1)) - 1;
    spin_unlock(&family_lock);
    return set;
}

/* 1, 2 or 2 words of each set: by version. An unknown one is answered with the newest. */
static int read_capability_header(uintptr_t address, struct __user_cap_header_struct *header,
                                  size_t *words)
{
    uint32_t newest = _LINUX_CAPABILITY_VERSION_3;

    if (copy_from_user(header, address, sizeof(*header)) != 0)
        return -EFAULT;
    *words = header->version == _LINUX_CAPABILITY_VERSION_1 ? 1 : 2;
    if (header->version == _LINUX_CAPABILITY_VERSION_1 ||
        header->version == _LINUX_CAPABILITY_VERSION_2 || header->version == newest)
        return 0;
    if (copy_to_user(address, &newest, sizeof(newest)) != 0)
        return -EFAULT;
    return -EINVAL;
}

SYSCALL2(capget, uintptr_t, header_address, uintptr_t, data_address)
{
    struct __user_cap_header_struct header;
    struct __user_cap_data_struct data[2] = {0};
    size_t words;
    uint64_t set;
    int error = read_capability_header(header_address, &header, &words);

    if (error)
        return error == -EINVAL && !data_address ? 0 : error;
    if (header.pid < 0)
        return -EINVAL;
    set = capabilities_of(header.pid, &error);
    if (error || !data_address)
        return error;
    for (size_t i = 0; i < words; i++)
        data[i].effective = data[i].permitted = (uint32_t)(set >> (32 * i));
    return copy_to_user(data_address, data, words * sizeof(data[0]));
}

/* Sets cannot be split: only what the process has anyway is accepted. */
SYSCALL2(capset, uintptr_t, header_address, uintptr_t, data_address)
{
    struct __user_cap_header_struct header;
    struct __user_cap_data_struct data[2] = {0};
    size_t words;
    uint64_t set;
    int error = read_capability_header(header_address, &header, &words);

    if (error)
        return error;
    if (header.pid != 0 && header.pid != process_number(current_process()))
        return -EPERM;
    if (copy_from_user(data, data_address, words * sizeof(data[0])) != 0)
        return -EFAULT;
    set = capabilities_of(0, &error);
    for (size_t i = 0; i < words; i++) {
        uint32_t have = (uint32_t)(set >> (32 * i));

        if ((data[i].effective & ~data[i].permitted) || (data[i].permitted & ~have))
            return -EPERM;
    }
    return error;
}
