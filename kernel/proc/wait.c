/*
 * Waiting for children. What a waiter looks for is at the head of one of its three lists, so that
 * neither a wait with no news nor a reap looks at the other children.
 *
 * No wake-up is lost: whoever makes news (exit, stop, continue, a claim put back, a reap that may
 * leave nobody to wait for) does it under family_lock and then wakes child_wait; the waiter looks
 * under the same lock, and wait_queue_sleep_locked() queues it before the lock is dropped.
 */
#include "proc/wait.h"

#include <linux/wait.h>

#include "lib/assert.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "proc/exit.h"
#include "proc/pgrp.h"
#include "proc/state.h"
#include "proc/tree.h"

struct waiter {
    const struct wait_request *request;
    struct wait_result *result;
    struct process *parent;
    int error;
};

/* wait4(2), "Linux notes": a clone child is one whose death is not told by SIGCHLD. */
static bool kind_is_wanted(const struct process *child, int options)
{
    if (options & __WALL)
        return true;
    return process_is_clone_child(child) == ((options & __WCLONE) != 0);
}

static bool child_matches(const struct process *child, const struct wait_request *request)
{
    if (request->kind == WAIT_PROCESS && child->pid != request->pid)
        return false;
    if (request->kind == WAIT_GROUP && child->group->pid != request->pid)
        return false;
    return kind_is_wanted(child, request->options);
}

static bool change_is_wanted(const struct process *child, int options)
{
    return (child->change == CHANGE_STOPPED && (options & WSTOPPED)) ||
           (child->change == CHANGE_CONTINUED && (options & WCONTINUED));
}

static void fill_exit(struct wait_result *result, const struct process *zombie)
{
    result->status = zombie->exit_status;
    result->code = (zombie->exit_status & 0x7f) ? CLD_KILLED : CLD_EXITED;
    result->usage = zombie->usage.self;
    usage_add(&result->usage, &zombie->usage.children);
}

static void fill_change(struct wait_result *result, struct process *child)
{
    struct user_thread *thread;

    if (child->change == CHANGE_STOPPED) {
        result->code = CLD_STOPPED;
        result->status = (child->signals.stop_signal << 8) | 0x7f;
    } else {
        result->code = CLD_CONTINUED;
        result->status = 0xffff;
    }
    result->usage = child->usage.self;
    list_for_each (thread, &child->threads, process_link)
        usage_add_thread(&result->usage, &thread->thread);
    usage_add(&result->usage, &child->usage.children);
}

static bool claim_locked(struct waiter *waiter, struct process *child) REQUIRES(family_lock);
static bool claim_locked(struct waiter *waiter, struct process *child)
{
    struct wait_result *result = waiter->result;

    result->peeked = (waiter->request->options & WNOWAIT) != 0;
    result->child = child;
    process_get(child);
    child->wait_claimed = !result->peeked;
    result->pid = process_number(child);
    result->uid = child->credentials->user.real;
    if (child->state == PROCESS_ZOMBIE)
        fill_exit(result, child);
    else
        fill_change(result, child);
    return true;
}

/* Claims the child's news if there is some and it is asked for. */
static bool try_child_locked(struct waiter *waiter, struct process *child) REQUIRES(family_lock);
static bool try_child_locked(struct waiter *waiter, struct process *child)
{
    int options = waiter->request->options;

    if (child->wait_claimed || !child_matches(child, waiter->request))
        return false;
    if (child->state == PROCESS_ZOMBIE ? !(options & WEXITED) : !change_is_wanted(child, options))
        return false;
    return claim_locked(waiter, child);
}

static bool try_lists_locked(struct waiter *waiter) REQUIRES(family_lock);
static bool try_lists_locked(struct waiter *waiter)
{
    struct process *parent = waiter->parent;
    struct process *child;

    if (waiter->request->options & WEXITED)
        list_for_each (child, &parent->zombies, sibling)
            if (try_child_locked(waiter, child))
                return true;
    if (waiter->request->options & (WSTOPPED | WCONTINUED))
        list_for_each (child, &parent->changed, changed_link)
            if (try_child_locked(waiter, child))
                return true;
    return false;
}

/* May news still come of this child? A zombie has none but its exit, and that only if a claim on it
 * is put back: unclaimed, it would have been found. */
static bool has_hope_locked(const struct process *child, int options) REQUIRES(family_lock);
static bool has_hope_locked(const struct process *child, int options)
{
    if (!kind_is_wanted(child, options))
        return false;
    return child->state != PROCESS_ZOMBIE || (options & WEXITED);
}

