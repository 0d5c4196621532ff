/*
 * The queue of what was typed, from the line discipline to read(2). Changed under the terminal's
 * lock; its counters are also read without it, by sleepers and poll.
 */
#include "fs/terminal_internal.h"
#include "lib/errno.h"
#include "mm/user_copy.h"

static bool is_line_end(const struct terminal_input *input, size_t n)
{
    return input->line_end[TERMINAL_INDEX(n) / 64] >> (n % 64) & 1;
}

static void set_line_end(struct terminal_input *input, size_t n, bool end)
{
    uint64_t bit = 1ull << (n % 64);

    if (end)
        input->line_end[TERMINAL_INDEX(n) / 64] |= bit;
    else
        input->line_end[TERMINAL_INDEX(n) / 64] &= ~bit;
}

static size_t queue_room(struct terminal_input *input)
{
    return TERMINAL_INPUT_SIZE - (input->head - input->tail);
}

static void announce_input(struct terminal *terminal)
{
    wait_queue_wake_all(&terminal->read_wait, POLLIN | POLLRDNORM);
}

/* A line keeps the last place for its end, so that it can always be finished. */
void terminal_queue_byte(struct terminal *terminal, uint8_t byte, bool ends_line)
{
    struct terminal_input *input = &terminal->input;
    size_t head = input->head;

    if (queue_room(input) == 0 ||
        (!ends_line && atomic_load(&terminal->canonical) && queue_room(input) == 1)) {
        if (terminal->modes.c_iflag & IMAXBEL)
            terminal_put_byte(terminal, '\a');
        return;
    }
    input->data[TERMINAL_INDEX(head)] = byte;
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
        if (is_line_end(input, n) && input->data[TERMINAL_INDEX(n)] == TERMINAL_EOF_MARKER)
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
    terminal->driver->resume_input(terminal);
}

bool terminal_must_wait_for_reader(struct terminal *terminal)
{
    struct terminal_input *input = &terminal->input;

    if (atomic_load(&terminal->canonical))
        return queue_room(input) <= 1 && input->committed != input->tail;
    return queue_room(input) == 0;
}

bool terminal_has_input_room(struct terminal *terminal)
{
    return !terminal_must_wait_for_reader(terminal);
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
        if (is_line_end(input, n) && input->data[TERMINAL_INDEX(n)] == TERMINAL_EOF_MARKER) {
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
    bool was_full = terminal_must_wait_for_reader(terminal);
    bool skip;
    size_t count = span_of_read(terminal, size, &skip);
    size_t done = 0;

    while (done < count) {
        size_t start = TERMINAL_INDEX(input->tail + done);
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
