/*
 * Character devices: what a device node of a given number opens. The registry is filled at boot and
 * as pseudo-terminals come and go.
 */
#pragma once

#include <stdint.h>

#include "fs/file.h"
#include "lib/list.h"

/* The number as stat(2) shows it. */
#define DEVICE_NUMBER(major, minor)                                                                \
    (((uint64_t)(minor)&0xff) | ((uint64_t)(major) << 8) | (((uint64_t)(minor) & ~0xfful) << 12))
#define DEVICE_MAJOR(number) (((number) >> 8) & 0xfff)
#define DEVICE_MINOR(number) (((number)&0xff) | (((number) >> 12) & ~0xfful))

struct device {
    const char *name; /* below /dev, as "null" or "host/stdin" */
    uint32_t mode;    /* permissions of its node */
    uint64_t number;  /* DEVICE_NUMBER() */
    const struct file_operations *operations;
    void *private; /* of each file opened, until open() sets another */
    /* A file of the device is being opened; may change file->operations and file->private. An error
     * fails the open.   NULL: nothing to do */
    int (*open)(struct file *file);
    struct list link; /* (device registry lock) */
};

/* The device stays the caller's and must outlive its registration. Creates its node below /dev, and
 * the directories on the way to it. After fs_init(). -ENOMEM, -EEXIST. */
int MUST_CHECK device_register(struct device *device);
/* Removes the node and the number. Files already open stay. */
void device_unregister(struct device *device);

/* Opens the device of a node: fills the file in. -ENXIO if there is no such device. */
int device_open(uint64_t number, struct file *file);

/* null, zero, full, random, urandom. */
int MUST_CHECK memory_devices_register(void);
