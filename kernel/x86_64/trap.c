/*
 * Exceptions and interrupts: who caused them, and whose business they are. A fault of a program
 * goes to port_handlers; a page fault of a user copy is resolved or makes the copy fail; anything
 * else in the kernel is a bug. The tables here are constant once interrupts are enabled.
 */
#include "x86_64/trap.h"

#include "lib/errno.h"
#include "lib/klog.h"
#include "lib/printf.h"
#include "mm/address_space.h"
#include "sched/thread.h"
#include "x86_64/apic.h"
#include "x86_64/fpu.h"
#include "x86_64/instructions.h"
#include "x86_64/kernel_stack.h"
#include "x86_64/stop.h"
#include "x86_64/system_call.h"

#define PAGE_FAULT_WRITE   (1u << 1)
#define PAGE_FAULT_EXECUTE (1u << 4)

/* An instruction of a user copy, and where to go on if its access is refused. */
struct fixup {
    uintptr_t instruction;
    uintptr_t target;
};
extern const struct fixup extable_start[], extable_end[];

struct port_handlers port_handlers;

static void (*interrupt_handlers[256])(void);
static const struct user_frame *panic_frame;

static const char *const exception_names[TRAP_EXCEPTION_COUNT] = {
    [TRAP_DIVIDE] = "divide error",
    [TRAP_DEBUG] = "debug exception",
    [TRAP_NMI] = "non-maskable interrupt",
    [TRAP_BREAKPOINT] = "breakpoint",
    [TRAP_OVERFLOW] = "overflow",
    [TRAP_BOUND] = "bound range exceeded",
    [TRAP_ILLEGAL] = "illegal instruction",
    [TRAP_NO_DEVICE] = "FPU not available",
    [TRAP_DOUBLE_FAULT] = "double fault",
    [TRAP_INVALID_TSS] = "invalid TSS",
    [TRAP_SEGMENT] = "segment not present",
    [TRAP_STACK] = "stack segment fault",
    [TRAP_PROTECTION] = "general protection fault",
    [TRAP_PAGE_FAULT] = "page fault",
    [TRAP_FPU] = "x87 FPU error",
    [TRAP_ALIGNMENT] = "alignment check",
    [TRAP_MACHINE_CHECK] = "machine check",
    [TRAP_SIMD] = "SIMD error",
};

/* What a program's exception is called in the seam, plus 1. One that is not here is called a
 * protection fault: no program can bring the kernel down with it. */
static const uint8_t user_faults[TRAP_EXCEPTION_COUNT] = {
    [TRAP_DIVIDE] = PORT_FAULT_DIVIDE + 1,         [TRAP_DEBUG] = PORT_FAULT_DEBUG + 1,
    [TRAP_BREAKPOINT] = PORT_FAULT_BREAKPOINT + 1, [TRAP_OVERFLOW] = PORT_FAULT_OVERFLOW + 1,
    [TRAP_BOUND] = PORT_FAULT_BOUND + 1,           [TRAP_ILLEGAL] = PORT_FAULT_ILLEGAL + 1,
    [TRAP_SEGMENT] = PORT_FAULT_SEGMENT + 1,       [TRAP_STACK] = PORT_FAULT_STACK + 1,
    [TRAP_PROTECTION] = PORT_FAULT_PROTECTION + 1, [TRAP_FPU] = PORT_FAULT_FPU + 1,
    [TRAP_ALIGNMENT] = PORT_FAULT_ALIGNMENT + 1,   [TRAP_SIMD] = PORT_FAULT_SIMD + 1,
};

/* Called from entry.S. */
void trap_from_user(struct user_frame *frame, unsigned vector);
void trap_from_kernel(struct user_frame *frame, unsigned vector);
void trap_from_anywhere(struct user_frame *frame, unsigned vector);

void trap_set_interrupt(enum interrupt_vector vector, void (*handler)(void))
{
    interrupt_handlers[vector] = handler;
}

void trap_panic(const struct user_frame *frame, const char *format, ...)
{
    char text[160];
    va_list arguments;

    va_start(arguments, format);
    kvsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    panic_frame = frame;
    panic("%s", text);
}

const struct user_frame *trap_panic_frame(void)
{
    return panic_frame;
}

static const char *exception_name(unsigned vector)
{
    return exception_names[vector] ? exception_names[vector] : "unknown exception";
}

static void handle_interrupt(unsigned vector)
{
    if (vector == VECTOR_SPURIOUS)
        return;
    if (interrupt_handlers[vector])
        interrupt_handlers[vector]();
    apic_end_interrupt();
}

