/* Who a process is: numbers, groups and sessions, credentials. */
#include "lib/string.h"
#include "proc/pgrp.h"
#include "proc/process.h"
#include "sys/syscall.h"

SYSCALL0(getpid)
{
    return process_number(current_process());
}

SYSCALL0(gettid)
{
    return pid_number_of(current_user_thread()->tid);
}

SYSCALL0(getppid)
{
    return process_parent_number(current_process());
}

SYSCALL1(set_tid_address, uintptr_t, address)
{
    current_user_thread()->clear_child_tid = address;
    return pid_number_of(current_user_thread()->tid);
}

SYSCALL2(setpgid, pid_number, pid, pid_number, group)
{
    return process_set_group(pid, group);
}

SYSCALL1(getpgid, pid_number, pid)
{
    return process_get_group(pid);
}

SYSCALL0(getpgrp)
{
    return process_get_group(0);
}

SYSCALL0(setsid)
{
    return process_set_session();
}

SYSCALL1(getsid, pid_number, pid)
{
    return process_get_session(pid);
}

SYSCALL0(getuid)
{
    return current_credentials()->user.real;
}

SYSCALL0(geteuid)
{
    return current_credentials()->user.effective;
}

SYSCALL0(getgid)
{
    return current_credentials()->group.real;
}

SYSCALL0(getegid)
{
    return current_credentials()->group.effective;
}

static int64_t copy_ids(const struct id_set *ids, uintptr_t real, uintptr_t effective,
                        uintptr_t saved)
{
    int error = copy_to_user(real, &ids->real, sizeof(ids->real));

    if (error == 0)
        error = copy_to_user(effective, &ids->effective, sizeof(ids->effective));
    if (error == 0)
        error = copy_to_user(saved, &ids->saved, sizeof(ids->saved));
    return error;
}

SYSCALL3(getresuid, uintptr_t, real, uintptr_t, effective, uintptr_t, saved)
{
    return copy_ids(&current_credentials()->user, real, effective, saved);
}

SYSCALL3(getresgid, uintptr_t, real, uintptr_t, effective, uintptr_t, saved)
{
    return copy_ids(&current_credentials()->group, real, effective, saved);
}

SYSCALL1(setuid, uint32_t, id)
{
    return credentials_set_id(ID_USER, id);
}

SYSCALL1(setgid, uint32_t, id)
{
    return credentials_set_id(ID_GROUP, id);
}

SYSCALL2(setreuid, uint32_t, real, uint32_t, effective)
{
    return credentials_set_real_effective(ID_USER, real, effective);
}

SYSCALL2(setregid, uint32_t, real, uint32_t, effective)
{
    return credentials_set_real_effective(ID_GROUP, real, effective);
}

SYSCALL3(setresuid, uint32_t, real, uint32_t, effective, uint32_t, saved)
{
    return credentials_set_all(ID_USER, real, effective, saved);
}

SYSCALL3(setresgid, uint32_t, real, uint32_t, effective, uint32_t, saved)
{
    return credentials_set_all(ID_GROUP, real, effective, saved);
}

SYSCALL1(setfsuid, uint32_t, id)
{
    return credentials_set_file_system_id(ID_USER, id);
}

SYSCALL1(setfsgid, uint32_t, id)
{
    return credentials_set_file_system_id(ID_GROUP, id);
}

SYSCALL2(getgroups, int, size, uintptr_t, list)
{
    const struct credentials *credentials = current_credentials();
    int count = (int)credentials->group_count;
    int error;

    if (size < 0 || (size > 0 && size < count))
        return -EINVAL;
    if (size == 0)
        return count;
    error = copy_to_user(list, credentials->groups, (size_t)count * sizeof(uint32_t));
    return error ? error : count;
}

SYSCALL2(setgroups, int, size, uintptr_t, list)
{
    uint32_t groups[CREDENTIALS_GROUPS_MAX];

    if (!credentials_is_privileged(current_credentials()))
        return -EPERM;
    if (size < 0 || size > CREDENTIALS_GROUPS_MAX)
        return -EINVAL;
    if (copy_from_user(groups, list, (size_t)size * sizeof(uint32_t)) != 0)
        return -EFAULT;
    return credentials_set_groups(groups, (uint32_t)size);
}
