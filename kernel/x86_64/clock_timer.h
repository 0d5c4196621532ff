/* Start of the CPUs' timers; how they are armed stands in port.h. */
#pragma once

/* Boot CPU, after apic_enable() and the clock. */
void clock_timer_init(void);
/* Each CPU, the boot CPU too. */
void clock_timer_enable(void);
