/*
 * Opening FIFOs, fifo(7): who opens one end sleeps until the other is open too. Guarded by the
 * pipe's lock; the counters of openings are atomic for the sleepers.
 */
#include "fs/pipe.h"
#include "fs/pipe_internal.h"
#include "fs/poll.h"
#include "lib/errno.h"

/* What an opener waits for: one more opening of the other end than there had been. */
struct partner {
    _Atomic uint32_t *opens;
    uint32_t before;
};

static bool partner_came(void *argument)
{
    struct partner *partner = argument;

    return *partner->opens != partner->before;
}

static int wait_for_partner(struct pipe *pipe, struct wait_queue *queue, _Atomic uint32_t *opens)
    REQUIRES(pipe->lock)
{
    struct partner partner = {opens, *opens};

    mutex_unlock(&pipe->lock);
    int error =
        wait_queue_sleep(queue, partner_came, &partner, SLEEP_INTERRUPTIBLE, DEADLINE_NEVER);

    mutex_lock(&pipe->lock);
    return error;
}

static void announce_opening(struct wait_queue *queue)
{
    wait_queue_wake_all(queue, 0);
}

static int open_reader(struct pipe *pipe, struct file *file) REQUIRES(pipe->lock)
{
    int error = 0;

    pipe->readers++;
    pipe->reader_opens++;
    announce_opening(&pipe->write_wait);
    if (pipe->writers == 0 && pipe->is_named) {
        if (file->flags & O_NONBLOCK)
            file->opened_at = pipe->writer_opens;
        else
            error = wait_for_partner(pipe, &pipe->read_wait, &pipe->writer_opens);
    }
    if (error && --pipe->readers == 0)
        wait_queue_wake_all(&pipe->write_wait, POLLOUT | POLLWRNORM | POLLERR | POLLHUP);
    return error;
}

static int open_writer(struct pipe *pipe, struct file *file) REQUIRES(pipe->lock)
{
    int error = 0;

    if (pipe->readers == 0 && pipe->is_named && (file->flags & O_NONBLOCK))
        return -ENXIO;
    pipe->writers++;
    pipe->writer_opens++;
    announce_opening(&pipe->read_wait);
    if (pipe->readers == 0 && pipe->is_named)
        error = wait_for_partner(pipe, &pipe->write_wait, &pipe->reader_opens);
    if (error && --pipe->writers == 0)
        wait_queue_wake_all(&pipe->read_wait, POLLIN | POLLRDNORM | POLLERR | POLLHUP);
    return error;
}

static int open_both(struct pipe *pipe) REQUIRES(pipe->lock)
{
    pipe->readers++;
    pipe->writers++;
    pipe->reader_opens++;
    pipe->writer_opens++;
    announce_opening(&pipe->read_wait);
    announce_opening(&pipe->write_wait);
    return 0;
}

int pipe_open(struct pipe *pipe, struct file *file)
{
    int error;

    mutex_lock(&pipe->lock);
    if (!pipe_file_writes(file))
        error = open_reader(pipe, file);
    else if (!pipe_file_reads(file))
        error = open_writer(pipe, file);
    else
        error = open_both(pipe);
    if (error && pipe->readers == 0 && pipe->writers == 0)
        pipe_ring_clear(&pipe->ring);
    mutex_unlock(&pipe->lock);
    if (error)
        return error;
    refcount_get(&pipe->refs);
    file->operations = &fifo_operations;
    file->private = pipe;
    return 0;
}
