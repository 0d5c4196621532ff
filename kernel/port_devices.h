/*
 * The machine's byte devices and its off switch, as kernel/fs and kernel/sys use them.
 *
 * Not part of the seam: kernel/proc, kernel/sched and kernel/lib do without devices.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* --- The console: a serial line with a person (or an expect script) behind it. --- */

/* Sends the bytes as they are; newline translation is the terminal's business. Waits for the line,
 * not for a thread. Any context. */
void port_console_write(const void *data, size_t size);

/* --- The host's side channels: only the tools at the other end see them. --- */

enum port_host_channel { PORT_HOST_STDOUT, PORT_HOST_STDERR, PORT_HOST_CONTROL };

/* Was the machine started by the host command, so that its channels lead somewhere? */
bool port_host_present(void);
/* Byte for byte. Any context; calls for one channel are not interleaved. */
void port_host_write(enum port_host_channel channel, const void *data, size_t size);

/*
 * --- Input: pushed by the device's interrupt, pulled back by flow control. ---
 *
 * A receiver says how many bytes it has room for; while that is 0 the machine leaves input in the
 * device, whose other end then waits. When room appears again, call port_*_input_resume().
 */
struct port_receiver {
    /* Interrupt context, interrupts masked; may take locks below LOCK_RANK_DEVICE. */
    size_t (*room)(void);
    void (*receive)(const uint8_t *data, size_t size); /* size <= the room just given */
    void (*end)(void); /* the other end closed: nothing more will come. NULL: not wanted */
};
/* Registers the receiver (for good) and enables reception. After interrupts work. */
void port_console_set_receiver(const struct port_receiver *receiver);
void port_host_input_set_receiver(const struct port_receiver *receiver);
/* Thread context, or a lock held that receive() does not take. */
void port_console_input_resume(void);
void port_host_input_resume(void);

/* --- The end. Other CPUs are stopped; neither returns. --- */

/* A program's exit status reaches the host by the control channel before this. */
_Noreturn void port_power_off(void);
_Noreturn void port_restart(void);
