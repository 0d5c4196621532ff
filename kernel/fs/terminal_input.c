/*
 * The line discipline: from received bytes to what read(2) gives. Guarded by the terminal's lock;
 * the counters of the queue are also read without it, by sleepers and poll.
 */
#include <asm/signal.h>

#include "fs/terminal.h"
#include "lib/errno.h"
#include "mm/user_copy.h"

#define INDEX(n)   ((n) & (TERMINAL_INPUT_SIZE - 1))
#define EOF_MARKER '\0' /* what stands for VEOF in the queue, with its line_end bit set */
#define DISABLED   '\0' /* a c_cc entry that matches nothing */

static bool has_mode(const struct terminal *terminal, tcflag_t local_modes)
{
    return (terminal->modes.c_lflag & local_modes) == local_modes;
}

static bool is_character(const struct terminal *terminal, unsigned which, uint8_t byte)
{
    return byte == terminal->modes.c_cc[which] && byte != DISABLED;
}

/* --- the queue --- */

static bool is_line_end(const struct terminal_input *input, size_t n)
{
    return input->line_end[INDEX(n) / 64] >> (n % 64) & 1;
}

static void set_line_end(struct terminal_input *input, size_t n, bool end)
{
    uint64_t bit = 1ull << (n % 64);

    if (end)
        input->line_end[INDEX(n) / 64] |= bit;
    else
        input->line_end[INDEX(n) / 64] &= ~bit;
}

static size_t queue_room(struct terminal_input *input)
{
    return TERMINAL_INPUT_SIZE - (input->head - input->tail);
}

static void announce_input(struct terminal *terminal)
{
    wait_queue_wake_all(&terminal->read_wait, POLLIN | POLLRDNORM);
}

/* Appends a byte. A line keeps the last place for its end, so that it can always be finished. */
static void queue_byte(struct terminal *terminal, uint8_t byte, bool ends_line)
{
    struct terminal_input *input = &terminal->input;
    size_t head = input->head;

    if (queue_room(input) == 0 ||
        (!ends_line && atomic_load(&terminal->canonical) && queue_room(input) == 1)) {
        if (terminal->modes.c_iflag & IMAXBEL)
            terminal_put_byte(terminal, '\a');
        return;
    }
    input->data[INDEX(head)] = byte;
    set_line_end(input, head, ends_line);
    input->head = head + 1;
    if (ends_line)
        input->committed = head + 1;
    if (ends_line || !atomic_load(&terminal->canonical))
        announce_input(terminal);
}

bool terminal_input_is_ready(struct terminal *terminal, size_t minimum)
{
    struct terminal_input *input = &terminal->input;

    if (atomic_load(&terminal->canonical))
        return input->committed != input->tail;
    return input->head - input->tail >= minimum;
}

size_t terminal_input_count(struct terminal *terminal)
{
    struct terminal_input *input = &terminal->input;

    if (!atomic_load(&terminal->canonical))
        return input->head - input->tail;
    size_t count = input->committed - input->tail;

    for (size_t n = input->tail; n != input->committed; n++)
        if (is_line_end(input, n) && input->data[INDEX(n)] == EOF_MARKER)
            count--;
    return count;
}

void terminal_flush_input(struct terminal *terminal)
{
    struct terminal_input *input = &terminal->input;

    input->tail = input->head;
    input->committed = input->head;
    terminal->driver->resume_input(terminal);
}

void terminal_input_change_mode(struct terminal *terminal)
{
    struct terminal_input *input = &terminal->input;

    for (size_t i = 0; i < array_length(input->line_end); i++)
        input->line_end[i] = 0;
    terminal->literal_next = false;
    input->committed = input->tail;
    if (atomic_load(&terminal->canonical) && input->head != input->tail) {
        set_line_end(input, input->head - 1, true);
        input->committed = input->head;
    }
    announce_input(terminal);
}

/* --- editing the line that is being typed: bytes committed..head --- */

static bool is_utf8_continuation(const struct terminal *terminal, uint8_t byte)
{
    return (terminal->modes.c_iflag & IUTF8) && (byte & 0xc0) == 0x80;
}

static unsigned echo_width(const struct terminal *terminal, uint8_t byte, unsigned column)
{
    if (byte == '\t')
        return 8 - column % 8;
    if (byte < ' ' || byte == 0x7f)
        return has_mode(terminal, ECHOCTL) ? 2 : 0;
    return is_utf8_continuation(terminal, byte) ? 0 : 1;
}

/* The cursor's column after the echo of the line up to byte n. */
static unsigned column_at(struct terminal *terminal, size_t n)
{
    struct terminal_input *input = &terminal->input;
    unsigned column = terminal->line_column;

    for (size_t i = input->committed; i != n; i++)
        column += echo_width(terminal, input->data[INDEX(i)], column);
    return column;
}

