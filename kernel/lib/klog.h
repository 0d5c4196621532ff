/*
 * The kernel log: a ring of lines in memory, each also written to the log channel as it comes
 * (debug console; never the program's output). Any context, any locks held; interrupts too.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/compiler.h"

/* One line, without a newline; a time stamp is put before it. At most 255 bytes are kept. */
void klog(const char *format, ...) PRINTF_LIKE(1, 2);

/* The log channel: gets each whole line, newline included. Any context. */
void klog_set_sink(void (*write)(const char *text, size_t size));
/* Lines logged since boot. */
uint64_t klog_line_count(void);
/* Writes the last `count` lines, oldest first, to another place. */
void klog_replay(void (*write)(const char *text, size_t size), unsigned count);
/* From now on lines carry no time stamp: they are the panic report. */
void klog_begin_report(void);
