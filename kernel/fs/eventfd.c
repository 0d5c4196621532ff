/*
 * Event counters: see eventfd.h. The count is one atomic number, so there is no lock: readers and
 * writers move it by compare-and-exchange and tell those who wait for the change.
 */
#include "fs/eventfd.h"

#include <linux/fcntl.h>

#include "fs/poll.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "mm/user_copy.h"

#define COUNT_MAX (UINT64_MAX - 1)

struct eventfd {
    _Atomic uint64_t count; /* at most COUNT_MAX */
    bool semaphore;         /* (const) */
    struct wait_queue read_wait;
    struct wait_queue write_wait;
};

static SLAB_CACHE(eventfd_cache, struct eventfd);

/* One transfer under way; `value` is what a writer adds. */
struct transfer {
    struct eventfd *eventfd;
    uint64_t value;
};

static bool can_read(void *argument)
{
    struct transfer *transfer = argument;

    return atomic_load(&transfer->eventfd->count) > 0;
}

static bool can_write(void *argument)
{
    struct transfer *transfer = argument;

    return transfer->value <= COUNT_MAX - atomic_load(&transfer->eventfd->count);
}

/* False if the count is 0. */
static bool take(struct transfer *transfer)
{
    struct eventfd *eventfd = transfer->eventfd;
    uint64_t count = atomic_load(&eventfd->count);

    do {
        if (count == 0)
            return false;
        transfer->value = eventfd->semaphore ? 1 : count;
    } while (!atomic_compare_exchange_weak(&eventfd->count, &count, count - transfer->value));
    return true;
}

/* False if the sum would be too large. */
static bool give(struct transfer *transfer)
{
    struct eventfd *eventfd = transfer->eventfd;
    uint64_t count = atomic_load(&eventfd->count);

    do {
        if (transfer->value > COUNT_MAX - count)
            return false;
    } while (!atomic_compare_exchange_weak(&eventfd->count, &count, count + transfer->value));
    return true;
}

static int64_t eventfd_read(struct file *file, uintptr_t buffer, size_t size, uint64_t *position)
{
    struct eventfd *eventfd = file->private;
    struct transfer transfer = {.eventfd = eventfd};

    if (size < sizeof(uint64_t))
        return -EINVAL;
    while (!take(&transfer)) {
        if (file->flags & O_NONBLOCK)
            return -EAGAIN;
        int error = wait_queue_sleep(&eventfd->read_wait, can_read, &transfer, SLEEP_INTERRUPTIBLE,
                                     DEADLINE_NEVER);
        if (error)
            return error;
    }
    wait_queue_wake_all(&eventfd->write_wait, POLLOUT);
    if (copy_to_user(buffer, &transfer.value, sizeof(transfer.value)) != 0)
        return -EFAULT;
    return sizeof(transfer.value);
}

static int64_t eventfd_write(struct file *file, uintptr_t buffer, size_t size, uint64_t *position)
{
    struct eventfd *eventfd = file->private;
    struct transfer transfer = {.eventfd = eventfd};

    if (size < sizeof(uint64_t))
        return -EINVAL;
    if (copy_from_user(&transfer.value, buffer, sizeof(transfer.value)) != 0)
        return -EFAULT;
    if (transfer.value == UINT64_MAX)
        return -EINVAL;
    while (!give(&transfer)) {
        if (file->flags & O_NONBLOCK)
            return -EAGAIN;
        int error = wait_queue_sleep(&eventfd->write_wait, can_write, &transfer,
                                     SLEEP_INTERRUPTIBLE, DEADLINE_NEVER);
        if (error)
            return error;
    }
    wait_queue_wake_all(&eventfd->read_wait, POLLIN);
    return sizeof(transfer.value);
}

static uint32_t eventfd_poll(struct file *file, struct poll_table *table)
{
    struct eventfd *eventfd = file->private;

    poll_wait(table, &eventfd->read_wait);
    poll_wait(table, &eventfd->write_wait);
    uint64_t count = atomic_load(&eventfd->count);

    return (count > 0 ? POLLIN : 0) | (count < COUNT_MAX ? POLLOUT : 0);
}

static size_t eventfd_describe(struct file *file, char *buffer, size_t size)
{
    struct eventfd *eventfd = file->private;

    return ksnprintf(buffer, size, "eventfd-count: %16lx\neventfd-id: 1\n",
                     atomic_load(&eventfd->count));
}

static void eventfd_release(struct file *file)
{
    slab_free(&eventfd_cache, file->private);
}

static const struct file_operations eventfd_operations = {
    .name = "anon_inode:[eventfd]",
    .read = eventfd_read,
    .write = eventfd_write,
    .poll = eventfd_poll,
    .describe = eventfd_describe,
    .seek = file_seek_nowhere,
    .ignores_position = true,
    .release = eventfd_release,
};

struct file *eventfd_create(uint64_t count, bool semaphore, uint32_t flags)
{
    struct eventfd *eventfd = slab_alloc(&eventfd_cache);

    if (!eventfd)
        return NULL;
    atomic_init(&eventfd->count, count);
    eventfd->semaphore = semaphore;
    wait_queue_init(&eventfd->read_wait);
    wait_queue_init(&eventfd->write_wait);
    struct file *file = file_create(&eventfd_operations, eventfd, O_RDWR | flags);

    if (!file)
        slab_free(&eventfd_cache, eventfd);
    return file;
}
