/*
 * Connected pairs of local sockets: see socketpair.h.
 *
 * A pair has one mutex (rank PIPE) for both directions. Each end owns the queue of messages sent to
 * it. In a stream the bounds of messages mean nothing: a send appends one or more, a receive takes
 * bytes from the front. What sleepers and poll look at without the mutex is atomic.
 */
#include "fs/socketpair.h"

#include <asm/ioctls.h>
#include <asm/signal.h>
#include <asm/stat.h>
#include <linux/fcntl.h>
#include <linux/stat.h>

#include "fs/inode.h"
#include "fs/poll.h"
#include "fs/user_vector.h"
#include "lib/errno.h"
#include "lib/list.h"
#include "mm/user_copy.h"
#include "proc/process.h"
#include "proc/signal.h"

/* Bytes under way to one end; a message counts with its header. As Linux's wmem_default. */
#define QUEUE_MAX        212992
#define STREAM_PIECE_MAX 16384

enum { SHUT_RECEIVE = 1, SHUT_SEND = 2, SHUT_BOTH = 3 };

struct message {
    struct list link;
    size_t offset; /* of the first byte not yet received */
    size_t length; /* of all bytes */
    uint8_t data[];
};

struct socket_end {
    struct socket_pair *pair;     /* (const) */
    struct list messages;         /* (pair's lock) struct message, oldest first */
    _Atomic size_t queued;        /* (lock to write) bytes of messages, headers included */
    _Atomic unsigned shut;        /* (lock to write) SHUT_* */
    _Atomic bool closed;          /* (lock to write) */
    _Atomic int error;            /* to be told once */
    struct wait_queue read_wait;  /* who receives here */
    struct wait_queue write_wait; /* who sends from here */
};

struct socket_pair {
    struct mutex lock;
    struct refcount refs; /* open ends */
    int type;             /* (const) SOCK_* */
    uint64_t number;      /* (const) inode number of the first end; the other's is the next */
    struct socket_credentials creator; /* (const) */
    struct socket_end ends[2];
};

static SLAB_CACHE(socket_pair_cache, struct socket_pair);
static const struct file_operations socket_operations;

bool file_is_socket(const struct file *file)
{
    return file->operations == &socket_operations;
}

static struct socket_end *own_end(const struct file *file)
{
    return file->private;
}

static struct socket_pair *pair_of(const struct file *file)
{
    return own_end(file)->pair;
}

static struct socket_end *other_end(const struct file *file)
{
    struct socket_pair *pair = pair_of(file);

    return &pair->ends[own_end(file) == &pair->ends[0]];
}

static bool is_connected_type(const struct socket_pair *pair)
{
    return pair->type != SOCK_DGRAM;
}

static size_t message_cost(size_t length)
{
    return sizeof(struct message) + length;
}

static void announce_both(struct socket_end *end, uint64_t events)
{
    wait_queue_wake_all(&end->read_wait, events);
    wait_queue_wake_all(&end->write_wait, events);
}

/* --- send --- */

/* One send under way. */
struct sending {
    struct socket_pair *pair;
    struct socket_end *from, *to;
    size_t size; /* of the message to be queued */
};

