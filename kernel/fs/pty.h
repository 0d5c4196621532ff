/*
 * Pseudo-terminals: opening /dev/ptmx makes a master and a terminal /dev/pts/N behind it. pty(7).
 */
#pragma once

#include "lib/compiler.h"

/* Registers /dev/ptmx. At boot, after the device registry, before the first process. */
int MUST_CHECK pty_init(void);
