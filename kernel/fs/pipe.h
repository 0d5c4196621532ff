/*
 * Pipes: pipe(2) and named FIFOs, pipe(7) to the letter.
 *
 * A pipe is a ring of slots, each up to a page of bytes. A write that fits after the last bytes
 * goes into their page, any other takes fresh slots: so a write of up to PIPE_BUF bytes is in one
 * slot and atomic without further care. Pages come when data comes; an empty pipe keeps at most
 * one.
 */
#pragma once

#include "fs/file.h"

struct pipe;

/* ends[0] reads, ends[1] writes. `flags`: O_NONBLOCK, O_DIRECT (packets). -ENOMEM. */
int pipe_create_pair(struct file *ends[2], uint32_t flags);

/* A pipe to hang on the inode of a named FIFO, with one reference; NULL if memory is short. */
struct pipe *pipe_create(void) MUST_CHECK;
void pipe_put(struct pipe *pipe);
/* open(2) of a FIFO: sets the file's operations and private, by its access mode; sleeps until the
 * other end is open too. -ENXIO (writer, O_NONBLOCK, no reader), -ERESTARTSYS. */
int pipe_open(struct pipe *pipe, struct file *file);

/* A reference to the pipe behind an end of it; NULL if the file is none. */
struct pipe *pipe_of_file(struct file *file) MUST_CHECK;

/* F_GETPIPE_SZ, F_SETPIPE_SZ: bytes, or -EBADF (no pipe), -EPERM, -EBUSY, -EINVAL, -ENOMEM. */
int64_t pipe_get_size(struct file *file);
int64_t pipe_set_size(struct file *file, uint64_t size);
