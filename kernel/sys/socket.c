/*
 * The socket calls, as far as connected pairs go. A socket with an address cannot be made, so calls
 * that need one find a socket that is connected already, or none.
 */
#include <linux/fcntl.h>

#include "fs/socketpair.h"
#include "fs/user_vector.h"
#include "sys/descriptor_pair.h"
#include "sys/socket_lookup.h"
#include "sys/syscall.h"
#include "sys/transfer_count.h"

/* From <linux/socket.h>, for the kernel only. */
#define AF_UNIX       1
#define AF_MAX        46
#define SOCK_TYPES    0xf
#define SOCK_CLOEXEC  O_CLOEXEC
#define SOCK_NONBLOCK O_NONBLOCK
#define SOL_SOCKET    1

/* --- creation --- */

SYSCALL3(socket, int, family, int, type, int, protocol)
{
    return family < 0 || family >= AF_MAX                          ? -EAFNOSUPPORT
           : (type & ~(SOCK_TYPES | SOCK_CLOEXEC | SOCK_NONBLOCK)) ? -EINVAL
                                                                   : -EAFNOSUPPORT;
}

static int check_pair_arguments(int family, int type, int protocol)
{
    if (type & ~(SOCK_TYPES | SOCK_CLOEXEC | SOCK_NONBLOCK))
        return -EINVAL;
    if (family != AF_UNIX)
        return -EAFNOSUPPORT;
    if (protocol != 0 && protocol != AF_UNIX)
        return -EPROTONOSUPPORT;
    switch (type & SOCK_TYPES) {
    case SOCK_STREAM:
    case SOCK_DGRAM:
    case SOCK_SEQPACKET:
        return 0;
    default:
        return -ESOCKTNOSUPPORT;
    }
}

SYSCALL4(socketpair, int, family, int, type, int, protocol, uintptr_t, address)
{
    struct file *ends[2];
    int64_t error = check_pair_arguments(family, type, protocol);

    if (!error)
        error = socketpair_create(type & SOCK_TYPES, type & SOCK_NONBLOCK, ends);
    if (error)
        return error;
    error = install_descriptor_pair(ends, address, type & SOCK_CLOEXEC);
    if (error) {
        file_put(ends[0]);
        file_put(ends[1]);
    }
    return error;
}

int socket_from_descriptor(int descriptor, struct file **file)
{
    *file = file_from_descriptor(descriptor);
    if (!*file)
        return -EBADF;
    if (file_is_socket(*file))
        return 0;
    file_put(*file);
    return -ENOTSOCK;
}

int64_t socket_refuse(int descriptor, int error)
{
    struct file *file;
    int status = socket_from_descriptor(descriptor, &file);

    if (status)
        return status;
    file_put(file);
    return error;
}

SYSCALL3(bind, int, descriptor, uintptr_t, address, int, length)
{
    return socket_refuse(descriptor, -EINVAL);
}

SYSCALL3(connect, int, descriptor, uintptr_t, address, int, length)
{
    return socket_refuse(descriptor, -EISCONN);
}

SYSCALL2(listen, int, descriptor, int, backlog)
{
    return socket_refuse(descriptor, -EINVAL);
}

SYSCALL3(accept, int, descriptor, uintptr_t, address, uintptr_t, length)
{
    return socket_refuse(descriptor, -EINVAL);
}

SYSCALL4(accept4, int, descriptor, uintptr_t, address, uintptr_t, length, int, flags)
{
    return socket_refuse(descriptor, -EINVAL);
}

/* --- names: those of a pair are empty --- */

static int64_t put_name(uintptr_t address, uintptr_t length_address)
{
    uint16_t family = AF_UNIX;
    int32_t room, length = sizeof(family);

    if (!address)
        return 0;
    if (copy_from_user(&room, length_address, sizeof(room)) != 0)
        return -EFAULT;
    if (room < 0)
        return -EINVAL;
    if (copy_to_user(address, &family, room < length ? room : length) != 0)
        return -EFAULT;
    return copy_to_user(length_address, &length, sizeof(length));
}

static int64_t get_name(int descriptor, uintptr_t address, uintptr_t length_address)
{
    int64_t error = socket_refuse(descriptor, 0);

    return error ? error : put_name(address, length_address);
}

SYSCALL3(getsockname, int, descriptor, uintptr_t, address, uintptr_t, length)
{
    return get_name(descriptor, address, length);
}

SYSCALL3(getpeername, int, descriptor, uintptr_t, address, uintptr_t, length)
{
    return get_name(descriptor, address, length);
}

/* --- options --- */

