/*
 * What the compiler calls at each access with -fsanitize=thread: the kernel's files are built with
 * it, and linked with these functions in the place of the sanitizer's own.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "race.h"

#define CALLER __builtin_return_address(0)

/* The names are the compiler's. */
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#pragma GCC diagnostic ignored "-Wbuiltin-declaration-mismatch"

#define PLAIN(size)                                                                                \
    void __tsan_read##size(void *p)                                                                \
    {                                                                                              \
        race_access(p, size, false, false, CALLER);                                                \
    }                                                                                              \
    void __tsan_write##size(void *p)                                                               \
    {                                                                                              \
        race_access(p, size, true, false, CALLER);                                                 \
    }                                                                                              \
    void __tsan_unaligned_read##size(void *p)                                                      \
    {                                                                                              \
        race_access(p, size, false, false, CALLER);                                                \
    }                                                                                              \
    void __tsan_unaligned_write##size(void *p)                                                     \
    {                                                                                              \
        race_access(p, size, true, false, CALLER);                                                 \
    }                                                                                              \
    void __tsan_volatile_read##size(void *p)                                                       \
    {                                                                                              \
        race_access(p, size, false, true, CALLER);                                                 \
    }                                                                                              \
    void __tsan_volatile_write##size(void *p)                                                      \
    {                                                                                              \
        race_access(p, size, true, true, CALLER);                                                  \
    }

PLAIN(1)
PLAIN(2)
PLAIN(4)
PLAIN(8)
PLAIN(16)

void __tsan_read_range(void *p, size_t size)
{
    race_access(p, size, false, false, CALLER);
}

void __tsan_write_range(void *p, size_t size)
{
    race_access(p, size, true, false, CALLER);
}

void __tsan_init(void)
{
}

void __tsan_func_entry(void *caller)
{
    (void)caller;
}

void __tsan_func_exit(void)
{
}

#define FETCH(bits, name)                                                                          \
    uint##bits##_t __tsan_atomic##bits##_fetch_##name(volatile uint##bits##_t *p,                  \
                                                      uint##bits##_t value, int order)             \
    {                                                                                              \
        race_access(p, sizeof(*p), true, true, CALLER);                                            \
        race_exchange(p, order);                                                                   \
        return __atomic_fetch_##name(p, value, __ATOMIC_SEQ_CST);                                  \
    }

#define COMPARE_EXCHANGE(bits, strength)                                                           \
    bool __tsan_atomic##bits##_compare_exchange_##strength(                                        \
        volatile uint##bits##_t *p, uint##bits##_t *expected, uint##bits##_t value, int success,   \
        int failure)                                                                               \
    {                                                                                              \
        bool done = __atomic_compare_exchange_n(p, expected, value, false, __ATOMIC_SEQ_CST,       \
                                                __ATOMIC_SEQ_CST);                                 \
                                                                                                   \
        race_access(p, sizeof(*p), done, true, CALLER);                                            \
        if (done)                                                                                  \
            race_exchange(p, success);                                                             \
        else                                                                                       \
            race_load(p, failure);                                                                 \
        return done;                                                                               \
    }

#define ATOMIC(bits)                                                                               \
    uint##bits##_t __tsan_atomic##bits##_load(const volatile uint##bits##_t *p, int order)         \
    {                                                                                              \
        race_access(p, sizeof(*p), false, true, CALLER);                                           \
        race_load(p, order);                                                                       \
        return __atomic_load_n(p, __ATOMIC_SEQ_CST);                                               \
    }                                                                                              \
    void __tsan_atomic##bits##_store(volatile uint##bits##_t *p, uint##bits##_t value, int order)  \
    {                                                                                              \
        race_access(p, sizeof(*p), true, true, CALLER);                                            \
        race_store(p, order);                                                                      \
        __atomic_store_n(p, value, __ATOMIC_SEQ_CST);                                              \
    }                                                                                              \
    uint##bits##_t __tsan_atomic##bits##_exchange(volatile uint##bits##_t *p,                      \
                                                  uint##bits##_t value, int order)                 \
    {                                                                                              \
        race_access(p, sizeof(*p), true, true, CALLER);                                            \
        race_exchange(p, order);                                                                   \
        return __atomic_exchange_n(p, value, __ATOMIC_SEQ_CST);                                    \
    }                                                                                              \
    FETCH(bits, add)                                                                               \
    FETCH(bits, sub)                                                                               \
    FETCH(bits, and)                                                                               \
    FETCH(bits, or)                                                                                \
    FETCH(bits, xor)                                                                               \
    COMPARE_EXCHANGE(bits, strong)                                                                 \
    COMPARE_EXCHANGE(bits, weak)

ATOMIC(8)
ATOMIC(16)
ATOMIC(32)
ATOMIC(64)

void __tsan_atomic_thread_fence(int order)
{
    race_fence(order);
}

void __tsan_atomic_signal_fence(int order)
{
    (void)order;
}
