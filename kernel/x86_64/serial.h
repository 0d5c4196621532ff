/* The serial lines: COM1 is the console, COM2 the host's standard input (port_devices.h). */
#pragma once

/* Sets the lines up, for sending. No interrupts yet. */
void serial_init(void);
/* Routes their interrupts to the boot CPU. */
void serial_init_interrupts(void);
