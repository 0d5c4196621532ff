/* Event counters: eventfd(2). */
#pragma once

#include "fs/file.h"

/* `flags`: O_NONBLOCK. A semaphore gives 1 to each read. NULL if memory is short. */
struct file *eventfd_create(uint64_t count, bool semaphore, uint32_t flags) MUST_CHECK;
