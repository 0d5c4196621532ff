/* The scenarios of kernel/proc, one function each; the table is in scenarios.c. */
#pragma once

void scenario_exit_wait(void);
void scenario_exit_wait_ways(void);
void scenario_exit_reparent_wait(void);
void scenario_zombie_inheritance(void);
void scenario_exit_exit(void);
void scenario_two_waiters(void);
void scenario_subreaper_orphan(void);
void scenario_subreaper_reaps(void);
void scenario_fork_group_kill(void);
void scenario_vfork(void);
void scenario_vfork_kill(void);
void scenario_kill_exit(void);
void scenario_kill_reap(void);
void scenario_setpgid_exit(void);
void scenario_parent_death_signal(void);
void scenario_allocations(void);

void scenario_family_model(void);

void scenario_sigchld_sigsuspend(void);
void scenario_sigchld_wait(void);
void scenario_sigchld_storm(void);
void scenario_stop_continue_kill(void);
void scenario_stopped_continue_kill(void);
void scenario_stop_continue_wait(void);
void scenario_stop_continue_term(void);
void scenario_orphaned_group(void);
void scenario_group_term_fork(void);
void scenario_kill_all_fork(void);
void scenario_signal_sleep_entry(void);
void scenario_signal_sigsuspend(void);
void scenario_sigtimedwait_timeout(void);
void scenario_realtime_order(void);
void scenario_sigaction_send(void);
void scenario_disposition_fork(void);
void scenario_disposition_allocations(void);
void scenario_signal_model(void);

void scenario_alarm_sigsuspend(void);
void scenario_alarm_exit(void);
void scenario_alarm_change(void);
void scenario_timer_delete_expire(void);
void scenario_timer_exit(void);
void scenario_timer_allocations(void);

void scenario_job_fork_kill(void);
void scenario_job_spawn_kill(void);
void scenario_job_fork_freeze(void);
void scenario_job_fork_signal(void);
void scenario_job_adopt_exit(void);
void scenario_job_adopt_tree_fork(void);
void scenario_job_exit_close(void);
void scenario_job_kill_kill(void);
void scenario_job_limit_fork(void);
void scenario_job_wait_accounts(void);
void scenario_job_allocations(void);
void scenario_job_bandwidth_kill(void);
void scenario_job_bandwidth_adopt(void);
void scenario_job_time_fork(void);
void scenario_job_affinity_fork(void);
void scenario_job_adopt_newborn(void);
void scenario_job_weight_fork(void);
