/* Wall time. One atomic offset; whoever waits for a wall time waits on clock_set_wait as well. */
#include "sched/clock.h"

static _Atomic uint64_t offset, set_count;
struct wait_queue clock_set_wait;

void clock_init(void)
{
    wait_queue_init(&clock_set_wait);
    offset = port_boot_realtime_ns();
}

uint64_t clock_realtime_offset(void)
{
    return atomic_load_explicit(&offset, memory_order_relaxed);
}

uint64_t clock_realtime_ns(void)
{
    return port_clock_ns() + clock_realtime_offset();
}

void clock_set_realtime(uint64_t realtime_ns)
{
    atomic_store(&offset, realtime_ns - port_clock_ns());
    atomic_fetch_add(&set_count, 1);
    wait_queue_wake_all(&clock_set_wait, 0);
}

uint64_t clock_set_count(void)
{
    return atomic_load(&set_count);
}
