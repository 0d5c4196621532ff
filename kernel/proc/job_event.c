/*
 * Events of jobs. Each event is numbered by every job of its chain, and kept for each stream that
 * is open on one of them, in a ring; a ring that is full drops the oldest, and its reader gets a
 * GAP record in their place. All under family_lock: an event and the counters that it is about
 * change together.
 */
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "proc/job.h"

#define SLOTS_DEFAULT 256
#define SLOTS_MAX     65536

struct job_stream {
    struct job *job;                /* (const) reference */
    struct list link;               /* (F) in job->streams */
    uint64_t mask;                  /* (const) */
    uint32_t slots;                 /* (const) */
    uint32_t first;                 /* (F) index of the oldest record */
    uint32_t count;                 /* (F) records kept */
    uint64_t lost;                  /* (F) records dropped before the oldest one */
    uint64_t lost_first, lost_last; /* (F) their sequence numbers */
    struct wait_queue wait;
    struct job_event *ring; /* (F) */
};

static SLAB_CACHE(stream_cache, struct job_stream);

static void drop_oldest_locked(struct job_stream *stream) REQUIRES(family_lock);
static void drop_oldest_locked(struct job_stream *stream)
{
    uint64_t seq = stream->ring[stream->first].seq;

    if (stream->lost++ == 0)
        stream->lost_first = seq;
    stream->lost_last = seq;
    stream->job->refused_events++;
    stream->first = (stream->first + 1) % stream->slots;
    stream->count--;
}

static void put_locked(struct job_stream *stream, const struct job_event *event)
    REQUIRES(family_lock);
static void put_locked(struct job_stream *stream, const struct job_event *event)
{
    /* The end of the job is the end of the stream, whatever its reader asked for. */
    if (event->type == JOB_EVENT_DEAD)
        wait_queue_wake_all(&stream->wait, 0);
    if (!(stream->mask & JOB_EVENT_BIT(event->type)))
        return;
    if (stream->count == stream->slots)
        drop_oldest_locked(stream);
    stream->ring[(stream->first + stream->count) % stream->slots] = *event;
    stream->count++;
    wait_queue_wake_all(&stream->wait, 0);
}

/* Puts the event, which has been numbered, into the streams of the chain. */
static void tell_locked(struct job *job, struct job_event *event) REQUIRES(family_lock);
static void tell_locked(struct job *job, struct job_event *event)
{
    struct job_stream *stream;

    event->job_id = job->id;
    event->time_ns = port_clock_ns();
    for (; job; job = job->parent) {
        event->seq = job->event_seq;
        list_for_each (stream, &job->streams, link)
            put_locked(stream, event);
    }
}

/* Without a reader only the numbers move: most events are never put together. */
static bool number_locked(struct job *job) REQUIRES(family_lock);
static bool number_locked(struct job *job)
{
    uint32_t readers = 0;

    for (; job; job = job->parent)
        readers |= job_number_event_locked(job);
    return readers != 0;
}

void job_emit_locked(struct job *job, struct job_event *event)
{
    spin_assert_held(&family_lock);
    if (number_locked(job))
        tell_locked(job, event);
}

void job_tell_about_locked(struct job *job, enum job_event_type type, struct process *process,
                           uint16_t cause)
{
    struct job_event event;

    memset(&event, 0, sizeof(event));
    event.type = (uint16_t)type;
    event.cause = cause;
    if (process) {
        event.puid = process->unique_id;
        event.pid = process_number(process);
    }
    tell_locked(job, &event);
}

void job_emit_about_locked(struct job *job, enum job_event_type type, struct process *process,
                           uint16_t cause)
{
    spin_assert_held(&family_lock);
    if (number_locked(job))
        job_tell_about_locked(job, type, process, cause);
}

void job_emit_moved_locked(struct job *job, struct process *process, const struct job_usage *before)
{
    struct job_event event = {
        .type = JOB_EVENT_MOVED,
        .puid = process->unique_id,
        .pid = process_number(process),
        .use = *before,
    };

    job_emit_locked(job, &event);
}

