/* CPU features and control registers. */
#include "x86_64/cpu_features.h"

#include "lib/compiler.h"
#include "lib/panic.h"
#include "lib/string.h"
#include "port.h"
#include "x86_64/instructions.h"
#include "x86_64/segments.h"
#include "x86_64/smap.h"
#include "x86_64/system_call.h"

#define XSAVE_X87    (1ul << 0)
#define XSAVE_SSE    (1ul << 1)
#define XSAVE_AVX    (1ul << 2)
#define XSAVE_AVX512 (7ul << 5)
#define FXSAVE_SIZE  512

struct cpu_features cpu_features;

/* Addresses of STAC and CLAC instructions. */
extern uint8_t *const smap_sites_start[], *const smap_sites_end[];

/* All or nothing of AVX-512; never components that change what the others mean (PKRU) or that need
 * the kernel's consent each time (AMX). */
static uint64_t choose_components(uint64_t supported)
{
    uint64_t components = XSAVE_X87 | XSAVE_SSE;

    if (supported & XSAVE_AVX) {
        components |= XSAVE_AVX;
        if ((supported & XSAVE_AVX512) == XSAVE_AVX512)
            components |= XSAVE_AVX512;
    }
    return components;
}

static void read_xsave_features(void)
{
    struct cpuid_result state = cpuid(0xd, 0);

    cpu_features.xsave_components = choose_components((uint64_t)state.edx << 32 | state.eax);
    write_cr4(read_cr4() | CR4_XSAVE);
    write_xcr0(cpu_features.xsave_components);
    cpu_features.fpu_state_size = cpuid(0xd, 0).ebx;
}

static void remove_smap_instructions(void)
{
    static const uint8_t nop[SMAP_INSTRUCTION_SIZE] = {0x0f, 0x1f, 0x00};

    for (uint8_t *const *site = smap_sites_start; site < smap_sites_end; site++)
        memcpy(*site, nop, sizeof(nop));
}

void cpu_features_init(void)
{
    uint32_t highest = cpuid(0, 0).eax;
    struct cpuid_result basic = cpuid(1, 0);
    struct cpuid_result extended = highest >= 7 ? cpuid(7, 0) : (struct cpuid_result){0};
    struct cpuid_result amd = cpuid(0x80000001, 0);

    if (!(amd.edx & 1 << 20) || !(basic.edx & 1 << 9))
        panic("this CPU lacks NX or a local APIC");
    cpu_features.pages_1g = amd.edx & 1 << 26;
    cpu_features.smep = extended.ebx & 1 << 7;
    cpu_features.smap = extended.ebx & 1 << 20;
    cpu_features.umip = extended.ecx & 1 << 2;
    cpu_features.xsave = basic.ecx & 1 << 26;
    cpu_features.rdrand = basic.ecx & 1 << 30;
    cpu_features.tsc_deadline = basic.ecx & 1 << 24;
    cpu_features.x2apic = basic.ecx & 1 << 21;
    cpu_features.hardware_capabilities = basic.edx;
    cpu_features.fpu_state_size = FXSAVE_SIZE;
    if (cpu_features.xsave)
        read_xsave_features();
    if (!cpu_features.smap)
        remove_smap_instructions();
}

static void enable_system_calls(void)
{
    write_msr(MSR_EFER, read_msr(MSR_EFER) | EFER_SYSCALL | EFER_NX);
    write_msr(MSR_STAR, (uint64_t)SYSRET_BASE << 48 | (uint64_t)SELECTOR_KERNEL_CODE << 32);
    write_msr(MSR_LSTAR, (uintptr_t)system_call_entry);
    write_msr(MSR_SFMASK, RFLAGS_TRAP | RFLAGS_INTERRUPT | RFLAGS_DIRECTION | RFLAGS_IO_PRIVILEGE |
                              RFLAGS_NESTED_TASK | RFLAGS_RESUME | RFLAGS_ALIGNMENT_CHECK);
}

void cpu_features_enable(void)
{
    uint64_t cr4 = read_cr4() & ~(CR4_FSGSBASE | CR4_DEBUG_EXTENSIONS);

    /* FSGSBASE stays off: entry.S relies on the sign of the GS base. */
    cr4 |= CR4_FXSAVE | CR4_SIMD_EXCEPTIONS;
    cr4 |= cpu_features.smep ? CR4_SMEP : 0;
    cr4 |= cpu_features.smap ? CR4_SMAP : 0;
    cr4 |= cpu_features.umip ? CR4_UMIP : 0;
    cr4 |= cpu_features.xsave ? CR4_XSAVE : 0;
    write_cr4(cr4);
    write_cr0((read_cr0() & ~(CR0_EMULATION | CR0_TASK_SWITCHED)) | CR0_MONITOR_COPROCESSOR |
              CR0_NUMERIC_ERROR | CR0_WRITE_PROTECT | CR0_ALIGNMENT_MASK);
    if (cpu_features.xsave)
        write_xcr0(cpu_features.xsave_components);
    enable_system_calls();
}
