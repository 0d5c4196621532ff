/*
 * Pipes as files: blocking, wake-ups, ends that come and go. See pipe.h.
 *
 * pipe->lock (rank PIPE, held across user copies) guards everything. What sleepers and poll look at
 * (the ring's counters, the numbers of ends) is atomic and written under the lock. Sleeping happens
 * without it. Wakers change first and then look for sleepers, sleepers queue first and then look:
 * the fence in wait_queue_wake_all() makes that hold.
 */
#include "fs/pipe.h"

#include <asm/ioctls.h>
#include <asm/signal.h>
#include <asm/stat.h>
#include <linux/fcntl.h>
#include <linux/stat.h>

#include "fs/inode.h"
#include "fs/pipe_internal.h"
#include "fs/poll.h"
#include "lib/errno.h"
#include "mm/frame.h"
#include "mm/user_copy.h"
#include "proc/process.h"
#include "proc/signal.h"

static SLAB_CACHE(pipe_cache, struct pipe);

static void announce_data(struct pipe *pipe)
{
    wait_queue_wake_all(&pipe->read_wait, POLLIN | POLLRDNORM);
}

static void announce_room(struct pipe *pipe)
{
    wait_queue_wake_all(&pipe->write_wait, POLLOUT | POLLWRNORM);
}

/* --- read --- */

static bool can_read(void *argument)
{
    struct pipe *pipe = argument;

    return !pipe_ring_is_empty(&pipe->ring) || pipe->writers == 0;
}

/* Apart from pipe_read_vector(), whose short way it would make longer. */
static __attribute__((noinline)) int wait_for_data(struct file *file, struct pipe *pipe)
    REQUIRES(pipe->lock)
{
    int error = file->flags & O_NONBLOCK ? -EAGAIN : 0;

    while (!error && !can_read(pipe)) {
        mutex_unlock(&pipe->lock);
        error =
            wait_queue_sleep(&pipe->read_wait, can_read, pipe, SLEEP_INTERRUPTIBLE, DEADLINE_NEVER);
        mutex_lock(&pipe->lock);
    }
    return error;
}

static int64_t pipe_read_vector(struct file *file, struct user_vector *target, uint64_t *position)
{
    struct pipe *pipe = file->private;
    size_t wanted = target->total;
    int error = 0;

    if (wanted == 0)
        return 0;
    mutex_lock(&pipe->lock);
    if (!can_read(pipe))
        error = wait_for_data(file, pipe);
    bool was_full = pipe_ring_is_full(&pipe->ring);

    if (!error)
        error = pipe_ring_drain(&pipe->ring, target);
    mutex_unlock(&pipe->lock);
    if (was_full && target->total < wanted)
        announce_room(pipe);
    return target->total < wanted ? (int64_t)(wanted - target->total) : error;
}

static int64_t pipe_read(struct file *file, uintptr_t buffer, size_t size, uint64_t *position)
{
    struct user_vector target = user_vector_single(buffer, size);

    return pipe_read_vector(file, &target, position);
}

/* --- write --- */

static bool can_write(void *argument)
{
    struct pipe *pipe = argument;

    return !pipe_ring_is_full(&pipe->ring) || pipe->readers == 0;
}

static int fill(struct file *file, struct pipe *pipe, struct user_vector *source, bool merge)
    REQUIRES(pipe->lock)
{
    if (unlikely(pipe->readers == 0))
        return -EPIPE;
    return pipe_ring_fill(&pipe->ring, source, merge, file->flags & O_DIRECT);
}

/* For what does not fit at once. Readers learn of what is there before the writer sleeps. */
static __attribute__((noinline)) int write_rest(struct file *file, struct pipe *pipe,
                                                struct user_vector *source) REQUIRES(pipe->lock)
{
    int error = file->flags & O_NONBLOCK ? -EAGAIN : 0;

    while (!error && source->total > 0) {
        mutex_unlock(&pipe->lock);
        announce_data(pipe);
        error = wait_queue_sleep(&pipe->write_wait, can_write, pipe, SLEEP_INTERRUPTIBLE,
                                 DEADLINE_NEVER);
        mutex_lock(&pipe->lock);
        if (!error)
            error = fill(file, pipe, source, false);
    }
    return error;
}

static int64_t pipe_write_vector(struct file *file, struct user_vector *source, uint64_t *position)
{
    struct pipe *pipe = file->private;
    size_t offered = source->total;

    if (offered == 0)
        return 0;
    mutex_lock(&pipe->lock);
    int error = fill(file, pipe, source, true);

    if (unlikely(!error && source->total > 0))
        error = write_rest(file, pipe, source);
    mutex_unlock(&pipe->lock);
    if (source->total < offered)
        announce_data(pipe);
    if (unlikely(error == -EPIPE))
        signal_raise(SIGPIPE);
    return source->total < offered ? (int64_t)(offered - source->total) : error;
}

static int64_t pipe_write(struct file *file, uintptr_t buffer, size_t size, uint64_t *position)
{
    struct user_vector source = user_vector_single(buffer, size);

    return pipe_write_vector(file, &source, position);
}

/* --- the rest of the file --- */

static uint32_t pipe_poll(struct file *file, struct poll_table *table)
{
    struct pipe *pipe = file->private;
    uint32_t events = 0;

    if (pipe_file_reads(file)) {
        poll_wait(table, &pipe->read_wait);
        if (!pipe_ring_is_empty(&pipe->ring))
            events |= POLLIN | POLLRDNORM;
        if (pipe->writers == 0 && file->opened_at != pipe->writer_opens)
            events |= POLLHUP;
    }
    if (pipe_file_writes(file)) {
        poll_wait(table, &pipe->write_wait);
        if (!pipe_ring_is_full(&pipe->ring))
            events |= POLLOUT | POLLWRNORM;
        if (pipe->readers == 0)
            events |= POLLERR;
    }
    return events;
}