static void rub_out_columns(struct terminal *terminal, unsigned count, bool blank)
{
    while (count-- > 0) {
        terminal_put_byte(terminal, '\b');
        if (blank) {
            terminal_put_byte(terminal, ' ');
            terminal_put_byte(terminal, '\b');
        }
    }
}

/* Takes back the line's bytes from n on, and their echo. */
static void erase_to(struct terminal *terminal, size_t n)
{
    struct terminal_input *input = &terminal->input;

    while (input->head != n && has_mode(terminal, ECHO)) {
        uint8_t last = input->data[INDEX(input->head - 1)];
        unsigned before = column_at(terminal, input->head - 1);
        unsigned width = echo_width(terminal, last, before);

        rub_out_columns(terminal, width, last != '\t');
        input->head--;
    }
    input->head = n;
}

static size_t previous_character(struct terminal *terminal, size_t n)
{
    struct terminal_input *input = &terminal->input;

    do
        n--;
    while (n != input->committed && is_utf8_continuation(terminal, input->data[INDEX(n)]));
    return n;
}

static void erase_character(struct terminal *terminal)
{
    struct terminal_input *input = &terminal->input;

    if (input->head == input->committed)
        return;
    size_t n = previous_character(terminal, input->head);

    if (has_mode(terminal, ECHO | ECHOE)) {
        erase_to(terminal, n);
        return;
    }
    input->head = n;
    if (has_mode(terminal, ECHO))
        terminal_echo(terminal, terminal->modes.c_cc[VERASE]);
}

static bool is_word_byte(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '_' || byte >= 0x80;
}

static void erase_word(struct terminal *terminal)
{
    struct terminal_input *input = &terminal->input;
    size_t n = input->head;
    bool seen_word = false;

    while (n != input->committed) {
        size_t before = previous_character(terminal, n);

        if (is_word_byte(input->data[INDEX(before)]))
            seen_word = true;
        else if (seen_word)
            break;
        n = before;
    }
    if (has_mode(terminal, ECHO | ECHOE))
        erase_to(terminal, n);
    input->head = n;
}

static void erase_line(struct terminal *terminal)
{
    struct terminal_input *input = &terminal->input;

    if (has_mode(terminal, ECHO | ECHOK | ECHOKE | ECHOE)) {
        erase_to(terminal, input->committed);
        return;
    }
    input->head = input->committed;
    if (has_mode(terminal, ECHO)) {
        terminal_echo(terminal, terminal->modes.c_cc[VKILL]);
        if (has_mode(terminal, ECHOK))
            terminal_put_byte(terminal, '\n');
    }
}

static void reprint_line(struct terminal *terminal)
{
    struct terminal_input *input = &terminal->input;

    terminal_echo(terminal, terminal->modes.c_cc[VREPRINT]);
    terminal_put_byte(terminal, '\n');
    for (size_t n = input->committed; n != input->head; n++)
        terminal_echo(terminal, input->data[INDEX(n)]);
}

/* --- received bytes --- */

static void echo_input(struct terminal *terminal, uint8_t byte)
{
    if (terminal->input.head == terminal->input.committed)
        terminal->line_column = terminal->column;
    terminal_echo(terminal, byte);
}

static void resume_output(struct terminal *terminal)
{
    if (atomic_exchange(&terminal->stopped, false))
        wait_queue_wake_all(&terminal->write_wait, POLLOUT | POLLWRNORM);
}

static bool receive_flow_control(struct terminal *terminal, uint8_t byte)
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

static bool receive_signal(struct terminal *terminal, uint8_t byte)
{
    static const struct {
        uint8_t character, signal;
    } signals[] = {{VINTR, SIGINT}, {VQUIT, SIGQUIT}, {VSUSP, SIGTSTP}};

    for (unsigned i = 0; i < array_length(signals); i++) {
        if (!is_character(terminal, signals[i].character, byte))
            continue;
        if (!has_mode(terminal, NOFLSH))
            terminal_flush_input(terminal);
        resume_output(terminal);
        if (has_mode(terminal, ECHO))
            terminal_echo(terminal, byte);
        terminal_signal_foreground(terminal, signals[i].signal);
        return true;
    }
    return false;
}

/* The characters that edit a line. Returns whether this was one. */
static bool receive_editing(struct terminal *terminal, uint8_t byte)
{
    bool extended = has_mode(terminal, IEXTEN);

    if (is_character(terminal, VERASE, byte)) {
        erase_character(terminal);
    } else if (is_character(terminal, VKILL, byte)) {
        erase_line(terminal);
    } else if (extended && is_character(terminal, VWERASE, byte)) {
        erase_word(terminal);
    } else if (extended && is_character(terminal, VLNEXT, byte)) {
        terminal->literal_next = true;
        if (has_mode(terminal, ECHO | ECHOCTL)) {
            terminal_put_byte(terminal, '^');
            terminal_put_byte(terminal, '\b');
        }
    } else if (extended && has_mode(terminal, ECHO) && is_character(terminal, VREPRINT, byte)) {
        reprint_line(terminal);
    } else {
        return false;
    }
    return true;
}

