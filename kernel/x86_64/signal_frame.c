/*
 * The frame of a signal handler on the program's stack, byte for byte Linux's: programs, their C
 * libraries and unwinders know its layout.
 *
 *      old stack pointer, minus the red zone; or the top of the alternate stack
 *      FPU state, aligned to 64: FXSAVE's or XSAVE's image, with Linux's magic numbers
 *      struct signal_frame: siginfo, ucontext, return address   <- the handler's stack pointer
 *
 * Works on the current thread only: its frame, its FPU registers, its memory.
 */
#include <stddef.h>

#include <linux/signal.h>

#include <asm/sigcontext.h>
#include <asm/ucontext.h>

#include "lib/errno.h"
#include "lib/string.h"
#include "mm/address_space.h"
#include "mm/user_copy.h"
#include "proc/signal.h"
#include "sched/thread.h"
#include "x86_64/cpu_features.h"
#include "x86_64/fpu.h"
#include "x86_64/instructions.h"
#include "x86_64/segments.h"

#define RED_ZONE          128
#define FRAME_ALIGNMENT   16
#define SYSCALL_SIZE      2 /* bytes of the instruction */
#define RESTART_SYSCALL   219
#define LEGACY_STATE_SIZE 512
#define XSTATE_HEADER     64

/* Kept from the context, or changed by a program: what has no privilege. CF PF AF ZF SF TF DF OF RF
 * AC. */
#define RFLAGS_OF_PROGRAM 0x50dd5ul

/* asm/ucontext.h's, with the kernel's signal set at the end. */
struct signal_frame {
    uint64_t return_address;
    struct {
        uint64_t flags;
        uint64_t link;
        stack_t stack;
        struct sigcontext context;
        uint64_t mask;
    } ucontext;
    siginfo_t info;
};
_Static_assert(sizeof(struct signal_frame) == 440, "struct rt_sigframe");
_Static_assert(offsetof(struct signal_frame, ucontext.context) == 48, "struct rt_sigframe");
_Static_assert(sizeof(struct _fpstate) == LEGACY_STATE_SIZE, "the FXSAVE image");

bool port_call_result(const struct user_frame *frame, int64_t *result)
{
    *result = (int64_t)frame->rax;
    return (int64_t)frame->original_rax >= 0;
}

int64_t port_call_value(const struct user_frame *frame)
{
    return (int64_t)frame->rax;
}

void port_call_set_result(struct user_frame *frame, int64_t result)
{
    frame->rax = (uint64_t)result;
}

void port_call_repeat(struct user_frame *frame)
{
    frame->rax = frame->original_rax;
    frame->rip -= SYSCALL_SIZE;
}

void port_call_resume(struct user_frame *frame)
{
    frame->rax = RESTART_SYSCALL;
    frame->rip -= SYSCALL_SIZE;
}

uintptr_t port_user_stack_pointer(const struct user_frame *frame)
{
    return frame->rsp;
}

static size_t saved_state_size(void)
{
    return cpu_features.xsave ? fpu_state_size() + FP_XSTATE_MAGIC2_SIZE : LEGACY_STATE_SIZE;
}

/* Does FPU state at this address lie in the user half? */
static bool state_fits(uintptr_t address)
{
    return address <= USER_ADDRESS_END - saved_state_size();
}

static bool is_within(const stack_t *stack, uintptr_t stack_pointer)
{
    uintptr_t bottom = (uintptr_t)stack->ss_sp;

    return stack_pointer > bottom && stack_pointer - bottom <= stack->ss_size;
}

struct placement {
    uintptr_t frame;
    uintptr_t fpu_state;
};

/* False: it would run over the end of the alternate stack. */
static bool place(const struct user_frame *frame, const struct port_signal *signal,
                  struct placement *placement)
{
    const stack_t *alternate = signal->alternate_stack;
    bool disarms = (alternate->ss_flags & SS_AUTODISARM) != 0;
    bool is_on = !disarms && is_within(alternate, frame->rsp);
    bool enters = signal->wants_alternate && alternate->ss_size != 0 &&
                  (disarms || !is_within(alternate, frame->rsp - RED_ZONE));
    uintptr_t top = frame->rsp - RED_ZONE;

