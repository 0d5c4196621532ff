/* Calls from one CPU to others. */
#pragma once

#include <stdint.h>

/* Runs the function on every CPU of the mask that is up, this one included, in interrupt context
 * there, and returns when all have done so. One call at a time in the machine. Interrupts enabled
 * or not, but no spinlock held; `function` must not call others in turn. */
void ipi_call(uint64_t cpus, void (*function)(void *argument), void *argument);
/* Registers the vectors. At boot. */
void ipi_init(void);
