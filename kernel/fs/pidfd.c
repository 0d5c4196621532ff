/*
 * Pidfds: see pidfd.h.
 *
 * The file refers to the pid, not to the process, so that a reaped process's memory goes at once;
 * only who polls it makes it hold the process, whose queue the poller is in.
 */
#include "fs/pidfd.h"

#include <linux/fcntl.h>

#include "fs/poll.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "proc/process.h"

struct pidfd {
    struct pid *pid;                 /* (const) reference */
    struct process *_Atomic process; /* reference, once polled; NULL before */
};

static SLAB_CACHE(pidfd_cache, struct pidfd);
static const struct file_operations pidfd_operations;

/* A reference, NULL once it has been reaped. */
static struct process *process_of_pid(struct pid *pid)
{
    spin_lock(&family_lock);
    struct process *process = pid->process;

    if (process)
        process_get(process);
    spin_unlock(&family_lock);
    return process;
}

/* The process that pollers wait for, held by the file from now on; NULL once it has been reaped. */
static struct process *hold_process(struct pidfd *pidfd)
{
    struct process *held = atomic_load(&pidfd->process);

    if (held)
        return held;
    struct process *process = process_of_pid(pidfd->pid);

    if (process && !atomic_compare_exchange_strong(&pidfd->process, &held, process)) {
        process_put(process);
        return held;
    }
    return process;
}

static bool has_ended(struct process *process)
{
    spin_lock(&family_lock);
    bool ended = process->state == PROCESS_ZOMBIE || process->state == PROCESS_DEAD;

    spin_unlock(&family_lock);
    return ended;
}

static uint32_t pidfd_poll(struct file *file, struct poll_table *table)
{
    struct process *process = hold_process(file->private);

    if (process)
        poll_wait(table, &process->exit_wait);
    return !process || has_ended(process) ? POLLIN | POLLRDNORM : 0;
}

static size_t pidfd_describe(struct file *file, char *buffer, size_t size)
{
    struct pidfd *pidfd = file->private;
    struct process *process = process_of_pid(pidfd->pid);
    int number = process ? pid_number_of(pidfd->pid) : -1;

    if (process)
        process_put(process);
    return ksnprintf(buffer, size, "Pid:\t%d\nNSpid:\t%d\n", number, number);
}

static void pidfd_release(struct file *file)
{
    struct pidfd *pidfd = file->private;
    struct process *process = atomic_load(&pidfd->process);

    if (process)
        process_put(process);
    pid_put(pidfd->pid);
    slab_free(&pidfd_cache, pidfd);
}

static const struct file_operations pidfd_operations = {
    .name = "anon_inode:[pidfd]",
    .poll = pidfd_poll,
    .describe = pidfd_describe,
    .release = pidfd_release,
};

struct file *pidfd_create(struct pid *pid, uint32_t flags)
{
    struct pidfd *pidfd = slab_alloc(&pidfd_cache);

    if (!pidfd)
        return NULL;
    struct file *file = file_create(&pidfd_operations, pidfd, O_RDWR | flags);

    if (!file) {
        slab_free(&pidfd_cache, pidfd);
        return NULL;
    }
    pid_get(pid);
    pidfd->pid = pid;
    return file;
}

struct pid *pidfd_pid(struct file *file)
{
    if (file->operations != &pidfd_operations)
        return NULL;
    return ((struct pidfd *)file->private)->pid;
}

int pidfd_get_pid(int descriptor, struct pid **pid, bool *nonblocking)
{
    struct file *file = file_from_descriptor(descriptor);

    if (!file)
        return -EBADF;
    *pid = pidfd_pid(file);
    *nonblocking = file->flags & O_NONBLOCK;
    if (*pid)
        pid_get(*pid);
    file_put(file);
    return *pid ? 0 : -EBADF;
}

int pidfd_get_process(int descriptor, struct process **process)
{
    struct pid *pid;
    bool nonblocking;
    int error = pidfd_get_pid(descriptor, &pid, &nonblocking);

    if (error)
        return error;
    *process = process_of_pid(pid);
    pid_put(pid);
    return *process ? 0 : -ESRCH;
}
