/*
 * Birth of a process. The child is built privately; fork_commit() links it at one point under
 * family_lock, where kill, group signals and job operations have either happened (and the parent
 * has a signal pending: no child) or will find the child in the lists.
 */
#include "proc/fork.h"

#include <linux/sched.h>

#include "lib/assert.h"
#include "lib/errno.h"
#include "mm/user_copy.h"
#include "proc/account.h"
#include "proc/exec.h"
#include "proc/job.h"
#include "proc/process_create.h"
#include "proc/resource_list.h"
#include "proc/tree.h"

#define SUPPORTED_FLAGS                                                                            \
    (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_PIDFD | CLONE_PTRACE |              \
     CLONE_VFORK | CLONE_PARENT | CLONE_SYSVSEM | CLONE_SETTLS | CLONE_PARENT_SETTID |             \
     CLONE_CHILD_CLEARTID | CLONE_DETACHED | CLONE_UNTRACED | CLONE_CHILD_SETTID | CLONE_IO |      \
     CLONE_CLEAR_SIGHAND)

int fork_check_flags(uint64_t flags)
{
    if (flags & ~SUPPORTED_FLAGS)
        return -EINVAL;
    if ((flags & CLONE_SIGHAND) && !(flags & CLONE_VM))
        return -EINVAL;
    if ((flags & CLONE_SIGHAND) && (flags & CLONE_CLEAR_SIGHAND))
        return -EINVAL;
    if ((flags & CLONE_PIDFD) && (flags & CLONE_DETACHED))
        return -EINVAL;
    /* A sibling of init would have no parent who could reap it. */
    if ((flags & CLONE_PARENT) && current_process() == init_process)
        return -EINVAL;
    return 0;
}

/* Where the child begins: it is linked, and on its way to user mode for the first time. */
static void child_entry(void *argument)
{
    struct user_thread *self = argument;
    pid_number number = pid_number_of(self->tid);

    /* As on Linux, a bad address here goes unnoticed: the child cannot report it. */
    if (self->set_child_tid)
        (void)copy_to_user_partial(self->set_child_tid, &number, sizeof(number));
    port_enter_user();
}

static void release_space(struct process *child)
{
    struct address_space *space = child->space;

    child->space = NULL;
    if (space)
        address_space_put(space);
}

/* A copy is paid for by the child's job; shared memory stays with the one that pays already. */
static int inherit_space(struct process *child, uint64_t flags)
{
    struct process *parent = current_process();
    int error = 0;

    if (flags & CLONE_VM) {
        address_space_get(parent->space);
        child->space = parent->space;
        return 0;
    }
    child->space = address_space_fork(parent->space, &error);
    if (error == 0 && child->place.job != child->place.origin) {
        error = address_space_set_account(child->space, job_memory_account(child->place.job));
        if (error)
            release_space(child);
    }
    return error;
}

static void inherit_values(struct process *child, const struct fork_request *request)
{
    struct process *parent = current_process();

    child->credentials = parent->credentials;
    credentials_get(child->credentials);
    child->limits = parent->limits;
    child->exit_signal = request->exit_signal;
    child->dumpable = parent->dumpable;
    child->no_new_privileges = parent->no_new_privileges;
    child->executable = parent->executable;
    if (child->executable)
        executable_get(child->executable);
}

static int create_thread(struct process *child, const struct fork_request *request)
{
    struct user_thread *self = current_user_thread();
    struct user_thread *thread = user_thread_create(child, self->thread.name, child_entry);

    if (!thread)
        return -ENOMEM;
    thread->set_child_tid = request->set_child_tid;
    thread->clear_child_tid = request->clear_child_tid;
    thread->thread.space = child->space;
    port_user_fork(&thread->thread, request->stack, request->tls);
    child->leader = thread;
    return 0;
}

/* The expensive parts, each undone by the ones before it. */
static int build(struct process *child, const struct fork_request *request)
{
    int error = inherit_space(child, request->flags);

    if (error)
        return error;
    error = process_resources_fork(current_process(), child, request->flags);
    if (error)
        goto undo_space;
    error = create_thread(child, request);
    if (error)
        goto undo_resources;
    error = signals_fork(child, child->leader, request->flags);
    if (error)
        goto undo_thread;
    return 0;

undo_thread:
    user_thread_abandon(child->leader);
    child->leader = NULL;
undo_resources:
    process_resources_exit(child);
undo_space:
    release_space(child);
    return error;
}

