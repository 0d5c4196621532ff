/* The last way to a restart, and a test of the host command: a fault that the CPU can't report. */
#pragma once

_Noreturn void machine_triple_fault(void);