static enum port_access access_of(uint64_t error)
{
    return error & PAGE_FAULT_EXECUTE ? PORT_ACCESS_EXECUTE
           : error & PAGE_FAULT_WRITE ? PORT_ACCESS_WRITE
                                      : PORT_ACCESS_READ;
}

/* For the context that a signal handler gets. */
static void record_fault(unsigned vector, uint64_t error)
{
    struct machine_thread *machine = &port_current()->machine;

    machine->fault.number = vector;
    machine->fault.error = error;
}

static void user_page_fault(uintptr_t address, uint64_t error)
{
    int result = port_handlers.page_fault(address, access_of(error), true);

    if (result == 0)
        return;
    record_fault(TRAP_PAGE_FAULT, error);
    port_current()->machine.fault.address = address;
    port_handlers.page_fault_failed(address, access_of(error), result);
}

/* What signal handlers see as si_addr: the instruction, for faults that are about it. */
static uintptr_t fault_address(const struct user_frame *frame, unsigned vector)
{
    switch (vector) {
    case TRAP_DIVIDE:
    case TRAP_ILLEGAL:
    case TRAP_DEBUG:
    case TRAP_FPU:
    case TRAP_SIMD:
        return frame->rip;
    default:
        return 0;
    }
}

static void user_exception(struct user_frame *frame, unsigned vector, uint64_t error)
{
    record_fault(vector, error);
    if (vector == TRAP_FPU || vector == TRAP_SIMD)
        error = fpu_unmasked_exceptions(vector == TRAP_SIMD);
    port_handlers.user_fault(user_faults[vector] ? (enum port_fault)(user_faults[vector] - 1)
                                                 : PORT_FAULT_PROTECTION,
                             fault_address(frame, vector), error);
}

void trap_from_user(struct user_frame *frame, unsigned vector)
{
    uint64_t error = frame->original_rax;
    uintptr_t address = read_cr2();

    frame->original_rax = UINT64_MAX;
    port_handlers.kernel_enter();
    if (vector >= TRAP_EXCEPTION_COUNT) {
        handle_interrupt(vector);
    } else {
        port_irq_enable();
        if (vector == TRAP_PAGE_FAULT)
            user_page_fault(address, error);
        else
            user_exception(frame, vector, error);
        port_irq_disable();
    }
    prepare_user_mode(frame);
}

static const struct fixup *find_fixup(uintptr_t instruction)
{
    for (const struct fixup *fixup = extable_start; fixup < extable_end; fixup++)
        if (fixup->instruction == instruction)
            return fixup;
    return NULL;
}

static void kernel_page_fault(struct user_frame *frame)
{
    uint64_t error = frame->original_rax;
    uintptr_t address = read_cr2();
    const struct fixup *fixup = find_fixup(frame->rip);
    int result = -EFAULT;

    if (!fixup || address >= USER_ADDRESS_END)
        trap_panic(frame, "page fault in the kernel: %s %#lx (error code %#lx)",
                   error & PAGE_FAULT_EXECUTE ? "executing"
                   : error & PAGE_FAULT_WRITE ? "writing"
                                              : "reading",
                   address, error);
    /* With interrupts masked the copy can't wait for the page: then it fails. */
    if (frame->rflags & RFLAGS_INTERRUPT) {
        port_irq_enable();
        result = port_handlers.page_fault(address, access_of(error), false);
        port_irq_disable();
    }
    if (result < 0)
        frame->rip = fixup->target;
}

void trap_from_kernel(struct user_frame *frame, unsigned vector)
{
    if (vector >= TRAP_EXCEPTION_COUNT)
        handle_interrupt(vector);
    else if (vector == TRAP_PAGE_FAULT)
        kernel_page_fault(frame);
    else if (vector == TRAP_PROTECTION && find_fixup(frame->rip))
        frame->rip = find_fixup(frame->rip)->target; /* FPU state that the CPU refuses */
    else
        trap_panic(frame, "%s in the kernel (error code %#lx)", exception_name(vector),
                   frame->original_rax);
}

void trap_from_anywhere(struct user_frame *frame, unsigned vector)
{
    uintptr_t address = read_cr2();

    if (vector == TRAP_NMI) {
        stop_if_asked();
        klog("unexpected non-maskable interrupt");
        return;
    }
    if (vector == TRAP_DOUBLE_FAULT && kernel_stack_is_guard(address))
        trap_panic(frame, "kernel stack overflow of thread %s, at %#lx", port_current()->name,
                   address);
    trap_panic(frame, "%s (error code %#lx)", exception_name(vector), frame->original_rax);
}
