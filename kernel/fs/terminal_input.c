/*
 * The line discipline: what each received byte means. Guarded by the terminal's lock.
 */
#include <asm/signal.h>

#include "fs/terminal_internal.h"

#define DISABLED '\0' /* a c_cc entry that matches nothing */

static bool is_character(const struct terminal *terminal, unsigned which, uint8_t byte)
{
    return byte == terminal->modes.c_cc[which] && byte != DISABLED;
}

static void echo_input(struct terminal *terminal, uint8_t byte) REQUIRES(terminal->lock)
{
    if (terminal->input.head == terminal->input.committed)
        terminal->line_column = terminal->column;
    terminal_echo(terminal, byte);
}

static void resume_output(struct terminal *terminal) REQUIRES(terminal->lock)
{
    if (atomic_exchange(&terminal->stopped, false))
        wait_queue_wake_all(&terminal->write_wait, POLLOUT | POLLWRNORM);
}

static bool receive_flow_control(struct terminal *terminal, uint8_t byte) REQUIRES(terminal->lock)
{
    if (!(terminal->modes.c_iflag & IXON))
        return false;
    if (is_character(terminal, VSTART, byte)) {
        resume_output(terminal);
        return true;
    }
    if (is_character(terminal, VSTOP, byte)) {
        atomic_store(&terminal->stopped, true);
        return true;
    }
    return false;
}

static bool receive_signal(struct terminal *terminal, uint8_t byte) REQUIRES(terminal->lock)
{
    static const struct {
        uint8_t character, signal;
    } signals[] = {{VINTR, SIGINT}, {VQUIT, SIGQUIT}, {VSUSP, SIGTSTP}};

    for (unsigned i = 0; i < array_length(signals); i++) {
        if (!is_character(terminal, signals[i].character, byte))
            continue;
        if (!terminal_has_mode(terminal, NOFLSH))
            terminal_flush_input(terminal);
        resume_output(terminal);
        if (terminal_has_mode(terminal, ECHO))
            terminal_echo(terminal, byte);
        terminal_signal_foreground(terminal, signals[i].signal);
        return true;
    }
    return false;
}

/* The characters that edit a line. Returns whether this was one. */
static bool receive_editing(struct terminal *terminal, uint8_t byte) REQUIRES(terminal->lock)
{
    bool extended = terminal_has_mode(terminal, IEXTEN);

    if (is_character(terminal, VERASE, byte)) {
        terminal_erase_character(terminal);
    } else if (is_character(terminal, VKILL, byte)) {
        terminal_erase_line(terminal);
    } else if (extended && is_character(terminal, VWERASE, byte)) {
        terminal_erase_word(terminal);
    } else if (extended && is_character(terminal, VLNEXT, byte)) {
        terminal->literal_next = true;
        if (terminal_has_mode(terminal, ECHO | ECHOCTL)) {
            terminal_put_byte(terminal, '^');
            terminal_put_byte(terminal, '\b');
        }
    } else if (extended && terminal_has_mode(terminal, ECHO) &&
               is_character(terminal, VREPRINT, byte)) {
        terminal_reprint_line(terminal);
    } else {
        return false;
    }
    return true;
}

/* The characters that end a line. Returns whether this was one. */
static bool receive_line_end(struct terminal *terminal, uint8_t byte) REQUIRES(terminal->lock)
{
    if (byte == '\n') {
        if (terminal->modes.c_lflag & (ECHO | ECHONL))
            terminal_put_byte(terminal, '\n');
        terminal_queue_byte(terminal, byte, true);
    } else if (is_character(terminal, VEOF, byte)) {
        terminal_queue_byte(terminal, TERMINAL_EOF_MARKER, true);
    } else if (is_character(terminal, VEOL, byte) ||
               (terminal_has_mode(terminal, IEXTEN) && is_character(terminal, VEOL2, byte))) {
        if (terminal_has_mode(terminal, ECHO))
            echo_input(terminal, byte);
        terminal_queue_byte(terminal, byte, true);
    } else {
        return false;
    }
    return true;
}

static void receive_plain(struct terminal *terminal, uint8_t byte) REQUIRES(terminal->lock)
{
    if (terminal_has_mode(terminal, ECHO)) {
        if (byte == '\n')
            terminal_put_byte(terminal, '\n');
        else
            echo_input(terminal, byte);
    }
    terminal_queue_byte(terminal, byte, false);
}

static void receive_byte(struct terminal *terminal, uint8_t byte) REQUIRES(terminal->lock)
{
    tcflag_t modes = terminal->modes.c_iflag;

    if (modes & ISTRIP)
        byte &= 0x7f;
    if (terminal->literal_next) {
        terminal->literal_next = false;
        receive_plain(terminal, byte);
        return;
    }
    if (receive_flow_control(terminal, byte))
        return;
    if (terminal_has_mode(terminal, ISIG) && receive_signal(terminal, byte))
        return;
    if ((modes & IXON) && (modes & IXANY))
        resume_output(terminal);
    if ((modes & IUCLC) && terminal_has_mode(terminal, IEXTEN) && byte >= 'A' && byte <= 'Z')
        byte += 'a' - 'A';
    if (byte == '\r') {
        if (modes & IGNCR)
            return;
        if (modes & ICRNL)
            byte = '\n';
    } else if (byte == '\n' && (modes & INLCR)) {
        byte = '\r';
    }
    if (terminal_has_mode(terminal, ICANON) &&
        (receive_editing(terminal, byte) || receive_line_end(terminal, byte)))
        return;
    receive_plain(terminal, byte);
}

size_t terminal_receive(struct terminal *terminal, const uint8_t *data, size_t size)
{
    size_t taken = 0;

    while (taken < size && !terminal_must_wait_for_reader(terminal))
        receive_byte(terminal, data[taken++]);
    terminal_flush_output(terminal);
    return taken;
}
