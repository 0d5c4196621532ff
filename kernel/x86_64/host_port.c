/* The debug console ports of the host command. */
#include "x86_64/host_port.h"

#include "boot/handoff.h"
#include "lib/string.h"
#include "port_devices.h"
#include "sched/spinlock.h"
#include "x86_64/instructions.h"

/* What a debug console port answers to a read; an absent device gives 0xff. */
#define READBACK 0xe9

static const uint16_t host_ports[] = {
    [PORT_HOST_STDOUT] = HOST_PORT_STDOUT,
    [PORT_HOST_STDERR] = HOST_PORT_STDERR,
    [PORT_HOST_CONTROL] = HOST_PORT_CONTROL,
};

static struct spinlock locks[] = {
    [PORT_HOST_STDOUT] = SPINLOCK_INITIALIZER(LOCK_RANK_DEVICE),
    [PORT_HOST_STDERR] = SPINLOCK_INITIALIZER(LOCK_RANK_DEVICE),
    [PORT_HOST_CONTROL] = SPINLOCK_INITIALIZER(LOCK_RANK_DEVICE),
};

static struct spinlock log_lock = SPINLOCK_INITIALIZER(LOCK_RANK_LOG);
static bool is_ending;

static void write_locked_out(uint16_t port, struct spinlock *lock, const void *data, size_t size)
{
    if (is_ending) {
        out_bytes(port, data, size);
        return;
    }
    irq_state_t irq = spin_lock_irq_save(lock);

    out_bytes(port, data, size);
    spin_unlock_irq_restore(lock, irq);
}

bool port_host_present(void)
{
    return in8(HOST_PORT_CONTROL) == READBACK;
}

void port_host_write(enum port_host_channel channel, const void *data, size_t size)
{
    write_locked_out(host_ports[channel], &locks[channel], data, size);
}

void host_log_write(const char *text, size_t size)
{
    if (in8(HOST_PORT_LOG) == READBACK)
        write_locked_out(HOST_PORT_LOG, &log_lock, text, size);
    else if (is_ending)
        port_console_write(text, size);
}

void host_port_begin_end(void)
{
    is_ending = true;
}

void host_announce(const char *line)
{
    port_host_write(PORT_HOST_CONTROL, line, strlen(line));
}

void host_exit(unsigned char code)
{
    out8(HOST_PORT_EXIT, code);
}
