/*
 * The least of a machine that the lock primitives need, on real threads: each thread is a CPU.
 * Interrupts do not exist. See kernel/port.h.
 */
#pragma once

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

struct cpu;
struct thread;

struct machine_cpu {
    unsigned index;
};
struct machine_thread {
    unsigned unused;
};
struct user_frame {
    unsigned unused;
};

extern _Thread_local struct cpu *tsan_cpu;

static inline struct cpu *port_this_cpu(void)
{
    return tsan_cpu;
}

static inline struct thread *port_current(void)
{
    return NULL;
}

static inline irq_state_t port_irq_save(void)
{
    return 0;
}

static inline void port_irq_restore(irq_state_t state)
{
    (void)state;
}

static inline void port_irq_disable(void)
{
}

static inline void port_irq_enable(void)
{
}

static inline bool port_irq_enabled(void)
{
    return false;
}

/* With fewer processors than threads, spinning alone would wait for the host's time slice. */
static inline void port_relax(void)
{
    sched_yield();
}

static inline void port_explore(enum port_point point, const void *object)
{
    (void)point;
    (void)object;
}

static inline uint64_t port_cycles(void)
{
    return 0;
}
