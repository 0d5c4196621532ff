/* Connected pairs of local sockets: streams, datagrams, packets; shutting down; errors. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "tap.h"

#define ALL_EVENTS (POLLIN | POLLOUT | POLLPRI | POLLRDHUP)

static volatile sig_atomic_t caught;
static char buffer[300000];

static void note(int signal)
{
    caught = signal;
}

static int events(int file)
{
    struct pollfd list = {.fd = file, .events = ALL_EVENTS};

    return poll(&list, 1, 0) < 0 ? -1 : list.revents;
}

static void open_pair(int ends[2], int type)
{
    if (socketpair(AF_UNIX, type, 0, ends) != 0)
        tap_bail_out("socketpair");
}

static void close_pair(const int ends[2])
{
    close(ends[0]);
    close(ends[1]);
}

static void test_errors(void)
{
    int ends[2], file = open("/dev/null", O_RDWR);
    struct stat status;
    int value = -1;
    socklen_t size = sizeof(value);

    is_error(socketpair(AF_UNIX, 99, 0, ends), EINVAL, "an unknown type's bits");
    is_error(socketpair(AF_UNIX, 0, 0, ends), ESOCKTNOSUPPORT, "an unknown type");
    is_error(socketpair(AF_UNIX, SOCK_STREAM, 0, (int *)8), EFAULT, "a bad address");
    is_error(send(file, "x", 1, 0), ENOTSOCK, "send to a device");
    is_error(recv(999, buffer, 1, 0), EBADF, "recv from nothing");
    is_error(shutdown(file, SHUT_RD), ENOTSOCK, "shutdown of a device");
    open_pair(ends, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK);
    is_int(fcntl(ends[0], F_GETFL), O_RDWR | O_NONBLOCK, "flags");
    is_int(fcntl(ends[0], F_GETFD), FD_CLOEXEC, "SOCK_CLOEXEC");
    fstat(ends[0], &status);
    is_int(status.st_mode, S_IFSOCK | 0777, "a socket");
    is_error(lseek(ends[0], 0, SEEK_SET), ESPIPE, "lseek");
    is_error(shutdown(ends[0], 3), EINVAL, "shutdown of an unknown direction");
    is_int(getsockopt(ends[0], SOL_SOCKET, SO_TYPE, &value, &size), 0, "SO_TYPE");
    is_int(value, SOCK_STREAM, "a stream");
    is_error(recv(ends[0], buffer, 1, 0), EAGAIN, "nothing there");
    is_int(events(ends[0]), POLLOUT, "writable");
    close_pair(ends);
    close(file);
}

static void test_stream(void)
{
    int ends[2], count;

    open_pair(ends, SOCK_STREAM);
    is_int(write(ends[0], "hello", 5), 5, "write");
    is_int(send(ends[0], " you", 4, 0), 4, "send");
    is_int(ioctl(ends[1], FIONREAD, &count), 0, "FIONREAD");
    is_int(count, 9, "counts all");
    is_int(recv(ends[1], buffer, 3, MSG_PEEK), 3, "peek");
    is_int(read(ends[1], buffer, 100), 9, "bytes join");
    ok(memcmp(buffer, "hello you", 9) == 0, "in order");
    is_int(write(ends[1], "back", 4), 4, "the other way");
    is_int(events(ends[0]), POLLIN | POLLOUT, "readable");
    is_int(read(ends[0], buffer, 2), 2, "a part");
    is_int(read(ends[0], buffer, 100), 2, "the rest");
    is_error(recv(ends[0], buffer, 1, MSG_DONTWAIT), EAGAIN, "MSG_DONTWAIT");
    is_int(write(ends[0], "", 0), 0, "nothing");
    is_error(recv(ends[1], buffer, 1, MSG_DONTWAIT), EAGAIN, "is nothing");
    is_int(shutdown(ends[0], SHUT_WR), 0, "no more from here");
    is_int(events(ends[1]), POLLIN | POLLOUT | POLLRDHUP, "the other end learns of it");
    is_int(read(ends[1], buffer, 1), 0, "end of file");
    is_int(write(ends[1], "still", 5), 5, "while the other way works");
    is_int(read(ends[0], buffer, 100), 5, "it does");
    signal(SIGPIPE, note);
    caught = 0;
    is_error(write(ends[0], "x", 1), EPIPE, "a write after shutdown");
    is_int(caught, SIGPIPE, "raises SIGPIPE");
    caught = 0;
    is_error(send(ends[0], "x", 1, MSG_NOSIGNAL), EPIPE, "MSG_NOSIGNAL");
    is_int(caught, 0, "does not");
    close(ends[1]);
    is_int(events(ends[0]), POLLIN | POLLOUT | POLLRDHUP | POLLHUP, "the other end is gone");
    is_int(read(ends[0], buffer, 1), 0, "end of file");
    close(ends[0]);
    open_pair(ends, SOCK_STREAM);
    write(ends[1], "unread", 6);
    close(ends[0]);
    is_error(read(ends[1], buffer, 1), ECONNRESET, "unread bytes: reset");
    is_int(read(ends[1], buffer, 1), 0, "told once");
    close(ends[1]);
}

static void test_large_stream(void)
{
    int ends[2], status;
    long total = 0, count;

    open_pair(ends, SOCK_STREAM);
    pid_t child = fork();

    if (child == 0) {
        close(ends[0]);
        _exit(write(ends[1], buffer, sizeof(buffer)) == (long)sizeof(buffer) ? 0 : 1);
    }
    close(ends[1]);
    is_int(recv(ends[0], buffer, 100000, MSG_WAITALL), 100000, "MSG_WAITALL");
    while ((count = read(ends[0], buffer, 7000)) > 0)
        total += count;
    is_int(total, (long)sizeof(buffer) - 100000, "the rest");
    waitpid(child, &status, 0);
    is_int(status, 0, "all was sent");
    close(ends[0]);
}

static void test_messages(int type, const char *name)
{
    int ends[2];

    open_pair(ends, type);
    is_int(send(ends[0], "one", 3, 0), 3, "%s: send", name);
    is_int(send(ends[0], "three", 5, 0), 5, "%s: send", name);
    is_int(send(ends[0], "", 0, 0), 0, "%s: an empty message", name);
    is_int(send(ends[0], "last", 4, 0), 4, "%s: send", name);
    is_int(recv(ends[1], buffer, 100, 0), 3, "%s: a message", name);
    is_int(recv(ends[1], buffer, 2, MSG_TRUNC), 5, "%s: MSG_TRUNC tells its length", name);
    is_int(recv(ends[1], buffer, 100, 0), 0, "%s: the empty one", name);
    is_int(recv(ends[1], buffer, 2, 0), 2, "%s: a part", name);
    is_error(recv(ends[1], buffer, 100, MSG_DONTWAIT), EAGAIN, "%s: the rest is gone", name);
    struct iovec parts[2] = {{buffer, 2}, {buffer + 10, 2}};
    struct msghdr header = {.msg_iov = parts, .msg_iovlen = 2};

    send(ends[0], "abcdef", 6, 0);
    is_int(recvmsg(ends[1], &header, 0), 4, "%s: recvmsg", name);
    is_int(header.msg_flags & MSG_TRUNC, MSG_TRUNC, "%s: tells that it was cut", name);
    is_int(sendmsg(ends[1], &header, 0), 4, "%s: sendmsg", name);
    is_int(recv(ends[0], buffer, 100, 0), 4, "%s: is one message", name);
    is_error(send(ends[0], buffer, sizeof(buffer), 0), EMSGSIZE, "%s: too long", name);
    is_int(events(ends[0]), POLLOUT, "%s: writable", name);
    close(ends[1]);
    tap_line("# %s: peer closed: events %#x\n", name, events(ends[0]));
    signal(SIGPIPE, note);
    caught = 0;
    errno = 0;
    tap_line("# %s: peer closed: send %zd %d\n", name, send(ends[0], "x", 1, 0), errno);
    tap_line("# %s: signal %d\n", name, (int)caught);
    if (type == SOCK_SEQPACKET)
        is_int(recv(ends[0], buffer, 1, 0), 0, "%s: end of file", name);
    close(ends[0]);
}

/* Sends a byte, or a message, with these descriptors. */
static long send_files(int to, const int *files, int count)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(300 * sizeof(int))];
    } control = {0};
    struct iovec part = {"f", 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control};

    message.msg_controllen = CMSG_SPACE((size_t)count * sizeof(int));
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN((size_t)count * sizeof(int));
    memcpy(CMSG_DATA(&control.header), files, (size_t)count * sizeof(int));
    return syscall(SYS_sendmsg, to, &message, 0);
}

