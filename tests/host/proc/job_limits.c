/* Races of limits on CPU time, and of bounds of members' attributes: rules 34, 36 and 38. */
#include "job_calls.h"
#include "lib/errno.h"
#include "scenarios.h"
#include "sched/sched.h"
#include "system.h"

#define MS 1000000ull

static int64_t do_set(const uint64_t a[6])
{
    return job_set_limits(job, (const struct job_limits *)a[0], 0);
}

static int set(const struct job_limits *limits)
{
    return (int)job_call(do_set, (uintptr_t)limits, 0);
}

static void computing_member(uintptr_t depth)
{
    if (depth > 0)
        call_fork(computing_member, depth - 1);
    for (;;)
        sim_relax();
}

/* --- bandwidth x fork x kill: who waits for bandwidth dies at once, rules 18 and 36 --- */

static void bandwidth_kill(void)
{
    const struct job_limits limits = {
        .mask = JOB_LIMIT_BANDWIDTH, .quota_ns = 1000, .period_ns = 1000 * MS};

    job_set_up();
    SIM_CHECK(job_spawn(computing_member, 1) > 0);
    SIM_CHECK_EQUAL(set(&limits), 0);
    call_getpid();
    job_kill_and_check();
    job_reap_killed(SIGKILL);
    job_tear_down();
}

void scenario_job_bandwidth_kill(void)
{
    system_run(bandwidth_kill);
}

/* --- bandwidth x adoption: whoever computes already is watched from then on --- */

static void bandwidth_adopt(void)
{
    const struct job_limits little = {
        .mask = JOB_LIMIT_BANDWIDTH, .quota_ns = 1000, .period_ns = 1 * MS};
    int child;

    job_set_up();
    SIM_CHECK_EQUAL(set(&little), 0);
    child = call_fork(computing_member, 0);
    SIM_CHECK_EQUAL(job_call(do_job_adopt, (uint64_t)child, 0), 0);
    while (job_stat_now().nr_throttled == 0)
        sim_relax();
    job_kill_and_check();
    job_reap_killed(SIGKILL);
    job_tear_down();
}

void scenario_job_bandwidth_adopt(void)
{
    system_run(bandwidth_adopt);
}

/* --- job time x fork: who joins is killed too, or refused: rule 34 --- */

static void joining_member(uintptr_t argument)
{
    (void)argument;
    for (;;) {
        int child = call_fork(computing_member, 0);

        SIM_CHECK(child > 0 || child == -EDQUOT);
        if (child < 0)
            break;
        sim_relax();
    }
    for (;;)
        sim_relax();
}

static void time_fork(void)
{
    struct job_limits limits = {.mask = JOB_LIMIT_JOB_CPU | JOB_LIMIT_ACTIONS,
                                .job_cpu_ns = 1,
                                .action[JOB_ON_JOB_CPU] = JOB_ACTION_KILL_JOB};

    job_set_up();
    SIM_CHECK(job_spawn(joining_member, 0) > 0);
    SIM_CHECK_EQUAL(set(&limits), 0);
    job_reap_killed(SIGKILL);
    SIM_CHECK_EQUAL(job_spawn(joining_member, 0), -EDQUOT);
    SIM_CHECK_EQUAL(job_stat_now().state, JOB_OPEN);
    /* Orphans are reaped by init in their time; none of them lives on. */
    SIM_CHECK_EQUAL(job_call(do_job_kill, 0, 0), 0);
    job_tear_down();
}

void scenario_job_time_fork(void)
{
    system_run(time_fork);
}

/* --- affinity x fork x adoption: nobody is left without a CPU, rule 38 --- */

static void check_affinities_locked(void) REQUIRES(family_lock);
static void check_affinities_locked(void)
{
    struct user_thread *thread;
    struct process *member;

    list_for_each (member, &job->members, job_link)
        list_for_each (thread, &member->threads, process_link) {
            SIM_CHECK(thread->thread.affinity & sched_online_cpus());
            SIM_CHECK_EQUAL(thread->thread.affinity & ~job->group.cpus, 0);
        }
}

