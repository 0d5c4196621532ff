/*
 * User programs of the simulated machine: C functions on their thread's own stack, which enter the
 * kernel through sim_call() and by interrupts just as a real program does, and leave it through the
 * same work loop.
 */
#include <string.h>

#include "internal.h"
#include "mm/user_copy.h"
#include "sched/cpu.h"
#include "sched/sched.h"

#define EFAULT       14
#define ENAMETOOLONG 36

int64_t (*sim_signal_return)(struct user_frame *frame);
int64_t (*sim_restart_call)(const uint64_t arguments[6]);
void (*sim_no_alternate_stack)(struct sigaltstack *stack);

static const char *bad_start;
static size_t bad_size;

void sim_set_program(struct thread *thread, sim_program *program, uintptr_t argument)
{
    thread->machine.program = program;
    thread->machine.argument = argument;
}

struct user_frame *port_user_frame(struct thread *thread)
{
    SIM_CHECK(thread->machine.is_user);
    return &thread->machine.frame;
}

/* The work loop. On return interrupts are enabled and the thread is in user mode, perhaps on
 * another CPU than before. */
static void leave_kernel(struct user_frame *frame)
{
    sim_cpu->interrupts = false;
    while (thread_has_work(sim_cpu->current, UINT32_MAX)) {
        port_irq_enable();
        port_handlers.user_return(frame);
        port_irq_disable();
    }
    lock_check_may_sleep();
    frame->in_call = false;
    port_handlers.kernel_leave();
    sim_cpu->in_user = true;
    port_irq_enable();
    sim_explore(PORT_POINT_USER, NULL);
}

static void enter_kernel(void)
{
    sim_explore(PORT_POINT_USER, NULL);
    SIM_CHECK(sim_cpu->in_user && sim_cpu->interrupts);
    sim_cpu->interrupts = false;
    sim_cpu->in_user = false;
    port_handlers.kernel_enter();
    port_irq_enable();
}

/* Runs the handler that was pushed last, up to its return through rt_sigreturn(2). */
static void run_handler(struct machine_thread *machine)
{
    struct sim_handler *handler = &machine->handlers[machine->handler_count - 1];

    handler->started = true;
    trace_note("handler");
    handler->function(handler->signal, handler->wants_info ? handler->info : NULL);
    enter_kernel();
    machine->frame.result = sim_signal_return(&machine->frame);
    leave_kernel(&machine->frame);
}

void sim_return_to_user(void)
{
    struct machine_thread *machine = &sim_cpu->current->machine;

    leave_kernel(&machine->frame);
    while (machine->handler_count && !machine->handlers[machine->handler_count - 1].started)
        run_handler(machine);
}

int64_t sim_call(int64_t (*function)(const uint64_t arguments[6]), const uint64_t arguments[6])
{
    struct user_frame *frame = &sim_cpu->current->machine.frame;

    do {
        enter_kernel();
        frame->in_call = true;
        frame->result = frame->resume ? sim_restart_call(arguments) : function(arguments);
        frame->repeat = frame->resume = false;
        sim_return_to_user();
    } while (frame->repeat || frame->resume);
    return frame->result;
}

_Noreturn void port_enter_user(void)
{
    struct machine_thread *machine = &sim_cpu->current->machine;

    SIM_CHECK(machine->is_user && machine->program);
    machine->frame = (struct user_frame){.result = 0};
    sim_return_to_user();
    machine->program(machine->argument);
    enter_kernel();
    sim_program_returned();
    sim_fail("a process went on after its exit");
}

/* --- Calls and handlers, as the kernel settles them --- */

bool port_call_result(const struct user_frame *frame, int64_t *result)
{
    *result = frame->result;
    return frame->in_call;
}

int64_t port_call_value(const struct user_frame *frame)
{
    return frame->result;
}

void port_call_set_result(struct user_frame *frame, int64_t result)
{
    frame->result = result;
}

void port_call_repeat(struct user_frame *frame)
{
    frame->in_call = false;
    frame->repeat = true;
}

