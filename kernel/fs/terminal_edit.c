/*
 * Editing the line that is being typed, in canonical mode: the bytes committed..head of the queue,
 * and their echo on the screen.
 */
#include "fs/terminal_internal.h"

static bool is_utf8_continuation(const struct terminal *terminal, uint8_t byte)
{
    return (terminal->modes.c_iflag & IUTF8) && (byte & 0xc0) == 0x80;
}

static unsigned echo_width(const struct terminal *terminal, uint8_t byte, unsigned column)
{
    if (byte == '\t')
        return 8 - column % 8;
    if (byte < ' ' || byte == 0x7f)
        return terminal_has_mode(terminal, ECHOCTL) ? 2 : 0;
    return is_utf8_continuation(terminal, byte) ? 0 : 1;
}

/* The cursor's column after the echo of the line up to byte n. */
static unsigned column_at(struct terminal *terminal, size_t n) REQUIRES(terminal->lock)
{
    struct terminal_input *input = &terminal->input;
    unsigned column = terminal->line_column;

    for (size_t i = input->committed; i != n; i++)
        column += echo_width(terminal, input->data[TERMINAL_INDEX(i)], column);
    return column;
}

static void rub_out_columns(struct terminal *terminal, unsigned count, bool blank)
    REQUIRES(terminal->lock)
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
static void erase_to(struct terminal *terminal, size_t n) REQUIRES(terminal->lock)
{
    struct terminal_input *input = &terminal->input;

    while (input->head != n && terminal_has_mode(terminal, ECHO)) {
        uint8_t last = input->data[TERMINAL_INDEX(input->head - 1)];
        unsigned before = column_at(terminal, input->head - 1);
        unsigned width = echo_width(terminal, last, before);

        rub_out_columns(terminal, width, last != '\t');
        input->head--;
    }
    input->head = n;
}

static size_t previous_character(struct terminal *terminal, size_t n) REQUIRES(terminal->lock)
{
    struct terminal_input *input = &terminal->input;

    do
        n--;
    while (n != input->committed && is_utf8_continuation(terminal, input->data[TERMINAL_INDEX(n)]));
    return n;
}

void terminal_erase_character(struct terminal *terminal)
{
    struct terminal_input *input = &terminal->input;

    if (input->head == input->committed)
        return;
    size_t n = previous_character(terminal, input->head);

    if (terminal_has_mode(terminal, ECHO | ECHOE)) {
        erase_to(terminal, n);
        return;
    }
    input->head = n;
    if (terminal_has_mode(terminal, ECHO))
        terminal_echo(terminal, terminal->modes.c_cc[VERASE]);
}

static bool is_word_byte(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '_' || byte >= 0x80;
}

void terminal_erase_word(struct terminal *terminal)
{
    struct terminal_input *input = &terminal->input;
    size_t n = input->head;
    bool seen_word = false;

    while (n != input->committed) {
        size_t before = previous_character(terminal, n);

        if (is_word_byte(input->data[TERMINAL_INDEX(before)]))
            seen_word = true;
        else if (seen_word)
            break;
        n = before;
    }
    if (terminal_has_mode(terminal, ECHO | ECHOE))
        erase_to(terminal, n);
    input->head = n;
}

void terminal_erase_line(struct terminal *terminal)
{
    struct terminal_input *input = &terminal->input;

    if (terminal_has_mode(terminal, ECHO | ECHOK | ECHOKE | ECHOE)) {
        erase_to(terminal, input->committed);
        return;
    }
    input->head = input->committed;
    if (terminal_has_mode(terminal, ECHO)) {
        terminal_echo(terminal, terminal->modes.c_cc[VKILL]);
        if (terminal_has_mode(terminal, ECHOK))
            terminal_put_byte(terminal, '\n');
    }
}

void terminal_reprint_line(struct terminal *terminal)
{
    struct terminal_input *input = &terminal->input;

    terminal_echo(terminal, terminal->modes.c_cc[VREPRINT]);
    terminal_put_byte(terminal, '\n');
    for (size_t n = input->committed; n != input->head; n++)
        terminal_echo(terminal, input->data[TERMINAL_INDEX(n)]);
}