static int64_t pipe_ioctl(struct file *file, unsigned command, uintptr_t argument)
{
    struct pipe *pipe = file->private;

    if (command != FIONREAD)
        return -ENOTTY;
    mutex_lock(&pipe->lock);
    int count = pipe_ring_bytes(&pipe->ring);

    mutex_unlock(&pipe->lock);
    return copy_to_user(argument, &count, sizeof(count));
}

static int pipe_get_status(struct file *file, struct stat *status)
{
    struct pipe *pipe = file->private;

    *status = (struct stat){
        .st_dev = DEVICE_ANONYMOUS,
        .st_ino = pipe->number,
        .st_mode = S_IFIFO | 0600,
        .st_nlink = 1,
        .st_uid = pipe->uid,
        .st_gid = pipe->gid,
        .st_blksize = PAGE_SIZE,
    };
    return 0;
}

static void pipe_release(struct file *file)
{
    struct pipe *pipe = file->private;

    mutex_lock(&pipe->lock);
    if (pipe_file_reads(file))
        pipe->readers--;
    if (pipe_file_writes(file))
        pipe->writers--;
    bool last_of_kind = (pipe->readers == 0) != (pipe->writers == 0);

    if (pipe->readers == 0 && pipe->writers == 0)
        pipe_ring_clear(&pipe->ring);
    mutex_unlock(&pipe->lock);
    if (last_of_kind) {
        wait_queue_wake_all(&pipe->read_wait, POLLIN | POLLRDNORM | POLLERR | POLLHUP);
        wait_queue_wake_all(&pipe->write_wait, POLLOUT | POLLWRNORM | POLLERR | POLLHUP);
    }
    pipe_put(pipe);
}

static const struct file_operations pipe_operations = {
    .name = "pipe",
    .read = pipe_read,
    .write = pipe_write,
    .read_vector = pipe_read_vector,
    .write_vector = pipe_write_vector,
    .poll = pipe_poll,
    .ioctl = pipe_ioctl,
    .get_status = pipe_get_status,
    .release = pipe_release,
};

/* The inode tells the status of a named one. */
const struct file_operations fifo_operations = {
    .name = "fifo",
    .read = pipe_read,
    .write = pipe_write,
    .read_vector = pipe_read_vector,
    .write_vector = pipe_write_vector,
    .poll = pipe_poll,
    .ioctl = pipe_ioctl,
    .release = pipe_release,
};

/* --- creation --- */

struct pipe *pipe_create(void)
{
    struct pipe *pipe = slab_alloc(&pipe_cache);

    if (!pipe)
        return NULL;
    mutex_init(&pipe->lock, LOCK_RANK_PIPE);
    refcount_init(&pipe->refs);
    pipe_ring_init(&pipe->ring);
    wait_queue_init(&pipe->read_wait);
    wait_queue_init(&pipe->write_wait);
    pipe->is_named = true;
    return pipe;
}

void pipe_put(struct pipe *pipe)
{
    if (!refcount_put(&pipe->refs))
        return;
    pipe_ring_destroy(&pipe->ring);
    slab_free(&pipe_cache, pipe);
}

int pipe_create_pair(struct file *ends[2], uint32_t flags)
{
    struct pipe *pipe = pipe_create();

    if (!pipe)
        return -ENOMEM;
    const struct credentials *credentials = current_credentials();

    pipe->is_named = false;
    pipe->number = inode_next_number();
    pipe->uid = credentials->user.file_system;
    pipe->gid = credentials->group.file_system;
    ends[0] = file_create(&pipe_operations, pipe, O_RDONLY | (flags & O_NONBLOCK));
    if (!ends[0]) {
        pipe_put(pipe);
        return -ENOMEM;
    }
    pipe->readers = pipe->reader_opens = 1;
    ends[1] = file_create(&pipe_operations, pipe, O_WRONLY | flags);
    if (!ends[1]) {
        file_put(ends[0]);
        return -ENOMEM;
    }
    pipe->writers = pipe->writer_opens = 1;
    refcount_get(&pipe->refs);
    return 0;
}

/* --- capacity --- */

static struct pipe *pipe_behind(const struct file *file)
{
    if (file->operations != &pipe_operations && file->operations != &fifo_operations)
        return NULL;
    return file->private;
}

struct pipe *pipe_of_file(struct file *file)
{
    struct pipe *pipe = pipe_behind(file);

    if (pipe)
        refcount_get(&pipe->refs);
    return pipe;
}

int64_t pipe_get_size(struct file *file)
{
    struct pipe *pipe = pipe_behind(file);

    return pipe ? (int64_t)(pipe->ring.size * PAGE_SIZE) : -EBADF;
}

int64_t pipe_set_size(struct file *file, uint64_t size)
{
    struct pipe *pipe = pipe_behind(file);
    uint64_t slots = 1;

    if (!pipe)
        return -EBADF;
    if (size > 1ull << 31)
        return -EINVAL;
    while (slots * PAGE_SIZE < size)
        slots *= 2;
    if (slots > PIPE_SLOTS_MAX && slots > pipe->ring.size &&
        !credentials_is_privileged(current_credentials()))
        return -EPERM;
    mutex_lock(&pipe->lock);
    bool was_full = pipe_ring_is_full(&pipe->ring);
    int error = pipe_ring_resize(&pipe->ring, slots);

    mutex_unlock(&pipe->lock);
    if (error)
        return error;
    if (was_full)
        announce_room(pipe);
    return slots * PAGE_SIZE;
}
