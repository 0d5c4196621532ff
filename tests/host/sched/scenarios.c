/* What a run of sim_sched consists of. */
#include "scenarios.h"

#include "sim.h"

#define SCENARIO(f, ...)                                                                           \
    {                                                                                              \
        .name = #f, .run = scenario_##f, __VA_ARGS__                                               \
    }

const struct sim_scenario sim_scenarios[] = {
    SCENARIO(sleep_wake, .cpus = 2, .preemptions = 2, .atomics = true, .seeds = 3000),
    SCENARIO(sleep_interrupt, .cpus = 2, .preemptions = 2, .seeds = 1000),
    SCENARIO(sleep_twice, .cpus = 2, .preemptions = 2, .seeds = 1000),
    SCENARIO(sleep_locked, .cpus = 2, .preemptions = 2, .seeds = 2000),
    SCENARIO(thread_sleep_wake, .cpus = 2, .preemptions = 2, .atomics = true, .seeds = 1000),
    SCENARIO(timeout_wake, .cpus = 2, .preemptions = 2, .atomics = true, .seeds = 2000),
    SCENARIO(timeout_alone, .cpus = 1, .preemptions = 2, .seeds = 500),
    SCENARIO(interrupt_wake, .cpus = 2, .preemptions = 2, .atomics = true, .seeds = 2000),
    SCENARIO(interrupt_sleep, .cpus = 2, .preemptions = 2, .seeds = 1000),
    SCENARIO(interrupt_by_interrupt, .cpus = 2, .preemptions = 2, .atomics = true, .seeds = 2000),
    SCENARIO(kill_sleep, .cpus = 2, .preemptions = 2, .seeds = 1000),
    SCENARIO(tokens, .cpus = 4, .seeds = 2000),
    SCENARIO(wake_one_timeout, .cpus = 2, .preemptions = 2, .seeds = 2000),
    SCENARIO(entry_remove_wake, .cpus = 2, .preemptions = 2, .seeds = 1000),
    SCENARIO(mutex_handover, .cpus = 2, .preemptions = 2, .atomics = true, .seeds = 3000),
    SCENARIO(mutex_storm, .cpus = 4, .seeds = 2000),
    SCENARIO(mutex_try, .cpus = 2, .preemptions = 2, .seeds = 1000),
    SCENARIO(mutex_kill, .cpus = 2, .preemptions = 2, .seeds = 2000),
    SCENARIO(mutex_order, .cpus = 2, .seeds = 1000),
    SCENARIO(timer_cancel_expire, .cpus = 2, .preemptions = 2, .atomics = true, .seeds = 2000),
    SCENARIO(timer_cancel_rearm, .cpus = 2, .preemptions = 2, .seeds = 2000),
    SCENARIO(timer_move, .cpus = 2, .preemptions = 2, .seeds = 1000),
    SCENARIO(timer_sleepers, .cpus = 4, .seeds = 1000),
    SCENARIO(exit_join, .cpus = 2, .preemptions = 2, .atomics = true, .seeds = 2000),
    SCENARIO(kernel_thread, .cpus = 2, .seeds = 1000, .fail_allocations = true),
    SCENARIO(abandon, .cpus = 1, .seeds = 100, .fail_allocations = true),
    SCENARIO(affinity, .cpus = 4, .seeds = 2000, .boot = boot_affinity),
    SCENARIO(affinity_wake, .cpus = 2, .preemptions = 2, .seeds = 2000),
    SCENARIO(group_read, .cpus = 2, .preemptions = 2, .seeds = 2000),
    SCENARIO(realtime_wake, .cpus = 3, .preemptions = 1, .seeds = 1000),
    SCENARIO(preemption, .cpus = 2, .seeds = 500, .step_limit = 2000000),
    SCENARIO(post_work, .cpus = 2, .preemptions = 2, .seeds = 1000, .boot = boot_post_work),
    SCENARIO(group_storm, .cpus = 4, .seeds = 1000, .step_limit = 2000000),
    SCENARIO(group_alarm, .cpus = 2, .preemptions = 2, .seeds = 1000, .boot = boot_group_alarm),
    SCENARIO(bandwidth, .cpus = 1, .seeds = 3000),
};
const size_t sim_scenario_count = array_length(sim_scenarios);
