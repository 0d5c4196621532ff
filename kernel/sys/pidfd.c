/* pidfd_open(2) and pidfd_getfd(2). */
#include "fs/pidfd.h"

#include <linux/fcntl.h>

#include "fs/file_table.h"
#include "proc/process.h"
#include "sys/syscall.h"

#define PIDFD_NONBLOCK O_NONBLOCK

/* 0, or -EINVAL if the number names only a thread, a group or a session. */
static int check_names_process(struct pid *pid)
{
    spin_lock(&family_lock);
    int error = pid->process ? 0 : -EINVAL;

    spin_unlock(&family_lock);
    return error;
}

static int64_t open_pid(struct pid *pid, unsigned flags)
{
    int64_t result = check_names_process(pid);

    if (result)
        return result;
    struct file *file = pidfd_create(pid, flags);

    if (!file)
        return -ENOMEM;
    result = file_install(file, 0, true);
    if (result < 0)
        file_put(file);
    return result;
}

SYSCALL2(pidfd_open, pid_number, number, unsigned, flags)
{
    if ((flags & ~(unsigned)PIDFD_NONBLOCK) || number <= 0)
        return -EINVAL;
    struct pid *pid = pid_find(number);

    if (!pid)
        return -ESRCH;
    int64_t result = open_pid(pid, flags);

    pid_put(pid);
    return result;
}

/* As ptrace(2) asks for attaching: all three ids of the target are the caller's real ones, and it
 * is dumpable; or the caller is root. */
static bool may_take_from(struct process *target)
{
    const struct credentials *mine = current_credentials();

    if (target == current_process() || credentials_is_privileged(mine))
        return true;
    struct credentials *its = credentials_of(target);

    if (!its)
        return false;
    bool same = its->user.real == mine->user.real && its->user.effective == mine->user.real &&
                its->user.saved == mine->user.real && its->group.real == mine->group.real &&
                its->group.effective == mine->group.real && its->group.saved == mine->group.real;

    credentials_put(its);
    return same && target->dumpable;
}

static int64_t take_file(struct process *target, int descriptor)
{
    if (!may_take_from(target))
        return -EPERM;
    struct file_table *table = file_table_of(target);

    if (!table)
        return -ESRCH;
    struct file *file = descriptor < 0 ? NULL : file_table_find(table, descriptor, NULL);

    file_table_put(table);
    if (!file)
        return -EBADF;
    int64_t result = file_install(file, 0, true);

    if (result < 0)
        file_put(file);
    return result;
}

SYSCALL3(pidfd_getfd, int, pidfd, int, descriptor, unsigned, flags)
{
    struct process *target;

    if (flags)
        return -EINVAL;
    int64_t result = pidfd_get_process(pidfd, &target);

    if (result)
        return result;
    result = take_file(target, descriptor);
    process_put(target);
    return result;
}
