/*
 * The host's channels: see host_channel.h.
 *
 * Output: one mutex and one bounce buffer a channel, so that a write of up to a page is one piece.
 * Input: the receive interrupt fills a ring; readers drain it under a mutex and let the sender go
 * on. Nothing is lost: with a full ring the machine leaves bytes in the device.
 */
#include "fs/host_channel.h"

#include <asm/ioctls.h>
#include <asm/stat.h>
#include <linux/fcntl.h>
#include <linux/stat.h>

#include "fs/byte_ring.h"
#include "fs/device.h"
#include "fs/file.h"
#include "fs/poll.h"
#include "lib/errno.h"
#include "mm/user_copy.h"
#include "port_devices.h"

#define INPUT_SIZE 65536

static uint8_t input_data[INPUT_SIZE];
static struct byte_ring input = {.data = input_data, .size = INPUT_SIZE};
static _Atomic bool input_ended;
static struct mutex input_lock; /* the ring's consumer */
static struct wait_queue input_wait;

struct host_output {
    enum port_host_channel channel;
    struct mutex lock;
    uint8_t buffer[4096]; /* (lock) */
};
static struct host_output outputs[] = {
    {.channel = PORT_HOST_STDOUT},
    {.channel = PORT_HOST_STDERR},
    {.channel = PORT_HOST_CONTROL},
};

static size_t receive_room(void)
{
    return byte_ring_room(&input);
}

static void receive(const uint8_t *data, size_t size)
{
    byte_ring_put(&input, data, size);
    wait_queue_wake_all(&input_wait, POLLIN | POLLRDNORM);
}

static void receive_end(void)
{
    atomic_store(&input_ended, true);
    wait_queue_wake_all(&input_wait, POLLIN | POLLRDNORM | POLLHUP);
}

static const struct port_receiver receiver = {
    .room = receive_room,
    .receive = receive,
    .end = receive_end,
};

static bool input_is_readable(void *unused)
{
    return byte_ring_count(&input) > 0 || atomic_load(&input_ended);
}

static int64_t drain_input(uintptr_t buffer, size_t size)
{
    size_t done = 0;

    mutex_lock(&input_lock);
    while (done < size) {
        const uint8_t *data;
        size_t part = byte_ring_front(&input, &data);

        if (part == 0)
            break;
        if (part > size - done)
            part = size - done;
        size_t copied = copy_to_user_partial(buffer + done, data, part);

        byte_ring_consume(&input, copied);
        done += copied;
        if (copied < part) {
            mutex_unlock(&input_lock);
            return done ? (int64_t)done : -EFAULT;
        }
    }
    mutex_unlock(&input_lock);
    if (done)
        port_host_input_resume();
    return done;
}

static int64_t input_read(struct file *file, uintptr_t buffer, size_t size, uint64_t *position)
{
    if (size == 0)
        return 0;
    for (;;) {
        bool ended = atomic_load(&input_ended);
        int64_t count = drain_input(buffer, size);

        if (count != 0 || ended)
            return count;
        if (file->flags & O_NONBLOCK)
            return -EAGAIN;
        int error = wait_queue_sleep(&input_wait, input_is_readable, NULL, SLEEP_INTERRUPTIBLE,
                                     DEADLINE_NEVER);
        if (error)
            return error;
    }
}

static uint32_t input_poll(struct file *file, struct poll_table *table)
{
    uint32_t events = 0;

    poll_wait(table, &input_wait);
    if (byte_ring_count(&input) > 0)
        events |= POLLIN | POLLRDNORM;
    if (atomic_load(&input_ended))
        events |= POLLHUP;
    return events;
}

static int64_t input_ioctl(struct file *file, unsigned command, uintptr_t argument)
{
    if (command != FIONREAD)
        return -ENOTTY;
    int count = byte_ring_count(&input);

    return copy_to_user(argument, &count, sizeof(count));
}

static int64_t output_write(struct file *file, uintptr_t buffer, size_t size, uint64_t *position)
{
    struct host_output *output = file->private;
    size_t done = 0;

    mutex_lock(&output->lock);
    while (done < size) {
        size_t part = size - done < sizeof(output->buffer) ? size - done : sizeof(output->buffer);
        size_t copied = copy_from_user_partial(output->buffer, buffer + done, part);

        port_host_write(output->channel, output->buffer, copied);
        done += copied;
        if (copied < part)
            break;
    }
    mutex_unlock(&output->lock);
    return done || size == 0 ? (int64_t)done : -EFAULT;
}

static uint32_t output_poll(struct file *file, struct poll_table *table)
{
    return POLLOUT | POLLWRNORM;
}

static int channel_status(struct file *file, struct stat *status)
{
    *status = (struct stat){
        .st_mode = S_IFIFO | 0600,
        .st_nlink = 1,
        .st_blksize = 4096,
        .st_ino = 1 + (file->private ? (struct host_output *)file->private - outputs + 1 : 0),
    };
    return 0;
}

static const struct file_operations input_operations = {
    .name = "pipe",
    .read = input_read,
    .poll = input_poll,
    .ioctl = input_ioctl,
    .get_status = channel_status,
};

static const struct file_operations output_operations = {
    .name = "pipe",
    .write = output_write,
    .poll = output_poll,
    .get_status = channel_status,
};

static struct device devices[] = {
    {
        .name = "host/stdin",
        .mode = 0666,
        .number = DEVICE_NUMBER(10, 240),
        .operations = &input_operations,
    },
    {
        .name = "host/stdout",
        .mode = 0666,
        .number = DEVICE_NUMBER(10, 241),
        .operations = &output_operations,
        .private = &outputs[0],
    },
    {
        .name = "host/stderr",
        .mode = 0666,
        .number = DEVICE_NUMBER(10, 242),
        .operations = &output_operations,
        .private = &outputs[1],
    },
    {
        .name = "host/control",
        .mode = 0600,
        .number = DEVICE_NUMBER(10, 243),
        .operations = &output_operations,
        .private = &outputs[2],
    },
};

int host_channel_init(void)
{
    mutex_init(&input_lock, LOCK_RANK_PIPE);
    wait_queue_init(&input_wait);
    for (unsigned i = 0; i < array_length(outputs); i++)
        mutex_init(&outputs[i].lock, LOCK_RANK_PIPE);
    for (unsigned i = 0; i < array_length(devices); i++) {
        int error = device_register(&devices[i]);

        if (error)
            return error;
    }
    return 0;
}

void host_channel_start(void)
{
    if (port_host_present())
        port_host_input_set_receiver(&receiver);
    else
        receive_end();
}