/* The characters that end a line. Returns whether this was one. */
static bool receive_line_end(struct terminal *terminal, uint8_t byte)
{
    if (byte == '\n') {
        if (terminal->modes.c_lflag & (ECHO | ECHONL))
            terminal_put_byte(terminal, '\n');
        queue_byte(terminal, byte, true);
    } else if (is_character(terminal, VEOF, byte)) {
        queue_byte(terminal, EOF_MARKER, true);
    } else if (is_character(terminal, VEOL, byte) ||
               (has_mode(terminal, IEXTEN) && is_character(terminal, VEOL2, byte))) {
        if (has_mode(terminal, ECHO))
            echo_input(terminal, byte);
        queue_byte(terminal, byte, true);
    } else {
        return false;
    }
    return true;
}

static void receive_plain(struct terminal *terminal, uint8_t byte)
{
    if (has_mode(terminal, ECHO)) {
        if (byte == '\n')
            terminal_put_byte(terminal, '\n');
        else
            echo_input(terminal, byte);
    }
    queue_byte(terminal, byte, false);
}

static void receive_byte(struct terminal *terminal, uint8_t byte)
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
    if (has_mode(terminal, ISIG) && receive_signal(terminal, byte))
        return;
    if ((modes & IXON) && (modes & IXANY))
        resume_output(terminal);
    if ((modes & IUCLC) && has_mode(terminal, IEXTEN) && byte >= 'A' && byte <= 'Z')
        byte += 'a' - 'A';
    if (byte == '\r') {
        if (modes & IGNCR)
            return;
        if (modes & ICRNL)
            byte = '\n';
    } else if (byte == '\n' && (modes & INLCR)) {
        byte = '\r';
    }
    if (has_mode(terminal, ICANON) &&
        (receive_editing(terminal, byte) || receive_line_end(terminal, byte)))
        return;
    receive_plain(terminal, byte);
}

/* Would a byte be turned away for lack of room, with somebody to wait for: a reader who has a line,
 * or raw bytes, to take? A single endless line is not waited for: its excess is dropped. */
static bool must_wait_for_reader(struct terminal *terminal)
{
    struct terminal_input *input = &terminal->input;

    if (atomic_load(&terminal->canonical))
        return queue_room(input) <= 1 && input->committed != input->tail;
    return queue_room(input) == 0;
}

bool terminal_has_input_room(struct terminal *terminal)
{
    return !must_wait_for_reader(terminal);
}

size_t terminal_receive(struct terminal *terminal, const uint8_t *data, size_t size)
{
    size_t taken = 0;

    while (taken < size && !must_wait_for_reader(terminal))
        receive_byte(terminal, data[taken++]);
    terminal_flush_output(terminal);
    return taken;
}

/* --- read --- */

/* The bytes of one read from `tail`, up to a line end; sets *skip if an end-of-file marker follows
 * that is to be swallowed with them. */
static size_t span_of_read(struct terminal *terminal, size_t size, bool *skip)
{
    struct terminal_input *input = &terminal->input;
    size_t n = input->tail;

    *skip = false;
    if (!atomic_load(&terminal->canonical)) {
        size_t count = input->head - n;

        return count < size ? count : size;
    }
    for (; n != input->committed; n++) {
        if (is_line_end(input, n) && input->data[INDEX(n)] == EOF_MARKER) {
            *skip = true;
            break;
        }
        if (n - input->tail == size)
            break;
        if (is_line_end(input, n)) {
            n++;
            break;
        }
    }
    return n - input->tail;
}

int64_t terminal_take_input(struct terminal *terminal, uintptr_t buffer, size_t size)
{
    struct terminal_input *input = &terminal->input;
    bool was_full = must_wait_for_reader(terminal);
    bool skip;
    size_t count = span_of_read(terminal, size, &skip);
    size_t done = 0;

    while (done < count) {
        size_t start = INDEX(input->tail + done);
        size_t part =
            count - done < TERMINAL_INPUT_SIZE - start ? count - done : TERMINAL_INPUT_SIZE - start;

        if (copy_to_user(buffer + done, input->data + start, part) != 0)
            return -EFAULT;
        done += part;
    }
    input->tail += count + (skip ? 1 : 0);
    if (was_full)
        terminal->driver->resume_input(terminal);
    return count;
}
