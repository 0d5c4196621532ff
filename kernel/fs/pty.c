/*
 * Pseudo-terminals: see pty.h.
 *
 * What programs write to the terminal goes to a ring that the master reads; what the master writes
 * is input of the terminal. The ring is filled under the terminal's lock and drained under the
 * master's (rank PIPE); the rest that both look at is atomic.
 *
 * References: the master's file, each open file of the terminal, and the session that it controls.
 * Devices of all possible numbers stand in a table for good; pty_of[] (table_lock) says which have
 * a pseudo-terminal behind them.
 */
#include "fs/pty.h"

#include <linux/fcntl.h>

#include "fs/device.h"
#include "fs/pty_internal.h"
#include "fs/tree.h"
#include "lib/errno.h"
#include "lib/printf.h"

#define PTY_MAX 64
static SLAB_CACHE(pty_cache, struct pty);

static struct spinlock table_lock = SPINLOCK_INITIALIZER(LOCK_RANK_FILE_TABLE);
static struct pty *pty_of[PTY_MAX] GUARDED_BY(table_lock); /* no reference */
static bool number_taken[PTY_MAX] GUARDED_BY(table_lock);
static struct device devices[PTY_MAX];
static char device_names[PTY_MAX][8];

static struct pty *pty_of_terminal(struct terminal *terminal)
{
    return container_of(terminal, struct pty, terminal);
}

/* --- driver of the terminal --- */

static size_t driver_room(struct terminal *terminal)
{
    return byte_ring_room(&pty_of_terminal(terminal)->output);
}

static size_t driver_write(struct terminal *terminal, const void *data, size_t size)
{
    struct pty *pty = pty_of_terminal(terminal);
    size_t room = byte_ring_room(&pty->output);

    size = size < room ? size : room;
    byte_ring_put(&pty->output, data, size);
    wait_queue_wake_all(&pty->master_read_wait, POLLIN | POLLRDNORM);
    return size;
}

static void driver_resume_input(struct terminal *terminal)
{
    wait_queue_wake_all(&pty_of_terminal(terminal)->master_write_wait, POLLOUT | POLLWRNORM);
}

static void driver_get(struct terminal *terminal)
{
    refcount_get(&pty_of_terminal(terminal)->refs);
}

static void driver_put(struct terminal *terminal)
{
    struct pty *pty = pty_of_terminal(terminal);

    if (refcount_put(&pty->refs))
        slab_free(&pty_cache, pty);
}

static int driver_opened(struct terminal *terminal)
{
    struct pty *pty = pty_of_terminal(terminal);

    if (atomic_load(&pty->locked) || atomic_load(&pty->master_closed))
        return -EIO;
    atomic_fetch_add(&pty->opens, 1);
    atomic_store(&pty->deserted, false);
    return 0;
}

static void driver_closed(struct terminal *terminal)
{
    struct pty *pty = pty_of_terminal(terminal);

    if (atomic_fetch_sub(&pty->opens, 1) > 1)
        return;
    atomic_store(&pty->deserted, true);
    wait_queue_wake_all(&pty->master_read_wait, POLLIN | POLLRDNORM | POLLHUP);
    wait_queue_wake_all(&pty->master_write_wait, POLLOUT | POLLWRNORM | POLLHUP);
}

static const struct terminal_driver driver = {
    .write = driver_write,
    .room = driver_room,
    .resume_input = driver_resume_input,
    .get = driver_get,
    .put = driver_put,
    .opened = driver_opened,
    .closed = driver_closed,
};

void pty_release_number(struct pty *pty)
{
    spin_lock(&table_lock);
    pty_of[pty->number] = NULL;
    spin_unlock(&table_lock);
    device_unregister(&devices[pty->number]);
    spin_lock(&table_lock);
    number_taken[pty->number] = false;
    spin_unlock(&table_lock);
}

/* --- opening --- */

/* The device's private is its entry in the table. */
static int open_terminal(struct file *file)
{
    struct pty **entry = file->private;

    spin_lock(&table_lock);
    struct pty *pty = *entry;

    if (pty)
        terminal_get(&pty->terminal);
    spin_unlock(&table_lock);
    if (!pty)
        return -EIO;
    int error = terminal_open(&pty->terminal, file);

    if (!error && !(file->flags & O_NOCTTY))
        terminal_adopt_on_open(&pty->terminal);
    return error;
}

/* -1: all are in use. */
static int take_number(struct pty *pty)
{
    int number = 0;

    spin_lock(&table_lock);
    while (number < PTY_MAX && number_taken[number])
        number++;
    if (number < PTY_MAX) {
        number_taken[number] = true;
        pty_of[number] = pty;
    }
    spin_unlock(&table_lock);
    return number < PTY_MAX ? number : -1;
}

static int register_terminal(struct pty *pty)
{
    struct device *device = &devices[pty->number];

    ksnprintf(device_names[pty->number], sizeof(device_names[0]), "pts/%u", pty->number);
    *device = (struct device){
        .name = device_names[pty->number],
        .mode = 0620,
        .number = pty->terminal.device,
        .private = &pty_of[pty->number],
        .open = open_terminal,
    };
    return device_register(device);
}

static void pty_setup(struct pty *pty, unsigned number)
{
    pty->number = number;
    terminal_init(&pty->terminal, &driver, pty, DEVICE_NUMBER(136, number));
    refcount_init(&pty->refs);
    atomic_init(&pty->locked, true);
    mutex_init(&pty->master_lock, LOCK_RANK_PIPE);
    pty->output.data = pty->output_data;
    pty->output.size = PTY_OUTPUT_SIZE;
    wait_queue_init(&pty->master_read_wait);
    wait_queue_init(&pty->master_write_wait);
}

static int open_master(struct file *file)
{
    struct pty *pty = slab_alloc(&pty_cache);

    if (!pty)
        return -ENOMEM;
    int number = take_number(pty);

    if (number < 0) {
        slab_free(&pty_cache, pty);
        return -ENOSPC;
    }
    pty_setup(pty, number);
    int error = register_terminal(pty);

    if (error) {
        spin_lock(&table_lock);
        pty_of[number] = NULL;
        number_taken[number] = false;
        spin_unlock(&table_lock);
        slab_free(&pty_cache, pty);
        return error;
    }
    file->operations = &pty_master_operations;
    file->private = pty;
    return 0;
}

int pty_init(void)
{
    static struct device ptmx = {
        .name = "ptmx",
        .mode = 0666,
        .number = DEVICE_NUMBER(5, 2),
        .open = open_master,
    };

    const struct tree_node directory = {.mode = S_IFDIR | 0755};
    int error = tree_make("dev/pts", &directory, NULL);

    return error ? error : device_register(&ptmx);
}
