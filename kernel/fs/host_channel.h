/*
 * /dev/host/{stdin,stdout,stderr,control}: byte streams to and from the command on the host that
 * started this machine. Programs see pipes: fstat says S_IFIFO, terminal calls are ENOTTY.
 */
#pragma once

#include "lib/compiler.h"

/* Registers the devices. At boot, after the device registry, before the first process. */
int MUST_CHECK host_channel_init(void);
/* Starts reception of standard input; when interrupts work. */
void host_channel_start(void);
