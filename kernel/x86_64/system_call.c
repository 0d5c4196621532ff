/* System calls on this machine. The thread's own frame and work bits; no locks. */
#include "x86_64/system_call.h"

#include "sched/thread.h"
#include "x86_64/instructions.h"

/* Is the frame that of the call still, but for the result? Not when a handler, a return from one or
 * a new program has taken its place, nor with flags that SYSRET would mistreat: it cannot set RF,
 * and takes a trap at the wrong instruction. */
static inline bool is_call_frame(const struct user_frame *frame)
{
    return frame->original_rax != UINT64_MAX && !(frame->rflags & (RFLAGS_TRAP | RFLAGS_RESUME));
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

void prepare_user_mode(struct user_frame *frame)
{
    if (unlikely(must_look(port_current(), frame)))
        do_pending_work(frame);
    port_handlers.kernel_leave();
}

bool system_call_enter(struct user_frame *frame)
{
    port_handlers.kernel_enter();
    port_irq_enable();
    frame->rax = (uint64_t)port_handlers.system_call(frame, frame->original_rax, &frame->rdi);
    port_irq_disable();
    if (unlikely(must_look(port_current(), frame))) {
        do_pending_work(frame);
        port_handlers.kernel_leave();
        return is_call_frame(frame) && frame->rip == frame->rcx; /* not to be made again */
    }
    port_handlers.kernel_leave();
    return is_call_frame(frame);
}