static bool any_child_has_hope_locked(struct process *parent, int options) REQUIRES(family_lock);
static bool any_child_has_hope_locked(struct process *parent, int options)
{
    struct process *child;

    if (options & WEXITED) {
        if (options & __WALL)
            return parent->child_count > 0;
        if (options & __WCLONE)
            return parent->clone_child_count > 0;
        return parent->child_count > parent->clone_child_count;
    }
    list_for_each (child, &parent->living, sibling)
        if (kind_is_wanted(child, options))
            return true;
    return false;
}

/* Looks at the group's members. */
static bool group_has_hope_locked(struct process *parent, const struct wait_request *request)
    REQUIRES(family_lock);
static bool group_has_hope_locked(struct process *parent, const struct wait_request *request)
{
    struct process *member;

    if (!request->pid || !request->pid->group)
        return false;
    list_for_each (member, &request->pid->group->members, group_link)
        if (member->parent == parent && has_hope_locked(member, request->options))
            return true;
    return false;
}

/* Looks once. True: there is something to return, be it an error. */
static bool look_locked(void *argument) REQUIRES(family_lock);
static bool look_locked(void *argument)
{
    struct waiter *waiter = argument;
    const struct wait_request *request = waiter->request;
    struct process *child = request->pid ? request->pid->process : NULL;
    bool hope = false;

    switch (request->kind) {
    case WAIT_PROCESS:
        if (child && child->parent == waiter->parent && try_child_locked(waiter, child))
            return true;
        hope = child && child->parent == waiter->parent && has_hope_locked(child, request->options);
        break;
    case WAIT_GROUP:
        if (try_lists_locked(waiter))
            return true;
        hope = group_has_hope_locked(waiter->parent, request);
        break;
    case WAIT_ANY:
        if (try_lists_locked(waiter))
            return true;
        hope = any_child_has_hope_locked(waiter->parent, request->options);
        break;
    }
    waiter->error = hope ? 0 : -ECHILD;
    return !hope || (request->options & WNOHANG);
}

int process_wait(const struct wait_request *request, struct wait_result *result)
{
    struct waiter waiter = {.request = request, .result = result, .parent = current_process()};
    int error = 0;

    result->child = NULL;
    spin_lock(&family_lock);
    if (!look_locked(&waiter))
        error = wait_queue_sleep_locked(&waiter.parent->child_wait, &family_lock, look_locked,
                                        &waiter, SLEEP_INTERRUPTIBLE, DEADLINE_NEVER);
    spin_unlock(&family_lock);
    if (result->child)
        return 0;
    return error ? error : waiter.error;
}

/* The last act of a zombie: its accounts go to the parent's, its number becomes free. */
static void reap_locked(struct process *zombie) REQUIRES(family_lock);
static void reap_locked(struct process *zombie)
{
    struct process *parent = zombie->parent;

    usage_add(&parent->usage.children, &zombie->usage.self);
    usage_add(&parent->usage.children, &zombie->usage.children);
    process_set_state(zombie, PROCESS_DEAD);
    process_unlink_locked(zombie);
}

/* Forgets the reported change, unless a newer one has replaced it meanwhile. */
static void consume_change_locked(struct process *child, int code) REQUIRES(family_lock);
static void consume_change_locked(struct process *child, int code)
{
    if (child->change == (code == CLD_STOPPED ? CHANGE_STOPPED : CHANGE_CONTINUED))
        process_clear_report_locked(child);
}

/* Returns whether the zombie was reaped. Other waiters look again: at news that was put back, or to
 * learn that there is nobody left to wait for. */
static bool settle_claim_locked(struct wait_result *result, bool consume) REQUIRES(family_lock);
static bool settle_claim_locked(struct wait_result *result, bool consume)
{
    struct process *child = result->child;
    bool is_exit = result->code == CLD_EXITED || result->code == CLD_KILLED;

    child->wait_claimed = false;
    if (child->parent)
        wait_queue_wake_all(&child->parent->child_wait, 0);
    if (consume && is_exit)
        reap_locked(child);
    else if (consume)
        consume_change_locked(child, result->code);
    return consume && is_exit;
}

void process_wait_finish(struct wait_result *result, bool consume)
{
    bool reaped = false;

    if (!result->peeked) {
        spin_lock(&family_lock);
        reaped = settle_claim_locked(result, consume);
        spin_unlock(&family_lock);
    }
    if (reaped)
        process_put(result->child);
    process_put(result->child);
}
