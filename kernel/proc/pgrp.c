/* Process groups and sessions. Guarded by family_lock. */
#include "proc/pgrp.h"

#include "lib/assert.h"
#include "lib/errno.h"
#include "mm/slab.h"
#include "proc/signal.h"

static SLAB_CACHE(group_cache, struct process_group);
static SLAB_CACHE(session_cache, struct session);

struct session *session_allocate(struct pid *pid)
{
    struct session *session = slab_alloc(&session_cache);

    if (!session)
        return NULL;
    refcount_init(&session->refs);
    pid_get(pid);
    session->pid = pid;
    return session;
}

void session_get(struct session *session)
{
    refcount_get(&session->refs);
}

void session_put(struct session *session)
{
    if (!refcount_put(&session->refs))
        return;
    if (session->foreground)
        pid_put(session->foreground);
    /* One that was never linked goes without family_lock, and then this is another session's. */
    if (__atomic_load_n(&session->pid->session, __ATOMIC_RELAXED) == session)
        session->pid->session = NULL;
    pid_put(session->pid);
    slab_free(&session_cache, session);
}

struct process_group *pgrp_allocate(struct pid *pid, struct session *session)
{
    struct process_group *group = slab_alloc(&group_cache);

    if (!group)
        return NULL;
    pid_get(pid);
    group->pid = pid;
    session_get(session);
    group->session = session;
    list_init(&group->members);
    return group;
}

static void pgrp_free(struct process_group *group)
{
    session_put(group->session);
    pid_put(group->pid);
    slab_free(&group_cache, group);
}

static bool should_be_anchor_locked(const struct process *process) REQUIRES(family_lock);
static bool should_be_anchor_locked(const struct process *process)
{
    const struct process *parent = process->parent;

    return process->group && process->state == PROCESS_ALIVE && parent && parent != init_process &&
           parent->group && parent->group != process->group &&
           parent->group->session == process->group->session;
}

bool pgrp_update_anchor_locked(struct process *process)
{
    bool anchor = should_be_anchor_locked(process);

    spin_assert_held(&family_lock);
    if (anchor == process->is_anchor)
        return false;
    process->is_anchor = anchor;
    if (anchor)
        process->group->anchors++;
    else
        process->group->anchors--;
    return process->group->anchors == 0;
}

void pgrp_hang_up_if_stopped_locked(struct process_group *group)
{
    struct process *member;

    spin_assert_held(&family_lock);
    list_for_each (member, &group->members, group_link) {
        /* It becomes true under family_lock only; whoever clears it at this moment comes before. */
        if (!__atomic_load_n(&member->signals.stopped, __ATOMIC_RELAXED))
            continue;
        signal_send_group_locked(group, SIGHUP, NULL);
        signal_send_group_locked(group, SIGCONT, NULL);
        return;
    }
}

bool process_group_is_orphaned_locked(struct process_group *group)
{
    spin_assert_held(&family_lock);
    return group->anchors == 0;
}

/* The children's being anchors depends on the parent's group. */
static void update_children_locked(struct process *parent) REQUIRES(family_lock);
static void update_children_locked(struct process *parent)
{
    struct process *child;

    list_for_each (child, &parent->living, sibling)
        pgrp_update_anchor_locked(child);
}

static void detach_locked(struct process *process) REQUIRES(family_lock);
static void detach_locked(struct process *process)
{
    struct process_group *group = process->group;

    if (process->is_anchor) {
        process->is_anchor = false;
        group->anchors--;
    }
    list_remove(&process->group_link);
    process->group = NULL;
    group->member_count--;
    if (group->member_count == 0) {
        group->pid->group = NULL;
        pgrp_free(group);
    }
}

void pgrp_join_locked(struct process *process, struct process_group *group)
{
    spin_assert_held(&family_lock);
    /* Counted in first, so that leaving the old group cannot free a group we are about to join. */
    group->member_count++;
    group->pid->group = group;
    group->session->pid->session = group->session;
    if (process->group)
        detach_locked(process);
    process->group = group;
    list_push_back(&group->members, &process->group_link);
    pgrp_update_anchor_locked(process);
    update_children_locked(process);
}

void pgrp_leave_locked(struct process *process)
{
    spin_assert_held(&family_lock);
    detach_locked(process);
}

struct process_group *pgrp_find_locked(pid_number number)
{
    struct pid *pid = pid_find(number);
    struct process_group *group;

    spin_assert_held(&family_lock);
    if (!pid)
        return NULL;
    group = pid->group;
    pid_put(pid);
    return group;
}

/* setpgid(2)'s rules, in the order in which Linux looks at them. */
static int check_set_group_locked(struct process *self, struct process *target, pid_number number)
    REQUIRES(family_lock);
static int check_set_group_locked(struct process *self, struct process *target, pid_number number)
{
    struct session *session = self->group->session;
    struct process_group *group;

    if (!target || (target != self && target->parent != self))
        return -ESRCH;
    if (target != self && target->group->session != session)
        return -EPERM;
    if (target != self && target->has_execed)
        return -EACCES;
    if (target->group->session->leader == target)
        return -EPERM;
    if (number == process_number(target))
        return 0;
    group = pgrp_find_locked(number);
    return group && group->session == session ? 0 : -EPERM;
}

int process_set_group(pid_number pid, pid_number number)
{
    struct process *self = current_process();
    struct process_group *group = NULL;
    struct process *target;
    int error;

    if (number == 0 && pid != 0)
        number = pid;
    if (number < 0)
        return -EINVAL;
    spin_lock(&family_lock);
    target = pid == 0 ? self : process_find_locked(pid);
    if (number == 0 && target)
        number = process_number(target);
    error = check_set_group_locked(self, target, number);
    if (error == 0) {
        group = pgrp_find_locked(number);
        if (!group)
            group = pgrp_allocate(target->pid, target->group->session);
        if (!group)
            error = -ENOMEM;
    }
    if (error == 0 && group != target->group)
        pgrp_join_locked(target, group);
    spin_unlock(&family_lock);
    return error;
}

int process_set_session(void)
{
    struct process *self = current_process();
    struct session *session = session_allocate(self->pid);
    struct process_group *group = session ? pgrp_allocate(self->pid, session) : NULL;
    int result = -ENOMEM;

    if (group) {
        spin_lock(&family_lock);
        if (self->pid->group || self->pid->session) {
            result = -EPERM;
            pgrp_free(group);
        } else {
            session->leader = self;
            pgrp_join_locked(self, group);
            result = process_number(self);
        }
        spin_unlock(&family_lock);
    }
    if (session)
        session_put(session);
    return result;
}

int process_get_group(pid_number pid)
{
    struct process *process;
    int result = -ESRCH;

    spin_lock(&family_lock);
    process = pid == 0 ? current_process() : process_find_locked(pid);
    if (process)
        result = pid_number_of(process->group->pid);
    spin_unlock(&family_lock);
    return result;
}

int process_get_session(pid_number pid)
{
    struct process *process;
    int result = -ESRCH;

    spin_lock(&family_lock);
    process = pid == 0 ? current_process() : process_find_locked(pid);
    if (process)
        result = pid_number_of(process->group->session->pid);
    spin_unlock(&family_lock);
    return result;
}
