/* Reading directories: what getdents(2) and a directory's operations say to each other. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct directory_emitter {
    uint64_t position; /* where to go on; moved with every entry taken */
    /* Takes one entry, whose successor is at `next`; may sleep. False: it is full, or the caller's
     * memory is bad; stop, the entry was not taken. */
    bool (*take)(struct directory_emitter *emitter, const char *name, size_t length,
                 uint64_t number, unsigned type, uint64_t next);
};

/* Hands one entry over and moves the position. `type` is the inode's S_IFMT bits. */
static inline bool directory_emit(struct directory_emitter *emitter, const char *name,
                                  size_t length, uint64_t number, uint32_t type, uint64_t next)
{
    if (!emitter->take(emitter, name, length, number, type >> 12 & 15, next))
        return false;
    emitter->position = next;
    return true;
}

extern const struct file_operations directory_operations;