void job_tell_exit_locked(struct job *job, struct process *process, const struct job_usage *use)
{
    struct job_event event;

    memset(&event, 0, sizeof(event));
    event.type = process->exit_status & 0x7f ? JOB_EVENT_ABNORMAL_EXIT : JOB_EVENT_EXIT;
    event.puid = process->unique_id;
    event.pid = process_number(process);
    event.status = process->exit_status;
    event.use = *use;
    tell_locked(job, &event);
}

int job_stream_open(struct job *job, const struct job_events_args *args, struct job_stat *snapshot,
                    struct job_stream **result)
{
    struct job_stream *stream;
    uint32_t slots = args->slots ? args->slots : SLOTS_DEFAULT;

    if (slots > SLOTS_MAX || (args->mask & ~JOB_EVENTS_ALL) || (args->flags & ~JOB_EVENTS_FROM_NOW))
        return -EINVAL;
    /* Nothing is kept for a stream before it is opened. */
    if (!(args->flags & JOB_EVENTS_FROM_NOW) && args->from_seq != 0)
        return -EINVAL;
    stream = slab_alloc(&stream_cache);
    if (!stream)
        return -ENOMEM;
    stream->ring = kmalloc(slots * sizeof(*stream->ring));
    if (!stream->ring) {
        slab_free(&stream_cache, stream);
        return -ENOMEM;
    }
    stream->slots = slots;
    stream->mask = args->mask ? args->mask : JOB_EVENTS_ALL;
    stream->job = job;
    job_get(job);
    wait_queue_init(&stream->wait);
    spin_lock(&family_lock);
    list_push_back(&job->streams, &stream->link);
    job->stream_count++;
    if (snapshot)
        job_fill_stat_locked(job, snapshot);
    spin_unlock(&family_lock);
    *result = stream;
    return 0;
}

void job_stream_close(struct job_stream *stream)
{
    spin_lock(&family_lock);
    list_remove(&stream->link);
    stream->job->stream_count--;
    spin_unlock(&family_lock);
    job_put(stream->job);
    kfree(stream->ring);
    slab_free(&stream_cache, stream);
}

static void take_gap_locked(struct job_stream *stream, struct job_event *event)
    REQUIRES(family_lock);
static void take_gap_locked(struct job_stream *stream, struct job_event *event)
{
    *event = (struct job_event){
        .seq = stream->lost_first,
        .limit_job = stream->lost_last,
        .time_ns = port_clock_ns(),
        .job_id = stream->job->id,
        .type = JOB_EVENT_GAP,
        .count = stream->lost > UINT32_MAX ? UINT32_MAX : (uint32_t)stream->lost,
    };
    stream->lost = 0;
}

int64_t job_stream_read(struct job_stream *stream, struct job_event *events, size_t count)
{
    int64_t done = 0;

    spin_lock(&family_lock);
    while ((size_t)done < count && (stream->lost > 0 || stream->count > 0)) {
        if (stream->lost > 0) {
            take_gap_locked(stream, &events[done++]);
            continue;
        }
        events[done++] = stream->ring[stream->first];
        stream->first = (stream->first + 1) % stream->slots;
        stream->count--;
    }
    if (done == 0 && stream->job->state != JOB_DEAD)
        done = -EAGAIN;
    spin_unlock(&family_lock);
    return done;
}

bool job_stream_has_news(struct job_stream *stream)
{
    bool news;

    spin_lock(&family_lock);
    news = stream->lost > 0 || stream->count > 0;
    spin_unlock(&family_lock);
    return news;
}

bool job_stream_is_at_end(struct job_stream *stream)
{
    bool end;

    spin_lock(&family_lock);
    end = stream->lost == 0 && stream->count == 0 && stream->job->state == JOB_DEAD;
    spin_unlock(&family_lock);
    return end;
}

struct wait_queue *job_stream_wait(struct job_stream *stream)
{
    return &stream->wait;
}
