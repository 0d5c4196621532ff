/*
 * Waiting for many files at once: what poll, select and epoll stand on. A file's poll operation
 * calls poll_wait() for each queue on which it announces changes, and returns what is ready now;
 * announcing is wait_queue_wake_all(queue, events).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "sched/wait.h"

/* From <asm/poll.h>, as epoll has them too. */
#include <asm/poll.h>

struct poll_table {
    void (*add)(struct poll_table *table, struct wait_queue *queue);
    int error; /* -ENOMEM if an add failed */
};

static inline void poll_wait(struct poll_table *table, struct wait_queue *queue)
{
    if (table)
        table->add(table, queue);
}

struct file;

/* One file of a poll or select call. */
struct poll_item {
    struct file *file; /* reference of the caller's; NULL: `ready` stays as it is, and counts */
    uint32_t wanted;
    uint32_t ready; /* of what is wanted */
};

/*
 * Fills in `ready` and returns how many items have any; if none has, sleeps until one does or the
 * deadline (port_clock_ns() time; 0: does not sleep) passes. -ERESTARTNOHAND if a signal came
 * first, -ENOMEM. Thread context, no spinlock held.
 */
int poll_items(struct poll_item *items, size_t count, uint64_t deadline);
