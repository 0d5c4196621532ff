/*
 * The host's side channels: QEMU's debug console ports (boot/handoff.h). Each has a lock of rank
 * DEVICE, left aside in a panic. Any context.
 */
#pragma once

#include <stddef.h>

/* Sink of the kernel log. Without a host it goes nowhere, and a panic report to the console. */
void host_log_write(const char *text, size_t size);
/* From now on this CPU is alone: locks are ignored. */
void host_port_begin_end(void);
/* A line for the host command, on the control channel. */
void host_announce(const char *line);
/* Ends QEMU with a code of boot/handoff.h; returns if there is no such device. */
void host_exit(unsigned char code);
