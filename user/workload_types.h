/* The kinds of work that workload's workers do. */
#pragma once

#include <signal.h>

struct work {
    const char *name;
    /* One unit of work; must come back soon after `stopping` is set. */
    void (*step)(void);
};

extern volatile sig_atomic_t stopping;
extern const struct work works[];
extern const unsigned work_count;
