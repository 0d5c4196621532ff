/* The job calls, 1024 and up: <kin/job.h>. */
#include <kin/job.h>

#include "fs/file.h"
#include "fs/job_file.h"
#include "fs/pidfd.h"
#include "mm/slab.h"
#include "proc/job.h"
#include "sys/path_copy.h"
#include "sys/struct_copy.h"
#include "sys/syscall.h"
#include "sys/time_copy.h"

/* Descriptors of jobs are close-on-exec. Uses the file's reference up. */
static int64_t install(struct file *file)
{
    int descriptor;

    if (!file)
        return -ENOMEM;
    descriptor = file_install(file, 0, true);
    if (descriptor < 0)
        file_put(file);
    return descriptor;
}

static int64_t install_job(struct job *job, uint32_t rights, bool owner)
{
    struct file *file = job_file_create(job, rights, owner);

    if (!file)
        job_put(job);
    return install(file);
}

SYSCALL3(job_create, int, parent_descriptor, uintptr_t, address, size_t, size)
{
    struct job_create_args args;
    struct job *parent;
    struct job *job;
    int error = copy_struct_from_user(&args, sizeof(args), address, size);

    if (error)
        return error;
    /* Anybody may divide the job that it is in. */
    error = job_from_descriptor(
        parent_descriptor, parent_descriptor == JOB_SELF ? 0 : JOB_RIGHT_CREATE, &parent, NULL);
    if (error)
        return error;
    error = job_create(parent, &args, &job);
    job_put(parent);
    if (error)
        return error;
    return install_job(job, args.rights ? args.rights : JOB_RIGHTS_ALL, true);
}

/* Through JOB_SELF a strict descendant gives all rights to whoever created it, and to root; the own
 * job and those above give what JOB_SELF has. */
static uint32_t rights_over(struct job *job, struct job *from, bool by_self, uint32_t carried)
{
    uint32_t uid = current_credentials()->user.effective;

    if (!by_self || job == from)
        return carried;
    if (!job_is_in_subtree(job, from))
        return carried;
    return uid == 0 || uid == job->creator_uid ? JOB_RIGHTS_ALL : carried;
}

static int open_below(int directory, uintptr_t path_address, uint64_t id, uint32_t flags,
                      struct job **found, uint32_t *rights)
{
    struct user_name path;
    struct job *from;
    int error = job_from_descriptor(directory, 0, &from, rights);

    if (error)
        return error;
    if (flags & JOB_OPEN_BY_ID) {
        *found = job_find_id(from, id, directory == JOB_SELF);
    } else {
        error = user_name_get(&path, path_address);
        if (error == 0) {
            *found = job_find_path(from, path.text);
            user_name_put(&path);
        }
    }
    if (error == 0 && !*found)
        error = -ENOENT;
    if (error == 0)
        *rights = rights_over(*found, from, directory == JOB_SELF, *rights);
    job_put(from);
    return error;
}

/* The job that a process is in: with the rights that the caller has over it from its own job. */
static int open_of_pidfd(int pidfd, struct job **found, uint32_t *rights)
{
    struct process *process;
    struct job *own;
    int error = pidfd_get_process(pidfd, &process);

    if (error)
        return error;
    *found = job_of_process(process);
    process_put(process);
    if (!*found)
        return -ESRCH;
    error = job_from_descriptor(JOB_SELF, 0, &own, rights);
    if (error == 0) {
        *rights = rights_over(*found, own, true, *rights);
        job_put(own);
    }
    return error;
}

SYSCALL5(job_open, int, directory, uintptr_t, path, uint64_t, id, uint32_t, rights, uint32_t, flags)
{
    uint32_t carried = 0;
    struct job *job;
    int error;

    if ((flags & ~(JOB_OPEN_BY_ID | JOB_OPEN_PIDFD)) || (rights & ~JOB_RIGHTS_ALL) ||
        flags == (JOB_OPEN_BY_ID | JOB_OPEN_PIDFD))
        return -EINVAL;
    if (flags & JOB_OPEN_PIDFD)
        error = open_of_pidfd(directory, &job, &carried);
    else
        error = open_below(directory, path, id, flags, &job, &carried);
    if (error)
        return error;
    if (rights & ~carried) {
        job_put(job);
        return -EACCES;
    }
    return install_job(job, rights ? rights : carried, false);
}

/* Who may kill a process may move it. */
static int check_may_move(struct process *process)
{
    int error;

    spin_lock(&family_lock);
    error = signal_check_permission_locked(process, SIGKILL);
    spin_unlock(&family_lock);
    return error;
}

SYSCALL3(job_adopt, int, descriptor, int, pidfd, uint32_t, flags)
{
    struct process *process;
    struct job *job;
    int error = job_from_descriptor(descriptor, JOB_RIGHT_ADOPT, &job, NULL);

    if (error)
        return error;
    error = pidfd_get_process(pidfd, &process);
    if (error == 0) {
        error = check_may_move(process);
        if (error == 0)
            error = job_adopt(job, process, flags);
        process_put(process);
    }
    job_put(job);
    return error;
}

SYSCALL4(job_set, int, descriptor, uintptr_t, address, size_t, size, uint32_t, flags)
{
    struct job_limits limits;
    struct job *job;
    int error = job_from_descriptor(descriptor, JOB_RIGHT_SET, &job, NULL);

    if (error)
        return error;
    error = copy_struct_from_user(&limits, sizeof(limits), address, size);
    if (error == 0)
        error = job_set_limits(job, &limits, flags);
    job_put(job);
    return error;
}

