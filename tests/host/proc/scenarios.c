/* What a run of sim_proc consists of. */
#include "scenarios.h"

#include "sim.h"
#include "system.h"

#define SCENARIO(f, ...)                                                                           \
    {                                                                                              \
        .name = #f, .run = scenario_##f, .boot = boot_processes, __VA_ARGS__                       \
    }

const struct sim_scenario sim_scenarios[] = {
    SCENARIO(exit_wait, .cpus = 2, .preemptions = 2, .seeds = 1000),
    SCENARIO(exit_wait_ways, .cpus = 2, .preemptions = 2, .seeds = 1000),
    SCENARIO(exit_reparent_wait, .cpus = 2, .preemptions = 2, .seeds = 1000),
    SCENARIO(zombie_inheritance, .cpus = 2, .preemptions = 2, .seeds = 1000),
    SCENARIO(exit_exit, .cpus = 2, .preemptions = 2, .seeds = 1000),
    SCENARIO(two_waiters, .cpus = 2, .preemptions = 2, .seeds = 1000),
    SCENARIO(subreaper_orphan, .cpus = 2, .preemptions = 2, .seeds = 1000),
    SCENARIO(subreaper_reaps, .cpus = 2, .preemptions = 2, .seeds = 1000),
    SCENARIO(fork_group_kill, .cpus = 2, .preemptions = 2, .seeds = 1000),
    SCENARIO(vfork, .cpus = 2, .preemptions = 2, .seeds = 1000),
    SCENARIO(vfork_kill, .cpus = 2, .preemptions = 2, .seeds = 1000),
    SCENARIO(kill_exit, .cpus = 2, .preemptions = 2, .seeds = 1000),
    SCENARIO(kill_reap, .cpus = 2, .preemptions = 1, .atomics = true, .seeds = 3000),
    SCENARIO(setpgid_exit, .cpus = 2, .preemptions = 2, .seeds = 1000),
    SCENARIO(parent_death_signal, .cpus = 2, .preemptions = 2, .seeds = 1000),
    SCENARIO(allocations, .cpus = 2, .seeds = 1000, .fail_allocations = true),
    SCENARIO(family_model, .cpus = 3, .seeds = 1500, .step_limit = 100000000),
    SCENARIO(sigchld_sigsuspend, .cpus = 2, .preemptions = 2, .seeds = 1000),
    SCENARIO(sigchld_wait, .cpus = 2, .preemptions = 2, .seeds = 1000),
    SCENARIO(sigchld_storm, .cpus = 2, .preemptions = 2, .seeds = 1000),
    SCENARIO(stop_continue_kill, .cpus = 2, .preemptions = 2, .seeds = 1000),
    SCENARIO(stopped_continue_kill, .cpus = 2, .preemptions = 2, .seeds = 1000),
    SCENARIO(stop_continue_wait, .cpus = 2, .preemptions = 2, .seeds = 1000),
    SCENARIO(stop_continue_term, .cpus = 2, .preemptions = 2, .seeds = 1000),
    SCENARIO(orphaned_group, .cpus = 2, .preemptions = 2, .seeds = 1000),
    SCENARIO(group_term_fork, .cpus = 2, .preemptions = 2, .seeds = 1000),
    SCENARIO(kill_all_fork, .cpus = 2, .preemptions = 2, .seeds = 1000),
    SCENARIO(signal_sleep_entry, .cpus = 2, .preemptions = 2, .seeds = 1000),
    SCENARIO(signal_sigsuspend, .cpus = 2, .preemptions = 2, .seeds = 1000),
    SCENARIO(sigtimedwait_timeout, .cpus = 2, .preemptions = 2, .seeds = 1000),
    SCENARIO(sigaction_send, .cpus = 2, .preemptions = 2, .seeds = 1000),
    SCENARIO(disposition_fork, .cpus = 2, .preemptions = 2, .seeds = 1000),
    SCENARIO(disposition_allocations, .cpus = 2, .seeds = 200, .fail_allocations = true),
    SCENARIO(alarm_sigsuspend, .cpus = 2, .preemptions = 2, .seeds = 1000),
    SCENARIO(alarm_exit, .cpus = 2, .preemptions = 2, .seeds = 1000),
    SCENARIO(alarm_change, .cpus = 2, .preemptions = 2, .seeds = 1000),
    SCENARIO(timer_delete_expire, .cpus = 2, .preemptions = 2, .seeds = 1000),
    SCENARIO(timer_exit, .cpus = 2, .preemptions = 2, .seeds = 1000),
    SCENARIO(timer_allocations, .cpus = 2, .seeds = 200, .fail_allocations = true),
    SCENARIO(job_fork_kill, .cpus = 2, .preemptions = 2, .seeds = 1000),
    SCENARIO(job_spawn_kill, .cpus = 2, .preemptions = 2, .seeds = 1000),
    SCENARIO(job_fork_freeze, .cpus = 2, .preemptions = 2, .seeds = 1000),
    SCENARIO(job_fork_signal, .cpus = 2, .preemptions = 2, .seeds = 1000),
    SCENARIO(job_adopt_exit, .cpus = 2, .preemptions = 2, .seeds = 1000),
    SCENARIO(job_adopt_tree_fork, .cpus = 2, .preemptions = 2, .seeds = 1000),
    SCENARIO(job_exit_close, .cpus = 2, .preemptions = 2, .seeds = 1000),
    SCENARIO(job_kill_kill, .cpus = 2, .preemptions = 2, .seeds = 1000),
    SCENARIO(job_limit_fork, .cpus = 2, .preemptions = 2, .seeds = 1000),
    SCENARIO(job_wait_accounts, .cpus = 2, .preemptions = 2, .seeds = 1000),
    SCENARIO(job_bandwidth_kill, .cpus = 2, .preemptions = 2, .seeds = 1000),
    SCENARIO(job_bandwidth_adopt, .cpus = 2, .preemptions = 1, .seeds = 1000),
    SCENARIO(job_time_fork, .cpus = 2, .preemptions = 1, .seeds = 1000),
    SCENARIO(job_affinity_fork, .cpus = 2, .preemptions = 2, .seeds = 1000),
    SCENARIO(job_adopt_newborn, .cpus = 2, .preemptions = 2, .seeds = 1000),
    SCENARIO(job_weight_fork, .cpus = 2, .preemptions = 2, .seeds = 1000),
    SCENARIO(job_allocations, .cpus = 2, .seeds = 200, .fail_allocations = true),
    SCENARIO(realtime_order, .cpus = 3, .seeds = 1000),
    SCENARIO(signal_model, .cpus = 1, .seeds = 500, .step_limit = 100000000),
};
const size_t sim_scenario_count = array_length(sim_scenarios);
