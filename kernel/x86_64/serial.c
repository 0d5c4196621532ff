/*
 * Two 16550 serial lines. Sending: the line's lock. Receiving: the interrupt comes to one CPU only,
 * so its handler runs alone; `paused` and the interrupt-enable register are guarded by the lock.
 *
 * The interrupt is edge-triggered: the handler must not leave while the line asks for service, so
 * it reads until the FIFO is empty or there is no room, and then turns reception off.
 */
#include "x86_64/serial.h"

#include "boot/handoff.h"
#include "port_devices.h"
#include "sched/cpu.h"
#include "sched/spinlock.h"
#include "x86_64/instructions.h"
#include "x86_64/io_apic.h"
#include "x86_64/trap.h"

/* Registers, from the line's first port. */
#define DATA             0
#define INTERRUPT_ENABLE 1
#define FIFO_CONTROL     2
#define LINE_CONTROL     3
#define MODEM_CONTROL    4
#define LINE_STATUS      5

#define ENABLE_RECEIVE  0x01
#define FIFO_ON         0xc7 /* cleared, interrupt at 14 bytes or after a pause */
#define FIFO_SIZE       16
#define LINE_8N1        0x03
#define LINE_DIVISOR    0x80
#define MODEM_READY     0x0b /* DTR, RTS, and the gate of the interrupt */
#define STATUS_RECEIVED 0x01
#define STATUS_CAN_SEND 0x20
#define STATUS_ABSENT   0xff
#define SEND_TRIES      100000
#define CHUNK           64

struct serial_line {
    const uint16_t port;
    const uint8_t irq;
    const enum interrupt_vector vector;
    struct spinlock lock;
    const struct port_receiver *receiver; /* (const) once set */
    bool paused;                          /* (lock) no room: reception is off */
    bool present;                         /* (const) */
};

static struct serial_line console = {.port = HOST_PORT_CONSOLE,
                                     .irq = 4,
                                     .vector = VECTOR_SERIAL_CONSOLE,
                                     .lock = SPINLOCK_INITIALIZER(LOCK_RANK_DEVICE)};
static struct serial_line host_input = {.port = HOST_PORT_STDIN,
                                        .irq = 3,
                                        .vector = VECTOR_SERIAL_HOST,
                                        .lock = SPINLOCK_INITIALIZER(LOCK_RANK_DEVICE)};
static bool escape_seen; /* by the host input's handler */
static bool host_input_ended;

static void line_init(struct serial_line *line)
{
    line->present = in8(line->port + LINE_STATUS) != STATUS_ABSENT;
    out8(line->port + INTERRUPT_ENABLE, 0);
    out8(line->port + LINE_CONTROL, LINE_DIVISOR | LINE_8N1);
    out8(line->port + DATA, 1); /* 115,200 baud */
    out8(line->port + INTERRUPT_ENABLE, 0);
    out8(line->port + LINE_CONTROL, LINE_8N1);
    out8(line->port + FIFO_CONTROL, FIFO_ON);
    out8(line->port + MODEM_CONTROL, MODEM_READY);
}

void serial_init(void)
{
    line_init(&console);
    line_init(&host_input);
}

static bool wait_to_send(const struct serial_line *line)
{
    for (unsigned i = 0; i < SEND_TRIES; i++) {
        if (in8(line->port + LINE_STATUS) & STATUS_CAN_SEND)
            return true;
        port_relax();
    }
    return false;
}

/* A line that never gets ready loses what it was to send. */
void port_console_write(const void *data, size_t size)
{
    const uint8_t *bytes = data;

    while (size && console.present) {
        size_t chunk = size < FIFO_SIZE ? size : FIFO_SIZE;
        irq_state_t irq = spin_lock_irq_save(&console.lock);
        bool ready = wait_to_send(&console);

        if (ready)
            out_bytes(console.port + DATA, bytes, chunk);
        spin_unlock_irq_restore(&console.lock, irq);
        if (!ready)
            return;
        bytes += chunk;
        size -= chunk;
    }
}

static void set_paused(struct serial_line *line, bool paused)
{
    irq_state_t irq = spin_lock_irq_save(&line->lock);

    if (line->paused != paused) {
        line->paused = paused;
        out8(line->port + INTERRUPT_ENABLE, paused ? 0 : ENABLE_RECEIVE);
    }
    spin_unlock_irq_restore(&line->lock, irq);
}

/* Bytes that wait in the device, at most `room`. */
static size_t take_bytes(const struct serial_line *line, uint8_t *bytes, size_t room)
{
    size_t count = 0;

    while (count < room && in8(line->port + LINE_STATUS) & STATUS_RECEIVED)
        bytes[count++] = in8(line->port + DATA);
    return count;
}

static void receive(struct serial_line *line,
                    void (*deliver)(struct serial_line *line, uint8_t *bytes, size_t count))
{
    uint8_t bytes[CHUNK];

    for (;;) {
        size_t room = line->receiver->room();
        size_t count;

        if (room) {
            count = take_bytes(line, bytes, room < CHUNK ? room : CHUNK);
            if (!count)
                return;
            deliver(line, bytes, count);
        } else {
            set_paused(line, true);
            /* Whoever made room just before found nothing to resume. */
            if (!line->receiver->room())
                return;
            set_paused(line, false);
        }
    }
}

static void deliver_plain(struct serial_line *line, uint8_t *bytes, size_t count)
{
    line->receiver->receive(bytes, count);
}

/* Takes the byte stuffing out, in place: what is left is never longer. */
static void deliver_unstuffed(struct serial_line *line, uint8_t *bytes, size_t count)
{
    size_t length = 0;

    for (size_t i = 0; i < count && !host_input_ended; i++) {
        bool escaped = escape_seen;

        escape_seen = !escaped && bytes[i] == HOST_STDIN_ESCAPE;
        if (escaped && bytes[i] == HOST_STDIN_END)
            host_input_ended = true;
        else if (!escape_seen)
            bytes[length++] = bytes[i];
    }
    if (length)
        line->receiver->receive(bytes, length);
    if (host_input_ended && line->receiver->end)
        line->receiver->end();
}

static void console_interrupt(void)
{
    receive(&console, deliver_plain);
}

static void host_input_interrupt(void)
{
    receive(&host_input, deliver_unstuffed);
}

static void route(const struct serial_line *line, void (*handler)(void))
{
    trap_set_interrupt(line->vector, handler);
    io_apic_route_isa(line->irq, (uint8_t)line->vector, port_cpu(0)->machine.apic_id);
}

static void set_receiver(struct serial_line *line, const struct port_receiver *receiver)
{
    line->receiver = receiver;
    line->paused = true;
    if (line->present)
        set_paused(line, false);
}

void serial_init_interrupts(void)
{
    route(&console, console_interrupt);
    route(&host_input, host_input_interrupt);
}

void port_console_set_receiver(const struct port_receiver *receiver)
{
    set_receiver(&console, receiver);
}

void port_host_input_set_receiver(const struct port_receiver *receiver)
{
    set_receiver(&host_input, receiver);
}

void port_console_input_resume(void)
{
    set_paused(&console, false);
}

void port_host_input_resume(void)
{
    set_paused(&host_input, false);
}
