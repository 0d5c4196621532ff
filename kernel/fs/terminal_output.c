/*
 * Output of terminals: OPOST processing, echo, and write(2). Guarded by the terminal's lock.
 */
#include <asm/errno.h>

#include "fs/terminal.h"
#include "lib/errno.h"
#include "mm/user_copy.h"

#define TAB_WIDTH 8

void terminal_flush_output(struct terminal *terminal)
{
    if (terminal->output_count > 0)
        terminal->driver->write(terminal, terminal->output, terminal->output_count);
    terminal->output_count = 0;
}

static void put_raw(struct terminal *terminal, uint8_t byte) REQUIRES(terminal->lock)
{
    if (terminal->output_count == TERMINAL_OUTPUT_SIZE)
        terminal_flush_output(terminal);
    terminal->output[terminal->output_count++] = byte;
}

static void put_newline(struct terminal *terminal) REQUIRES(terminal->lock)
{
    tcflag_t modes = terminal->modes.c_oflag;

    if (modes & ONLCR)
        put_raw(terminal, '\r');
    if (modes & (ONLCR | ONLRET))
        terminal->column = 0;
    put_raw(terminal, '\n');
}

static void put_return(struct terminal *terminal) REQUIRES(terminal->lock)
{
    tcflag_t modes = terminal->modes.c_oflag;

    if ((modes & ONOCR) && terminal->column == 0)
        return;
    if (modes & OCRNL) {
        if (modes & ONLRET)
            terminal->column = 0;
        put_raw(terminal, '\n');
        return;
    }
    terminal->column = 0;
    put_raw(terminal, '\r');
}

static void put_tab(struct terminal *terminal) REQUIRES(terminal->lock)
{
    unsigned width = TAB_WIDTH - terminal->column % TAB_WIDTH;

    terminal->column += width;
    if ((terminal->modes.c_oflag & TABDLY) != XTABS) {
        put_raw(terminal, '\t');
        return;
    }
    while (width-- > 0)
        put_raw(terminal, ' ');
}

static bool is_continuation(const struct terminal *terminal, uint8_t byte)
{
    return (terminal->modes.c_iflag & IUTF8) && (byte & 0xc0) == 0x80;
}

static void put_other(struct terminal *terminal, uint8_t byte) REQUIRES(terminal->lock)
{
    if ((terminal->modes.c_oflag & OLCUC) && byte >= 'a' && byte <= 'z')
        byte -= 'a' - 'A';
    if (byte >= ' ' && byte != 0x7f && !is_continuation(terminal, byte))
        terminal->column++;
    put_raw(terminal, byte);
}

void terminal_put_byte(struct terminal *terminal, uint8_t byte)
{
    if (!(terminal->modes.c_oflag & OPOST)) {
        put_raw(terminal, byte);
        return;
    }
    switch (byte) {
    case '\n':
        put_newline(terminal);
        break;
    case '\r':
        put_return(terminal);
        break;
    case '\t':
        put_tab(terminal);
        break;
    case '\b':
        if (terminal->column > 0)
            terminal->column--;
        put_raw(terminal, byte);
        break;
    default:
        put_other(terminal, byte);
    }
}

void terminal_echo(struct terminal *terminal, uint8_t byte)
{
    bool control = (byte < ' ' || byte == 0x7f) && byte != '\t' && byte != '\n';

    if (control && (terminal->modes.c_lflag & ECHOCTL)) {
        terminal_put_byte(terminal, '^');
        terminal_put_byte(terminal, byte ^ 0x40);
    } else {
        terminal_put_byte(terminal, byte);
    }
}

/* A byte of output becomes at most this many (a tab of spaces). */
#define EXPANSION_MAX TAB_WIDTH

static bool is_writable(void *argument)
{
    struct terminal *terminal = argument;

    if (atomic_load(&terminal->hung_up))
        return true;
    if (atomic_load(&terminal->stopped))
        return false;
    return !terminal->driver->room || terminal->driver->room(terminal) >= EXPANSION_MAX;
}

/* As many bytes as the driver takes at once. Returns the bytes taken from the user, or -EFAULT. */
static int64_t write_piece(struct terminal *terminal, uintptr_t buffer, size_t size)
    REQUIRES(terminal->lock)
{
    uint8_t piece[TERMINAL_OUTPUT_SIZE / EXPANSION_MAX];
    size_t most = sizeof(piece);

    if (terminal->driver->room) {
        size_t room = terminal->driver->room(terminal) / EXPANSION_MAX;

        most = room < most ? room : most;
    }
    size_t count = copy_from_user_partial(piece, buffer, size < most ? size : most);

    for (size_t i = 0; i < count; i++)
        terminal_put_byte(terminal, piece[i]);
    terminal_flush_output(terminal);
    return count ? (int64_t)count : -EFAULT;
}

int64_t terminal_write(struct terminal *terminal, uintptr_t buffer, size_t size, bool nonblocking)
{
    size_t done = 0;
    int64_t status = 0;

    mutex_lock(&terminal->lock);
    while (done < size && status >= 0) {
        if (atomic_load(&terminal->hung_up)) {
            status = -EIO;
        } else if (is_writable(terminal)) {
            status = write_piece(terminal, buffer + done, size - done);
            done += status > 0 ? status : 0;
        } else if (nonblocking) {
            status = -EAGAIN;
        } else {
            mutex_unlock(&terminal->lock);
            status = wait_queue_sleep(&terminal->write_wait, is_writable, terminal,
                                      SLEEP_INTERRUPTIBLE, DEADLINE_NEVER);
            mutex_lock(&terminal->lock);
        }
    }
    mutex_unlock(&terminal->lock);
    return done || status >= 0 ? (int64_t)done : status;
}