static int send_error(const struct sending *sending)
{
    if (atomic_load(&sending->to->closed) && !is_connected_type(sending->pair))
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

static int queue_message(const struct sending *sending, struct user_vector *source)
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

int64_t socket_send(struct file *file, struct user_vector *source, unsigned flags)
{
    struct socket_pair *pair = pair_of(file);
    struct sending sending = {.pair = pair, .from = own_end(file), .to = other_end(file)};
    size_t offered = source->total;
    bool no_wait = (flags & SOCKET_NO_WAIT) || (file->flags & O_NONBLOCK);

    if (pair->type != SOCK_STREAM && offered > QUEUE_MAX - sizeof(struct message))
        return -EMSGSIZE;
    if (pair->type == SOCK_STREAM && offered == 0)
        return 0;
    mutex_lock(&pair->lock);
    int error = send_locked(&sending, source, no_wait);

    mutex_unlock(&pair->lock);
    size_t sent = offered - source->total;

    if (error == -EPIPE && sent == 0 && pair->type == SOCK_STREAM && !(flags & SOCKET_NO_SIGNAL))
        signal_raise(SIGPIPE);
    return sent > 0 || !error ? (int64_t)sent : error;
}

/* --- receive --- */

struct receiving {
    struct socket_pair *pair;
    struct socket_end *end, *from;
};

static bool is_at_end(const struct receiving *receiving)
{
    return (atomic_load(&receiving->end->shut) & SHUT_RECEIVE) ||
           (is_connected_type(receiving->pair) &&
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

static void remove_message(const struct receiving *receiving, struct message *message)
    REQUIRES(receiving->pair->lock)
{
    list_remove(&message->link);
    atomic_fetch_sub(&receiving->end->queued, message_cost(message->length));
    kfree(message);
    wait_queue_wake_all(&receiving->from->write_wait, POLLOUT | POLLWRNORM | POLLWRBAND);
}

/* One message, whatever the size of the buffers. */
static int64_t take_message(const struct receiving *receiving, struct user_vector *target,
                            unsigned flags, unsigned *result_flags) REQUIRES(receiving->pair->lock)
{
    struct message *message = list_first(&receiving->end->messages, struct message, link);
    size_t length = message->length;
    size_t size = length < target->total ? length : target->total;

    if (user_vector_write(target, message->data, size) < size)
        return -EFAULT;
    if (size < length)
        *result_flags |= SOCKET_TRUNCATE;
    if (!(flags & SOCKET_PEEK))
        remove_message(receiving, message);
    return flags & SOCKET_TRUNCATE ? length : size;
}

/* As many bytes as are there and fit. */
static int take_bytes(const struct receiving *receiving, struct user_vector *target, bool peek)
    REQUIRES(receiving->pair->lock)
{
    struct message *message, *next;

    list_for_each_safe (message, next, &receiving->end->messages, link) {
        size_t left = message->length - message->offset;
        size_t size = left < target->total ? left : target->total;
        size_t copied = user_vector_write(target, message->data + message->offset, size);

        if (!peek)
            message->offset += copied;
        if (copied < size)
            return -EFAULT;
        if (!peek && message->offset == message->length)
            remove_message(receiving, message);
        if (target->total == 0)
            break;
    }
    return 0;
}

static int64_t receive_stream(const struct receiving *receiving, struct user_vector *target,
                              unsigned flags, bool no_wait) REQUIRES(receiving->pair->lock)
{
    size_t wanted = target->total;
    int error;

    do {
        error = wait_for_message(receiving, no_wait);
        if (!error)
            error = take_bytes(receiving, target, flags & SOCKET_PEEK);
    } while (!error && target->total > 0 && (flags & SOCKET_WAIT_ALL) && !(flags & SOCKET_PEEK));
    if (target->total < wanted)
        return wanted - target->total;
    return error > 0 ? 0 : error;
}

static int64_t receive_message(const struct receiving *receiving, struct user_vector *target,
                               unsigned flags, bool no_wait, unsigned *result_flags)
    REQUIRES(receiving->pair->lock)
{
    int error = wait_for_message(receiving, no_wait);

    if (error)
        return error > 0 ? 0 : error;
    return take_message(receiving, target, flags, result_flags);
}

int64_t socket_receive(struct file *file, struct user_vector *target, unsigned flags,
                       unsigned *result_flags)
{
    struct socket_pair *pair = pair_of(file);
    struct receiving receiving = {.pair = pair, .end = own_end(file), .from = other_end(file)};
    bool no_wait = (flags & SOCKET_NO_WAIT) || (file->flags & O_NONBLOCK);
    int64_t result;

    *result_flags = 0;
    if (pair->type == SOCK_STREAM && target->total == 0)
        return 0;
    mutex_lock(&pair->lock);
    if (pair->type == SOCK_STREAM)
        result = receive_stream(&receiving, target, flags, no_wait);
    else
        result = receive_message(&receiving, target, flags, no_wait, result_flags);
    mutex_unlock(&pair->lock);
    return result;
}

/* --- the rest of the file --- */

static int64_t socket_read_vector(struct file *file, struct user_vector *target, uint64_t *position)
{
    unsigned result_flags;

    return socket_receive(file, target, 0, &result_flags);
}

static int64_t socket_read(struct file *file, uintptr_t buffer, size_t size, uint64_t *position)
{
    struct user_vector target = user_vector_single(buffer, size);

    return socket_read_vector(file, &target, position);
}

static int64_t socket_write_vector(struct file *file, struct user_vector *source,
                                   uint64_t *position)
{
    return socket_send(file, source, 0);
}

static int64_t socket_write(struct file *file, uintptr_t buffer, size_t size, uint64_t *position)
{
    struct user_vector source = user_vector_single(buffer, size);

    return socket_send(file, &source, 0);
}

/* The directions that are shut as this end sees them. */
static unsigned shut_of(const struct file *file)
{
    const struct socket_end *end = own_end(file), *peer = other_end(file);
    unsigned shut = atomic_load(&end->shut), peer_shut = atomic_load(&peer->shut);

    if (!is_connected_type(pair_of(file)))
        return shut;
    if (atomic_load(&peer->closed))
        return SHUT_BOTH;
    return shut | (peer_shut & SHUT_SEND ? SHUT_RECEIVE : 0) |
           (peer_shut & SHUT_RECEIVE ? SHUT_SEND : 0);
}

static uint32_t socket_poll(struct file *file, struct poll_table *table)
{
    struct socket_end *end = own_end(file);
    unsigned shut;
    uint32_t events = 0;

    poll_wait(table, &end->read_wait);
    poll_wait(table, &end->write_wait);
    shut = shut_of(file);
    if (atomic_load(&end->error))
        events |= POLLERR;
    if (shut == SHUT_BOTH)
        events |= POLLHUP;
    if (shut & SHUT_RECEIVE)
        events |= POLLRDHUP | POLLIN | POLLRDNORM;
    if (atomic_load(&end->queued) > 0)
        events |= POLLIN | POLLRDNORM;
    if (atomic_load(&other_end(file)->queued) * 4 <= QUEUE_MAX)
        events |= POLLOUT | POLLWRNORM | POLLWRBAND;
    return events;
}

/* What a read would give: all bytes of a stream, else those of the first message. */
static int count_readable(const struct file *file)
{
    struct socket_end *end = own_end(file);
    struct message *message;
    int count = 0;

    list_for_each (message, &end->messages, link) {
        count += message->length - message->offset;
        if (pair_of(file)->type != SOCK_STREAM)
            break;
    }
    return count;
}

static int64_t socket_ioctl(struct file *file, unsigned command, uintptr_t argument)
{
    struct socket_pair *pair = pair_of(file);
    int count;

    if (command != FIONREAD && command != TIOCOUTQ)
        return -ENOTTY;
    mutex_lock(&pair->lock);
    if (command == FIONREAD)
        count = count_readable(file);
    else
        count = atomic_load(&other_end(file)->queued);
    mutex_unlock(&pair->lock);
    return copy_to_user(argument, &count, sizeof(count));
}

static int socket_get_status(struct file *file, struct stat *status)
{
    struct socket_pair *pair = pair_of(file);

    *status = (struct stat){
        .st_dev = DEVICE_ANONYMOUS,
        .st_ino = pair->number + (own_end(file) == &pair->ends[1]),
        .st_mode = S_IFSOCK | 0777,
        .st_nlink = 1,
        .st_uid = pair->creator.user,
        .st_gid = pair->creator.group,
        .st_blksize = PAGE_SIZE,
    };
    return 0;
}

int socket_shutdown(struct file *file, int how)
{
    struct socket_pair *pair = pair_of(file);

    if (how < 0 || how > 2)
        return -EINVAL;
    mutex_lock(&pair->lock);
    atomic_fetch_or(&own_end(file)->shut, how + 1);
    mutex_unlock(&pair->lock);
    announce_both(own_end(file), 0);
    announce_both(other_end(file), 0);
    return 0;
}

static void drop_messages(struct socket_end *end)
{
    struct list *link;

    while ((link = list_pop_front(&end->messages)))
        kfree(list_entry(link, struct message, link));
    atomic_store(&end->queued, 0);
}

/* Bytes that were sent here and never read tell the other end that the connection broke. */
static void socket_release(struct file *file)
{
    struct socket_pair *pair = pair_of(file);
    struct socket_end *end = own_end(file), *peer = other_end(file);

    mutex_lock(&pair->lock);
    atomic_store(&end->closed, true);
    if (is_connected_type(pair) && !list_is_empty(&end->messages))
        atomic_store(&peer->error, ECONNRESET);
    drop_messages(end);
    mutex_unlock(&pair->lock);
    announce_both(peer, 0);
    if (refcount_put(&pair->refs))
        slab_free(&socket_pair_cache, pair);
}

static const struct file_operations socket_operations = {
    .name = "socket",
    .read = socket_read,
    .write = socket_write,
    .read_vector = socket_read_vector,
    .write_vector = socket_write_vector,
    .poll = socket_poll,
    .ioctl = socket_ioctl,
    .get_status = socket_get_status,
    .release = socket_release,
};

/* --- creation and options --- */

int socket_type(const struct file *file)
{
    return pair_of(file)->type;
}

int socket_take_error(struct file *file)
{
    return atomic_exchange(&own_end(file)->error, 0);
}

void socket_get_credentials(struct file *file, struct socket_credentials *credentials)
{
    *credentials = pair_of(file)->creator;
}

static void end_init(struct socket_end *end, struct socket_pair *pair)
{
    end->pair = pair;
    list_init(&end->messages);
    wait_queue_init(&end->read_wait);
    wait_queue_init(&end->write_wait);
}

static struct socket_pair *pair_create(int type)
{
    const struct credentials *credentials = current_credentials();
    struct socket_pair *pair = slab_alloc(&socket_pair_cache);

    if (!pair)
        return NULL;
    mutex_init(&pair->lock, LOCK_RANK_PIPE);
    refcount_init(&pair->refs);
    pair->type = type;
    pair->number = inode_next_number();
    inode_next_number();
    pair->creator =
        (struct socket_credentials){process_number(current_process()), credentials->user.effective,
                                    credentials->group.effective};
    end_init(&pair->ends[0], pair);
    end_init(&pair->ends[1], pair);
    return pair;
}

int socketpair_create(int type, uint32_t flags, struct file *ends[2])
{
    struct socket_pair *pair = pair_create(type);

    if (!pair)
        return -ENOMEM;
    ends[0] = file_create(&socket_operations, &pair->ends[0], O_RDWR | flags);
    if (!ends[0]) {
        slab_free(&socket_pair_cache, pair);
        return -ENOMEM;
    }
    ends[1] = file_create(&socket_operations, &pair->ends[1], O_RDWR | flags);
    if (!ends[1]) {
        file_put(ends[0]);
        return -ENOMEM;
    }
    refcount_get(&pair->refs);
    return 0;
}
