/* Saving and restoring the FPU state. Works on the caller's areas and this CPU's registers. */
#include "x86_64/fpu.h"

#include "lib/string.h"

#define FCW_INITIAL      0x037f
#define MXCSR_INITIAL    0x1f80
#define EXCEPTION_BITS   0x3f
#define MXCSR_MASK_SHIFT 7

/* Where all areas begin: the format of FXSAVE. */
struct legacy_area {
    uint16_t control, status;
    uint8_t tags, reserved;
    uint16_t opcode;
    uint64_t instruction, operand;
    uint32_t mxcsr, mxcsr_mask;
    uint8_t registers[16 * 24];
    uint8_t unused[96];
};

/* Behind it, in areas of XSAVE. */
struct xsave_header {
    uint64_t components; /* those not in their initial state */
    uint64_t compacted;
    uint64_t reserved[6];
};

struct xsave_area {
    struct legacy_area legacy;
    struct xsave_header header;
};

/* fpu_user.S: 0 or -EFAULT. */
int fpu_user_fxsave(uintptr_t area);
int fpu_user_fxrstor(uintptr_t area);
int fpu_user_xsave(uintptr_t area, uint64_t components);
int fpu_user_xrstor(uintptr_t area, uint64_t components);

size_t fpu_state_size(void)
{
    return cpu_features.fpu_state_size;
}

void fpu_init_area(void *area)
{
    struct legacy_area *legacy = area;

    memset(area, 0, cpu_features.fpu_state_size);
    legacy->control = FCW_INITIAL;
    legacy->mxcsr = MXCSR_INITIAL;
}

/* All components in their initial state: XRSTOR looks no further than the header, FXRSTOR has no
 * more. */
static const struct xsave_area initial_state __attribute__((aligned(FPU_ALIGNMENT))) = {
    .legacy = {.control = FCW_INITIAL, .mxcsr = MXCSR_INITIAL},
};

void fpu_reset(void)
{
    fpu_restore(&initial_state);
}

int fpu_save_user(uintptr_t area)
{
    return cpu_features.xsave ? fpu_user_xsave(area, UINT64_MAX) : fpu_user_fxsave(area);
}

int fpu_restore_user(uintptr_t area, bool extended, uint64_t components)
{
    int error;

    /* What the instruction does not restore. */
    if (cpu_features.xsave && (!extended || components != cpu_features.xsave_components))
        fpu_reset();
    error = extended ? fpu_user_xrstor(area, components) : fpu_user_fxrstor(area);
    if (error)
        fpu_reset();
    return error;
}

uint32_t fpu_unmasked_exceptions(bool simd)
{
    uint16_t control, status;
    uint32_t mxcsr;

    if (simd) {
        __asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
        return mxcsr & ~(mxcsr >> MXCSR_MASK_SHIFT) & EXCEPTION_BITS;
    }
    __asm__ volatile("fnstcw %0" : "=m"(control));
    __asm__ volatile("fnstsw %0" : "=m"(status));
    return status & ~control & EXCEPTION_BITS;
}
