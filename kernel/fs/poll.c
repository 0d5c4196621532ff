/*
 * Waiting for many files at once: the core of poll and select.
 *
 * A call queues one entry on each wait queue that a file names, with the events that matter there.
 * Any of them that fires marks the waiter as triggered and wakes its thread, which looks at all
 * files again. The entries live on the caller's stack for a few files, in allocated chunks for
 * more.
 */
#include "fs/poll.h"

#include <stdatomic.h>

#include "fs/file.h"
#include "lib/errno.h"
#include "proc/signal.h"
#include "sched/thread.h"

#define INLINE_ENTRIES 6
#define CHUNK_ENTRIES  60

struct poll_waiter;

struct poll_entry {
    struct wait_entry wait;
    struct poll_waiter *waiter;
    uint32_t events;
};

struct poll_chunk {
    struct poll_chunk *next;
    unsigned used;
    struct poll_entry entries[CHUNK_ENTRIES];
};

struct poll_waiter {
    struct poll_table table;
    struct thread *thread;
    _Atomic bool triggered;
    uint32_t events; /* that matter of the file being asked */
    unsigned inline_used;
    struct poll_chunk *chunks;
    struct poll_entry inline_entries[INLINE_ENTRIES];
};

/* A key of 0 says nothing about the kind of change. */
static bool wake_waiter(struct wait_entry *wait, uint64_t key)
{
    struct poll_entry *entry = container_of(wait, struct poll_entry, wait);

    if (key && !(key & entry->events))
        return false;
    atomic_store_explicit(&entry->waiter->triggered, true, memory_order_release);
    return thread_wake(entry->waiter->thread);
}

static struct poll_entry *take_entry(struct poll_waiter *waiter)
{
    if (waiter->inline_used < INLINE_ENTRIES)
        return &waiter->inline_entries[waiter->inline_used++];
    if (!waiter->chunks || waiter->chunks->used == CHUNK_ENTRIES) {
        struct poll_chunk *chunk = kmalloc(sizeof(*chunk));

        if (!chunk)
            return NULL;
        chunk->next = waiter->chunks;
        waiter->chunks = chunk;
    }
    return &waiter->chunks->entries[waiter->chunks->used++];
}

static void add_queue(struct poll_table *table, struct wait_queue *queue)
{
    struct poll_waiter *waiter = container_of(table, struct poll_waiter, table);
    struct poll_entry *entry = take_entry(waiter);

    if (!entry) {
        table->error = -ENOMEM;
        return;
    }
    entry->waiter = waiter;
    entry->events = waiter->events;
    wait_entry_init(&entry->wait, wake_waiter);
    wait_queue_add(queue, &entry->wait);
}

static void waiter_init(struct poll_waiter *waiter)
{
    waiter->table.add = add_queue;
    waiter->table.error = 0;
    waiter->thread = current_thread();
    atomic_init(&waiter->triggered, false);
    waiter->inline_used = 0;
    waiter->chunks = NULL;
}

static void waiter_destroy(struct poll_waiter *waiter)
{
    for (unsigned i = 0; i < waiter->inline_used; i++)
        wait_queue_remove(&waiter->inline_entries[i].wait);
    while (waiter->chunks) {
        struct poll_chunk *chunk = waiter->chunks;

        for (unsigned i = 0; i < chunk->used; i++)
            wait_queue_remove(&chunk->entries[i].wait);
        waiter->chunks = chunk->next;
        kfree(chunk);
    }
}

static uint32_t ask_file(struct file *file, struct poll_table *table)
{
    if (!file->operations->poll)
        return POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
    return file->operations->poll(file, table);
}

/* Looks at all items; while nothing is ready, also queues on them if `waiter` is not NULL. */
static int scan(struct poll_item *items, size_t count, struct poll_waiter *waiter)
{
    int ready = 0;

    for (size_t i = 0; i < count; i++) {
        struct poll_item *item = &items[i];

        if (item->file) {
            if (waiter)
                waiter->events = item->wanted;
            item->ready =
                ask_file(item->file, waiter && !ready ? &waiter->table : NULL) & item->wanted;
        }
        if (item->ready)
            ready++;
    }
    return ready;
}

static bool is_triggered(void *argument)
{
    struct poll_waiter *waiter = argument;

    return atomic_load_explicit(&waiter->triggered, memory_order_acquire);
}

/* Triggered is cleared before each look, so a change during the look is not missed. */
static int wait_and_scan(struct poll_item *items, size_t count, struct poll_waiter *waiter,
                         uint64_t deadline)
{
    for (;;) {
        int error = thread_sleep(is_triggered, waiter, SLEEP_INTERRUPTIBLE, deadline);

        atomic_store(&waiter->triggered, false);
        int ready = scan(items, count, NULL);

        if (ready)
            return ready;
        if (error)
            return error == -ETIMEDOUT ? 0 : -ERESTARTNOHAND;
    }
}

int poll_items(struct poll_item *items, size_t count, uint64_t deadline)
{
    struct poll_waiter waiter;

    if (deadline == 0) {
        int ready = scan(items, count, NULL);

        return ready == 0 && signal_is_pending() ? -ERESTARTNOHAND : ready;
    }
    waiter_init(&waiter);
    int ready = scan(items, count, &waiter);

    if (ready == 0)
        ready = waiter.table.error;
    if (ready == 0)
        ready = wait_and_scan(items, count, &waiter, deadline);
    waiter_destroy(&waiter);
    return ready;
}
