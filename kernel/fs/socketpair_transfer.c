/*
 * Sending and receiving through a pair of sockets. Guarded by the pair's mutex; the numbers that
 * sleepers look at are atomic.
 */
#include <asm/signal.h>
#include <linux/fcntl.h>

#include "fs/poll.h"
#include "fs/socketpair_internal.h"
#include "fs/user_vector.h"
#include "lib/errno.h"
#include "proc/signal.h"

static size_t message_cost(size_t length)
{
    return sizeof(struct message) + length;
}

/* --- send --- */

/* One send under way. */
struct sending {
    struct socket_pair *pair;
    struct socket_end *from, *to;
    size_t size;                /* of the message to be queued */
    struct socket_files *files; /* to go with it, or NULL */
};

static int send_error(const struct sending *sending)
{
    if (atomic_load(&sending->to->closed) && !socket_is_connected(sending->pair))
        return -ECONNREFUSED;
    if (atomic_load(&sending->to->closed) || (atomic_load(&sending->from->shut) & SHUT_SEND) ||
        (atomic_load(&sending->to->shut) & SHUT_RECEIVE))
        return -EPIPE;
    return 0;
}

/* A queue that is empty takes any message; a stream goes on as soon as there is some room. */
static bool has_room(const struct sending *sending)
{
    size_t queued = atomic_load(&sending->to->queued);

    return queued == 0 || queued + message_cost(sending->size) <= QUEUE_MAX;
}

static bool can_send(void *argument)
{
    const struct sending *sending = argument;

    return send_error(sending) || has_room(sending);
}

static int wait_for_room(const struct sending *sending, bool no_wait) REQUIRES(sending->pair->lock)
{
    if (no_wait)
        return -EAGAIN;
    mutex_unlock(&sending->pair->lock);
    int error = wait_queue_sleep(&sending->from->write_wait, can_send, (void *)sending,
                                 SLEEP_INTERRUPTIBLE, DEADLINE_NEVER);

    mutex_lock(&sending->pair->lock);
    return error;
}

static int queue_message(struct sending *sending, struct user_vector *source)
    REQUIRES(sending->pair->lock)
{
    struct message *message = kmalloc(message_cost(sending->size));

    if (!message)
        return -ENOBUFS;
    size_t copied = user_vector_read(source, message->data, sending->size);

    if (copied < sending->size) {
        source->total += copied;
        kfree(message);
        return -EFAULT;
    }
    message->length = sending->size;
    message->files = sending->files;
    sending->files = NULL;
    list_push_back(&sending->to->messages, &message->link);
    atomic_fetch_add(&sending->to->queued, message_cost(sending->size));
    wait_queue_wake_all(&sending->to->read_wait, POLLIN | POLLRDNORM);
    return 0;
}

static int send_locked(struct sending *sending, struct user_vector *source, bool no_wait)
    REQUIRES(sending->pair->lock)
{
    bool is_stream = sending->pair->type == SOCK_STREAM;
    int error;

    do {
        sending->size = source->total;
        if (is_stream && sending->size > STREAM_PIECE_MAX)
            sending->size = STREAM_PIECE_MAX;
        while (!(error = send_error(sending)) && !has_room(sending)) {
            error = wait_for_room(sending, no_wait);
            if (error)
                return error;
        }
        if (!error)
            error = queue_message(sending, source);
    } while (!error && source->total > 0);
    return error;
}

int64_t socket_send(struct file *file, struct user_vector *source, unsigned flags,
                    struct socket_files **files)
{
    struct socket_pair *pair = socket_pair_of(file);
    struct sending sending = {.pair = pair,
                              .from = socket_own_end(file),
                              .to = socket_other_end(file),
                              .files = files ? *files : NULL};
    size_t offered = source->total;
    bool no_wait = (flags & SOCKET_NO_WAIT) || (file->flags & O_NONBLOCK);

    if (pair->type != SOCK_STREAM && offered > QUEUE_MAX - sizeof(struct message))
        return -EMSGSIZE;
    if (pair->type == SOCK_STREAM && offered == 0)
        return 0;
    mutex_lock(&sending.pair->lock);
    int error = send_locked(&sending, source, no_wait);

    mutex_unlock(&sending.pair->lock);
    if (files)
        *files = sending.files;
    size_t sent = offered - source->total;

    if (error == -EPIPE && sent == 0 && pair->type == SOCK_STREAM && !(flags & SOCKET_NO_SIGNAL))
        signal_raise(SIGPIPE);
    return sent > 0 || !error ? (int64_t)sent : error;
}

/* --- receive --- */

struct receiving {
    struct socket_pair *pair;
    struct socket_end *end, *from;
    struct socket_files *files; /* that came */
};

static bool is_at_end(const struct receiving *receiving)
{
    return (atomic_load(&receiving->end->shut) & SHUT_RECEIVE) ||
           (socket_is_connected(receiving->pair) &&
            (atomic_load(&receiving->from->closed) ||
             (atomic_load(&receiving->from->shut) & SHUT_SEND)));
}

static bool can_receive(void *argument)
{
    const struct receiving *receiving = argument;

    return atomic_load(&receiving->end->queued) > 0 || is_at_end(receiving) ||
           atomic_load(&receiving->end->error);
}

