/*
 * The seam between the kernel and its machine.
 *
 * kernel/proc, kernel/sched and kernel/lib see the machine only through this header and the memory
 * interface (mm/slab.h, mm/address_space.h, mm/user_copy.h). kernel/x86_64 and kernel/mm implement
 * them for the real machine; tests/host/sim implements them for the simulated one.
 *
 * <port_machine.h> is found on the include path of either machine. It defines
 *   struct machine_cpu     the machine's part of struct cpu, at its start
 *   struct machine_thread  the machine's part of struct thread
 *   struct user_frame      the user registers saved at the last entry from user mode
 *   port_this_cpu(), port_current(), port_irq_*(), port_relax(), port_explore(), port_cycles()
 * as inline functions; their contracts stand here.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/compiler.h"

struct cpu;
struct thread;
struct user_frame;
struct address_space;

#define CPU_MAX        64
#define PORT_PAGE_SIZE 4096ul
#define DEADLINE_NEVER UINT64_MAX

/* Where another CPU may interleave: the simulated machine decides at each who goes on. */
enum port_point {
    PORT_POINT_LOCK,
    PORT_POINT_UNLOCK,
    PORT_POINT_ATOMIC,
    PORT_POINT_SLEEP,
    PORT_POINT_WAKE,
    PORT_POINT_SWITCH,
    PORT_POINT_INTERRUPT,
    PORT_POINT_USER,
};

typedef uint64_t irq_state_t;

#include <port_machine.h>

/*
 * --- Processors. Inline, in port_machine.h ---
 *
 * struct cpu *port_this_cpu(void);      stable while preemption is impossible, as always in the
 * kernel struct thread *port_current(void);    the running thread irq_state_t port_irq_save(void);
 * masks interrupts on this CPU, returns what was before void port_irq_restore(irq_state_t); void
 * port_irq_disable(void), port_irq_enable(void), bool port_irq_enabled(void); void
 * port_relax(void);                in the body of a spin loop void port_explore(enum port_point,
 * const void *object);   nothing on a real machine void port_add_own(_Atomic uint64_t *counter,
 * uint64_t);   adds to a counter that nobody else writes now, and that others read whole
 */

/* CPUs that have come up, numbered 0..count-1; constant once the scheduler runs user threads. */
unsigned port_cpu_count(void);
struct cpu *port_cpu(unsigned id);

/* Waits for an interrupt, with no window between the enabling and the wait. Called by the idle
 * thread with interrupts masked and returns with them masked, after at least one was handled. */
void port_idle(void);

/* Makes the other CPU pass through its way back to user mode or out of port_idle(). Any context. */
void port_send_reschedule(unsigned cpu);

/*
 * --- Threads ---
 */

/* Allocates the kernel stack (and for a user thread the FPU state) so that the first port_switch()
 * to it calls entry(argument), which never returns, with interrupts masked. -ENOMEM. */
int port_thread_create(struct thread *thread, void (*entry)(void *), void *argument, bool user);
/* Frees what port_thread_create() allocated. The thread never runs again and is on no CPU. */
void port_thread_destroy(struct thread *thread);

/* Runs `next` on this CPU instead of `previous`, interrupts masked; loads its address space
 * (thread->space, NULL keeps whatever is loaded). Returns in `previous` when it is switched to
 * again, with the thread that was left at that moment. */
struct thread *port_switch(struct thread *previous, struct thread *next);

/* The user registers of a user thread: valid from its creation on; only the thread itself, or its
 * creator before thread_start(), may touch them. */
struct user_frame *port_user_frame(struct thread *thread);

/* First entry to user mode: leaves the kernel with the thread's user_frame. Never returns. */
_Noreturn void port_enter_user(void);

/* The child's registers, FPU state and thread-local storage become a copy of the caller's, with the
 * call's result 0. stack != 0 replaces the stack pointer, tls != NULL the TLS base. */
void port_user_fork(struct thread *child, uintptr_t stack, const uintptr_t *tls);
/* A new image: all registers zero, FPU state initial, entry point and stack pointer as given. */
void port_user_exec(uintptr_t entry, uintptr_t stack);

/*
 * --- Interrupted calls and signal handlers. The current thread's frame; no spinlock held. ---
 */
/* Was the kernel entered by a system call, and with which result does it end? */
bool port_call_result(const struct user_frame *frame, int64_t *result);
/* What the program will find in its result register, whatever the kernel was entered by. */
int64_t port_call_value(const struct user_frame *frame);
void port_call_set_result(struct user_frame *frame, int64_t result);
/* The program makes the same call again, or restart_syscall(2) in its place. */
void port_call_repeat(struct user_frame *frame);
void port_call_resume(struct user_frame *frame);
uintptr_t port_user_stack_pointer(const struct user_frame *frame);

struct signal_info;
struct sigaltstack;

