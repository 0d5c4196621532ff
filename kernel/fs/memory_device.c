/* /dev/null, zero, full, random and urandom: devices without state. */
#include <linux/fcntl.h>

#include "fs/device.h"
#include "fs/user_vector.h"
#include "lib/errno.h"
#include "mm/address_space.h"
#include "mm/user_copy.h"
#include "proc/process.h"
#include "sched/sched.h"

#define MEMORY_MAJOR 1
/* Bytes between two looks at whether others should run, or a signal has come. */
#define ZERO_TURN   65536ul
#define RANDOM_TURN 256ul

static int64_t null_read(struct file *file, uintptr_t buffer, size_t size, uint64_t *position)
{
    return 0;
}

static int64_t null_write(struct file *file, uintptr_t buffer, size_t size, uint64_t *position)
{
    return size;
}

static int64_t null_write_vector(struct file *file, struct user_vector *vector, uint64_t *position)
{
    return vector->total;
}

static int64_t full_write(struct file *file, uintptr_t buffer, size_t size, uint64_t *position)
{
    return -ENOSPC;
}

typedef int fill_function(uintptr_t buffer, size_t size);

static int fill_zero(uintptr_t buffer, size_t size)
{
    return clear_user(buffer, size);
}

static int fill_random(uintptr_t buffer, size_t size)
{
    uint8_t bytes[RANDOM_TURN];

    port_random(bytes, size);
    return copy_to_user(buffer, bytes, size);
}

/* Long reads end early when a signal comes. */
static int64_t fill(uintptr_t buffer, size_t size, size_t turn, fill_function *function)
{
    size_t done = 0;

    while (done < size) {
        size_t part = size - done < turn ? size - done : turn;

        if (function(buffer + done, part))
            return done > 0 ? (int64_t)done : -EFAULT;
        done += part;
        sched_point();
        if (signal_is_pending())
            break;
    }
    return done;
}

static int64_t zero_read(struct file *file, uintptr_t buffer, size_t size, uint64_t *position)
{
    return fill(buffer, size, ZERO_TURN, fill_zero);
}

static int64_t random_read(struct file *file, uintptr_t buffer, size_t size, uint64_t *position)
{
    return fill(buffer, size, RANDOM_TURN, fill_random);
}

/* Anonymous memory: a mapping without a source. */
static int zero_map(struct file *file, int protection, int flags, struct mapping_source **source)
{
    *source = NULL;
    return 0;
}

static const struct file_operations null_operations = {
    .name = "null",
    .read = null_read,
    .write = null_write,
    .write_vector = null_write_vector,
    .seek = file_seek_nowhere,
    .ignores_position = true,
};

static const struct file_operations zero_operations = {
    .name = "zero",
    .read = zero_read,
    .write = null_write,
    .write_vector = null_write_vector,
    .seek = file_seek_nowhere,
    .ignores_position = true,
    .map = zero_map,
};

static const struct file_operations full_operations = {
    .name = "full",
    .read = zero_read,
    .write = full_write,
    .seek = file_seek_nowhere,
    .ignores_position = true,
};

static const struct file_operations random_operations = {
    .name = "random",
    .read = random_read,
    .write = null_write,
    .write_vector = null_write_vector,
    .seek = file_seek_nowhere,
    .ignores_position = true,
};

#define MEMORY_DEVICE(text, minor, its_operations)                                                 \
    {                                                                                              \
        .name = text, .mode = 0666, .number = DEVICE_NUMBER(MEMORY_MAJOR, minor),                  \
        .operations = &its_operations                                                              \
    }

static struct device devices[] = {
    MEMORY_DEVICE("null", 3, null_operations),      MEMORY_DEVICE("zero", 5, zero_operations),
    MEMORY_DEVICE("full", 7, full_operations),      MEMORY_DEVICE("random", 8, random_operations),
    MEMORY_DEVICE("urandom", 9, random_operations),
};

int memory_devices_register(void)
{
    for (size_t i = 0; i < array_length(devices); i++) {
        int error = device_register(&devices[i]);

        if (error)
            return error;
    }
    return 0;
}