enum {
    OPTION_TYPE = 3,
    OPTION_ERROR = 4,
    OPTION_SEND_BUFFER = 7,
    OPTION_RECEIVE_BUFFER = 8,
    OPTION_PEER_CREDENTIALS = 17,
    OPTION_ACCEPTS = 30,
    OPTION_PROTOCOL = 38,
    OPTION_DOMAIN = 39,
    BUFFER_SIZE = 212992,
};

/* Returns the size of the value, or an error. */
static int get_option(struct file *file, int option, int value[3])
{
    struct socket_credentials credentials;

    switch (option) {
    case OPTION_TYPE:
        value[0] = socket_type(file);
        break;
    case OPTION_ERROR:
        value[0] = socket_take_error(file);
        break;
    case OPTION_SEND_BUFFER:
    case OPTION_RECEIVE_BUFFER:
        value[0] = BUFFER_SIZE;
        break;
    case OPTION_DOMAIN:
        value[0] = AF_UNIX;
        break;
    case OPTION_ACCEPTS:
    case OPTION_PROTOCOL:
        value[0] = 0;
        break;
    case OPTION_PEER_CREDENTIALS:
        socket_get_credentials(file, &credentials);
        __builtin_memcpy(value, &credentials, sizeof(credentials));
        return sizeof(credentials);
    default:
        return -ENOPROTOOPT;
    }
    return sizeof(value[0]);
}

SYSCALL5(getsockopt, int, descriptor, int, level, int, option, uintptr_t, address, uintptr_t,
         length_address)
{
    struct file *file;
    int room, value[3];
    int error = socket_from_descriptor(descriptor, &file);

    if (error)
        return error;
    int size = level == SOL_SOCKET ? get_option(file, option, value) : -EOPNOTSUPP;

    file_put(file);
    if (size < 0)
        return size;
    if (copy_from_user(&room, length_address, sizeof(room)) != 0)
        return -EFAULT;
    if (room < 0)
        return -EINVAL;
    room = room < size ? room : size;
    if (copy_to_user(address, value, room) != 0 ||
        copy_to_user(length_address, &room, sizeof(room)) != 0)
        return -EFAULT;
    return 0;
}

SYSCALL5(setsockopt, int, descriptor, int, level, int, option, uintptr_t, address, int, length)
{
    return socket_refuse(descriptor, level == SOL_SOCKET ? -ENOPROTOOPT : -EOPNOTSUPP);
}

SYSCALL2(shutdown, int, descriptor, int, how)
{
    struct file *file;
    int error = socket_from_descriptor(descriptor, &file);

    if (error)
        return error;
    error = socket_shutdown(file, how);
    file_put(file);
    return error;
}

/* --- sending and receiving --- */

static int64_t send(int descriptor, struct user_vector *source, unsigned flags)
{
    struct file *file;
    int64_t result = socket_from_descriptor(descriptor, &file);

    if (result)
        return result;
    result = count_write(socket_send(file, source, flags, NULL));
    file_put(file);
    return result;
}

static int64_t receive(int descriptor, struct user_vector *target, unsigned flags,
                       unsigned *result_flags)
{
    struct file *file;
    int64_t result = socket_from_descriptor(descriptor, &file);

    if (result)
        return result;
    result = count_read(socket_receive(file, target, flags, result_flags, NULL));
    file_put(file);
    return result;
}

static int check_range(uintptr_t buffer, size_t *size)
{
    if (*size > FILE_TRANSFER_MAX)
        *size = FILE_TRANSFER_MAX;
    return user_range_ok(buffer, *size) ? 0 : -EFAULT;
}

SYSCALL6(sendto, int, descriptor, uintptr_t, buffer, size_t, size, unsigned, flags, uintptr_t,
         address, int, address_length)
{
    int error = check_range(buffer, &size);
    struct user_vector source = user_vector_single(buffer, size);

    if (error)
        return error;
    return address ? socket_refuse(descriptor, -EISCONN) : send(descriptor, &source, flags);
}

SYSCALL6(recvfrom, int, descriptor, uintptr_t, buffer, size_t, size, unsigned, flags, uintptr_t,
         address, uintptr_t, length_address)
{
    int error = check_range(buffer, &size);
    struct user_vector target = user_vector_single(buffer, size);
    unsigned result_flags;
    int none = 0;

    if (error)
        return error;
    int64_t result = receive(descriptor, &target, flags, &result_flags);

    if (result >= 0 && address && copy_to_user(length_address, &none, sizeof(none)) != 0)
        return -EFAULT;
    return result;
}