/* 0 with a message at the front, 1 at the end of the stream, or an error. */
static int wait_for_message(const struct receiving *receiving, bool no_wait)
    REQUIRES(receiving->pair->lock)
{
    while (list_is_empty(&receiving->end->messages)) {
        int error = -atomic_exchange(&receiving->end->error, 0);

        if (error)
            return error;
        if (is_at_end(receiving))
            return 1;
        if (no_wait)
            return -EAGAIN;
        mutex_unlock(&receiving->pair->lock);
        error = wait_queue_sleep(&receiving->end->read_wait, can_receive, (void *)receiving,
                                 SLEEP_INTERRUPTIBLE, DEADLINE_NEVER);
        mutex_lock(&receiving->pair->lock);
        if (error)
            return error;
    }
    return 0;
}

/* The message's files become the receiver's; a peek gets copies. 0 or -ENOMEM. */
static int take_files(struct receiving *receiving, struct message *message, bool peek)
    REQUIRES(receiving->pair->lock)
{
    struct socket_files *files = message->files;

    if (files && peek) {
        files = kmalloc(sizeof(*files));
        if (!files)
            return -ENOMEM;
        *files = *message->files;
        for (unsigned i = 0; i < files->count; i++)
            file_get(files->files[i]);
    } else {
        message->files = NULL;
    }
    receiving->files = files;
    return 0;
}

static void remove_message(const struct receiving *receiving, struct message *message)
    REQUIRES(receiving->pair->lock)
{
    list_remove(&message->link);
    atomic_fetch_sub(&receiving->end->queued, message_cost(message->length));
    kfree(message);
    wait_queue_wake_all(&receiving->from->write_wait, POLLOUT | POLLWRNORM | POLLWRBAND);
}

/* One message, whatever the size of the buffers. */
static int64_t take_message(struct receiving *receiving, struct user_vector *target, unsigned flags,
                            unsigned *result_flags) REQUIRES(receiving->pair->lock)
{
    struct message *message = list_first(&receiving->end->messages, struct message, link);
    size_t length = message->length;
    size_t size = length < target->total ? length : target->total;

    if (user_vector_write(target, message->data, size) < size)
        return -EFAULT;
    if (size < length)
        *result_flags |= SOCKET_TRUNCATE;
    int error = take_files(receiving, message, flags & SOCKET_PEEK);

    if (error)
        return error;
    if (!(flags & SOCKET_PEEK))
        remove_message(receiving, message);
    return flags & SOCKET_TRUNCATE ? length : size;
}

/* As many bytes as are there and fit, but none after those that files come with. */
static int take_bytes(struct receiving *receiving, struct user_vector *target, bool peek)
    REQUIRES(receiving->pair->lock)
{
    struct message *message, *next;

    list_for_each_safe (message, next, &receiving->end->messages, link) {
        bool has_files = message->files != NULL;

        int error = has_files ? take_files(receiving, message, peek) : 0;

        if (error)
            return error;
        size_t left = message->length - message->offset;
        size_t size = left < target->total ? left : target->total;
        size_t copied = user_vector_write(target, message->data + message->offset, size);

        if (!peek)
            message->offset += copied;
        if (copied < size)
            return -EFAULT;
        if (!peek && message->offset == message->length)
            remove_message(receiving, message);
        if (target->total == 0 || has_files)
            break;
    }
    return 0;
}

static int64_t receive_stream(struct receiving *receiving, struct user_vector *target,
                              unsigned flags, bool no_wait) REQUIRES(receiving->pair->lock)
{
    size_t wanted = target->total;
    int error;

    do {
        error = wait_for_message(receiving, no_wait);
        if (!error)
            error = take_bytes(receiving, target, flags & SOCKET_PEEK);
    } while (!error && target->total > 0 && !receiving->files && (flags & SOCKET_WAIT_ALL) &&
             !(flags & SOCKET_PEEK));
    if (target->total < wanted)
        return wanted - target->total;
    return error > 0 ? 0 : error;
}

static int64_t receive_message(struct receiving *receiving, struct user_vector *target,
                               unsigned flags, bool no_wait, unsigned *result_flags)
    REQUIRES(receiving->pair->lock)
{
    int error = wait_for_message(receiving, no_wait);

    if (error)
        return error > 0 ? 0 : error;
    return take_message(receiving, target, flags, result_flags);
}

int64_t socket_receive(struct file *file, struct user_vector *target, unsigned flags,
                       unsigned *result_flags, struct socket_files **files)
{
    struct socket_pair *pair = socket_pair_of(file);
    struct receiving receiving = {
        .pair = pair, .end = socket_own_end(file), .from = socket_other_end(file)};
    bool no_wait = (flags & SOCKET_NO_WAIT) || (file->flags & O_NONBLOCK);
    int64_t result;

    if (files)
        *files = NULL;
    *result_flags = 0;
    if (pair->type == SOCK_STREAM && target->total == 0)
        return 0;
    mutex_lock(&receiving.pair->lock);
    if (pair->type == SOCK_STREAM)
        result = receive_stream(&receiving, target, flags, no_wait);
    else
        result = receive_message(&receiving, target, flags, no_wait, result_flags);
    mutex_unlock(&receiving.pair->lock);
    if (files)
        *files = receiving.files;
    else
        socket_files_destroy(receiving.files);
    return result;
}
