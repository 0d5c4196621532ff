/*
 * The process listing of a panic, or of a wedged machine. It reads without locks what others may be
 * changing: a line can be stale or missing, which is better than none.
 */
#include "proc/dump.h"

#include "lib/klog.h"
#include "proc/pgrp.h"
#include "proc/process.h"
#include "proc/state.h"

/* More than any healthy family is deep. */
#define DEPTH_MAX 64
#define LINES_MAX 256

static const char *const thread_states[THREAD_STATE_COUNT] = {
    [THREAD_NEW] = "new",           [THREAD_READY] = "ready", [THREAD_RUNNING] = "running",
    [THREAD_SLEEPING] = "sleeping", [THREAD_DEAD] = "dead",
};

static void dump_process(struct process *process)
{
    struct user_thread *leader = process->leader;
    struct process_group *group = process->group;
    unsigned state = leader ? (unsigned)leader->thread.state : THREAD_DEAD;

    klog("%6d %6d %6d %-8s %-8s %8u %016lx %s", process_number(process),
         process->parent ? process_number(process->parent) : 0,
         group ? pid_number_of(group->pid) : 0, process_state_name(process->state),
         state < THREAD_STATE_COUNT ? thread_states[state] : "?", process->child_count,
         process->signals.shared.pending, leader ? leader->thread.name : "-");
}

/* Depth first, without recursion: down to the first child, else along, else up and along. */
static struct process *next_in_tree(struct process *process, int *depth)
{
    struct list *lists[] = {&process->living, &process->zombies};

    for (unsigned i = 0; i < array_length(lists) && *depth < DEPTH_MAX; i++)
        if (!list_is_empty(lists[i])) {
            ++*depth;
            return list_first(lists[i], struct process, sibling);
        }
    while (process && process != init_process && process->parent) {
        struct process *parent = process->parent;
        struct list *next = process->sibling.next;

        if (next == &parent->living && !list_is_empty(&parent->zombies))
            next = parent->zombies.next;
        if (next != &parent->living && next != &parent->zombies)
            return list_entry(next, struct process, sibling);
        process = parent;
        --*depth;
    }
    return NULL;
}

void process_dump(void)
{
    struct process *process = init_process;
    int depth = 0;

    klog("   pid   ppid   pgrp state    thread   children pending          name");
    for (int lines = 0; process && lines < LINES_MAX; lines++) {
        dump_process(process);
        process = next_in_tree(process, &depth);
    }
}
