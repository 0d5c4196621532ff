/*
 * The kernel log: a ring of lines in memory, each also written to the log channel as it comes
 * (debug console; never the program's output). Any context, any locks held; interrupts too.
 */
#pragma once

#include "lib/compiler.h"

/* One line, without a newline; a time stamp is put before it. At most 255 bytes are kept. */
void klog(const char *format, ...) PRINTF_LIKE(1, 2);
