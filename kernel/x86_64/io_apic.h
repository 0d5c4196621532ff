/* Interrupts of devices. Boot CPU, at boot. */
#pragma once

#include <stdint.h>

/* Finds the controllers and masks all their inputs; and the old controllers', for good. */
void io_apic_init(void);
/* From now on the ISA line raises the vector on the CPU with that local APIC. */
void io_apic_route_isa(unsigned irq, uint8_t vector, uint32_t apic_id);
