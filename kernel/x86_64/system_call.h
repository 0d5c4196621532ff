/* The gate of system calls, and the way to user mode. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct user_frame;

/* entry.S: where SYSCALL leads. */
extern const uint8_t system_call_entry[];
/* Called by it, interrupts masked. Returns whether SYSRET may take the way back, with the registers
 * that a function preserves as they are: else the frame has other values for them. */
bool system_call_enter(struct user_frame *frame);

/* Does what is to be done before user mode: pending work, the accounts. Interrupts masked, before
 * and after, but not all the time. */
void prepare_user_mode(struct user_frame *frame);
