/*
 * sendmsg(2) and recvmsg(2): many buffers, and descriptors that travel with them (SCM_RIGHTS).
 * Other control messages are not known.
 */
#include <linux/fcntl.h>
#include <linux/uio.h>

#include "fs/socketpair.h"
#include "fs/user_vector.h"
#include "sys/socket_lookup.h"
#include "sys/syscall.h"
#include "sys/transfer_count.h"

/* From <linux/socket.h>, for the kernel only. */
#define SOL_SOCKET          1
#define SCM_RIGHTS          1
#define MSG_CTRUNC          0x8
#define MSG_CMSG_CLOEXEC    0x40000000
#define SEGMENTS_MAX        1024
#define CONTROL_ALIGN(size) ALIGN_UP((size), sizeof(uint64_t))

/* struct msghdr, as programs have it. */
struct message_header {
    uint64_t name;
    int32_t name_length;
    int32_t pad;
    uint64_t segments;
    uint64_t segment_count;
    uint64_t control;
    uint64_t control_length;
    uint32_t flags;
    uint32_t pad2;
};

struct control_header {
    uint64_t length; /* with this header */
    int32_t level;
    int32_t type;
};

/* A message's buffers, with the kernel's copy of their list. */
struct message_buffers {
    struct message_header header;
    struct iovec *segments;
    struct user_vector vector;
};

static int check_segments(const struct message_buffers *buffers)
{
    size_t total = 0;

    for (size_t i = 0; i < buffers->header.segment_count; i++) {
        const struct iovec *segment = &buffers->segments[i];

        if (segment->iov_len > FILE_TRANSFER_MAX - total)
            return -EINVAL;
        if (!user_range_ok((uintptr_t)segment->iov_base, segment->iov_len))
            return -EFAULT;
        total += segment->iov_len;
    }
    return 0;
}

static int get_buffers(uintptr_t address, struct message_buffers *buffers)
{
    struct message_header *header = &buffers->header;

    if (copy_from_user(header, address, sizeof(*header)) != 0)
        return -EFAULT;
    if (header->segment_count > SEGMENTS_MAX)
        return -EMSGSIZE;
    size_t size = header->segment_count * sizeof(struct iovec);

    buffers->segments = kmalloc(size ? size : 1);
    if (!buffers->segments)
        return -ENOMEM;
    int error = copy_from_user(buffers->segments, header->segments, size);

    if (!error)
        error = check_segments(buffers);
    if (error)
        kfree(buffers->segments);
    buffers->vector = user_vector_of(buffers->segments, header->segment_count);
    return error;
}

/* --- descriptors to be sent --- */

/* Adds what the descriptors name. -EBADF -EINVAL (too many) -ETOOMANYREFS (a socket) -EFAULT */
static int add_files(struct socket_files *files, uintptr_t descriptors, size_t count)
{
    if (count > SOCKET_FILES_MAX - files->count)
        return -EINVAL;
    for (size_t i = 0; i < count; i++) {
        int descriptor;

        if (copy_from_user(&descriptor, descriptors + i * sizeof(int), sizeof(int)) != 0)
            return -EFAULT;
        struct file *file = file_from_descriptor_or_path(descriptor);

        if (!file)
            return -EBADF;
        files->files[files->count++] = file;
        if (file_is_socket(file))
            return -ETOOMANYREFS;
    }
    return 0;
}

static int collect_files(struct socket_files *files, uintptr_t control, size_t length)
{
    struct control_header header;
    size_t done = 0;

    while (length - done >= sizeof(header)) {
        if (copy_from_user(&header, control + done, sizeof(header)) != 0)
            return -EFAULT;
        if (header.length < sizeof(header) || header.length > length - done ||
            header.level != SOL_SOCKET || header.type != SCM_RIGHTS)
            return -EINVAL;
        int error = add_files(files, control + done + sizeof(header),
                              (header.length - sizeof(header)) / sizeof(int));

        if (error)
            return error;
        if (CONTROL_ALIGN(header.length) > length - done)
            break;
        done += CONTROL_ALIGN(header.length);
    }
    return 0;
}

