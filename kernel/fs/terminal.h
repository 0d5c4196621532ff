/*
 * Terminals: a line discipline between a driver (serial console, pseudo-terminal) and the programs
 * that read and write it. termios(3) says what the modes mean; ioctl_tty(2) the calls.
 *
 *   driver -- terminal_receive() --> terminal_input.c --> input queue --> read
 *   write --> terminal_output.c --> driver                  | echo
 *                     ^-------------------------------------+
 *
 * Field tags: (L) terminal->lock; (F) family_lock; (atomic) written under L, read without;
 * (const) set before the terminal is used.
 */
#pragma once

#include <linux/termios.h>

#include "fs/file.h"
#include "fs/poll.h"
#include "proc/pgrp.h"

struct terminal;

struct terminal_driver {
    /* Takes up to `size` bytes of finished output and returns how many. With L held. */
    size_t (*write)(struct terminal *terminal, const void *data, size_t size);
    /* Bytes that write() would take now. NULL: always takes all. Any context. */
    size_t (*room)(struct terminal *terminal);
    /* Input has been taken from a full queue: there is room again. With L held. */
    void (*resume_input)(struct terminal *terminal);
    /* References, of open files and of the session that it controls. May be called under
     * family_lock.   NULL: the terminal is there for good */
    void (*get)(struct terminal *terminal);
    void (*put)(struct terminal *terminal);
    /* A file of the terminal was opened, with a reference that it keeps, or is being closed. NULL:
     * nothing to do */
    int (*opened)(struct terminal *terminal);
    void (*closed)(struct terminal *terminal);
};

#define TERMINAL_INPUT_SIZE  4096 /* as Linux: a line has up to 4095 bytes */
#define TERMINAL_OUTPUT_SIZE 256

/* What was typed. head, committed and tail count bytes since the beginning; the byte number n is at
 * n modulo the size. tail <= committed <= head. */
struct terminal_input {
    uint8_t data[TERMINAL_INPUT_SIZE];
    uint64_t line_end[TERMINAL_INPUT_SIZE / 64]; /* (L) bit per byte: last of a line */
    _Atomic size_t head;                         /* (atomic) */
    _Atomic size_t committed; /* (atomic) end of the last complete line; canonical mode only */
    _Atomic size_t tail;      /* (atomic) */
};

struct terminal {
    const struct terminal_driver *driver; /* (const) */
    void *private;                        /* (const) the driver's */
    uint64_t device;                      /* (const) st_rdev, tty_nr of /proc/<pid>/stat */
    struct mutex lock;                    /* L: rank CONSOLE */
    struct ktermios modes;                /* (L) */
    struct winsize size;                  /* (L) */

    struct terminal_input input;
    bool literal_next;         /* (L) VLNEXT was typed */
    unsigned column;           /* (L) of the cursor, as far as we know */
    unsigned line_column;      /* (L) where the echo of the line being typed began */
    _Atomic bool stopped;      /* (atomic) VSTOP: output waits */
    _Atomic bool hung_up;      /* (atomic) the other end is gone: reads end, writes fail */
    _Atomic bool canonical;    /* (atomic) ICANON */
    _Atomic bool asks_writers; /* (atomic) TOSTOP: writers in the background are stopped */
    _Atomic uint32_t poll_min; /* (atomic) bytes that make a raw terminal readable to poll */
    uint8_t output[TERMINAL_OUTPUT_SIZE]; /* (L) output being built */
    size_t output_count;                  /* (L) */

    struct wait_queue read_wait;
    struct wait_queue write_wait;
    struct session *session; /* (F) whose controlling terminal it is; no reference: a session lets
                                go of its terminal before it ends */
};

static inline void terminal_get(struct terminal *terminal)
{
    if (terminal->driver->get)
        terminal->driver->get(terminal);
}

static inline void terminal_put(struct terminal *terminal)
{
    if (terminal->driver->put)
        terminal->driver->put(terminal);
}

void terminal_init(struct terminal *terminal, const struct terminal_driver *driver, void *private,
                   uint64_t device);

