/* What the compiler offers, under short names. */
#pragma once

#include <stddef.h>

#define container_of(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))
#define array_length(array)                 (sizeof(array) / sizeof((array)[0]))
#define likely(x)                           __builtin_expect(!!(x), 1)
#define unlikely(x)                         __builtin_expect(!!(x), 0)

#define PRINTF_LIKE(text, first) __attribute__((format(printf, text, first)))
#define MUST_CHECK               __attribute__((warn_unused_result))
#define ALIGNED(n)               __attribute__((aligned(n)))
/* Kept out of its callers, whose usual way stays short. */
#define COLD __attribute__((noinline, cold))

#define ALIGN_DOWN(x, a) ((x) & ~((__typeof__(x))(a)-1))
#define ALIGN_UP(x, a)   ALIGN_DOWN((x) + ((__typeof__(x))(a)-1), a)
