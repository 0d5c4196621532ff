/* The seeding of port_random(). */
#pragma once

#include <stdint.h>

/* Boot CPU, once, before the first random byte; `seed` is whatever differs from boot to boot. */
void random_init(uint64_t seed);
