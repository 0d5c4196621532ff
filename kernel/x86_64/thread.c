/*
 * The machine's part of threads: stacks, the switch, the user registers. A thread's machine part is
 * written by itself, by its creator before it starts, and by the CPU that switches to it.
 *
 * A user thread's stack, from the top: the FPU area, the user frame (stack_top is its end), and
 * what the kernel's functions need.
 */
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/space.h"
#include "sched/cpu.h"
#include "x86_64/cpu_tables.h"
#include "x86_64/fpu.h"
#include "x86_64/instructions.h"
#include "x86_64/kernel_stack.h"
#include "x86_64/segments.h"
#include "x86_64/system_call.h"
#include "x86_64/tlb_switch.h"

/* What switch_stacks() finds on the stack of a thread that has never run. */
struct first_frame {
    uint64_t r15, r14;
    uint64_t argument; /* r13 */
    uint64_t entry;    /* r12 */
    uint64_t rbx, rbp;
    uint64_t return_address;
};

/* switch.S, entry.S */
struct thread *switch_stacks(struct machine_thread *previous, struct machine_thread *next);
void thread_first_run(void);
_Noreturn void user_frame_leave(struct user_frame *frame);

static void prepare_first_run(struct machine_thread *machine, uintptr_t stack_end,
                              void (*entry)(void *), void *argument)
{
    struct first_frame *frame = (struct first_frame *)stack_end - 1;

    *frame = (struct first_frame){.argument = (uintptr_t)argument,
                                  .entry = (uintptr_t)entry,
                                  .return_address = (uintptr_t)thread_first_run};
    machine->stack_pointer = (uintptr_t)frame;
}

static void reset_frame(struct user_frame *frame, uintptr_t entry, uintptr_t stack)
{
    *frame = (struct user_frame){.original_rax = UINT64_MAX,
                                 .rip = entry,
                                 .cs = SELECTOR_USER_CODE,
                                 .rflags = RFLAGS_FIXED | RFLAGS_INTERRUPT,
                                 .rsp = stack,
                                 .ss = SELECTOR_USER_DATA};
}

int port_thread_create(struct thread *thread, void (*entry)(void *), void *argument, bool user)
{
    struct machine_thread *machine = &thread->machine;
    uintptr_t top;

    machine->stack = kernel_stack_alloc();
    if (!machine->stack)
        return -ENOMEM;
    top = (uintptr_t)machine->stack + KERNEL_STACK_SIZE;
    if (user) {
        top -= ALIGN_UP(fpu_state_size(), FPU_ALIGNMENT);
        machine->fpu = (void *)top;
        fpu_init_area(machine->fpu);
    }
    machine->stack_top = top;
    if (user) {
        top -= sizeof(struct user_frame);
        reset_frame((struct user_frame *)top, 0, 0);
    }
    prepare_first_run(machine, top, entry, argument);
    return 0;
}

void port_thread_destroy(struct thread *thread)
{
    kernel_stack_free(thread->machine.stack);
    thread->machine.stack = NULL;
}

void port_release_caches(void)
{
    kernel_stack_drain();
}

static inline void load_program_state(struct thread *thread)
{
    fpu_restore(thread->machine.fpu);
    write_msr(MSR_FS_BASE, thread->machine.fs_base);
    write_msr(MSR_KERNEL_GS_BASE, thread->machine.gs_base);
}

struct thread *port_switch(struct thread *previous, struct thread *next)
{
    struct machine_cpu *cpu = &this_cpu()->machine;

    if (previous->machine.fpu)
        fpu_save(previous->machine.fpu);
    cpu->current = next;
    cpu->kernel_stack_top = next->machine.stack_top;
    cpu->tables->tss.stack_pointers[0] = next->machine.stack_top;
    if (next->space)
        tlb_switch(&next->space->table);
    if (next->machine.fpu)
        load_program_state(next);
    return switch_stacks(&previous->machine, &next->machine);
}

struct user_frame *port_user_frame(struct thread *thread)
{
    return (struct user_frame *)thread->machine.stack_top - 1;
}

void port_enter_user(void)
{
    struct user_frame *frame = port_user_frame(port_current());

    port_irq_disable();
    prepare_user_mode(frame);
    user_frame_leave(frame);
}

void port_user_fork(struct thread *child, uintptr_t stack, const uintptr_t *tls)
{
    struct machine_thread *own = &port_current()->machine;
    struct user_frame *frame = port_user_frame(child);

    *frame = *port_user_frame(port_current());
    frame->rax = 0;
    if (stack)
        frame->rsp = stack;
    child->machine.fs_base = tls ? *tls : own->fs_base;
    child->machine.gs_base = own->gs_base;
    fpu_save(child->machine.fpu);
}

void port_user_exec(uintptr_t entry, uintptr_t stack)
{
    struct thread *thread = port_current();
    irq_state_t irq;

    reset_frame(port_user_frame(thread), entry, stack);
    fpu_init_area(thread->machine.fpu);
    thread->machine.fs_base = 0;
    thread->machine.gs_base = 0;
    irq = port_irq_save();
    load_program_state(thread);
    port_irq_restore(irq);
}
