/* The job calls of the scenarios, and what they have in common. */
#include "job_calls.h"

#include "lib/errno.h"

struct job *job;

/* --- Calls, by pointers instead of descriptors --- */

int64_t do_job_create(const uint64_t a[6])
{
    const struct job_create_args args = {.flags = a[0]};

    return job_create(root_job, &args, &job);
}

int64_t do_job_put(const uint64_t a[6])
{
    (void)a;
    job_put(job);
    return 0;
}

int64_t do_job_kill(const uint64_t a[6])
{
    int error = job_kill(job, false, JOB_CAUSE_KILL);

    if (error == 0 && a[0])
        error = job_wait_empty(job, DEADLINE_NEVER);
    if (a[0])
        job_certify(job, (struct job_cert *)a[0]);
    return error;
}

int64_t do_job_freeze(const uint64_t a[6])
{
    (void)a;
    return job_freeze(job);
}

int64_t do_job_thaw(const uint64_t a[6])
{
    (void)a;
    job_thaw(job);
    return 0;
}

int64_t do_job_signal(const uint64_t a[6])
{
    return job_signal(job, (int)a[0]);
}

int64_t do_job_adopt(const uint64_t a[6])
{
    struct process *process = process_find((pid_number)a[0]);
    int64_t error = -ESRCH;

    if (process) {
        error = job_adopt(job, process, (uint32_t)a[1]);
        process_put(process);
    }
    return error;
}

int64_t do_job_stat(const uint64_t a[6])
{
    job_get_stat(job, (struct job_stat *)a[0], 0);
    return 0;
}

int64_t do_job_limit_processes(const uint64_t a[6])
{
    struct job_limits limits = {.mask = JOB_LIMIT_PROCS, .max_procs = (uint32_t)a[0]};

    return job_set_limits(job, &limits, 0);
}

int64_t job_call(int64_t (*function)(const uint64_t a[6]), uint64_t first, uint64_t second)
{
    const uint64_t a[6] = {first, second};

    return sim_call(function, a);
}

int job_spawn(sim_program *program, uintptr_t argument)
{
    const uint64_t a[6] = {0, SIGCHLD, (uintptr_t)program, argument, (uintptr_t)job};

    return (int)sim_call(do_fork, a);
}

struct job_stat job_stat_now(void)
{
    struct job_stat now;

    job_call(do_job_stat, (uintptr_t)&now, 0);
    SIM_CHECK_EQUAL(now.entered, now.active + now.exited);
    return now;
}

void job_set_up(void)
{
    SIM_CHECK_EQUAL(job_call(do_job_create, 0, 0), 0);
}

void job_tear_down(void)
{
    job_call(do_job_put, 0, 0);
}

/* Rule 16. */
void job_kill_and_check(void)
{
    struct job_cert cert;

    SIM_CHECK_EQUAL(job_call(do_job_kill, (uintptr_t)&cert, 0), 0);
    SIM_CHECK_EQUAL(cert.live, 0);
    SIM_CHECK_EQUAL(cert.entered, cert.exited);
    SIM_CHECK_EQUAL(job_stat_now().state, JOB_DEAD);
    SIM_CHECK_EQUAL(job_spawn(NULL, 0), -ENODEV); /* rule 1 */
}

void job_reap_killed(int signal)
{
    struct waited waited;

    while (call_wait(-1, WEXITED, &waited) == 0)
        SIM_CHECK_EQUAL(waited.status, signal);
}
