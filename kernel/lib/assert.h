/*
 * assert(): an invariant whose failure is a kernel bug; stays in every build because it is cheap.
 * debug_assert(): one that costs; only with `make DEBUG=1` and in the simulated machine.
 */
#pragma once

#include "lib/compiler.h"
#include "lib/panic.h"

#define assert(condition)                                                                          \
    do {                                                                                           \
        if (unlikely(!(condition)))                                                                \
            panic("%s:%d: %s: assertion failed: %s", __FILE__, __LINE__, __func__, #condition);    \
    } while (0)

#if KIN_DEBUG
#define debug_assert(condition) assert(condition)
#else
#define debug_assert(condition) ((void)sizeof((condition) ? 1 : 0))
#endif
