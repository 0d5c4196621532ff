/* The time stamp counter as the machine's clock. Constant rate, the same on all CPUs. */
#pragma once

#include <stdint.h>

/* Boot CPU: measures the counter's rate; the clock then counts from `start_cycles`. */
void clock_init_machine(uint64_t start_cycles);
/* The counter's value at a port_clock_ns() time. */
uint64_t clock_cycles_at(uint64_t ns);
/* Spins. For the start of devices only. */
void clock_wait_ns(uint64_t ns);