/* NULL in *files if none are sent. On an error nothing is left to be freed. */
static int get_files(const struct message_header *header, struct socket_files **files)
{
    *files = NULL;
    if (header->control_length == 0)
        return 0;
    if (header->control_length > INT32_MAX)
        return -ENOBUFS;
    *files = kmalloc(sizeof(**files));
    if (!*files)
        return -ENOMEM;
    int error = collect_files(*files, header->control, header->control_length);

    if (error || (*files)->count == 0) {
        socket_files_destroy(*files);
        *files = NULL;
    }
    return error;
}

static int64_t send_message(struct file *file, struct message_buffers *buffers, unsigned flags)
{
    struct socket_files *files;
    int64_t result = get_files(&buffers->header, &files);

    if (result)
        return result;
    result = socket_send(file, &buffers->vector, flags, &files);
    socket_files_destroy(files);
    return result;
}

SYSCALL3(sendmsg, int, descriptor, uintptr_t, address, unsigned, flags)
{
    struct message_buffers buffers;
    struct file *file;
    int64_t result = socket_from_descriptor(descriptor, &file);

    if (result)
        return result;
    result = get_buffers(address, &buffers);
    if (!result) {
        bool has_name = buffers.header.name && buffers.header.name_length > 0;

        result = has_name ? -EISCONN : count_write(send_message(file, &buffers, flags));
        kfree(buffers.segments);
    }
    file_put(file);
    return result;
}

/* --- descriptors that were received --- */

/* Installs files and stores their numbers, as many as there is room for. Returns how many. */
static unsigned install_files(struct socket_files *files, uintptr_t descriptors, size_t room,
                              bool close_on_exec)
{
    unsigned done = 0;

    while (done < files->count && done < room) {
        int descriptor = file_reserve_descriptor(0, close_on_exec);

        if (descriptor < 0)
            break;
        if (copy_to_user(descriptors + done * sizeof(int), &descriptor, sizeof(int)) != 0) {
            file_unreserve_descriptor(descriptor);
            break;
        }
        file_get(files->files[done]);
        file_fill_descriptor(descriptor, files->files[done]);
        done++;
    }
    return done;
}

/* Fills in the control buffer; header->control_length becomes what is used of it. */
static int put_files(struct message_header *header, struct socket_files *files, unsigned flags)
{
    struct control_header control = {.level = SOL_SOCKET, .type = SCM_RIGHTS};
    size_t room = header->control ? header->control_length : 0;
    unsigned count = 0;

    header->control_length = 0;
    if (room > sizeof(control))
        count = install_files(files, header->control + sizeof(control),
                              (room - sizeof(control)) / sizeof(int), flags & MSG_CMSG_CLOEXEC);
    if (count < files->count)
        header->flags |= MSG_CTRUNC;
    if (count == 0)
        return 0;
    control.length = sizeof(control) + count * sizeof(int);
    header->control_length =
        CONTROL_ALIGN(control.length) < room ? CONTROL_ALIGN(control.length) : room;
    return copy_to_user(header->control, &control, sizeof(control));
}

static int64_t receive_message(struct file *file, struct message_buffers *buffers, unsigned flags)
{
    struct message_header *header = &buffers->header;
    struct socket_files *files;
    int64_t result = socket_receive(file, &buffers->vector, flags, &header->flags, &files);
    int error = 0;

    if (result >= 0) {
        header->flags |= flags & MSG_CMSG_CLOEXEC;
        header->name_length = 0;
        if (files)
            error = put_files(header, files, flags);
        else
            header->control_length = 0;
    }
    socket_files_destroy(files);
    return error ? error : result;
}

SYSCALL3(recvmsg, int, descriptor, uintptr_t, address, unsigned, flags)
{
    struct message_buffers buffers;
    struct file *file;
    int64_t result = socket_from_descriptor(descriptor, &file);

    if (result)
        return result;
    result = get_buffers(address, &buffers);
    if (!result) {
        result = count_read(receive_message(file, &buffers, flags));
        kfree(buffers.segments);
        if (result >= 0 && copy_to_user(address, &buffers.header, sizeof(buffers.header)) != 0)
            result = -EFAULT;
    }
    file_put(file);
    return result;
}