void port_call_resume(struct user_frame *frame)
{
    frame->in_call = false;
    frame->resume = true;
}

uintptr_t port_user_stack_pointer(const struct user_frame *frame)
{
    (void)frame;
    return 0x7ffffffe0000;
}

int port_signal_push(struct user_frame *frame, const struct port_signal *signal)
{
    struct machine_thread *machine = &sim_cpu->current->machine;
    struct sim_handler *handler = &machine->handlers[machine->handler_count];

    lock_check_may_sleep();
    sim_point();
    if (machine->handler_count == SIM_HANDLERS_MAX)
        return -EFAULT;
    *handler = (struct sim_handler){.function = (void (*)(int, const void *))signal->handler,
                                    .signal = signal->signal,
                                    .wants_info = signal->info != NULL,
                                    .mask = signal->mask,
                                    .interrupted = *frame};
    if (signal->info)
        memcpy(handler->info, signal->info, SIM_SIGNAL_INFO_SIZE);
    machine->handler_count++;
    *frame = (struct user_frame){.result = 0};
    return 0;
}

int port_signal_return(struct user_frame *frame, uint64_t *mask, struct sigaltstack *stack)
{
    struct machine_thread *machine = &sim_cpu->current->machine;
    struct sim_handler *handler = &machine->handlers[machine->handler_count - 1];

    lock_check_may_sleep();
    sim_point();
    SIM_CHECK(machine->handler_count > 0 && handler->started);
    machine->handler_count--;
    *frame = handler->interrupted;
    frame->in_call = false;
    *mask = handler->mask;
    sim_no_alternate_stack(stack);
    return 0;
}

/* The program of the child is the call's `stack`; without one it repeats its parent's. */
void port_user_fork(struct thread *child, uintptr_t stack, const uintptr_t *tls)
{
    const struct machine_thread *parent = &sim_cpu->current->machine;

    SIM_CHECK(parent->is_user && child->machine.is_user);
    child->machine.program = stack ? (sim_program *)stack : parent->program;
    child->machine.argument = tls ? *tls : parent->argument;
}

/* --- mm/user_copy.h --- */

void sim_set_bad_range(const void *start, size_t size)
{
    bad_start = start;
    bad_size = size;
}

static size_t good_bytes(uintptr_t address, size_t size)
{
    lock_check_may_sleep();
    sim_point();
    if (address < SIM_BAD_ADDRESS_END)
        return 0;
    if (!bad_start || address + size <= (uintptr_t)bad_start ||
        address >= (uintptr_t)bad_start + bad_size)
        return size;
    return address < (uintptr_t)bad_start ? (uintptr_t)bad_start - address : 0;
}

size_t copy_from_user_partial(void *destination, uintptr_t source, size_t size)
{
    size_t good = good_bytes(source, size);

    memcpy(destination, (const void *)source, good);
    return good;
}

size_t copy_to_user_partial(uintptr_t destination, const void *source, size_t size)
{
    size_t good = good_bytes(destination, size);

    memcpy((void *)destination, source, good);
    return good;
}

int copy_from_user(void *destination, uintptr_t source, size_t size)
{
    return copy_from_user_partial(destination, source, size) == size ? 0 : -EFAULT;
}

int copy_to_user(uintptr_t destination, const void *source, size_t size)
{
    return copy_to_user_partial(destination, source, size) == size ? 0 : -EFAULT;
}

int clear_user(uintptr_t destination, size_t size)
{
    size_t good = good_bytes(destination, size);

    memset((void *)destination, 0, good);
    return good == size ? 0 : -EFAULT;
}

long copy_string_from_user(char *destination, uintptr_t source, size_t size)
{
    size_t good = good_bytes(source, 1);
    size_t length;

    if (!good)
        return -EFAULT;
    length = strnlen((const char *)source, size);
    if (length == size)
        return -ENAMETOOLONG;
    memcpy(destination, (const char *)source, length + 1);
    return length;
}
