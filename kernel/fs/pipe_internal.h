/* What a pipe is made of: for pipe.c, and for fifo.c, which opens named ones. */
#pragma once

#include <linux/fcntl.h>

#include "fs/file.h"
#include "fs/pipe_ring.h"

struct pipe {
    struct mutex lock;
    struct refcount refs; /* open files, and the inode of a FIFO */
    struct pipe_ring ring;
    _Atomic uint32_t readers, writers;           /* open ends */
    _Atomic uint32_t reader_opens, writer_opens; /* ends ever opened: what FIFO openers wait for */
    struct wait_queue read_wait;                 /* readers, and openers for reading */
    struct wait_queue write_wait;                /* writers, and openers for writing */
    uint64_t number;                             /* (const) inode number of an unnamed pipe */
    uint32_t uid, gid;                           /* (const) its creator */
    bool is_named;                               /* (const) openers wait for one another */
};

/* file->position of a pipe's end: the value of writer_opens when it was opened for reading without
 * a writer; until one comes the end is not hung up. */
#define opened_at position

static inline bool pipe_file_reads(const struct file *file)
{
    return (file->flags & O_ACCMODE) != O_WRONLY;
}

static inline bool pipe_file_writes(const struct file *file)
{
    return (file->flags & O_ACCMODE) != O_RDONLY;
}

/* Of an open FIFO; file->private is the struct pipe. */
extern const struct file_operations fifo_operations;
