/*
 * Terminals as files: read with its canonical and raw waiting rules, write, poll. See terminal.h
 * for the parts and their locks.
 */
#include "fs/terminal.h"

#include <asm/signal.h>
#include <linux/fcntl.h>

#include "lib/errno.h"

#define DECISECOND_NS 100000000ull

static const struct ktermios default_modes = {
    .c_iflag = ICRNL | IXON,
    .c_oflag = OPOST | ONLCR,
    .c_cflag = B38400 | CS8 | CREAD,
    .c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
    .c_cc = {[VINTR] = 3,
             [VQUIT] = 28,
             [VERASE] = 127,
             [VKILL] = 21,
             [VEOF] = 4,
             [VMIN] = 1,
             [VSTART] = 17,
             [VSTOP] = 19,
             [VSUSP] = 26,
             [VREPRINT] = 18,
             [VDISCARD] = 15,
             [VWERASE] = 23,
             [VLNEXT] = 22},
    .c_ispeed = 38400,
    .c_ospeed = 38400,
};

void terminal_init(struct terminal *terminal, const struct terminal_driver *driver, void *private,
                   uint64_t device)
{
    *terminal = (struct terminal){
        .driver = driver,
        .private = private,
        .device = device,
        .modes = default_modes,
        .canonical = true,
        .poll_min = 1,
    };
    mutex_init(&terminal->lock, LOCK_RANK_CONSOLE);
    wait_queue_init(&terminal->read_wait);
    wait_queue_init(&terminal->write_wait);
}

/* One read(2) under way. */
struct terminal_read {
    struct terminal *terminal;
    size_t minimum;      /* bytes that end it */
    uint64_t first_ns;   /* how long to wait for the first byte, 0: not at all */
    uint64_t between_ns; /* how long after each byte for the next */
};

/* What VMIN and VTIME mean: termios(3), "Canonical and noncanonical mode". */
static void read_rules(struct terminal *terminal, struct terminal_read *rules)
{
    uint64_t time_ns = terminal->modes.c_cc[VTIME] * DECISECOND_NS;

    *rules = (struct terminal_read){terminal, 1, UINT64_MAX, UINT64_MAX};
    if (terminal->modes.c_lflag & ICANON)
        return;
    if (terminal->modes.c_cc[VMIN] == 0) {
        rules->first_ns = time_ns;
        return;
    }
    rules->minimum = terminal->modes.c_cc[VMIN];
    if (time_ns)
        rules->between_ns = time_ns;
}

static bool can_read(void *argument)
{
    struct terminal *terminal = argument;

    return terminal_input_is_ready(terminal, 1) || atomic_load(&terminal->hung_up);
}

/* 0 to look again, or the error that ends the read; -ETIMEDOUT if its time is up. */
static int wait_for_input(struct terminal *terminal, uint64_t wait_ns, bool nonblocking)
    REQUIRES(terminal->lock)
{
    if (wait_ns == 0)
        return -ETIMEDOUT;
    if (nonblocking)
        return -EAGAIN;
    uint64_t deadline = wait_ns == UINT64_MAX ? DEADLINE_NEVER : port_clock_ns() + wait_ns;

    mutex_unlock(&terminal->lock);
    int error =
        wait_queue_sleep(&terminal->read_wait, can_read, terminal, SLEEP_INTERRUPTIBLE, deadline);

    mutex_lock(&terminal->lock);
    return error;
}

/* Has this read enough? One line, in canonical mode (which may be empty: end of file); else the
 * minimum, or all that was asked for. */
static bool read_is_done(const struct terminal_read *rules, size_t done, size_t size)
{
    return atomic_load(&rules->terminal->canonical) || done >= rules->minimum || done == size;
}

static int64_t read_locked(struct terminal *terminal, uintptr_t buffer, size_t size,
                           bool nonblocking) REQUIRES(terminal->lock)
{
    struct terminal_read rules;
    size_t done = 0;
    int64_t status = 0;

    read_rules(terminal, &rules);
    uint64_t wait_ns = rules.first_ns;

    while (status >= 0) {
        if (terminal_input_is_ready(terminal, 1)) {
            status = terminal_take_input(terminal, buffer + done, size - done);
            done += status > 0 ? status : 0;
            if (status < 0 || read_is_done(&rules, done, size))
                break;
            wait_ns = rules.between_ns;
        } else if (atomic_load(&terminal->hung_up)) {
            break;
        } else {
            status = wait_for_input(terminal, wait_ns, nonblocking);
        }
    }
    if (done > 0 || status == -ETIMEDOUT)
        return done;
    return status;
}

static int64_t terminal_read(struct file *file, uintptr_t buffer, size_t size, uint64_t *position)
{
    struct terminal *terminal = file->private;
    int64_t status = terminal_check_foreground(terminal, SIGTTIN);

    if (status || size == 0)
        return status;
    mutex_lock(&terminal->lock);
    status = read_locked(terminal, buffer, size, file->flags & O_NONBLOCK);
    mutex_unlock(&terminal->lock);
    return status;
}

static int64_t terminal_file_write(struct file *file, uintptr_t buffer, size_t size,
                                   uint64_t *position)
{
    struct terminal *terminal = file->private;

    if (atomic_load(&terminal->asks_writers)) {
        int error = terminal_check_foreground(terminal, SIGTTOU);

        if (error)
            return error;
    }
    return terminal_write(terminal, buffer, size, file->flags & O_NONBLOCK);
}

static uint32_t terminal_poll(struct file *file, struct poll_table *table)
{
    struct terminal *terminal = file->private;
    uint32_t events = 0;

    poll_wait(table, &terminal->read_wait);
    poll_wait(table, &terminal->write_wait);
    if (terminal_input_is_ready(terminal, atomic_load(&terminal->poll_min)))
        events |= POLLIN | POLLRDNORM;
    if (atomic_load(&terminal->hung_up))
        return events | POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM | POLLHUP | POLLERR;
    if (!atomic_load(&terminal->stopped) &&
        (!terminal->driver->room || terminal->driver->room(terminal) > 0))
        events |= POLLOUT | POLLWRNORM;
    return events;
}

static int64_t terminal_file_ioctl(struct file *file, unsigned command, uintptr_t argument)
{
    return terminal_ioctl(file->private, command, argument);
}

static void terminal_release(struct file *file)
{
    struct terminal *terminal = file->private;

    if (terminal->driver->closed)
        terminal->driver->closed(terminal);
    terminal_put(terminal);
}

int terminal_open(struct terminal *terminal, struct file *file)
{
    int error = terminal->driver->opened ? terminal->driver->opened(terminal) : 0;

    if (error) {
        terminal_put(terminal);
        return error;
    }
    file->operations = &terminal_operations;
    file->private = terminal;
    return 0;
}

const struct file_operations terminal_operations = {
    .name = "tty",
    .read = terminal_read,
    .write = terminal_file_write,
    .poll = terminal_poll,
    .ioctl = terminal_file_ioctl,
    .release = terminal_release,
};
