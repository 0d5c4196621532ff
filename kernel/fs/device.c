/*
 * The registry of character devices, by number, and their nodes in /dev.
 *
 * The registry's lock is held for a lookup only. A device that goes away is unregistered by its
 * owner, who keeps it until the last file of it is closed.
 */
#include "fs/device.h"

#include "fs/inode.h"
#include "fs/tree.h"
#include "lib/errno.h"
#include "lib/printf.h"

#define BUCKETS 64

static struct spinlock registry_lock = SPINLOCK_INITIALIZER(LOCK_RANK_FILE_TABLE);
static struct list
    registry[BUCKETS]; /* (registry_lock) devices by number; all zeros: not used yet */

static struct list *bucket_of(uint64_t number)
{
    struct list *bucket = &registry[(number ^ number >> 8) % BUCKETS];

    if (!bucket->next)
        list_init(bucket);
    return bucket;
}

static struct device *find_locked(uint64_t number)
{
    struct device *device;

    list_for_each (device, bucket_of(number), link)
        if (device->number == number)
            return device;
    return NULL;
}

static int enter(struct device *device)
{
    int error = 0;

    spin_lock(&registry_lock);
    if (find_locked(device->number))
        error = -EEXIST;
    else
        list_push_back(bucket_of(device->number), &device->link);
    spin_unlock(&registry_lock);
    return error;
}

static void leave(struct device *device)
{
    spin_lock(&registry_lock);
    list_remove(&device->link);
    spin_unlock(&registry_lock);
}

#define NODE_NAME_MAX 64

static void node_name(const struct device *device, char name[NODE_NAME_MAX])
{
    ksnprintf(name, NODE_NAME_MAX, "dev/%s", device->name);
}

int device_register(struct device *device)
{
    const struct tree_node node = {
        .mode = S_IFCHR | device->mode,
        .device_number = device->number,
    };
    char name[NODE_NAME_MAX];
    int error = enter(device);

    if (error)
        return error;
    node_name(device, name);
    error = tree_make(name, &node, NULL);
    if (error)
        leave(device);
    return error;
}

void device_unregister(struct device *device)
{
    char name[NODE_NAME_MAX];

    leave(device);
    node_name(device, name);
    /* The node may be gone already: root can remove it. */
    (void)tree_unmake(name, false);
}

int device_open(uint64_t number, struct file *file)
{
    spin_lock(&registry_lock);
    struct device *device = find_locked(number);

    spin_unlock(&registry_lock);
    if (!device)
        return -ENXIO;
    file->operations = device->operations;
    file->private = device->private;
    return device->open ? device->open(file) : 0;
}
