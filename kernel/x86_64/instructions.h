/* Machine instructions that C has no words for, and the numbers that go with them. */
#pragma once

#include <stdint.h>

#define MSR_APIC_BASE      0x0000001b
#define MSR_TSC_DEADLINE   0x000006e0
#define MSR_X2APIC         0x00000800 /* register r of the local APIC is MSR_X2APIC + r / 16 */
#define MSR_EFER           0xc0000080
#define MSR_STAR           0xc0000081
#define MSR_LSTAR          0xc0000082
#define MSR_SFMASK         0xc0000084
#define MSR_FS_BASE        0xc0000100
#define MSR_GS_BASE        0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102 /* what swapgs brings: in the kernel, the program's */

#define EFER_SYSCALL (1ul << 0)
#define EFER_NX      (1ul << 11)

#define CR0_MONITOR_COPROCESSOR (1ul << 1)
#define CR0_EMULATION           (1ul << 2)
#define CR0_TASK_SWITCHED       (1ul << 3)
#define CR0_NUMERIC_ERROR       (1ul << 5)
#define CR0_WRITE_PROTECT       (1ul << 16)
#define CR0_ALIGNMENT_MASK      (1ul << 18)

#define CR4_DEBUG_EXTENSIONS (1ul << 3)
#define CR4_GLOBAL_PAGES     (1ul << 7)
#define CR4_FXSAVE           (1ul << 9)
#define CR4_SIMD_EXCEPTIONS  (1ul << 10)
#define CR4_UMIP             (1ul << 11)
#define CR4_FSGSBASE         (1ul << 16)
#define CR4_XSAVE            (1ul << 18)
#define CR4_SMEP             (1ul << 20)
#define CR4_SMAP             (1ul << 21)

#define RFLAGS_CARRY           (1ul << 0)
#define RFLAGS_FIXED           (1ul << 1) /* always set */
#define RFLAGS_TRAP            (1ul << 8)
#define RFLAGS_INTERRUPT       (1ul << 9)
#define RFLAGS_DIRECTION       (1ul << 10)
#define RFLAGS_IO_PRIVILEGE    (3ul << 12)
#define RFLAGS_NESTED_TASK     (1ul << 14)
#define RFLAGS_RESUME          (1ul << 16)
#define RFLAGS_ALIGNMENT_CHECK (1ul << 18)

struct cpuid_result {
    uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid_result cpuid(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid_result r;

    __asm__ volatile("cpuid"
                     : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
                     : "a"(leaf), "c"(subleaf));
    return r;
}

static inline uint64_t read_msr(uint32_t msr)
{
    uint32_t low, high;

    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (uint64_t)high << 32 | low;
}

static inline void write_msr(uint32_t msr, uint64_t value)
{
    __asm__ volatile("wrmsr" ::"c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
                     : "memory");
}

static inline void write_xcr0(uint64_t value)
{
    __asm__ volatile("xsetbv" ::"c"(0), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

static inline void out8(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" ::"a"(value), "Nd"(port));
}

static inline void out16(uint16_t port, uint16_t value)
{
    __asm__ volatile("outw %0, %1" ::"a"(value), "Nd"(port));
}

static inline void out_bytes(uint16_t port, const void *data, uint64_t size)
{
    __asm__ volatile("rep outsb" : "+S"(data), "+c"(size) : "d"(port) : "memory");
}

static inline uint8_t in8(uint16_t port)
{
    uint8_t value;

    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline uint16_t in16(uint16_t port)
{
    uint16_t value;

    __asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline uint32_t in32(uint16_t port)
{
    uint32_t value;

    __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

#define DEFINE_CONTROL_REGISTER(name)                                                              \
    static inline uint64_t read_##name(void)                                                       \
    {                                                                                              \
        uint64_t value;                                                                            \
        __asm__ volatile("movq %%" #name ", %0" : "=r"(value));                                    \
        return value;                                                                              \
    }                                                                                              \
    static inline void write_##name(uint64_t value)                                                \
    {                                                                                              \
        __asm__ volatile("movq %0, %%" #name ::"r"(value) : "memory");                             \
    }
DEFINE_CONTROL_REGISTER(cr0)
DEFINE_CONTROL_REGISTER(cr3)
DEFINE_CONTROL_REGISTER(cr4)

static inline uint64_t read_cr2(void)
{
    uint64_t value;

    __asm__ volatile("movq %%cr2, %0" : "=r"(value));
    return value;
}

static inline void invalidate_page(uintptr_t address)
{
    __asm__ volatile("invlpg (%0)" ::"r"(address) : "memory");
}

/* Waits for ever: nothing but an NMI can come. */
static inline _Noreturn void halt_forever(void)
{
    for (;;)
        __asm__ volatile("cli; hlt" ::: "memory");
}
