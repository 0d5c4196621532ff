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
#include "fs/socketpair_internal.h"
#include "fs/user_vector.h"
#include "lib/errno.h"
#include "mm/user_copy.h"
#include "proc/process.h"
#include "proc/signal.h"

static SLAB_CACHE(socket_pair_cache, struct socket_pair);
static const struct file_operations socket_operations;

bool file_is_socket(const struct file *file)
{
    return file->operations == &socket_operations;
}

static void announce_both(struct socket_end *end, uint64_t events)
{
    wait_queue_wake_all(&end->read_wait, events);
    wait_queue_wake_all(&end->write_wait, events);
}

/* --- the file --- */

static int64_t socket_read_vector(struct file *file, struct user_vector *target, uint64_t *position)
{
    unsigned result_flags;

    return socket_receive(file, target, 0, &result_flags, NULL);
}

static int64_t socket_read(struct file *file, uintptr_t buffer, size_t size, uint64_t *position)
{
    struct user_vector target = user_vector_single(buffer, size);

    return socket_read_vector(file, &target, position);
}

static int64_t socket_write_vector(struct file *file, struct user_vector *source,
                                   uint64_t *position)
{
    return socket_send(file, source, 0, NULL);
}

static int64_t socket_write(struct file *file, uintptr_t buffer, size_t size, uint64_t *position)
{
    struct user_vector source = user_vector_single(buffer, size);

    return socket_send(file, &source, 0, NULL);
}

/* The directions that are shut as this end sees them. */
static unsigned shut_of(const struct file *file)
{
    const struct socket_end *end = socket_own_end(file), *peer = socket_other_end(file);
    unsigned shut = atomic_load(&end->shut), peer_shut = atomic_load(&peer->shut);

    if (!socket_is_connected(socket_pair_of(file)))
        return shut;
    if (atomic_load(&peer->closed))
        return SHUT_BOTH;
    return shut | (peer_shut & SHUT_SEND ? SHUT_RECEIVE : 0) |
           (peer_shut & SHUT_RECEIVE ? SHUT_SEND : 0);
}

static uint32_t socket_poll(struct file *file, struct poll_table *table)
{
    struct socket_end *end = socket_own_end(file);
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
    if (atomic_load(&socket_other_end(file)->queued) * 4 <= QUEUE_MAX)
        events |= POLLOUT | POLLWRNORM | POLLWRBAND;
    return events;
}

/* What a read would give: all bytes of a stream, else those of the first message. */
static int count_readable(const struct file *file)
{
    struct socket_end *end = socket_own_end(file);
    struct message *message;
    int count = 0;

    list_for_each (message, &end->messages, link) {
        count += message->length - message->offset;
        if (socket_pair_of(file)->type != SOCK_STREAM)
            break;
    }
    return count;
}

static int64_t socket_ioctl(struct file *file, unsigned command, uintptr_t argument)
{
    struct socket_pair *pair = socket_pair_of(file);
    int count;

    if (command != FIONREAD && command != TIOCOUTQ)
        return -ENOTTY;
    mutex_lock(&pair->lock);
    if (command == FIONREAD)
        count = count_readable(file);
    else
        count = atomic_load(&socket_other_end(file)->queued);
    mutex_unlock(&pair->lock);
    return copy_to_user(argument, &count, sizeof(count));
}

static int socket_get_status(struct file *file, struct stat *status)
{
    struct socket_pair *pair = socket_pair_of(file);

    *status = (struct stat){
        .st_dev = DEVICE_ANONYMOUS,
        .st_ino = pair->number + (socket_own_end(file) == &pair->ends[1]),
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
    struct socket_pair *pair = socket_pair_of(file);

    if (how < 0 || how > 2)
        return -EINVAL;
    mutex_lock(&pair->lock);
    atomic_fetch_or(&socket_own_end(file)->shut, how + 1);
    mutex_unlock(&pair->lock);
    announce_both(socket_own_end(file), 0);
    announce_both(socket_other_end(file), 0);
    return 0;
}

void socket_files_destroy(struct socket_files *files)
{
    for (unsigned i = 0; files && i < files->count; i++)
        file_put(files->files[i]);
    kfree(files);
}

/* Without the pair's lock: closing what a message carries may sleep. */
static void free_messages(struct list *messages)
{
    struct list *link;

    while ((link = list_pop_front(messages))) {
        struct message *message = list_entry(link, struct message, link);

        socket_files_destroy(message->files);
        kfree(message);
    }
}

/* Bytes that were sent here and never read tell the other end that the connection broke. */
static void socket_release(struct file *file)
{
    struct socket_pair *pair = socket_pair_of(file);
    struct socket_end *end = socket_own_end(file), *peer = socket_other_end(file);
    struct list unread = LIST_INITIALIZER(unread);

    mutex_lock(&pair->lock);
    atomic_store(&end->closed, true);
    if (socket_is_connected(pair) && !list_is_empty(&end->messages))
        atomic_store(&peer->error, ECONNRESET);
    list_splice_back(&unread, &end->messages);
    atomic_store(&end->queued, 0);
    mutex_unlock(&pair->lock);
    free_messages(&unread);
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
    return socket_pair_of(file)->type;
}

int socket_take_error(struct file *file)
{
    return atomic_exchange(&socket_own_end(file)->error, 0);
}

void socket_get_credentials(struct file *file, struct socket_credentials *credentials)
{
    *credentials = socket_pair_of(file)->creator;
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
