/* The local interrupt controller of each CPU: end of interrupt, messages to other CPUs, the timer.
 */
#pragma once

#include <stdint.h>

/* Boot CPU: finds the registers. Then each CPU enables its own. Interrupts masked. */
void apic_init(uint64_t physical);
void apic_enable(void);
/* The number of this CPU's controller. */
uint32_t apic_own_id(void);
void apic_end_interrupt(void);

/* Messages to the CPU with that controller. Interrupts may be enabled. */
void apic_send(uint32_t apic_id, uint8_t vector);
void apic_send_nmi(uint32_t apic_id);
void apic_send_init(uint32_t apic_id);
/* The CPU begins at physical page `page`, in real mode. */
void apic_send_startup(uint32_t apic_id, uint8_t page);

/* Counts the timer down from the value, once, and interrupts with VECTOR_TIMER at 0; 0 disarms. */
void apic_timer_start(uint32_t count);
uint32_t apic_timer_count(void);
/* Interrupts when the time stamp counter reaches the value instead; 0 disarms. */
void apic_timer_set_deadline(uint64_t cycles);
