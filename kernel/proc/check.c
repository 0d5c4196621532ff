/*
 * Proof of the family's consistency: each link is followed from both ends, each counter is counted
 * again. Starts from the pid table, so a process that is in no list is found too.
 */
#include "proc/check.h"

#include "proc/job_check.h"
#include "proc/pgrp.h"
#include "proc/process.h"
#include "proc/state.h"

/* Membership of longer lists is proven from the parent's side only, to keep the whole linear. */
#define CHECK_WHOLE_LIST 64

#define require(process, condition)                                                                \
    do {                                                                                           \
        if (!(condition))                                                                          \
            panic("proc_check: process %d (%s): not so: %s", process_number(process),              \
                  process_state_name((process)->state), #condition);                               \
    } while (0)

static bool list_contains(const struct list *head, const struct list *link)
{
    for (const struct list *at = head->next; at != head; at = at->next)
        if (at == link)
            return true;
    return false;
}

static void check_child(struct process *parent, struct process *child) REQUIRES(family_lock);
static void check_child(struct process *parent, struct process *child)
{
    require(child, child->parent == parent);
    require(child, child->pid->process == child);
    require(child, refcount_read(&child->refs) > 0);
    require(child, list_is_linked(&child->changed_link) == (child->change != CHANGE_NONE));
    if (child->change != CHANGE_NONE)
        require(child, list_contains(&parent->changed, &child->changed_link));
}

static void check_children(struct process *process) REQUIRES(family_lock);
static void check_children(struct process *process)
{
    uint32_t count = 0;
    uint32_t clone_count = 0;
    struct process *child;

    list_for_each (child, &process->living, sibling) {
        check_child(process, child);
        require(child, child->state == PROCESS_ALIVE || child->state == PROCESS_EXITING);
        count++;
        clone_count += child->exit_signal != SIGCHLD;
    }
    list_for_each (child, &process->zombies, sibling) {
        check_child(process, child);
        require(child, child->state == PROCESS_ZOMBIE);
        count++;
        clone_count += child->exit_signal != SIGCHLD;
    }
    require(process, process->child_count == count);
    require(process, process->clone_child_count == clone_count);
    list_for_each (child, &process->changed, changed_link)
        require(child, child->parent == process && child->change != CHANGE_NONE);
}

static void check_possessions(struct process *process) REQUIRES(family_lock);
static void check_possessions(struct process *process)
{
    struct user_thread *thread;
    uint32_t threads = 0;

    list_for_each (thread, &process->threads, process_link) {
        require(process, thread->process == process);
        threads++;
    }
    require(process, process->thread_count == threads);
    if (process->state == PROCESS_ALIVE)
        require(process, threads > 0 && process->leader && process->space);
    if (process->state == PROCESS_ZOMBIE)
        require(process, threads == 0 && !process->leader && !process->space && !process->files &&
                             !process->paths && !process->executable && process->child_count == 0 &&
                             !process->vfork_gate && !process->is_subreaper);
}

static void check_place(struct process *process) REQUIRES(family_lock);
static void check_place(struct process *process)
{
    struct process *parent = process->parent;

    require(process, process->state != PROCESS_NEW && process->state != PROCESS_DEAD);
    require(process, (parent == NULL) == (process == init_process));
    if (parent) {
        struct list *lists = process->state == PROCESS_ZOMBIE ? &parent->zombies : &parent->living;

        require(process, parent->state == PROCESS_ALIVE || parent->state == PROCESS_EXITING);
        if (parent->child_count <= CHECK_WHOLE_LIST)
            require(process, list_contains(lists, &process->sibling));
    }
    require(process, process->group && process->group->pid->group == process->group);
    require(process, process->group->session->pid->session == process->group->session);
}

static void check_group(struct process_group *group) REQUIRES(family_lock);
static void check_group(struct process_group *group)
{
    struct process *member;
    uint32_t count = 0;
    uint32_t anchors = 0;

    list_for_each (member, &group->members, group_link) {
        struct process *parent = member->parent;
        bool anchor = member->state == PROCESS_ALIVE && parent && parent != init_process &&
                      parent->group != group && parent->group->session == group->session;

        require(member, member->group == group);
        require(member, member->is_anchor == anchor);
        count++;
        anchors += anchor;
    }
    if (group->member_count != count || group->anchors != anchors || count == 0)
        panic("proc_check: group %d: %u members and %u anchors counted as %u and %u",
              pid_number_of(group->pid), count, anchors, group->member_count, group->anchors);
    if (group->pid->group != group)
        panic("proc_check: group %d is not the one that its number names",
              pid_number_of(group->pid));
}

void proc_check(void)
{
    pid_number from = 0;
    struct pid *pid;

    spin_lock(&family_lock);
    while ((pid = pid_next(from))) {
        struct process *process = pid->process;

        if (process) {
            check_place(process);
            check_children(process);
            check_possessions(process);
        }
        if (pid->group)
            check_group(pid->group);
        from = pid_number_of(pid) + 1;
        pid_put(pid);
    }
    if (init_process)
        job_check_locked();
    spin_unlock(&family_lock);
}
