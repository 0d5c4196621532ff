/*
 * Faults of user instructions become signals, with the code and address that Linux gives them. Runs
 * in the faulting thread, interrupts enabled.
 */
#include "lib/errno.h"
#include "proc/signal_internal.h"

/* What each processor exception says. Where the code is SI_KERNEL there is no address. */
static const struct fault_signal {
    int signal;
    int code;
    bool has_address;
} fault_signals[] = {
    [PORT_FAULT_DIVIDE] = {SIGFPE, FPE_INTDIV, true},
    [PORT_FAULT_DEBUG] = {SIGTRAP, TRAP_TRACE, true},
    [PORT_FAULT_BREAKPOINT] = {SIGTRAP, SI_KERNEL, false},
    [PORT_FAULT_OVERFLOW] = {SIGSEGV, SI_KERNEL, false},
    [PORT_FAULT_BOUND] = {SIGSEGV, SI_KERNEL, false},
    [PORT_FAULT_ILLEGAL] = {SIGILL, ILL_ILLOPN, true},
    [PORT_FAULT_PROTECTION] = {SIGSEGV, SI_KERNEL, false},
    [PORT_FAULT_STACK] = {SIGBUS, SI_KERNEL, false},
    [PORT_FAULT_SEGMENT] = {SIGBUS, SI_KERNEL, false},
    [PORT_FAULT_ALIGNMENT] = {SIGBUS, BUS_ADRALN, false},
    [PORT_FAULT_FPU] = {SIGFPE, FPE_FLTUNK, true},
    [PORT_FAULT_SIMD] = {SIGFPE, FPE_FLTUNK, true},
};

/* The unmasked exception bits of the FPU's status word or of MXCSR, in the order in which they
 * count. */
static const struct {
    uint64_t bits;
    int code;
} float_codes[] = {
    {0x01, FPE_FLTINV}, {0x04, FPE_FLTDIV}, {0x08, FPE_FLTOVF},
    {0x12, FPE_FLTUND}, {0x20, FPE_FLTRES},
};

static int float_code(uint64_t exceptions)
{
    for (unsigned i = 0; i < array_length(float_codes); i++)
        if (exceptions & float_codes[i].bits)
            return float_codes[i].code;
    return FPE_FLTUNK;
}

void signal_user_fault(enum port_fault fault, uintptr_t address, uint64_t error_code)
{
    const struct fault_signal *known = &fault_signals[fault];
    struct signal_info info = {.code = known->code};

    if (fault == PORT_FAULT_FPU || fault == PORT_FAULT_SIMD)
        info.code = float_code(error_code);
    if (known->has_address)
        info.address = address;
    signal_force_info(known->signal, &info, FORCE_TO_HANDLER);
}

void signal_page_fault(uintptr_t address, enum port_access access, int error)
{
    struct signal_info info = {.address = address};

    (void)access;
    if (error == -ENOMEM) {
        signal_kill_process(current_process());
        return;
    }
    if (error == -EIO) {
        info.code = BUS_ADRERR;
        signal_force_info(SIGBUS, &info, FORCE_TO_HANDLER);
        return;
    }
    info.code = error == -EACCES ? SEGV_ACCERR : SEGV_MAPERR;
    signal_force_info(SIGSEGV, &info, FORCE_TO_HANDLER);
}
