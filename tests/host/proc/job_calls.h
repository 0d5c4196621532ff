/*
 * The job calls for the programs of the proc scenarios, by pointers instead of descriptors: there
 * is one job, from job_set_up() to job_tear_down(). The numbers are those of the rules in
 * docs/jobs.md.
 */
#pragma once

#include "calls.h"
#include "proc/job.h"

extern struct job *job; /* a reference */

/* Runs one of the functions below as a call. */
int64_t job_call(int64_t (*function)(const uint64_t a[6]), uint64_t first, uint64_t second);
int64_t do_job_create(const uint64_t a[6]); /* flags */
int64_t do_job_put(const uint64_t a[6]);
int64_t do_job_kill(const uint64_t a[6]); /* the certificate's address, or 0: does not wait */
int64_t do_job_freeze(const uint64_t a[6]);
int64_t do_job_thaw(const uint64_t a[6]);
int64_t do_job_signal(const uint64_t a[6]);          /* the signal */
int64_t do_job_adopt(const uint64_t a[6]);           /* pid, flags */
int64_t do_job_stat(const uint64_t a[6]);            /* address */
int64_t do_job_limit_processes(const uint64_t a[6]); /* how many */

/* Births of members. */
int job_spawn(sim_program *program, uintptr_t argument);
/* Checks that entered = active + exited. */
struct job_stat job_stat_now(void);
void job_set_up(void);
void job_tear_down(void);
/* Rule 16. */
void job_kill_and_check(void);
/* All children were ended by that signal. */
void job_reap_killed(int signal);