static int64_t do_check_affinities(const uint64_t a[6])
{
    (void)a;
    spin_lock(&family_lock);
    check_affinities_locked();
    spin_unlock(&family_lock);
    return 0;
}

static int64_t do_set_affinity(const uint64_t a[6])
{
    int64_t result;

    spin_lock(&family_lock);
    result = thread_set_affinity(current_thread(), a[0]);
    spin_unlock(&family_lock);
    return result;
}

static bool is_narrow;

/* The process may use all CPUs again. */
static int64_t do_widen(const uint64_t a[6])
{
    struct process *process;

    spin_lock(&family_lock);
    process = process_find_locked((pid_number)a[0]);
    thread_set_affinity(&process->leader->thread, UINT64_MAX);
    spin_unlock(&family_lock);
    return 0;
}

/* Asks for the first CPU, and has a child there, which cannot be where the parent may be later. */
static void wandering_member(uintptr_t argument)
{
    int64_t result = job_call(do_set_affinity, 1, 0);
    int child;

    (void)argument;
    SIM_CHECK(result == 0 || result == -EINVAL);
    is_narrow = true;
    child = call_fork(computing_member, 0);
    SIM_CHECK(child > 0 || child == -EINVAL);
    for (;;)
        sim_relax();
}

static void affinity_fork(void)
{
    const struct job_limits second = {.mask = JOB_LIMIT_AFFINITY, .affinity = 2};
    int result, child;

    job_set_up();
    is_narrow = false;
    child = job_spawn(wandering_member, 0);
    SIM_CHECK(child > 0);
    while (!is_narrow)
        sim_relax();
    job_call(do_widen, (uint64_t)child, 0);
    result = set(&second);
    SIM_CHECK(result == 0 || result == -EINVAL);
    for (int i = 0; i < 3; i++)
        job_call(do_check_affinities, 0, 0);
    job_kill_and_check();
    job_reap_killed(SIGKILL);
    job_tear_down();
}

void scenario_job_affinity_fork(void)
{
    system_run(affinity_fork);
}

/* --- adoption x fork, into a job that shares the CPUs as one: a newborn that has not started yet
 * changes its share --- */

static void forking_child(uintptr_t depth)
{
    if (depth > 0)
        call_fork(forking_child, depth - 1);
    for (;;)
        call_pause();
}

static void adopt_newborn(void)
{
    struct job_limits limits = {
        .mask = JOB_LIMIT_WEIGHT | JOB_LIMIT_NICE_FLOOR, .weight = 300, .nice_floor = 5};
    int child;

    job_set_up();
    SIM_CHECK_EQUAL(set(&limits), 0);
    child = call_fork(forking_child, 2);
    SIM_CHECK_EQUAL(job_call(do_job_adopt, (uint64_t)child, JOB_ADOPT_TREE), 0);
    job_kill_and_check();
    job_reap_killed(SIGKILL);
    job_tear_down();
}

void scenario_job_adopt_newborn(void)
{
    system_run(adopt_newborn);
}

/* --- weights while members come and go --- */

static void weight_fork(void)
{
    struct job_limits limits = {.mask = JOB_LIMIT_WEIGHT | JOB_LIMIT_NICE_FLOOR, .weight = 300};

    job_set_up();
    SIM_CHECK(job_spawn(computing_member, 1) > 0);
    for (limits.nice_floor = 0; limits.nice_floor < 3; limits.nice_floor++) {
        SIM_CHECK_EQUAL(set(&limits), 0);
        limits.weight += 100;
    }
    job_kill_and_check();
    job_reap_killed(SIGKILL);
    job_tear_down();
}

void scenario_job_weight_fork(void)
{
    system_run(weight_fork);
}
