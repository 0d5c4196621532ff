/* The machine under the memory tests: one CPU that never switches and has no interrupts. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cpu;
struct thread;

struct machine_cpu {
    uint32_t unused;
};

struct machine_thread {
    uint32_t unused;
};

extern struct cpu *test_cpu;
extern struct thread *test_thread;

static inline struct cpu *port_this_cpu(void)
{
    return test_cpu;
}

static inline struct thread *port_current(void)
{
    return test_thread;
}

static inline irq_state_t port_irq_save(void)
{
    return 0;
}

static inline void port_irq_restore(irq_state_t state)
{
    (void)state;
}

static inline bool port_irq_enabled(void)
{
    return true;
}

static inline void port_relax(void)
{
}

static inline void port_explore(enum port_point point, const void *object)
{
    (void)point;
    (void)object;
}

static inline void port_add_own(_Atomic uint64_t *counter, uint64_t amount)
{
    *counter += amount;
}

static inline uint64_t port_cycles(void)
{
    return 0;
}
