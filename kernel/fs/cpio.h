/*
 * The newc cpio format (and crc, whose sums are not checked), read in memory. Pure: no allocation,
 * no locks; every header is checked against the bytes that are there.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct cpio_entry {
    const char *name; /* in the archive, ended with NUL */
    size_t name_length;
    const uint8_t *data; /* in the archive */
    size_t size;
    uint32_t mode, uid, gid, links;
    uint32_t inode, device; /* names with the same two are one file, if links > 1 */
    uint32_t modify_time;
    uint32_t device_major, device_minor; /* device nodes */
};

struct cpio_reader {
    const uint8_t *data;
    size_t size;
    size_t offset;    /* of the next header */
    unsigned archive; /* archives ended so far: inode numbers mean something within one only */
};

void cpio_open(struct cpio_reader *reader, const void *data, size_t size);
/* 1 with an entry, 0 at the end of the last archive, -EINVAL: no valid header, name or size.
 * Archives may follow each other, and any number of zero bytes may stand before each. */
int cpio_next(struct cpio_reader *reader, struct cpio_entry *entry);