static bool charge_account(const struct credentials *credentials)
{
    uint64_t limit = rlimit_soft(current_process(), RLIMIT_NPROC);

    if (credentials->user.real == 0 || credentials_is_privileged(credentials))
        limit = UINT64_MAX;
    return account_add_process(credentials->account, limit);
}

/* What may refuse a birth without a trace: the user's limit, the job's. */
static int take_places(const struct fork_request *request, struct job_place *place)
{
    int error;

    if (!charge_account(current_credentials()))
        return -EAGAIN;
    error = job_reserve(&request->birth, place);
    if (error)
        account_remove_process(current_credentials()->account);
    return error;
}

static void give_places_back(struct job_place *place)
{
    job_cancel(place);
    account_remove_process(current_credentials()->account);
}

int fork_prepare(const struct fork_request *request, struct process **result)
{
    struct job_place place;
    struct process *child;
    struct pid *pid;
    int error = take_places(request, &place);

    if (error)
        return error;
    pid = pid_allocate(&error);
    if (!pid)
        goto undo_places;
    child = process_allocate(pid);
    pid_put(pid);
    error = -ENOMEM;
    if (!child)
        goto undo_places;
    child->place = place;
    inherit_values(child, request);
    error = build(child, request);
    if (error)
        goto undo_child;
    *result = child;
    return 0;

undo_child:
    process_put(child);
undo_places:
    give_places_back(&place);
    return error;
}

void fork_abort(struct process *child)
{
    give_places_back(&child->place);
    signals_undo_fork(child, child->leader);
    user_thread_abandon(child->leader);
    child->leader = NULL;
    process_resources_exit(child);
    release_space(child);
    process_put(child);
}

/* The commit point. A signal for the caller that came before it is handled first, by the call's
 * restart: a signal to the group, or a kill of everybody, thus hits the parent before the fork or
 * also the child. */
static int link_child(const struct fork_request *request, struct process *child,
                      struct vfork_gate *gate)
{
    struct process *self = current_process();
    struct process *parent = self;
    int error;

    spin_lock(&family_lock);
    error = signal_is_pending() ? -ERESTARTNOINTR
                                : job_check_place_locked(&child->place, child->leader);
    if (error == 0) {
        if (request->flags & CLONE_PARENT) {
            parent = self->parent;
            child->exit_signal = self->exit_signal;
        }
        if (request->flags & CLONE_VFORK)
            child->vfork_gate = gate;
        process_link_locked(child, parent, self->group);
        job_enter_locked(&child->place, child);
    }
    spin_unlock(&family_lock);
    /* The call is made again on the way to user mode, be there a signal or not. */
    if (error == -ERESTARTNOINTR)
        thread_post_work(current_thread(), THREAD_WORK_SIGNAL);
    return error;
}

static bool gate_is_open(void *argument)
{
    struct vfork_gate *gate = argument;

    return gate->open;
}

/* A killed parent takes its gate away under the lock, so that the child never touches a dead stack.
 */
static void wait_at_gate(struct vfork_gate *gate, struct process *child)
{
    spin_lock(&family_lock);
    if (wait_queue_sleep_locked(&gate->wait, &family_lock, gate_is_open, gate, SLEEP_KILLABLE,
                                DEADLINE_NEVER) != 0)
        child->vfork_gate = NULL;
    spin_unlock(&family_lock);
}

int fork_commit(const struct fork_request *request, struct process *child)
{
    pid_number number = process_number(child);
    struct vfork_gate gate = {.open = false};
    int error;

    wait_queue_init(&gate.wait);
    if (request->flags & CLONE_VFORK)
        process_get(child);
    error = link_child(request, child, &gate);
    if (error) {
        if (request->flags & CLONE_VFORK)
            process_put(child);
        fork_abort(child);
        return error;
    }
    thread_start(&child->leader->thread);
    if (request->flags & CLONE_VFORK) {
        wait_at_gate(&gate, child);
        process_put(child);
    }
    return number;
}

void fork_open_vfork_gate(struct process *child)
{
    struct vfork_gate *gate;

    if (!child->vfork_gate)
        return;
    spin_lock(&family_lock);
    gate = child->vfork_gate;
    if (gate) {
        child->vfork_gate = NULL;
        gate->open = true;
        wait_queue_wake_all(&gate->wait, 0);
    }
    spin_unlock(&family_lock);
}
