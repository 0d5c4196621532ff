/*
 * The console: the terminal on the machine's serial line, /dev/console and /dev/ttyS0, and
 * /dev/tty, which opens the caller's controlling terminal.
 *
 * Typing Ctrl-T p prints the list of processes, here and to the kernel log, whatever state the
 * system is in: the receive interrupt does it.
 */
#pragma once

#include "lib/compiler.h"

/* Registers the devices. At boot, after the device registry, before the first process. */
int MUST_CHECK console_init(void);
/* Starts reception and the thread that handles input; when interrupts and the scheduler work.
 * -ENOMEM. */
int MUST_CHECK console_start(void);
