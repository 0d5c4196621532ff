/*
 * Pseudo-terminals: see pty.h.
 *
 * What programs write to the terminal goes to a ring that the master reads; what the master writes
 * is input of the terminal. The ring is filled under the terminal's lock and drained under the
 * master's (rank PIPE); the rest that both look at is atomic.
 *
 * References: the master's file, each open file of the terminal, and the session that it controls.
 * Devices of all possible numbers stand in a table for good; pty_of[] (table_lock) says which have
 * a pseudo-terminal behind them.
 */
#include "fs/pty.h"

#include <asm/ioctls.h>
#include <asm/signal.h>
#include <linux/fcntl.h>

#include "fs/byte_ring.h"
#include "fs/device.h"
#include "fs/terminal.h"
#include "fs/tree.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "mm/user_copy.h"

#define PTY_MAX     64
#define OUTPUT_SIZE 4096

struct pty {
    struct terminal terminal;
    struct refcount refs;
    unsigned number;            /* (const) */
    _Atomic bool locked;        /* TIOCSPTLCK: cannot be opened yet */
    _Atomic bool master_closed; /* set once */
    _Atomic bool deserted;      /* the terminal was opened, and nobody has it open now */
    _Atomic uint32_t opens;     /* files of the terminal */
    struct mutex master_lock;   /* consumer of `output` */
    struct byte_ring output;    /* producer: the terminal's lock */
    uint8_t output_data[OUTPUT_SIZE];
    struct wait_queue master_read_wait;
    struct wait_queue master_write_wait;
};

static SLAB_CACHE(pty_cache, struct pty);

static struct spinlock table_lock = SPINLOCK_INITIALIZER(LOCK_RANK_FILE_TABLE);
static struct pty *pty_of[PTY_MAX] GUARDED_BY(table_lock); /* no reference */
static bool number_taken[PTY_MAX] GUARDED_BY(table_lock);
static struct device devices[PTY_MAX];
static char device_names[PTY_MAX][8];

static struct pty *pty_of_terminal(struct terminal *terminal)
{
    return container_of(terminal, struct pty, terminal);
}

/* --- driver of the terminal --- */

static size_t driver_room(struct terminal *terminal)
{
    return byte_ring_room(&pty_of_terminal(terminal)->output);
}

static size_t driver_write(struct terminal *terminal, const void *data, size_t size)
{
    struct pty *pty = pty_of_terminal(terminal);
    size_t room = byte_ring_room(&pty->output);

    size = size < room ? size : room;
    byte_ring_put(&pty->output, data, size);
    wait_queue_wake_all(&pty->master_read_wait, POLLIN | POLLRDNORM);
    return size;
}

static void driver_resume_input(struct terminal *terminal)
{
    wait_queue_wake_all(&pty_of_terminal(terminal)->master_write_wait, POLLOUT | POLLWRNORM);
}

static void driver_get(struct terminal *terminal)
{
    refcount_get(&pty_of_terminal(terminal)->refs);
}

static void driver_put(struct terminal *terminal)
{
    struct pty *pty = pty_of_terminal(terminal);

    if (refcount_put(&pty->refs))
        slab_free(&pty_cache, pty);
}

static int driver_opened(struct terminal *terminal)
{
    struct pty *pty = pty_of_terminal(terminal);

    if (atomic_load(&pty->locked) || atomic_load(&pty->master_closed))
        return -EIO;
    atomic_fetch_add(&pty->opens, 1);
    atomic_store(&pty->deserted, false);
    return 0;
}

static void driver_closed(struct terminal *terminal)
{
    struct pty *pty = pty_of_terminal(terminal);

    if (atomic_fetch_sub(&pty->opens, 1) > 1)
        return;
    atomic_store(&pty->deserted, true);
    wait_queue_wake_all(&pty->master_read_wait, POLLIN | POLLRDNORM | POLLHUP);
    wait_queue_wake_all(&pty->master_write_wait, POLLOUT | POLLWRNORM | POLLHUP);
}

static const struct terminal_driver driver = {
    .write = driver_write,
    .room = driver_room,
    .resume_input = driver_resume_input,
    .get = driver_get,
    .put = driver_put,
    .opened = driver_opened,
    .closed = driver_closed,
};

