/*
 * The console: see console.h.
 *
 * The receive interrupt only puts bytes into a ring; a kernel thread runs the line discipline on
 * them, because that needs the terminal's sleeping lock and sends signals under family_lock. When
 * the terminal's queue is full the thread waits for a reader, the ring fills up, and at last the
 * machine leaves the bytes in the device: nothing is lost.
 */
#include "fs/console.h"

#include <linux/fcntl.h>

#include "fs/byte_ring.h"
#include "fs/device.h"
#include "fs/terminal.h"
#include "lib/errno.h"
#include "lib/klog.h"
#include "port_devices.h"
#include "proc/dump.h"

#define RING_SIZE 4096

/* What Ctrl-T introduces. */
#define COMMAND_KEY     0x14
#define COMMAND_LISTING 'p'

static struct terminal console;
static uint8_t ring_data[RING_SIZE];
static struct byte_ring ring = {.data = ring_data, .size = RING_SIZE};
static struct wait_queue ring_wait;
static struct wait_queue resume_wait;
static _Atomic bool resumed;  /* a reader made room in the terminal's queue */
static bool command_key_seen; /* (the receive interrupt) */

/* --- driver of the terminal --- */

static size_t console_write(struct terminal *terminal, const void *data, size_t size)
{
    port_console_write(data, size);
    return size;
}

static void console_resume_input(struct terminal *terminal)
{
    atomic_store(&resumed, true);
    wait_queue_wake_all(&resume_wait, 0);
}

static const struct terminal_driver driver = {
    .write = console_write,
    .resume_input = console_resume_input,
};

/* --- reception: interrupt context --- */

/* One byte less, for a command key that is passed on with its successor. */
static size_t receive_room(void)
{
    size_t room = byte_ring_room(&ring);

    return room ? room - 1 : 0;
}

/* Lines of the log, whose newlines need a carriage return here. */
static void show_line(const char *text, size_t size)
{
    port_console_write(text, size);
    port_console_write("\r", 1);
}

/* Takes no lock that a wedged machine may hold. */
static void show_processes(void)
{
    uint64_t before = klog_line_count();

    process_dump();
    klog_replay(show_line, klog_line_count() - before);
}

static void receive_byte(uint8_t byte)
{
    static const uint8_t command_key = COMMAND_KEY;

    if (!command_key_seen && byte == COMMAND_KEY) {
        command_key_seen = true;
        return;
    }
    if (command_key_seen) {
        command_key_seen = false;
        if (byte == COMMAND_LISTING) {
            show_processes();
            return;
        }
        byte_ring_put(&ring, &command_key, 1);
        if (byte == COMMAND_KEY)
            return;
    }
    byte_ring_put(&ring, &byte, 1);
}

static void receive(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        receive_byte(data[i]);
    wait_queue_wake_all(&ring_wait, 0);
}

static const struct port_receiver receiver = {.room = receive_room, .receive = receive};

/* --- the input thread --- */

static bool ring_has_bytes(void *unused)
{
    return byte_ring_count(&ring) > 0;
}

static bool terminal_has_resumed(void *unused)
{
    return atomic_load(&resumed);
}

static void handle_input(void)
{
    const uint8_t *data;
    size_t size = byte_ring_front(&ring, &data);

    mutex_lock(&console.lock);
    atomic_store(&resumed, false);
    size_t taken = terminal_receive(&console, data, size);

    mutex_unlock(&console.lock);
    byte_ring_consume(&ring, taken);
    port_console_input_resume();
    if (taken < size)
        wait_queue_sleep(&resume_wait, terminal_has_resumed, NULL, SLEEP_UNINTERRUPTIBLE,
                         DEADLINE_NEVER);
}

static void input_thread(void *unused)
{
    for (;;) {
        wait_queue_sleep(&ring_wait, ring_has_bytes, NULL, SLEEP_UNINTERRUPTIBLE, DEADLINE_NEVER);
        handle_input();
    }
}

/* --- devices --- */

static int open_serial(struct file *file)
{
    if (!(file->flags & O_NOCTTY))
        terminal_adopt_on_open(&console);
    return 0;
}

static int open_controlling(struct file *file)
{
    struct terminal *terminal = terminal_of_session();

    return terminal ? terminal_open(terminal, file) : -ENXIO;
}

static struct device devices[] = {
    {
        .name = "console",
        .mode = 0600,
        .number = DEVICE_NUMBER(5, 1),
        .operations = &terminal_operations,
        .private = &console,
    },
    {
        .name = "ttyS0",
        .mode = 0660,
        .number = DEVICE_NUMBER(4, 64),
        .operations = &terminal_operations,
        .private = &console,
        .open = open_serial,
    },
    {
        .name = "tty",
        .mode = 0666,
        .number = DEVICE_NUMBER(5, 0),
        .open = open_controlling,
    },
};

int console_init(void)
{
    terminal_init(&console, &driver, NULL, DEVICE_NUMBER(4, 64));
    wait_queue_init(&ring_wait);
    wait_queue_init(&resume_wait);
    terminal_session_register();
    for (unsigned i = 0; i < array_length(devices); i++) {
        int error = device_register(&devices[i]);

        if (error)
            return error;
    }
    return 0;
}

int console_start(void)
{
    if (!kernel_thread_start("console", input_thread, NULL))
        return -ENOMEM;
    port_console_set_receiver(&receiver);
    return 0;
}
