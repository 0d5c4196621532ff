/*
 * ioctl(2) on terminals: a table from command to handler, with the check for background callers
 * that some commands ask for. ioctl_tty(2) describes them.
 */
#include <asm/signal.h>
#include <linux/tty.h>

#include "fs/terminal.h"
#include "lib/errno.h"
#include "mm/user_copy.h"

/* The modes as TCSETS and TCSETS2 carry them; the shorter one is a prefix without the speeds. */
_Static_assert(sizeof(struct termios2) == sizeof(struct ktermios), "termios2 is what we keep");

static int64_t get_modes(struct terminal *terminal, uintptr_t argument, size_t size)
{
    struct ktermios modes;

    mutex_lock(&terminal->lock);
    modes = terminal->modes;
    mutex_unlock(&terminal->lock);
    return copy_to_user(argument, &modes, size);
}

/* Marks of what sleepers and poll look at without the lock. */
static void publish_modes(struct terminal *terminal) REQUIRES(terminal->lock)
{
    const struct ktermios *modes = &terminal->modes;
    bool timed = modes->c_cc[VTIME] != 0 || modes->c_cc[VMIN] == 0;

    atomic_store(&terminal->canonical, (modes->c_lflag & ICANON) != 0);
    atomic_store(&terminal->asks_writers, (modes->c_lflag & TOSTOP) != 0);
    atomic_store(&terminal->poll_min, timed ? 1 : modes->c_cc[VMIN]);
}

static int64_t set_modes(struct terminal *terminal, uintptr_t argument, size_t size, bool flush)
{
    struct ktermios modes;

    mutex_lock(&terminal->lock);
    modes = terminal->modes;
    if (copy_from_user(&modes, argument, size) != 0) {
        mutex_unlock(&terminal->lock);
        return -EFAULT;
    }
    bool changes_line = ((modes.c_lflag ^ terminal->modes.c_lflag) & ICANON) != 0;

    if (flush)
        terminal_flush_input(terminal);
    terminal->modes = modes;
    publish_modes(terminal);
    if (changes_line)
        terminal_input_change_mode(terminal);
    if (!(modes.c_iflag & IXON) && atomic_exchange(&terminal->stopped, false))
        wait_queue_wake_all(&terminal->write_wait, POLLOUT | POLLWRNORM);
    mutex_unlock(&terminal->lock);
    return 0;
}

#define MODES_SIZE sizeof(struct termios)

static int64_t do_TCGETS(struct terminal *terminal, uintptr_t argument)
{
    return get_modes(terminal, argument, MODES_SIZE);
}

static int64_t do_TCSETS(struct terminal *terminal, uintptr_t argument)
{
    return set_modes(terminal, argument, MODES_SIZE, false);
}

static int64_t do_TCSETSF(struct terminal *terminal, uintptr_t argument)
{
    return set_modes(terminal, argument, MODES_SIZE, true);
}

static int64_t do_TCGETS2(struct terminal *terminal, uintptr_t argument)
{
    return get_modes(terminal, argument, sizeof(struct termios2));
}

static int64_t do_TCSETS2(struct terminal *terminal, uintptr_t argument)
{
    return set_modes(terminal, argument, sizeof(struct termios2), false);
}

static int64_t do_TCSETSF2(struct terminal *terminal, uintptr_t argument)
{
    return set_modes(terminal, argument, sizeof(struct termios2), true);
}

static int64_t do_TIOCGWINSZ(struct terminal *terminal, uintptr_t argument)
{
    struct winsize size;

    mutex_lock(&terminal->lock);
    size = terminal->size;
    mutex_unlock(&terminal->lock);
    return copy_to_user(argument, &size, sizeof(size));
}

static int64_t do_TIOCSWINSZ(struct terminal *terminal, uintptr_t argument)
{
    struct winsize size;

    if (copy_from_user(&size, argument, sizeof(size)) != 0)
        return -EFAULT;
    mutex_lock(&terminal->lock);
    bool changed = __builtin_memcmp(&size, &terminal->size, sizeof(size)) != 0;

    terminal->size = size;
    mutex_unlock(&terminal->lock);
    if (changed)
        terminal_signal_foreground(terminal, SIGWINCH);
    return 0;
}

static int64_t put_number(int64_t status, int number, uintptr_t argument)
{
    return status ? status : copy_to_user(argument, &number, sizeof(number));
}

static int64_t do_TIOCGPGRP(struct terminal *terminal, uintptr_t argument)
{
    pid_number number = 0;
    int64_t status = terminal_get_foreground(terminal, &number);

    return put_number(status, number, argument);
}