    if (enters)
        top = (uintptr_t)alternate->ss_sp + alternate->ss_size;
    placement->fpu_state = ALIGN_DOWN(top - saved_state_size(), (uintptr_t)FPU_ALIGNMENT);
    placement->frame = placement->fpu_state - sizeof(struct signal_frame);
    /* As after a call instruction: the handler finds its stack aligned. */
    placement->frame = ALIGN_DOWN(placement->frame, (uintptr_t)FRAME_ALIGNMENT) - 8;
    return !(is_on || enters) || is_within(alternate, placement->frame);
}

static void fill_context(struct sigcontext *context, const struct user_frame *frame)
{
    const struct machine_thread *machine = &port_current()->machine;

    context->r8 = frame->r8;
    context->r9 = frame->r9;
    context->r10 = frame->r10;
    context->r11 = frame->r11;
    context->r12 = frame->r12;
    context->r13 = frame->r13;
    context->r14 = frame->r14;
    context->r15 = frame->r15;
    context->rdi = frame->rdi;
    context->rsi = frame->rsi;
    context->rbp = frame->rbp;
    context->rbx = frame->rbx;
    context->rdx = frame->rdx;
    context->rax = frame->rax;
    context->rcx = frame->rcx;
    context->rsp = frame->rsp;
    context->rip = frame->rip;
    context->eflags = frame->rflags;
    context->cs = (uint16_t)frame->cs;
    context->gs = 0;
    context->fs = 0;
    context->ss = (uint16_t)frame->ss;
    context->err = machine->fault.error;
    context->trapno = machine->fault.number;
    context->oldmask = 0;
    context->cr2 = machine->fault.address;
    for (size_t i = 0; i < array_length(context->reserved1); i++)
        context->reserved1[i] = 0;
}

static void fill_frame(struct signal_frame *pushed, const struct user_frame *frame,
                       const struct port_signal *signal, uintptr_t fpu_state)
{
    pushed->ucontext.link = 0;
    pushed->return_address = signal->restorer;
    pushed->ucontext.flags = UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS;
    if (cpu_features.xsave)
        pushed->ucontext.flags |= UC_FP_XSTATE;
    pushed->ucontext.stack = *signal->alternate_stack;
    fill_context(&pushed->ucontext.context, frame);
    pushed->ucontext.context.fpstate = (struct _fpstate *)fpu_state;
    pushed->ucontext.mask = signal->mask;
    if (signal->info) {
        memset(&pushed->info, 0, sizeof(pushed->info));
        memcpy(&pushed->info, signal->info, sizeof(*signal->info));
    }
}

/* XSAVE leaves alone what it does not know: the software's bytes, and most of its header. */
static int prepare_extended_state(uintptr_t address)
{
    const struct {
        struct _fpx_sw_bytes software;
        uint8_t header[XSTATE_HEADER];
    } between = {
        .software = {.magic1 = FP_XSTATE_MAGIC1,
                     .extended_size = (uint32_t)saved_state_size(),
                     .xfeatures = cpu_features.xsave_components,
                     .xstate_size = (uint32_t)fpu_state_size()},
    };
    const uint32_t magic = FP_XSTATE_MAGIC2;

    if (copy_to_user(address + offsetof(struct _fpstate, sw_reserved), &between, sizeof(between)) !=
        0)
        return -EFAULT;
    return copy_to_user(address + fpu_state_size(), &magic, sizeof(magic));
}

static int save_state(uintptr_t address)
{
    if (!state_fits(address))
        return -EFAULT;
    if (cpu_features.xsave && prepare_extended_state(address) != 0)
        return -EFAULT;
    return fpu_save_user(address);
}

