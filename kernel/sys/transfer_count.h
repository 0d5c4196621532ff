/* What a call moved is counted for its thread, and so for its process and its job. A call that
 * fails moved nothing and is not counted. Both return the call's result. */
#pragma once

#include <stdint.h>

#include "sched/thread.h"

static inline int64_t count_read(int64_t result)
{
    if (result >= 0) {
        thread_count(COUNT_READS, 1);
        thread_count(COUNT_READ_BYTES, (uint64_t)result);
    }
    return result;
}

static inline int64_t count_write(int64_t result)
{
    if (result >= 0) {
        thread_count(COUNT_WRITES, 1);
        thread_count(COUNT_WRITTEN_BYTES, (uint64_t)result);
    }
    return result;
}
