/* System calls on this machine. The thread's own frame and work bits; no locks. */
#include "x86_64/system_call.h"

#include "sched/thread.h"
#include "x86_64/instructions.h"

/* SYSRET sets rip and rflags from rcx and r11, so both must agree; and it can neither set RF nor
 * take a trap at the right instruction. */
static inline bool sysret_fits(const struct user_frame *frame)
{
    return frame->rcx == frame->rip && frame->r11 == frame->rflags &&
           !(frame->rflags & (RFLAGS_TRAP | RFLAGS_RESUME));
}

/* A rip outside the user half would fault in the return instruction itself, in the kernel. Also
 * ends a program that runs off the end of the user half. */
static inline bool rip_is_user(const struct user_frame *frame)
{
    return frame->rip >> 47 == 0;
}

static COLD void refuse_rip(struct user_frame *frame)
{
    port_handlers.user_fault(PORT_FAULT_PROTECTION, 0, 0);
    if (!rip_is_user(frame) && !thread_has_work(port_current(), UINT32_MAX))
        frame->rip = 0;
}

static inline bool must_look(const struct thread *thread, const struct user_frame *frame)
{
    return atomic_load_explicit(&thread->work, memory_order_relaxed) != 0 || !rip_is_user(frame);
}

static __attribute__((noinline)) void do_pending_work(struct user_frame *frame)
{
    struct thread *thread = port_current();

    do {
        port_irq_enable();
        if (thread_has_work(thread, UINT32_MAX))
            port_handlers.user_return(frame);
        else
            refuse_rip(frame);
        port_irq_disable();
    } while (must_look(thread, frame));
}

static inline void leave_kernel(struct user_frame *frame)
{
    if (unlikely(must_look(port_current(), frame)))
        do_pending_work(frame);
    port_handlers.kernel_leave();
}

void prepare_user_mode(struct user_frame *frame)
{
    leave_kernel(frame);
}

bool system_call_enter(struct user_frame *frame)
{
    port_handlers.kernel_enter();
    port_irq_enable();
    frame->rax = (uint64_t)port_handlers.system_call(frame, frame->original_rax, &frame->rdi);
    port_irq_disable();
    leave_kernel(frame);
    return sysret_fits(frame);
}