SYSCALL4(job_get, int, descriptor, uintptr_t, address, size_t, size, uint32_t, flags)
{
    struct job_limits limits;
    struct job *job;
    int error = job_from_descriptor(descriptor, JOB_RIGHT_QUERY, &job, NULL);

    if (error)
        return error;
    if (flags & ~JOB_GET_EFFECTIVE) {
        error = -EINVAL;
    } else {
        job_get_limits(job, &limits, (flags & JOB_GET_EFFECTIVE) != 0);
        error = copy_struct_to_user(address, size, &limits, sizeof(limits));
    }
    job_put(job);
    return error;
}

SYSCALL4(job_stat, int, descriptor, uintptr_t, address, size_t, size, uint32_t, flags)
{
    const uint32_t changing = JOB_PERIOD_RESET | JOB_ACK;
    struct job_stat stat;
    struct job *job;
    int error;

    if (flags & ~changing)
        return -EINVAL;
    error =
        job_from_descriptor(descriptor, JOB_RIGHT_QUERY | (flags ? JOB_RIGHT_SET : 0), &job, NULL);
    if (error)
        return error;
    job_get_stat(job, &stat, flags);
    job_put(job);
    return copy_struct_to_user(address, size, &stat, sizeof(stat));
}

/* Copies out as many as there is room for, and frees them. */
static int64_t give_list(uintptr_t address, size_t room, void *entries, size_t size, int64_t found)
{
    size_t count = room < (size_t)found ? room : (size_t)found;
    int error = copy_to_user(address, entries, count * size);

    kfree(entries);
    return error ? error : found;
}

SYSCALL4(job_list, int, descriptor, uintptr_t, address, size_t, room, uint32_t, flags)
{
    struct job_member *members = NULL;
    struct job_entry *jobs = NULL;
    struct job *job;
    int64_t found = job_from_descriptor(descriptor, JOB_RIGHT_QUERY, &job, NULL);

    if (found)
        return found;
    found = flags == JOB_LIST_JOBS ? job_list_jobs(job, &jobs) : job_list(job, flags, &members);
    job_put(job);
    if (found < 0)
        return found;
    return jobs ? give_list(address, room, jobs, sizeof(*jobs), found)
                : give_list(address, room, members, sizeof(*members), found);
}

SYSCALL3(job_signal, int, descriptor, int, signal, uint32_t, flags)
{
    struct job *job;
    int64_t result = job_from_descriptor(descriptor, JOB_RIGHT_SIGNAL, &job, NULL);

    if (result)
        return result;
    result = flags ? -EINVAL : job_signal(job, signal);
    job_put(job);
    return result;
}

/* NULL: does not wait. Else the deadline, in port_clock_ns() time. */
static int read_wait(uintptr_t address, uint64_t *deadline)
{
    uint64_t duration;
    int error = copy_timespec_from_user(&duration, address);
    uint64_t now = port_clock_ns();

    if (error == 0)
        *deadline = duration < DEADLINE_NEVER - now ? now + duration : DEADLINE_NEVER;
    return error;
}

/* No descriptor of the root job carries the right; that another one might have it would be the
 * wrong thing to say. */
static int check_may_kill(const struct job *job, uint32_t carried)
{
    if (!job->parent)
        return -EPERM;
    return carried & JOB_RIGHT_KILL ? 0 : -EACCES;
}

static int64_t kill_and_wait(struct job *job, uintptr_t wait, uintptr_t address, size_t size,
                             uint32_t flags)
{
    uint64_t deadline = 0;
    struct job_cert cert;
    int error = wait ? read_wait(wait, &deadline) : 0;
    int late;

    if (error)
        return error;
    error = job_kill(job, (flags & JOB_KILL_KEEP) != 0, JOB_CAUSE_KILL);
    if (error)
        return error;
    late = wait ? job_wait_empty(job, deadline) : 0;
    job_certify(job, &cert);
    if (address)
        error = copy_struct_to_user(address, size, &cert, sizeof(cert));
    return late ? late : error;
}

SYSCALL5(job_kill, int, descriptor, uintptr_t, wait, uintptr_t, address, size_t, size, uint32_t,
         flags)
{
    uint32_t carried;
    struct job *job;
    int64_t result = job_from_descriptor(descriptor, 0, &job, &carried);

    if (result)
        return result;
    result = check_may_kill(job, carried);
    if (result == 0)
        result = flags & ~JOB_KILL_KEEP ? -EINVAL : kill_and_wait(job, wait, address, size, flags);
    job_put(job);
    return result;
}

SYSCALL2(job_freeze, int, descriptor, uint32_t, flags)
{
    struct file *file;
    struct job *job;
    int error = job_from_descriptor(descriptor, JOB_RIGHT_FREEZE, &job, NULL);

    if (error)
        return error;
    error = flags ? -EINVAL : job_freeze(job);
    if (error) {
        job_put(job);
        return error;
    }
    file = job_token_create(job);
    if (!file) {
        job_thaw(job);
        job_put(job);
    }
    return install(file);
}

SYSCALL3(job_events, int, descriptor, uintptr_t, address, size_t, size)
{
    struct job_events_args args;
    struct job_stat snapshot;
    struct file *file;
    struct job *job;
    int error = job_from_descriptor(descriptor, JOB_RIGHT_EVENTS, &job, NULL);

    if (error)
        return error;
    error = copy_struct_from_user(&args, sizeof(args), address, size);
    if (error == 0)
        error = job_stream_file_create(job, &args, args.snapshot ? &snapshot : NULL, &file);
    job_put(job);
    if (error)
        return error;
    if (args.snapshot && copy_to_user(args.snapshot, &snapshot, sizeof(snapshot)) != 0) {
        file_put(file);
        return -EFAULT;
    }
    return install(file);
}
