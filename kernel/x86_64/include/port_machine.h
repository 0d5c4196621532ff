/* The x86_64 part of the seam: see port.h for the contracts. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cpu;
struct page_table;
struct thread;

/* At the start of struct cpu, found through GS in the kernel. The assembly uses the offsets, which
 * cpu_local.c asserts. (self) */
struct machine_cpu {
    struct cpu *self;              /*  0 */
    struct thread *current;        /*  8 */
    uintptr_t kernel_stack_top;    /* 16: where the system call entry builds its frame */
    uintptr_t user_stack_saved;    /* 24: scratch of the system call entry */
    struct cpu_tables *tables;     /* GDT, TSS, exception stacks */
    struct page_table *page_table; /* loaded, see tlb.h; NULL: the kernel's own */
    uint32_t apic_id;
    uint64_t timer_deadline; /* what the timer is armed for, ns */
};

struct machine_thread {
    uintptr_t stack_pointer; /* 0: saved by the switch */
    uintptr_t stack_top;     /* the user frame ends here; the FPU state lies above */
    void *stack;             /* of kernel_stack.h; NULL: the boot stack of an idle thread */
    uintptr_t fs_base;
    uintptr_t gs_base; /* the program's own */
    void *fpu;         /* XSAVE or FXSAVE area; NULL for kernel threads */
    /* The program's last fault that became a signal: handlers find it in their context. */
    struct {
        uint64_t number, error, address;
    } fault;
};

/*
 * The user registers, lowest address first, as entry.S pushes them. The arguments of a system call
 * lie side by side in their order.
 */
struct user_frame {
    uint64_t r15, r14, r13, r12, rbp, rbx;
    uint64_t r11, rcx, rax;
    uint64_t rdi, rsi, rdx, r10, r8, r9;
    uint64_t original_rax; /* the call's number, -1 if not in a system call */
    uint64_t rip, cs, rflags, rsp, ss;
};

static inline struct cpu *port_this_cpu(void)
{
    struct cpu *cpu;

    __asm__ volatile("movq %%gs:0, %0" : "=r"(cpu));
    return cpu;
}

static inline struct thread *port_current(void)
{
    struct thread *thread;

    /* Not volatile: for the running code its own thread never changes. */
    __asm__("movq %%gs:8, %0" : "=r"(thread));
    return thread;
}

static inline irq_state_t port_irq_save(void)
{
    irq_state_t flags;

    __asm__ volatile("pushfq; popq %0; cli" : "=r"(flags)::"memory");
    return flags;
}

static inline void port_irq_restore(irq_state_t flags)
{
    if (flags & 0x200)
        __asm__ volatile("sti" ::: "memory");
}

static inline void port_irq_disable(void)
{
    __asm__ volatile("cli" ::: "memory");
}

static inline void port_irq_enable(void)
{
    __asm__ volatile("sti" ::: "memory");
}

static inline bool port_irq_enabled(void)
{
    irq_state_t flags;

    __asm__ volatile("pushfq; popq %0" : "=r"(flags)::"memory");
    return (flags & 0x200) != 0;
}

static inline void port_relax(void)
{
    __builtin_ia32_pause();
}

static inline void port_explore(enum port_point point, const void *object)
{
    (void)point;
    (void)object;
}

static inline void port_add_own(_Atomic uint64_t *counter, uint64_t amount)
{
    __asm__("addq %1, %0" : "+m"(*counter) : "er"(amount) : "cc");
}

static inline uint64_t port_cycles(void)
{
    return __builtin_ia32_rdtsc();
}
