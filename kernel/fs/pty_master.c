/* The master of a pseudo-terminal as a file: see pty.c. */
#include <asm/ioctls.h>
#include <asm/signal.h>
#include <linux/fcntl.h>

#include "fs/inode.h"
#include "fs/path.h"
#include "fs/pty_internal.h"
#include "fs/tree.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "mm/user_copy.h"

static bool master_can_read(void *argument)
{
    struct pty *pty = argument;

    return byte_ring_count(&pty->output) > 0 || atomic_load(&pty->deserted);
}

static size_t drain(struct pty *pty, uintptr_t buffer, size_t size, bool *fault)
{
    size_t done = 0;

    mutex_lock(&pty->master_lock);
    while (done < size) {
        const uint8_t *data;
        size_t part = byte_ring_front(&pty->output, &data);

        if (part == 0)
            break;
        part = part < size - done ? part : size - done;
        size_t copied = copy_to_user_partial(buffer + done, data, part);

        byte_ring_consume(&pty->output, copied);
        done += copied;
        *fault = copied < part;
        if (*fault)
            break;
    }
    mutex_unlock(&pty->master_lock);
    if (done)
        wait_queue_wake_all(&pty->terminal.write_wait, POLLOUT | POLLWRNORM);
    return done;
}

static int64_t master_read(struct file *file, uintptr_t buffer, size_t size, uint64_t *position)
{
    struct pty *pty = file->private;

    if (size == 0)
        return 0;
    for (;;) {
        bool deserted = atomic_load(&pty->deserted), fault = false;
        size_t done = drain(pty, buffer, size, &fault);

        if (done)
            return done;
        if (fault)
            return -EFAULT;
        if (deserted)
            return -EIO;
        if (file->flags & O_NONBLOCK)
            return -EAGAIN;
        int error = wait_queue_sleep(&pty->master_read_wait, master_can_read, pty,
                                     SLEEP_INTERRUPTIBLE, DEADLINE_NEVER);
        if (error)
            return error;
    }
}

static bool master_can_write(void *argument)
{
    struct pty *pty = argument;

    return terminal_has_input_room(&pty->terminal) || atomic_load(&pty->deserted);
}

/* A small piece of what the master writes becomes input. Returns how much, or -EFAULT. */
static int64_t write_piece(struct pty *pty, uintptr_t buffer, size_t size)
{
    uint8_t piece[128];
    size_t count =
        copy_from_user_partial(piece, buffer, size < sizeof(piece) ? size : sizeof(piece));

    if (count == 0)
        return -EFAULT;
    mutex_lock(&pty->terminal.lock);
    size_t taken = terminal_receive(&pty->terminal, piece, count);

    mutex_unlock(&pty->terminal.lock);
    return taken;
}

static int64_t master_write(struct file *file, uintptr_t buffer, size_t size, uint64_t *position)
{
    struct pty *pty = file->private;
    size_t done = 0;
    int64_t status = 0;

    while (done < size && status >= 0) {
        if (atomic_load(&pty->deserted)) {
            status = -EIO;
            break;
        }
        status = write_piece(pty, buffer + done, size - done);
        if (status > 0)
            done += status;
        else if (status == 0)
            status = file->flags & O_NONBLOCK
                         ? -EAGAIN
                         : wait_queue_sleep(&pty->master_write_wait, master_can_write, pty,
                                            SLEEP_INTERRUPTIBLE, DEADLINE_NEVER);
    }
    return done || status >= 0 ? (int64_t)done : status;
}

static uint32_t master_poll(struct file *file, struct poll_table *table)
{
    struct pty *pty = file->private;
    uint32_t events = 0;

    poll_wait(table, &pty->master_read_wait);
    poll_wait(table, &pty->master_write_wait);
    if (byte_ring_count(&pty->output) > 0)
        events |= POLLIN | POLLRDNORM;
    if (atomic_load(&pty->deserted))
        events |= POLLHUP;
    if (terminal_has_input_room(&pty->terminal))
        events |= POLLOUT | POLLWRNORM;
    return events;
}

static int64_t put_int(uintptr_t address, int value)
{
    return copy_to_user(address, &value, sizeof(value));
}

static int64_t set_lock(struct pty *pty, uintptr_t address)
{
    int locked;

    if (copy_from_user(&locked, address, sizeof(locked)) != 0)
        return -EFAULT;
    atomic_store(&pty->locked, locked != 0);
    return 0;
}

static int64_t send_signal(struct pty *pty, int signal)
{
    if (signal != SIGINT && signal != SIGQUIT && signal != SIGTSTP)
        return -EINVAL;
    terminal_signal_foreground(&pty->terminal, signal);
    return 0;
}

/* The terminal's node; NULL if somebody removed it. */
static struct path *find_node(struct pty *pty)
{
    char number[8];
    size_t length = ksnprintf(number, sizeof(number), "%u", pty->number);
    struct path *devices = tree_find(root_path, "dev", 3);
    struct path *terminals = devices ? tree_find(devices, "pts", 3) : NULL;
    struct path *node = terminals ? tree_find(terminals, number, length) : NULL;

    if (terminals)
        path_put(terminals);
    if (devices)
        path_put(devices);
    return node;
}

/* TIOCGPTPEER: a descriptor of the terminal, opened by its node but without walking there. */
static int64_t open_peer(struct pty *pty, unsigned flags)
{
    struct path *node = find_node(pty);

    if (!node)
        return -ENOENT;
    struct file *file = file_create(NULL, NULL, flags & ~O_CLOEXEC);
    int64_t result = file ? inode_open(node, file) : -ENOMEM;

    path_put(node);
    if (!result) {
        atomic_fetch_and(&file->flags, ~(uint32_t)O_NOCTTY);
        result = file_install(file, 0, flags & O_CLOEXEC);
    }
    if (result < 0 && file)
        file_put(file);
    return result;
}

static int64_t master_ioctl(struct file *file, unsigned command, uintptr_t argument)
{
    struct pty *pty = file->private;

    switch (command) {
    case TIOCGPTN:
        return put_int(argument, pty->number);
    case TIOCSPTLCK:
        return set_lock(pty, argument);
    case TIOCGPTLCK:
        return put_int(argument, atomic_load(&pty->locked));
    case TIOCGPTPEER:
        return open_peer(pty, argument);
    case TIOCSIG:
        return send_signal(pty, argument);
    case FIONREAD:
        return put_int(argument, byte_ring_count(&pty->output));
    case TIOCGPGRP:
        return put_int(argument, terminal_foreground_number(&pty->terminal));
    default:
        return terminal_ioctl_from_master(&pty->terminal, command, argument);
    }
}

/* The terminal is dead from now on, whoever still has it open. */
static void hang_up(struct pty *pty)
{
    struct terminal *terminal = &pty->terminal;

    atomic_store(&pty->master_closed, true);
    terminal_signal_foreground(terminal, SIGHUP);
    terminal_hang_up_session(terminal);
    atomic_store(&terminal->hung_up, true);
    wait_queue_wake_all(&terminal->read_wait, POLLIN | POLLRDNORM | POLLERR | POLLHUP);
    wait_queue_wake_all(&terminal->write_wait, POLLOUT | POLLWRNORM | POLLERR | POLLHUP);
}

static void master_release(struct file *file)
{
    struct pty *pty = file->private;

    pty_release_number(pty);
    hang_up(pty);
    terminal_put(&pty->terminal);
}

const struct file_operations pty_master_operations = {
    .name = "ptmx",
    .read = master_read,
    .write = master_write,
    .poll = master_poll,
    .ioctl = master_ioctl,
    .release = master_release,
};