/* --- the master --- */

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

/* TIOCGPTPEER: a descriptor of the terminal itself, wherever its node is. */
static int64_t open_peer(struct pty *pty, unsigned flags)
{
    struct file *file = file_create(&terminal_operations, NULL, flags & ~(O_CLOEXEC | O_NOCTTY));

    if (!file)
        return -ENOMEM;
    terminal_get(&pty->terminal);
    int error = terminal_open(&pty->terminal, file);

    if (error)
        return error;
    int descriptor = file_install(file, 0, flags & O_CLOEXEC);

    if (descriptor < 0)
        file_put(file);
    return descriptor;
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

static void release_number(struct pty *pty)
{
    spin_lock(&table_lock);
    pty_of[pty->number] = NULL;
    spin_unlock(&table_lock);
    device_unregister(&devices[pty->number]);
    spin_lock(&table_lock);
    number_taken[pty->number] = false;
    spin_unlock(&table_lock);
}

static void master_release(struct file *file)
{
    struct pty *pty = file->private;

    release_number(pty);
    hang_up(pty);
    terminal_put(&pty->terminal);
}

static const struct file_operations master_operations = {
    .name = "ptmx",
    .read = master_read,
    .write = master_write,
    .poll = master_poll,
    .ioctl = master_ioctl,
    .release = master_release,
};

/* --- opening --- */

/* The device's private is its entry in the table. */
static int open_terminal(struct file *file)
{
    struct pty **entry = file->private;

    spin_lock(&table_lock);
    struct pty *pty = *entry;

    if (pty)
        terminal_get(&pty->terminal);
    spin_unlock(&table_lock);
    if (!pty)
        return -EIO;
    int error = terminal_open(&pty->terminal, file);

    if (!error && !(file->flags & O_NOCTTY))
        terminal_adopt_on_open(&pty->terminal);
    return error;
}

/* -1: all are in use. */
static int take_number(struct pty *pty)
{
    int number = 0;

    spin_lock(&table_lock);
    while (number < PTY_MAX && number_taken[number])
        number++;
    if (number < PTY_MAX) {
        number_taken[number] = true;
        pty_of[number] = pty;
    }
    spin_unlock(&table_lock);
    return number < PTY_MAX ? number : -1;
}

static int register_terminal(struct pty *pty)
{
    struct device *device = &devices[pty->number];

    ksnprintf(device_names[pty->number], sizeof(device_names[0]), "pts/%u", pty->number);
    *device = (struct device){
        .name = device_names[pty->number],
        .mode = 0620,
        .number = pty->terminal.device,
        .private = &pty_of[pty->number],
        .open = open_terminal,
    };
    return device_register(device);
}

static void pty_setup(struct pty *pty, unsigned number)
{
    pty->number = number;
    terminal_init(&pty->terminal, &driver, pty, DEVICE_NUMBER(136, number));
    refcount_init(&pty->refs);
    atomic_init(&pty->locked, true);
    mutex_init(&pty->master_lock, LOCK_RANK_PIPE);
    pty->output.data = pty->output_data;
    pty->output.size = OUTPUT_SIZE;
    wait_queue_init(&pty->master_read_wait);
    wait_queue_init(&pty->master_write_wait);
}

static int open_master(struct file *file)
{
    struct pty *pty = slab_alloc(&pty_cache);

    if (!pty)
        return -ENOMEM;
    int number = take_number(pty);

    if (number < 0) {
        slab_free(&pty_cache, pty);
        return -ENOSPC;
    }
    pty_setup(pty, number);
    int error = register_terminal(pty);

    if (error) {
        spin_lock(&table_lock);
        pty_of[number] = NULL;
        number_taken[number] = false;
        spin_unlock(&table_lock);
        slab_free(&pty_cache, pty);
        return error;
    }
    file->operations = &master_operations;
    file->private = pty;
    return 0;
}

int pty_init(void)
{
    static struct device ptmx = {
        .name = "ptmx",
        .mode = 0666,
        .number = DEVICE_NUMBER(5, 2),
        .open = open_master,
    };

    const struct tree_node directory = {.mode = S_IFDIR | 0755};
    int error = tree_make("dev/pts", &directory, NULL);

    return error ? error : device_register(&ptmx);
}