struct port_signal {
    int signal;
    uintptr_t handler;
    uintptr_t restorer;             /* where the handler returns to: calls rt_sigreturn(2) */
    const struct signal_info *info; /* NULL: the handler does not want it */
    uint64_t mask;                  /* what the frame's ucontext is to restore */
    const struct sigaltstack *alternate_stack;
    bool wants_alternate; /* use it, if there is one and the program is not on it */
};
/* Saves the user context on the program's stack and makes the frame that of the handler's first
 * instruction. -EFAULT if the stack can't take it: then the frame is unchanged. May sleep. */
int port_signal_push(struct user_frame *frame, const struct port_signal *signal);
/* Puts the saved context, which may be forged, back into the frame, and says what else it restores.
 * -EFAULT if it can't be read or nothing could run with it. May sleep. */
int port_signal_return(struct user_frame *frame, uint64_t *mask, struct sigaltstack *stack);

/*
 * --- Time ---
 * port_cycles() (inline) is a per-CPU-synchronised counter with a constant rate; it is what CPU
 * time is charged with.
 */
uint64_t port_cycles_to_ns(uint64_t cycles);
uint64_t port_ns_to_cycles(uint64_t ns);
/* Nanoseconds since boot: CLOCK_MONOTONIC. Any context. */
uint64_t port_clock_ns(void);
/* Wall time at boot, ns since the epoch, from the machine's clock chip. */
uint64_t port_boot_realtime_ns(void);

/* One interrupt on this CPU at or soon after `deadline` (port_clock_ns time); replaces the earlier
 * one. DEADLINE_NEVER disarms. Interrupts masked. */
void port_timer_arm(uint64_t deadline);

/* Gives back the memory that the machine keeps for threads to come, so that free frames can be
 * compared. Thread context, no lock held. */
void port_release_caches(void);

/* Fills a buffer with random bytes. Any context. */
void port_random(void *buffer, size_t size);

/*
 * --- Panic: the steps of lib/panic.c that only the machine can take ---
 */

/* Masks interrupts and stops the other CPUs. False if this CPU was in a panic already; on any other
 * CPU a second panic never returns from here. */
bool port_panic_begin(void);
/* Prints, by klog(), this CPU's number, the registers and a symbolised backtrace. */
void port_panic_print_state(void);
/* Ends the machine with the panic code. */
_Noreturn void port_panic_end(void);

/* pid 1 has ended with that wait(2) status: the machine says so and stops, with an exit code of its
 * own. */
_Noreturn void port_init_died(int status);

/* What the auxiliary vector tells a program about its machine (getauxval(3)). */
struct port_auxiliary {
    uint64_t hardware_capabilities;   /* AT_HWCAP: CPUID 1 EDX */
    uint64_t hardware_capabilities_2; /* AT_HWCAP2 */
    uint64_t minimum_signal_stack;    /* AT_MINSIGSTKSZ */
    const char *platform;             /* AT_PLATFORM */
};
void port_get_auxiliary(struct port_auxiliary *auxiliary);

/*
 * --- Upward ---
 * What the machine calls when something happens. main.c fills it before interrupts are enabled.
 */
enum port_fault {
    PORT_FAULT_DIVIDE,
    PORT_FAULT_DEBUG,
    PORT_FAULT_BREAKPOINT,
    PORT_FAULT_OVERFLOW,
    PORT_FAULT_BOUND,
    PORT_FAULT_ILLEGAL,
    PORT_FAULT_PROTECTION,
    PORT_FAULT_STACK,
    PORT_FAULT_SEGMENT,
    PORT_FAULT_ALIGNMENT,
    PORT_FAULT_FPU,
    PORT_FAULT_SIMD
};

enum port_access { PORT_ACCESS_READ = 0, PORT_ACCESS_WRITE = 1, PORT_ACCESS_EXECUTE = 2 };

struct port_handlers {
    /* A system call of the current thread, interrupts enabled. The result goes to the frame. */
    int64_t (*system_call)(struct user_frame *frame, uint64_t number, const uint64_t arguments[6]);
    /* Interrupts enabled. Page faults come from user mode, or from user copies in the kernel
     * (`user` false); returns 0, or a negative errno if the access is not allowed: then a user
     * copy fails with -EFAULT, and user_page_fault_failed() is called for user mode. */
    int (*page_fault)(uintptr_t address, enum port_access access, bool user);
    void (*page_fault_failed)(uintptr_t address, enum port_access access, int error);
    /* Another exception in user mode, interrupts enabled. */
    void (*user_fault)(enum port_fault fault, uintptr_t address, uint64_t error_code);
    /* Charging of CPU time, called first and last around each stay in the kernel from user mode,
     * interrupts masked. */
    void (*kernel_enter)(void);
    void (*kernel_leave)(void);
    /* On the way to user mode, when the thread has work pending; interrupts enabled; afterwards the
     * machine masks them and looks again. */
    void (*user_return)(struct user_frame *frame);
    /* Interrupt context, interrupts masked. */
    void (*timer_interrupt)(void);
    void (*reschedule_interrupt)(void);
    /* First function of a CPU that came up, on its idle thread; interrupts masked. */
    void (*cpu_online)(void);
};
extern struct port_handlers port_handlers;
