/*
 * The ring of log lines. Lock-free: a writer takes a slot by number and formats in place, so that
 * any context may log with any lock held. A line may be torn only if the whole ring goes around
 * while it is being written.
 */
#include "lib/klog.h"

#include <stdatomic.h>
#include <stdbool.h>

#include "lib/printf.h"
#include "port.h"

#define RING_LINES 256 /* a power of two */
#define LINE_SIZE  256

struct line {
    char text[LINE_SIZE]; /* ends with a newline, not with NUL */
    _Atomic uint32_t length;
};

static struct line ring[RING_LINES];
static _Atomic uint64_t next_line;
static void (*sink)(const char *text, size_t size);
static bool in_report;

static size_t format_time_stamp(char *buffer, size_t size)
{
    uint64_t microseconds = port_clock_ns() / 1000;

    return ksnprintf(buffer, size, "[%5lu.%06lu] ", microseconds / 1000000, microseconds % 1000000);
}

void klog(const char *format, ...)
{
    uint64_t number = atomic_fetch_add_explicit(&next_line, 1, memory_order_relaxed);
    struct line *line = &ring[number % RING_LINES];
    size_t length = in_report ? 0 : format_time_stamp(line->text, LINE_SIZE);
    va_list arguments;

    va_start(arguments, format);
    length += kvsnprintf(line->text + length, LINE_SIZE - length, format, arguments);
    va_end(arguments);
    if (length > LINE_SIZE - 1)
        length = LINE_SIZE - 1;
    line->text[length++] = '\n';
    atomic_store_explicit(&line->length, (uint32_t)length, memory_order_release);
    if (sink)
        sink(line->text, length);
}

void klog_set_sink(void (*write)(const char *text, size_t size))
{
    sink = write;
}

uint64_t klog_line_count(void)
{
    return atomic_load_explicit(&next_line, memory_order_acquire);
}

void klog_replay(void (*write)(const char *text, size_t size), unsigned count)
{
    uint64_t end = klog_line_count();
    uint64_t kept = end < RING_LINES ? end : RING_LINES;

    for (uint64_t number = end - (count < kept ? count : kept); number < end; number++) {
        struct line *line = &ring[number % RING_LINES];

        write(line->text, atomic_load_explicit(&line->length, memory_order_acquire));
    }
}

void klog_begin_report(void)
{
    in_report = true;
}