static int64_t do_TIOCSPGRP(struct terminal *terminal, uintptr_t argument)
{
    pid_number number;
    int64_t status = terminal_check_foreground(terminal, SIGTTOU);

    if (status)
        return status == -EIO ? -ENOTTY : status;
    if (copy_from_user(&number, argument, sizeof(number)) != 0)
        return -EFAULT;
    return number < 0 ? -EINVAL : terminal_set_foreground(terminal, number);
}

static int64_t do_TIOCGSID(struct terminal *terminal, uintptr_t argument)
{
    pid_number number = 0;
    int64_t status = terminal_get_session(terminal, &number);

    return put_number(status, number, argument);
}

static int64_t do_TIOCSCTTY(struct terminal *terminal, uintptr_t argument)
{
    return terminal_set_controlling(terminal, argument == 1);
}

static int64_t do_TIOCNOTTY(struct terminal *terminal, uintptr_t argument)
{
    return terminal_give_up_controlling(terminal);
}

static int64_t do_FIONREAD(struct terminal *terminal, uintptr_t argument)
{
    mutex_lock(&terminal->lock);
    int count = terminal_input_count(terminal);

    mutex_unlock(&terminal->lock);
    return put_number(0, count, argument);
}

/* Output is handed over at once, so there is never any to wait for. */
static int64_t do_TIOCOUTQ(struct terminal *terminal, uintptr_t argument)
{
    return put_number(0, 0, argument);
}

static int64_t do_TCSBRK(struct terminal *terminal, uintptr_t argument)
{
    return 0;
}

static int64_t do_TCFLSH(struct terminal *terminal, uintptr_t argument)
{
    if (argument > TCIOFLUSH)
        return -EINVAL;
    if (argument == TCOFLUSH)
        return 0;
    mutex_lock(&terminal->lock);
    terminal_flush_input(terminal);
    mutex_unlock(&terminal->lock);
    return 0;
}

static int64_t do_TCXONC(struct terminal *terminal, uintptr_t argument)
{
    if (argument > TCION)
        return -EINVAL;
    if (argument == TCOOFF)
        atomic_store(&terminal->stopped, true);
    if (argument == TCOON && atomic_exchange(&terminal->stopped, false))
        wait_queue_wake_all(&terminal->write_wait, POLLOUT | POLLWRNORM);
    return 0;
}

static int64_t do_TIOCGETD(struct terminal *terminal, uintptr_t argument)
{
    return put_number(0, N_TTY, argument);
}

/* `changes`: a background process gets SIGTTOU instead. */
#define COMMAND(name, changes)                                                                     \
    {                                                                                              \
        name, changes, do_##name                                                                   \
    }

static const struct terminal_command {
    unsigned number;
    bool changes;
    int64_t (*handle)(struct terminal *terminal, uintptr_t argument);
} commands[] = {
    COMMAND(TCGETS, false),       COMMAND(TCSETS, true),     {TCSETSW, true, do_TCSETS},
    COMMAND(TCSETSF, true),       COMMAND(TCGETS2, false),   COMMAND(TCSETS2, true),
    {TCSETSW2, true, do_TCSETS2}, COMMAND(TCSETSF2, true),   COMMAND(TIOCGWINSZ, false),
    COMMAND(TIOCSWINSZ, false),   COMMAND(TIOCGPGRP, false), COMMAND(TIOCSPGRP, false),
    COMMAND(TIOCGSID, false),     COMMAND(TIOCSCTTY, false), COMMAND(TIOCNOTTY, false),
    COMMAND(FIONREAD, false),     COMMAND(TIOCOUTQ, false),  COMMAND(TCSBRK, true),
    {TCSBRKP, true, do_TCSBRK},   COMMAND(TCFLSH, true),     COMMAND(TCXONC, true),
    COMMAND(TIOCGETD, false),
};

static const struct terminal_command *find_command(unsigned number)
{
    for (unsigned i = 0; i < array_length(commands); i++)
        if (commands[i].number == number)
            return &commands[i];
    return NULL;
}

int64_t terminal_ioctl(struct terminal *terminal, unsigned number, uintptr_t argument)
{
    const struct terminal_command *command = find_command(number);

    if (atomic_load(&terminal->hung_up))
        return -EIO;
    if (!command)
        return -ENOTTY;
    int error = command->changes ? terminal_check_foreground(terminal, SIGTTOU) : 0;

    return error ? error : command->handle(terminal, argument);
}

int64_t terminal_ioctl_from_master(struct terminal *terminal, unsigned number, uintptr_t argument)
{
    const struct terminal_command *command = find_command(number);

    return command ? command->handle(terminal, argument) : -ENOTTY;
}
