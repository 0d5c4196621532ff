/* The newc cpio format: see cpio.h. */
#include "fs/cpio.h"

#include <stdbool.h>

#include "lib/errno.h"
#include "lib/string.h"

#define MAGIC_SIZE   6
#define FIELD_SIZE   8
#define FIELD_COUNT  13
#define HEADER_SIZE  (MAGIC_SIZE + FIELD_COUNT * FIELD_SIZE)
#define ALIGNMENT    4
#define NAME_MAXIMUM 4096

/* In order of the header. */
enum field {
    FIELD_INODE,
    FIELD_MODE,
    FIELD_UID,
    FIELD_GID,
    FIELD_LINKS,
    FIELD_MODIFY_TIME,
    FIELD_FILE_SIZE,
    FIELD_DEVICE_MAJOR,
    FIELD_DEVICE_MINOR,
    FIELD_NODE_MAJOR,
    FIELD_NODE_MINOR,
    FIELD_NAME_SIZE,
    FIELD_CHECK,
};

void cpio_open(struct cpio_reader *reader, const void *data, size_t size)
{
    *reader = (struct cpio_reader){.data = data, .size = size};
}

static int digit_value(uint8_t digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    digit |= 0x20;
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

static bool parse_fields(const uint8_t *header, uint32_t fields[FIELD_COUNT])
{
    const uint8_t *at = header + MAGIC_SIZE;

    for (int field = 0; field < FIELD_COUNT; field++) {
        fields[field] = 0;
        for (int i = 0; i < FIELD_SIZE; i++) {
            int digit = digit_value(*at++);

            if (digit < 0)
                return false;
            fields[field] = fields[field] << 4 | digit;
        }
    }
    return true;
}

static bool has_magic(const uint8_t *header)
{
    return memcmp(header, "070701", MAGIC_SIZE) == 0 || memcmp(header, "070702", MAGIC_SIZE) == 0;
}

static size_t bytes_left(const struct cpio_reader *reader)
{
    return reader->size - reader->offset;
}

static void skip_zeros(struct cpio_reader *reader)
{
    while (reader->offset < reader->size && reader->data[reader->offset] == 0)
        reader->offset++;
}

/* Moves past `size` bytes and what pads them, counted from the start of the archive's memory.
 * Missing padding at the very end is forgiven. */
static bool advance(struct cpio_reader *reader, size_t size, size_t header_start)
{
    size_t past, padding;

    if (size > bytes_left(reader))
        return false;
    past = reader->offset + size - header_start;
    padding = (ALIGNMENT - past % ALIGNMENT) % ALIGNMENT;
    reader->offset += size;
    reader->offset += padding < bytes_left(reader) ? padding : bytes_left(reader);
    return true;
}

static int read_entry(struct cpio_reader *reader, struct cpio_entry *entry)
{
    const uint8_t *header = reader->data + reader->offset;
    size_t start = reader->offset;
    uint32_t fields[FIELD_COUNT];

    if (bytes_left(reader) < HEADER_SIZE || !has_magic(header) || !parse_fields(header, fields))
        return -EINVAL;
    size_t name_size = fields[FIELD_NAME_SIZE];

    reader->offset += HEADER_SIZE;
    entry->name = (const char *)(reader->data + reader->offset);
    if (name_size == 0 || name_size > NAME_MAXIMUM || name_size > bytes_left(reader) ||
        entry->name[name_size - 1] != '\0')
        return -EINVAL;
    entry->name_length = strnlen(entry->name, name_size);
    advance(reader, name_size, start);
    entry->data = reader->data + reader->offset;
    entry->size = fields[FIELD_FILE_SIZE];
    if (!advance(reader, entry->size, start))
        return -EINVAL;
    entry->mode = fields[FIELD_MODE];
    entry->uid = fields[FIELD_UID];
    entry->gid = fields[FIELD_GID];
    entry->links = fields[FIELD_LINKS];
    entry->inode = fields[FIELD_INODE];
    entry->device = fields[FIELD_DEVICE_MAJOR] << 20 | fields[FIELD_DEVICE_MINOR];
    entry->modify_time = fields[FIELD_MODIFY_TIME];
    entry->device_major = fields[FIELD_NODE_MAJOR];
    entry->device_minor = fields[FIELD_NODE_MINOR];
    return 1;
}

int cpio_next(struct cpio_reader *reader, struct cpio_entry *entry)
{
    for (;;) {
        int result;

        skip_zeros(reader);
        if (bytes_left(reader) == 0)
            return 0;
        result = read_entry(reader, entry);
        if (result < 0 || strcmp(entry->name, "TRAILER!!!") != 0)
            return result;
        reader->archive++;
    }
}
