/* The end of a kernel with a bug. */
#pragma once

#include <stdint.h>

#include "lib/compiler.h"

/*
 * Stops every other CPU, prints the reason, the registers, a symbolised backtrace, the process
 * listing and the last log records on the debug console, and ends the machine with the panic code.
 * May be called from anywhere, with any locks held; takes none.
 */
_Noreturn COLD void panic(const char *format, ...) PRINTF_LIKE(1, 2);

/*
 * Adds a section to the panic report. `print` runs with other CPUs stopped, possibly in the middle
 * of a critical section: it must take no locks and must bound its loops.
 */
struct panic_section {
    const char *title;
    void (*print)(void);
    struct panic_section *next;
};
void panic_add_section(struct panic_section *section);