int port_signal_push(struct user_frame *frame, const struct port_signal *signal)
{
    struct signal_frame pushed;
    struct placement placement;
    size_t size = signal->info ? sizeof(pushed) : offsetof(struct signal_frame, info);

    if (!signal->restorer || !place(frame, signal, &placement))
        return -EFAULT;
    if (save_state(placement.fpu_state) != 0)
        return -EFAULT;
    fill_frame(&pushed, frame, signal, placement.fpu_state);
    if (copy_to_user(placement.frame, &pushed, size) != 0)
        return -EFAULT;

    frame->rdi = (uint64_t)signal->signal;
    frame->rsi = placement.frame + offsetof(struct signal_frame, info);
    frame->rdx = placement.frame + offsetof(struct signal_frame, ucontext);
    frame->rax = 0;
    frame->rip = signal->handler;
    frame->rsp = placement.frame;
    frame->rflags &= ~(RFLAGS_DIRECTION | RFLAGS_RESUME | RFLAGS_TRAP);
    frame->original_rax = UINT64_MAX;
    fpu_reset();
    return 0;
}

/* Does the frame carry extended state, as its magic numbers say? Else only FXSAVE's part counts. */
static bool has_extended_state(uintptr_t address, uint64_t *components)
{
    struct _fpx_sw_bytes said;
    uint32_t magic;

    if (!cpu_features.xsave ||
        copy_from_user(&said, address + offsetof(struct _fpstate, sw_reserved), sizeof(said)) != 0)
        return false;
    if (said.magic1 != FP_XSTATE_MAGIC1 || said.xstate_size < LEGACY_STATE_SIZE + XSTATE_HEADER ||
        said.xstate_size > fpu_state_size() || said.xstate_size > said.extended_size)
        return false;
    *components = said.xfeatures & cpu_features.xsave_components;
    return copy_from_user(&magic, address + said.xstate_size, sizeof(magic)) == 0 &&
           magic == FP_XSTATE_MAGIC2;
}

static int restore_state(uintptr_t address)
{
    uint64_t components = 0;

    if (!address) {
        fpu_reset();
        return 0;
    }
    if (!state_fits(address))
        return -EFAULT;
    return fpu_restore_user(address, has_extended_state(address, &components), components);
}

static void restore_registers(struct user_frame *frame, const struct sigcontext *context)
{
    frame->r8 = context->r8;
    frame->r9 = context->r9;
    frame->r10 = context->r10;
    frame->r11 = context->r11;
    frame->r12 = context->r12;
    frame->r13 = context->r13;
    frame->r14 = context->r14;
    frame->r15 = context->r15;
    frame->rdi = context->rdi;
    frame->rsi = context->rsi;
    frame->rbp = context->rbp;
    frame->rbx = context->rbx;
    frame->rdx = context->rdx;
    frame->rax = context->rax;
    frame->rcx = context->rcx;
    frame->rsp = context->rsp;
    frame->rip = context->rip;
    frame->rflags = (frame->rflags & ~RFLAGS_OF_PROGRAM) | (context->eflags & RFLAGS_OF_PROGRAM);
    frame->original_rax = UINT64_MAX;
}

/* The selectors are not taken over: with any but the program's own, nothing could run. */
static bool selectors_are_user(const struct sigcontext *context)
{
    return (context->cs | 3) == SELECTOR_USER_CODE && (context->ss | 3) == SELECTOR_USER_DATA;
}

int port_signal_return(struct user_frame *frame, uint64_t *mask, struct sigaltstack *stack)
{
    struct signal_frame returned;
    const struct sigcontext *context = &returned.ucontext.context;

    const size_t skipped = offsetof(struct signal_frame, ucontext.stack);

    /* The handler's return took the return address off the stack; flags and link say nothing new.
     */
    if (copy_from_user(&returned.ucontext.stack,
                       frame->rsp - sizeof(returned.return_address) + skipped,
                       offsetof(struct signal_frame, info) - skipped) != 0)
        return -EFAULT;
    if (restore_state((uintptr_t)context->fpstate) != 0)
        return -EFAULT;
    restore_registers(frame, context);
    *mask = returned.ucontext.mask;
    *stack = returned.ucontext.stack;
    return selectors_are_user(context) ? 0 : -EFAULT;
}
