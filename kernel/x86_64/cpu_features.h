/* What this machine's CPUs can do, and the switching on of it. Constant after cpu_features_init().
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct cpu_features {
    bool pages_1g;
    bool smep;
    bool smap;
    bool umip;
    bool xsave;
    bool rdrand;
    bool tsc_deadline;
    bool x2apic;
    uint64_t xsave_components;      /* what XCR0 is set to */
    uint32_t fpu_state_size;        /* bytes of the XSAVE or FXSAVE area */
    uint32_t hardware_capabilities; /* CPUID 1 EDX: AT_HWCAP */
};
extern struct cpu_features cpu_features;

/* Boot CPU, while text can still be written: reads the features and adapts the code to them. Panics
 * if something is missing that the kernel can't do without. */
void cpu_features_init(void);
/* Every CPU: control registers and the SYSCALL registers. */
void cpu_features_enable(void);
