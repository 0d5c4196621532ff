/*
 * What the files of the line discipline share: terminal_input.c sees each byte first,
 * terminal_edit.c changes the line being typed, terminal_queue.c keeps what is typed until it is
 * read. All with the terminal's lock held.
 */
#pragma once

#include "fs/terminal.h"

#define TERMINAL_INDEX(n)   ((n) & (TERMINAL_INPUT_SIZE - 1))
#define TERMINAL_EOF_MARKER '\0' /* stands for VEOF in the queue, with its line_end bit set */

/* Are all of these bits of c_lflag set? */
static inline bool terminal_has_mode(const struct terminal *terminal, tcflag_t local_modes)
{
    return (terminal->modes.c_lflag & local_modes) == local_modes;
}

/* --- terminal_queue.c --- */

/* Appends a byte; drops it, with a bell, if the line is full. */
void terminal_queue_byte(struct terminal *terminal, uint8_t byte, bool ends_line)
    REQUIRES(terminal->lock);
/* Would a byte be turned away for lack of room, with somebody to wait for: a reader who has a line,
 * or raw bytes, to take? A single endless line is not waited for: its excess is dropped. */
bool terminal_must_wait_for_reader(struct terminal *terminal);

/* --- terminal_edit.c --- */
void terminal_erase_character(struct terminal *terminal) REQUIRES(terminal->lock);
void terminal_erase_word(struct terminal *terminal) REQUIRES(terminal->lock);
void terminal_erase_line(struct terminal *terminal) REQUIRES(terminal->lock);
void terminal_reprint_line(struct terminal *terminal) REQUIRES(terminal->lock);
