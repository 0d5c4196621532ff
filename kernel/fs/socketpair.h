/*
 * Connected pairs of local sockets: socketpair(2), unix(7). There are no addresses and no other way
 * to make a socket.
 */
#pragma once

#include "fs/file.h"

/* <linux/net.h> and <linux/socket.h> have these for the kernel only. */
#define SOCK_STREAM    1
#define SOCK_DGRAM     2
#define SOCK_SEQPACKET 5

enum {
    SOCKET_PEEK = 0x02,        /* MSG_PEEK */
    SOCKET_TRUNCATE = 0x20,    /* MSG_TRUNC */
    SOCKET_NO_WAIT = 0x40,     /* MSG_DONTWAIT */
    SOCKET_END_RECORD = 0x80,  /* MSG_EOR */
    SOCKET_WAIT_ALL = 0x100,   /* MSG_WAITALL */
    SOCKET_NO_SIGNAL = 0x4000, /* MSG_NOSIGNAL */
};

struct user_vector;

/* Descriptors on their way in a message: references to what they named. */
#define SOCKET_FILES_MAX 253 /* Linux's SCM_MAX_FD */
struct socket_files {
    unsigned count;
    struct file *files[SOCKET_FILES_MAX];
};
/* Puts the references, and frees. NULL is nothing. May sleep. */
void socket_files_destroy(struct socket_files *files);

/* `type`: SOCK_*; `flags`: O_NONBLOCK. -ENOMEM. */
int socketpair_create(int type, uint32_t flags, struct file *ends[2]);
bool file_is_socket(const struct file *file);
/* SOCK_* of a socket. */
int socket_type(const struct file *file);
/* The error that is waiting to be told (a positive errno, or 0), which is told by this. */
int socket_take_error(struct file *file);
/* Who made the pair, as SO_PEERCRED tells: process, user, group. */
struct socket_credentials {
    int32_t process;
    uint32_t user, group;
};
void socket_get_credentials(struct file *file, struct socket_credentials *credentials);

/*
 * send(2) and recv(2) with SOCKET_* flags. Bytes, or -EPIPE (and SIGPIPE) -ECONNREFUSED -EMSGSIZE
 * -EAGAIN -ENOBUFS -ERESTARTSYS; -ECONNRESET. *result_flags gets SOCKET_TRUNCATE if a message was
 * longer than the buffers.
 *
 * `files` goes with the first byte, or the message: *files becomes NULL when it is under way. A
 * receiver with files NULL drops what comes. Sockets may not be sent, since two that hold each
 * other would never be closed: the caller checks.
 */
int64_t socket_send(struct file *file, struct user_vector *source, unsigned flags,
                    struct socket_files **files);
int64_t socket_receive(struct file *file, struct user_vector *target, unsigned flags,
                       unsigned *result_flags, struct socket_files **files);
/* shutdown(2): -EINVAL. */
int socket_shutdown(struct file *file, int how);
