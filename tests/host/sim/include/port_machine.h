/*
 * The simulated machine's part of the seam: see kernel/port.h for the contracts, sim.h for the
 * rest.
 *
 * All simulated CPUs run in one host thread. sim_cpu is the CPU whose code is executing now; it
 * changes only inside the functions declared here, which is what makes a run repeatable.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cpu;
struct thread;
struct sim_fiber;

enum sim_interrupt {
    SIM_INTERRUPT_TIMER = 1 << 0,
    SIM_INTERRUPT_RESCHEDULE = 1 << 1,
    SIM_INTERRUPT_DEVICE = 1 << 2,
};

/* What a CPU that is not executing waits for. */
enum sim_cpu_state {
    SIM_CPU_OFFLINE,
    SIM_CPU_RUNNABLE,
    SIM_CPU_SPINNING, /* in port_relax(): goes on once another CPU did something */
    SIM_CPU_IDLE,     /* in port_idle(): goes on with an interrupt */
};

/* At the start of struct cpu. */
struct machine_cpu {
    struct thread *current;
    struct thread *left;     /* by the last port_switch() */
    struct sim_fiber *fiber; /* whose stack the CPU is on */
    unsigned index;
    enum sim_cpu_state state;
    bool interrupts;   /* enabled? */
    bool in_interrupt; /* running a handler */
    bool is_up;        /* has been idle once */
    bool in_user;      /* running a user program */
    uint32_t pending;  /* enum sim_interrupt */
    uint64_t timer_deadline;
    uint64_t spin_progress; /* what sim_progress was when it began to spin */
};

/* What a user program is: a C function. Its return ends the process. */
typedef void sim_program(uintptr_t argument);

/* A user program's registers, as far as the kernel looks at them. */
struct user_frame {
    int64_t result;
    bool in_call; /* the kernel was entered by a system call whose end is not settled yet */
    bool repeat;  /* the program makes the call again */
    bool resume;  /* the program makes restart_syscall(2) */
};

/* A handler that a signal's delivery put on the program's stack. */
struct sim_handler {
    void (*function)(int signal, const void *info);
    int signal;
    bool wants_info;
    bool started;
    uint64_t info[8];
    uint64_t mask; /* what its return restores */
    struct user_frame interrupted;
};

#define SIM_HANDLERS_MAX 16

struct machine_thread {
    struct sim_fiber *fiber;
    bool is_user;
    struct user_frame frame;
    sim_program *program; /* what port_enter_user() runs */
    uintptr_t argument;
    struct sim_handler *handlers; /* SIM_HANDLERS_MAX of them, for user threads */
    unsigned handler_count;
};

extern struct machine_cpu *sim_cpu;

void sim_explore(int point, const void *object);
void sim_relax(void);
void sim_interrupt_window(void);
uint64_t sim_clock(void);

static inline struct cpu *port_this_cpu(void)
{
    return (struct cpu *)sim_cpu;
}

static inline struct thread *port_current(void)
{
    return sim_cpu->current;
}

static inline void port_irq_disable(void)
{
    sim_cpu->interrupts = false;
}

static inline void port_irq_enable(void)
{
    sim_cpu->interrupts = true;
    if (sim_cpu->pending)
        sim_interrupt_window();
}

static inline irq_state_t port_irq_save(void)
{
    irq_state_t state = sim_cpu->interrupts;

    sim_cpu->interrupts = false;
    return state;
}

static inline void port_irq_restore(irq_state_t state)
{
    if (state)
        port_irq_enable();
}

static inline bool port_irq_enabled(void)
{
    return sim_cpu->interrupts;
}

static inline void port_relax(void)
{
    sim_relax();
}

static inline void port_explore(enum port_point point, const void *object)
{
    sim_explore(point, object);
}

static inline void port_add_own(_Atomic uint64_t *counter, uint64_t amount)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + amount,
                          memory_order_relaxed);
}

static inline uint64_t port_cycles(void)
{
    return sim_clock();
}
