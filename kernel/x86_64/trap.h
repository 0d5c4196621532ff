/* Exceptions and interrupts. */
#pragma once

#include <stdint.h>

#include "lib/compiler.h"

struct user_frame;

enum trap {
    TRAP_DIVIDE = 0,
    TRAP_DEBUG = 1,
    TRAP_NMI = 2,
    TRAP_BREAKPOINT = 3,
    TRAP_OVERFLOW = 4,
    TRAP_BOUND = 5,
    TRAP_ILLEGAL = 6,
    TRAP_NO_DEVICE = 7,
    TRAP_DOUBLE_FAULT = 8,
    TRAP_INVALID_TSS = 10,
    TRAP_SEGMENT = 11,
    TRAP_STACK = 12,
    TRAP_PROTECTION = 13,
    TRAP_PAGE_FAULT = 14,
    TRAP_FPU = 16,
    TRAP_ALIGNMENT = 17,
    TRAP_MACHINE_CHECK = 18,
    TRAP_SIMD = 19,
};
#define TRAP_EXCEPTION_COUNT 32

/* Vectors of devices and of other CPUs. The higher, the more urgent. */
enum interrupt_vector {
    VECTOR_SERIAL_CONSOLE = 0x40,
    VECTOR_SERIAL_HOST = 0x41,
    VECTOR_TIMER = 0x50,
    VECTOR_RESCHEDULE = 0xe0,
    VECTOR_CALL = 0xe1, /* run a function: ipi.h */
    VECTOR_TLB = 0xe2,
    VECTOR_SPURIOUS = 0xff,
};

/* entry.S: one stub a vector, this many bytes apart. */
#define TRAP_VECTOR_SIZE 16
extern const uint8_t trap_vectors[];

/* Says what to do at an interrupt: in interrupt context, before the end of interrupt is signalled.
 * At boot only. */
void trap_set_interrupt(enum interrupt_vector vector, void (*handler)(void));

/* Panics with the registers of the frame in the report. */
_Noreturn COLD void trap_panic(const struct user_frame *frame, const char *format, ...)
    PRINTF_LIKE(2, 3);
/* The frame of the present panic, or NULL if it was called for. */
const struct user_frame *trap_panic_frame(void);
