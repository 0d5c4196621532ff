/* What a pair of sockets is made of: for socketpair.c and socketpair_transfer.c. */
#pragma once

#include "fs/socketpair.h"
#include "lib/list.h"

/* Bytes under way to one end; a message counts with its header. As Linux's wmem_default. */
#define QUEUE_MAX        212992
#define STREAM_PIECE_MAX 16384

enum { SHUT_RECEIVE = 1, SHUT_SEND = 2, SHUT_BOTH = 3 };

struct message {
    struct list link;
    size_t offset;              /* of the first byte not yet received */
    size_t length;              /* of all bytes */
    struct socket_files *files; /* owned; NULL: none */
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

static inline struct socket_end *socket_own_end(const struct file *file)
{
    return file->private;
}

static inline struct socket_pair *socket_pair_of(const struct file *file)
{
    return socket_own_end(file)->pair;
}

static inline struct socket_end *socket_other_end(const struct file *file)
{
    struct socket_pair *pair = socket_pair_of(file);

    return &pair->ends[socket_own_end(file) == &pair->ends[0]];
}

static inline bool socket_is_connected(const struct socket_pair *pair)
{
    return pair->type != SOCK_DGRAM;
}
