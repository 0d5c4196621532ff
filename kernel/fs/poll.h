/*
 * Waiting for many files at once: what poll, select and epoll stand on. A file's poll operation calls
 * poll_wait() for each queue on which it announces changes, and returns what is ready now; announcing
 * is wait_queue_wake_all(queue, events).
 */
#pragma once

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
