/* What a pseudo-terminal is made of: for pty.c and pty_master.c. */
#pragma once

#include "fs/byte_ring.h"
#include "fs/terminal.h"

#define PTY_OUTPUT_SIZE 4096

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
    uint8_t output_data[PTY_OUTPUT_SIZE];
    struct wait_queue master_read_wait;
    struct wait_queue master_write_wait;
};

/* Of the master; file->private is the struct pty. */
extern const struct file_operations pty_master_operations;
/* The number, and its device, are free again. */
void pty_release_number(struct pty *pty);
