/*
 * The compiler's <stdatomic.h>, with a point before every access where another simulated CPU may
 * come first. All CPUs being one host thread, the accesses themselves need no more than they have.
 */
#pragma once

#include_next <stdatomic.h>

void sim_atomic(const volatile void *object);

/* The race build compiles the kernel with the compiler's hooks, but not the scenarios, whose locks
 * count too: these say what they order. */
#ifdef SIM_ORDER_BY_HAND
void race_load(const volatile void *object, int order);
void race_store(const volatile void *object, int order);
void race_exchange(const volatile void *object, int order);
#define SIM_ORDER(access, object, order) race_##access(object, order)
#else
#define SIM_ORDER(access, object, order) (void)0
#endif

#undef atomic_load_explicit
#undef atomic_load
#undef atomic_store_explicit
#undef atomic_store
#undef atomic_exchange_explicit
#undef atomic_exchange
#undef atomic_compare_exchange_strong_explicit
#undef atomic_compare_exchange_strong
#undef atomic_compare_exchange_weak_explicit
#undef atomic_compare_exchange_weak
#undef atomic_fetch_add_explicit
#undef atomic_fetch_add
#undef atomic_fetch_sub_explicit
#undef atomic_fetch_sub
#undef atomic_fetch_or_explicit
#undef atomic_fetch_or
#undef atomic_fetch_and_explicit
#undef atomic_fetch_and

/* The comma strips the qualifiers. */
#define SIM_VALUE_TYPE(pointer) __typeof__((void)0, *(pointer))

#define atomic_load_explicit(pointer, order)                                                       \
    __extension__({                                                                                \
        __auto_type sim_load_pointer = (pointer);                                                  \
        SIM_VALUE_TYPE(sim_load_pointer) sim_loaded;                                               \
        sim_atomic(sim_load_pointer);                                                              \
        SIM_ORDER(load, sim_load_pointer, order);                                                  \
        __atomic_load(sim_load_pointer, &sim_loaded, (order));                                     \
        sim_loaded;                                                                                \
    })
#define atomic_store_explicit(pointer, value, order)                                               \
    __extension__({                                                                                \
        __auto_type sim_store_pointer = (pointer);                                                 \
        SIM_VALUE_TYPE(sim_store_pointer) sim_stored = (value);                                    \
        sim_atomic(sim_store_pointer);                                                             \
        SIM_ORDER(store, sim_store_pointer, order);                                                \
        __atomic_store(sim_store_pointer, &sim_stored, (order));                                   \
    })
#define atomic_exchange_explicit(pointer, value, order)                                            \
    __extension__({                                                                                \
        __auto_type sim_exchange_pointer = (pointer);                                              \
        SIM_VALUE_TYPE(sim_exchange_pointer) sim_new = (value), sim_old;                           \
        sim_atomic(sim_exchange_pointer);                                                          \
        SIM_ORDER(exchange, sim_exchange_pointer, order);                                          \
        __atomic_exchange(sim_exchange_pointer, &sim_new, &sim_old, (order));                      \
        sim_old;                                                                                   \
    })
#define SIM_COMPARE_EXCHANGE(pointer, expected, value, success, failure)                           \
    __extension__({                                                                                \
        __auto_type sim_cas_pointer = (pointer);                                                   \
        SIM_VALUE_TYPE(sim_cas_pointer) sim_desired = (value);                                     \
        sim_atomic(sim_cas_pointer);                                                               \
        SIM_ORDER(exchange, sim_cas_pointer, success);                                             \
        __atomic_compare_exchange(sim_cas_pointer, (expected), &sim_desired, 0, (success),         \
                                  (failure));                                                      \
    })
#define SIM_FETCH(operation, pointer, value, order)                                                \
    __extension__({                                                                                \
        __auto_type sim_fetch_pointer = (pointer);                                                 \
        SIM_VALUE_TYPE(sim_fetch_pointer) sim_operand = (value);                                   \
        sim_atomic(sim_fetch_pointer);                                                             \
        SIM_ORDER(exchange, sim_fetch_pointer, order);                                             \
        __atomic_fetch_##operation(sim_fetch_pointer, sim_operand, (order));                       \
    })

#define atomic_compare_exchange_strong_explicit SIM_COMPARE_EXCHANGE
#define atomic_compare_exchange_weak_explicit   SIM_COMPARE_EXCHANGE
#define atomic_fetch_add_explicit(p, v, order)  SIM_FETCH(add, p, v, order)
#define atomic_fetch_sub_explicit(p, v, order)  SIM_FETCH(sub, p, v, order)
#define atomic_fetch_or_explicit(p, v, order)   SIM_FETCH(or, p, v, order)
#define atomic_fetch_and_explicit(p, v, order)  SIM_FETCH(and, p, v, order)

#define atomic_load(p)        atomic_load_explicit(p, __ATOMIC_SEQ_CST)
#define atomic_store(p, v)    atomic_store_explicit(p, v, __ATOMIC_SEQ_CST)
#define atomic_exchange(p, v) atomic_exchange_explicit(p, v, __ATOMIC_SEQ_CST)
#define atomic_compare_exchange_strong(p, e, v)                                                    \
    SIM_COMPARE_EXCHANGE(p, e, v, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)
#define atomic_compare_exchange_weak(p, e, v)                                                      \
    SIM_COMPARE_EXCHANGE(p, e, v, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)
#define atomic_fetch_add(p, v) SIM_FETCH(add, p, v, __ATOMIC_SEQ_CST)
#define atomic_fetch_sub(p, v) SIM_FETCH(sub, p, v, __ATOMIC_SEQ_CST)
#define atomic_fetch_or(p, v)  SIM_FETCH(or, p, v, __ATOMIC_SEQ_CST)
#define atomic_fetch_and(p, v) SIM_FETCH(and, p, v, __ATOMIC_SEQ_CST)
