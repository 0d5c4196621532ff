/* The scenarios of kernel/proc, one function each; the table is in scenarios.c. */
#pragma once

void scenario_exit_wait(void);
void scenario_exit_wait_ways(void);
void scenario_exit_reparent_wait(void);
void scenario_exit_exit(void);
void scenario_two_waiters(void);
void scenario_subreaper_orphan(void);
void scenario_subreaper_reaps(void);
void scenario_fork_group_kill(void);
void scenario_vfork(void);
void scenario_vfork_kill(void);
void scenario_kill_exit(void);
void scenario_setpgid_exit(void);
void scenario_parent_death_signal(void);
void scenario_allocations(void);

void scenario_family_model(void);
