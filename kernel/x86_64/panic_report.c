/* The machine's part of a panic (port.h): who reports, what the registers were, and the end. */
#include "boot/handoff.h"
#include "lib/klog.h"
#include "sched/cpu.h"
#include "x86_64/backtrace.h"
#include "x86_64/host_port.h"
#include "x86_64/instructions.h"
#include "x86_64/stop.h"
#include "x86_64/trap.h"

bool port_panic_begin(void)
{
    static bool begun;
    bool first;

    stop_other_cpus();
    host_port_begin_end();
    first = !begun;
    begun = true;
    if (first)
        host_announce("panic\n");
    return first;
}

static void print_registers(const struct user_frame *r)
{
    klog("rip %016lx rflags %08lx cs %lx %s", r->rip, r->rflags, r->cs,
         r->cs & 3 ? "(user mode)" : "(kernel)");
    klog("rax %016lx rbx %016lx rcx %016lx rdx %016lx", r->rax, r->rbx, r->rcx, r->rdx);
    klog("rsi %016lx rdi %016lx rbp %016lx rsp %016lx", r->rsi, r->rdi, r->rbp, r->rsp);
    klog("r8  %016lx r9  %016lx r10 %016lx r11 %016lx", r->r8, r->r9, r->r10, r->r11);
    klog("r12 %016lx r13 %016lx r14 %016lx r15 %016lx", r->r12, r->r13, r->r14, r->r15);
}

/* A panic that was called for has no frame of an exception: these are the registers of now. */
static void print_own_registers(void)
{
    uintptr_t stack;

    __asm__ volatile("movq %%rsp, %0" : "=r"(stack));
    klog("rsp %016lx rbp %016lx", stack, (uintptr_t)__builtin_frame_address(0));
}

void port_panic_print_state(void)
{
    const struct user_frame *frame = trap_panic_frame();
    const struct thread *thread = port_current();

    klog("cpu %u, thread %s", this_cpu()->id, thread->name);
    klog("cr2 %016lx cr3 %016lx", read_cr2(), read_cr3());
    if (frame) {
        print_registers(frame);
        backtrace_print(frame->rip, frame->rbp);
    } else {
        print_own_registers();
        backtrace_print(0, (uintptr_t)__builtin_frame_address(0));
    }
}

void port_panic_end(void)
{
    host_exit(HOST_EXIT_PANIC);
    halt_forever();
}

void port_init_died(int status)
{
    stop_other_cpus();
    host_port_begin_end();
    klog("the first process has ended: wait status %#x", (unsigned)status);
    host_exit(HOST_EXIT_INIT_DIED);
    halt_forever();
}