/* Receives up to `size` bytes; returns how many descriptors came. */
static int receive_files(int from, size_t size, int *files, int room, int *flags)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(8 * sizeof(int))];
    } control = {0};
    struct iovec part = {buffer, size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control};

    message.msg_controllen = room ? CMSG_LEN((size_t)room * sizeof(int)) : 0;
    if (recvmsg(from, &message, MSG_CMSG_CLOEXEC) < 0)
        return -errno;
    *flags = message.msg_flags & ~MSG_CMSG_CLOEXEC;
    if (message.msg_controllen == 0)
        return 0;
    int count = (int)((control.header.cmsg_len - CMSG_LEN(0)) / sizeof(int));

    memcpy(files, CMSG_DATA(&control.header), (size_t)count * sizeof(int));
    return count;
}

static void test_descriptors(int type, const char *name)
{
    int ends[2], channel[2], taken[8], many[300], flags = 0;
    char byte = 0;

    open_pair(ends, type);
    pipe(channel);
    int before = dup(0);

    close(before);
    is_int(send_files(ends[0], channel, 2), 1, "%s: two descriptors are sent", name);
    is_int(receive_files(ends[1], 10, taken, 4, &flags), 2, "%s: and received", name);
    is_int(taken[0], before, "%s: as the lowest numbers", name);
    is_int(fcntl(taken[0], F_GETFD), FD_CLOEXEC, "%s: MSG_CMSG_CLOEXEC", name);
    is_int(flags, 0, "%s: without flags", name);
    write(taken[1], "p", 1);
    is_int(read(channel[0], &byte, 1), 1, "%s: they are the same pipe", name);
    close(taken[0]);
    close(taken[1]);
    send_files(ends[0], channel, 2);
    is_int(receive_files(ends[1], 10, taken, 1, &flags), 1, "%s: room for one", name);
    is_int(flags, MSG_CTRUNC, "%s: is told", name);
    close(taken[0]);
    send_files(ends[0], channel, 1);
    is_int(receive_files(ends[1], 10, taken, 0, &flags), 0, "%s: room for none", name);
    is_int(flags, MSG_CTRUNC, "%s: is told", name);
    send_files(ends[0], channel, 2);
    is_int(read(ends[1], &byte, 1), 1, "%s: a plain read drops them", name);
    byte = (char)dup(0);
    is_int(byte, before, "%s: none is left", name);
    close(byte);
    many[0] = 999;
    is_error(send_files(ends[0], many, 1), EBADF, "%s: what is not open", name);
    for (int i = 0; i < 254; i++)
        many[i] = 0;
    is_error(send_files(ends[0], many, 254), EINVAL, "%s: too many", name);
    send_files(ends[0], channel + 1, 1);
    close(channel[1]);
    struct pollfd list = {.fd = channel[0], .events = POLLIN};

    is_int(poll(&list, 1, 0), 0, "%s: what is under way is open", name);
    close_pair(ends);
    is_int(poll(&list, 1, 1000), 1, "%s: until the way is closed", name);
    close(channel[0]);
}

static void test_descriptors_in_a_stream(void)
{
    int ends[2], taken[8], zero = 0, flags;

    open_pair(ends, SOCK_STREAM);
    write(ends[0], "ab", 2);
    send_files(ends[0], &zero, 1);
    write(ends[0], "cd", 2);
    is_int(receive_files(ends[1], 100, taken, 4, &flags), 1, "descriptors come with their byte");
    close(taken[0]);
    is_int(read(ends[1], buffer, 100), 2, "which is the last of its read");
    close_pair(ends);
}

int main(void)
{
    test_errors();
    test_stream();
    test_large_stream();
    test_messages(SOCK_DGRAM, "datagrams");
    test_messages(SOCK_SEQPACKET, "packets");
    test_descriptors(SOCK_STREAM, "stream");
    test_descriptors(SOCK_DGRAM, "datagrams");
    test_descriptors_in_a_stream();
    return tap_done();
}
