/* Job descriptors, freeze tokens and event streams as files: see job_file.h. */
#include "fs/job_file.h"

#include <linux/fcntl.h>

#include "fs/file.h"
#include "fs/poll.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "mm/user_copy.h"
#include "proc/job.h"

struct job_handle {
    struct job *job; /* (const) reference */
    uint32_t rights; /* (const) */
    bool owner;      /* (const) */
};

static SLAB_CACHE(handle_cache, struct job_handle);

/* --- the job --- */

static uint32_t job_poll(struct file *file, struct poll_table *table)
{
    struct job_handle *handle = file->private;
    struct job *job = handle->job;
    uint32_t ready = 0;

    poll_wait(table, &job->wait);
    spin_lock(&family_lock);
    if (job->active == 0)
        ready |= POLLIN | POLLRDNORM;
    if (job->limit_is_news)
        ready |= POLLPRI;
    if (job->state == JOB_DEAD)
        ready |= POLLHUP;
    spin_unlock(&family_lock);
    return ready;
}

static size_t job_describe(struct file *file, char *buffer, size_t size)
{
    struct job_handle *handle = file->private;

    return ksnprintf(buffer, size, "job-id:\t%lu\njob-rights:\t%#x\n", handle->job->id,
                     handle->rights);
}

static bool kills_on_close(const struct job_handle *handle)
{
    return handle->owner && (handle->job->flags & JOB_KILL_ON_CLOSE);
}

static bool job_is_inherited(struct file *file)
{
    return !kills_on_close(file->private);
}

static void job_release(struct file *file)
{
    struct job_handle *handle = file->private;

    if (kills_on_close(handle))
        job_kill(handle->job, false, JOB_CAUSE_CLOSE);
    job_put(handle->job);
    slab_free(&handle_cache, handle);
}

static const struct file_operations job_operations = {
    .name = "anon_inode:[job]",
    .poll = job_poll,
    .describe = job_describe,
    .is_inherited = job_is_inherited,
    .release = job_release,
};

struct file *job_file_create(struct job *job, uint32_t rights, bool owner)
{
    struct job_handle *handle = slab_alloc(&handle_cache);
    struct file *file;

    if (!handle)
        return NULL;
    *handle = (struct job_handle){.job = job, .rights = rights, .owner = owner};
    file = file_create(&job_operations, handle, O_RDWR);
    if (!file)
        slab_free(&handle_cache, handle);
    return file;
}

static struct job *own_job(void)
{
    struct job *job;

    spin_lock(&family_lock);
    job = current_process()->job;
    job_get(job);
    spin_unlock(&family_lock);
    return job;
}

int job_from_descriptor(int descriptor, uint32_t rights, struct job **job, uint32_t *carried)
{
    const uint32_t of_self = JOB_RIGHT_QUERY | JOB_RIGHT_EVENTS;
    struct job_handle *handle;
    struct file *file;
    int error = 0;

    if (descriptor == JOB_SELF) {
        if (rights & ~of_self)
            return -EACCES;
        if (carried)
            *carried = of_self;
        *job = own_job();
        return 0;
    }
    file = file_from_descriptor(descriptor);
    if (!file)
        return -EBADF;
    handle = file->private;
    if (file->operations != &job_operations) {
        error = -EINVAL;
    } else if (rights & ~handle->rights) {
        error = -EACCES;
    } else {
        if (carried)
            *carried = handle->rights;
        *job = handle->job;
        job_get(*job);
    }
    file_put(file);
    return error;
}

/* --- freeze tokens --- */

static void token_release(struct file *file)
{
    struct job *job = file->private;

    job_thaw(job);
    job_put(job);
}

/* Else the holder's children would prolong the freeze, and one born into the frozen job would hold
 * its own door shut. */
static bool token_is_inherited(struct file *file)
{
    return false;
}

static const struct file_operations token_operations = {
    .name = "anon_inode:[job-freeze]",
    .is_inherited = token_is_inherited,
    .release = token_release,
};

struct file *job_token_create(struct job *job)
{
    return file_create(&token_operations, job, O_RDWR);
}

/* --- event streams --- */

#define RECORDS_AT_ONCE 16

struct stream_reader {
    struct job_stream *stream;
    struct job_event *events;
    size_t count;
    int64_t result;
};

static bool has_read(void *argument)
{
    struct stream_reader *reader = argument;

    reader->result = job_stream_read(reader->stream, reader->events, reader->count);
    return reader->result != -EAGAIN;
}

static int64_t stream_read(struct file *file, uintptr_t buffer, size_t size, uint64_t *position)
{
    struct stream_reader reader = {.stream = file->private,
                                   .count = size / sizeof(struct job_event)};
    int error = 0;

    if (reader.count == 0)
        return -EINVAL;
    if (reader.count > RECORDS_AT_ONCE)
        reader.count = RECORDS_AT_ONCE;
    reader.events = kmalloc(reader.count * sizeof(*reader.events));
    if (!reader.events)
        return -ENOMEM;
    if (!has_read(&reader) && !(file->flags & O_NONBLOCK))
        error = wait_queue_sleep(job_stream_wait(reader.stream), has_read, &reader,
                                 SLEEP_INTERRUPTIBLE, DEADLINE_NEVER);
    if (error == 0 && reader.result > 0) {
        reader.result *= (int64_t)sizeof(struct job_event);
        error = copy_to_user(buffer, reader.events, (size_t)reader.result);
    }
    kfree(reader.events);
    return error ? error : reader.result;
}

static uint32_t stream_poll(struct file *file, struct poll_table *table)
{
    struct job_stream *stream = file->private;

    poll_wait(table, job_stream_wait(stream));
    return (job_stream_has_news(stream) ? POLLIN | POLLRDNORM : 0) |
           (job_stream_is_at_end(stream) ? POLLHUP : 0);
}

static void stream_release(struct file *file)
{
    job_stream_close(file->private);
}

static const struct file_operations stream_operations = {
    .name = "anon_inode:[job-events]",
    .read = stream_read,
    .poll = stream_poll,
    .release = stream_release,
};

int job_stream_file_create(struct job *job, const struct job_events_args *args,
                           struct job_stat *snapshot, struct file **file)
{
    struct job_stream *stream;
    int error = job_stream_open(job, args, snapshot, &stream);

    if (error)
        return error;
    *file = file_create(&stream_operations, stream, O_RDONLY);
    if (*file)
        return 0;
    job_stream_close(stream);
    return -ENOMEM;
}