/* --- terminal_input.c: what the driver's other end sends --- */

/* Handles input bytes, and returns how many were taken; fewer mean that the queue is full, and
 * driver->resume_input() will tell. May send signals. */
size_t terminal_receive(struct terminal *terminal, const uint8_t *data, size_t size)
    REQUIRES(terminal->lock);
/* Would terminal_receive() take a byte? Any context. */
bool terminal_has_input_room(struct terminal *terminal);
/* Can read() go on? `minimum` counts in raw mode only. Any context. */
bool terminal_input_is_ready(struct terminal *terminal, size_t minimum);
/* Moves input to the user buffer: in canonical mode at most one line. Returns the bytes, 0 for none
 * or end of file, -EFAULT. */
int64_t terminal_take_input(struct terminal *terminal, uintptr_t buffer, size_t size)
    REQUIRES(terminal->lock);
void terminal_flush_input(struct terminal *terminal) REQUIRES(terminal->lock);
/* After a change of ICANON: what is queued becomes a line, or just bytes. */
void terminal_input_change_mode(struct terminal *terminal) REQUIRES(terminal->lock);
/* Bytes that FIONREAD reports. */
size_t terminal_input_count(struct terminal *terminal) REQUIRES(terminal->lock);

/* --- terminal_output.c --- */

/* Puts a byte through output processing into terminal->output. */
void terminal_put_byte(struct terminal *terminal, uint8_t byte) REQUIRES(terminal->lock);
/* Gives the driver what was put. What it does not take is lost: only echo may risk that. */
void terminal_flush_output(struct terminal *terminal) REQUIRES(terminal->lock);
/* As put, and shows a control character as ^X if ECHOCTL says so. */
void terminal_echo(struct terminal *terminal, uint8_t byte) REQUIRES(terminal->lock);
/* write(2): sleeps while output is stopped or the driver is full. */
int64_t terminal_write(struct terminal *terminal, uintptr_t buffer, size_t size, bool nonblocking);

/* --- terminal_session.c: the controlling terminal --- */

/* SIGTTIN or SIGTTOU to a caller in the background: 0 to go on, -EIO, -ERESTARTSYS. */
int terminal_check_foreground(struct terminal *terminal, int signal);
/* To the foreground group; with family_lock not held. */
void terminal_signal_foreground(struct terminal *terminal, int signal);
/* open(2) without O_NOCTTY by a session leader that has no terminal. */
void terminal_adopt_on_open(struct terminal *terminal);
/* The caller's controlling terminal, with a reference; NULL if none. */
struct terminal *terminal_of_session(void) MUST_CHECK;
int64_t terminal_set_controlling(struct terminal *terminal, bool steal);
int64_t terminal_give_up_controlling(struct terminal *terminal);
/* 0: none. */
pid_number terminal_foreground_number(struct terminal *terminal);
int64_t terminal_get_foreground(struct terminal *terminal, pid_number *number);
int64_t terminal_set_foreground(struct terminal *terminal, pid_number number);
int64_t terminal_get_session(struct terminal *terminal, pid_number *number);
/* The other end is gone: SIGHUP and SIGCONT to the session leader, and the session has no terminal
 * any more. */
void terminal_hang_up_session(struct terminal *terminal);
/* Has proc tell when a session leader exits. At boot, before the first process. */
void terminal_session_register(void);

/* --- terminal_ioctl.c --- */
int64_t terminal_ioctl(struct terminal *terminal, unsigned command, uintptr_t argument);
/* The same through a pseudo-terminal's master, whose user is never in the background. */
int64_t terminal_ioctl_from_master(struct terminal *terminal, unsigned command, uintptr_t argument);

/* Makes `file` one of the terminal: sets operations and private; takes over the reference, also on
 * an error, which is the driver's. */
int terminal_open(struct terminal *terminal, struct file *file);
/* Operations of an open terminal; file->private is the struct terminal. */
extern const struct file_operations terminal_operations;
