/* The scenarios of kernel/sched, one function each; the table is in scenarios.c. */
#pragma once

void scenario_sleep_wake(void);
void scenario_sleep_interrupt(void);
void scenario_sleep_twice(void);
void scenario_sleep_locked(void);
void scenario_thread_sleep_wake(void);
void scenario_timeout_wake(void);
void scenario_timeout_alone(void);
void scenario_interrupt_wake(void);
void scenario_interrupt_sleep(void);
void scenario_interrupt_by_interrupt(void);
void scenario_kill_sleep(void);
void scenario_tokens(void);
void scenario_wake_one_timeout(void);
void scenario_entry_remove_wake(void);

void scenario_mutex_handover(void);
void scenario_mutex_storm(void);
void scenario_mutex_try(void);
void scenario_mutex_kill(void);
void scenario_mutex_order(void);

void scenario_timer_cancel_expire(void);
void scenario_timer_cancel_rearm(void);
void scenario_timer_move(void);
void scenario_timer_sleepers(void);

void scenario_exit_join(void);
void scenario_kernel_thread(void);
void scenario_abandon(void);
void boot_affinity(void);
void scenario_affinity(void);
void scenario_affinity_wake(void);
void scenario_preemption(void);
void scenario_group_read(void);
void scenario_realtime_wake(void);
void boot_post_work(void);
void scenario_post_work(void);

void scenario_group_storm(void);
void boot_group_alarm(void);
void scenario_group_alarm(void);
void scenario_bandwidth(void);
