/*
 * Races of jobs: birth, death and moves of members against what is done to the job as a whole. The
 * numbers are those of the rules in docs/jobs.md.
 */
#include "proc/job.h"

#include "job_calls.h"
#include "lib/errno.h"
#include "scenarios.h"
#include "system.h"

static void forking_member(uintptr_t depth)
{
    if (depth > 0)
        call_fork(forking_member, depth - 1);
    for (;;)
        call_pause();
}

/* --- fork x kill: rules 15 to 17 --- */

static void fork_kill(void)
{
    job_set_up();
    SIM_CHECK(job_spawn(forking_member, 1) > 0);
    job_kill_and_check();
    job_reap_killed(SIGKILL);
    job_tear_down();
}

void scenario_job_fork_kill(void)
{
    system_run(fork_kill);
}

/* --- birth from outside x kill: rules 1 and 15 --- */

static void outer_spawner(uintptr_t argument)
{
    int child = job_spawn(forking_member, 0);

    (void)argument;
    SIM_CHECK(child > 0 || child == -ENODEV);
    job_reap_killed(SIGKILL);
}

static void spawn_kill(void)
{
    job_set_up();
    SIM_CHECK(call_fork(outer_spawner, 0) > 0);
    job_kill_and_check();
    SIM_CHECK(call_wait_any() > 0);
    SIM_CHECK_EQUAL(job_stat_now().active, 0);
    job_tear_down();
}

void scenario_job_spawn_kill(void)
{
    system_run(spawn_kill);
}

/* --- fork x freeze: rules 40 and 41 --- */

static unsigned instructions;

static void counting_member(uintptr_t depth)
{
    instructions++;
    if (depth > 0)
        call_fork(counting_member, depth - 1);
    for (;;) {
        instructions++;
        sim_relax();
    }
}

static void fork_freeze(void)
{
    unsigned before;

    job_set_up();
    SIM_CHECK(job_spawn(counting_member, 1) > 0);
    SIM_CHECK_EQUAL(job_call(do_job_freeze, 0, 0), 0);
    before = instructions;
    for (int i = 0; i < 4; i++) {
        call_getpid();
        SIM_CHECK_EQUAL(instructions, before);
    }
    SIM_CHECK_EQUAL(job_call(do_job_thaw, 0, 0), 0);
    job_kill_and_check();
    job_reap_killed(SIGKILL);
    job_tear_down();
}

void scenario_job_fork_freeze(void)
{
    system_run(fork_freeze);
}

/* --- fork x signal: rule 39 --- */

static void fork_signal(void)
{
    int64_t reached;

    job_set_up();
    SIM_CHECK(job_spawn(forking_member, 1) > 0);
    reached = job_call(do_job_signal, SIGTERM, 0);
    SIM_CHECK(reached == 1 || reached == 2);
    job_reap_killed(SIGTERM);
    SIM_CHECK_EQUAL(job_stat_now().active, 0);
    SIM_CHECK_EQUAL(job_call(do_job_signal, 0, 0), -ESRCH);
    job_tear_down();
}

void scenario_job_fork_signal(void)
{
    system_run(fork_signal);
}

/* --- adopt x exit: rule 13 --- */

static void exit_at_once(uintptr_t status)
{
    call_exit((int)status);
}

static void adopt_exit(void)
{
    int child, result;
    struct job_stat after;

    job_set_up();
    child = call_fork(exit_at_once, 3);
    result = (int)job_call(do_job_adopt, (uint64_t)child, 0);
    SIM_CHECK(result == 0 || result == -ESRCH);
    SIM_CHECK_EQUAL(call_wait_any(), child);
    after = job_stat_now();
    SIM_CHECK_EQUAL(after.entered, result == 0);
    SIM_CHECK_EQUAL(after.exited, result == 0);
    job_tear_down();
}

void scenario_job_adopt_exit(void)
{
    system_run(adopt_exit);
}

/* --- adopt a tree x fork: rule 12, nobody is left behind --- */

static void adopt_tree_fork(void)
{
    int child;

    job_set_up();
    child = call_fork(forking_member, 2);
    SIM_CHECK_EQUAL(job_call(do_job_adopt, (uint64_t)child, JOB_ADOPT_TREE), 0);
    job_kill_and_check();
    job_reap_killed(SIGKILL);
    job_tear_down();
}

void scenario_job_adopt_tree_fork(void)
{
    system_run(adopt_tree_fork);
}

/* --- exit x close of the owner: rule 5 --- */

static int owner;

static void close_owner(struct process *process)
{
    if (process_number(process) == owner)
        SIM_CHECK_EQUAL(job_kill(job, false, JOB_CAUSE_CLOSE), 0);
}

static void owning_member(uintptr_t status)
{
    owner = call_getpid();
    call_exit((int)status);
}

static void exit_close(void)
{
    struct job_stat after;

    job_set_up();
    system_on_exit = close_owner;
    SIM_CHECK(job_spawn(forking_member, 1) > 0);
    SIM_CHECK(job_spawn(owning_member, 3) > 0);
    reap_all_children();
    after = job_stat_now();
    SIM_CHECK_EQUAL(after.state, JOB_DEAD);
    SIM_CHECK_EQUAL(after.cause, JOB_CAUSE_CLOSE);
    SIM_CHECK_EQUAL(after.active, 0);
    job_tear_down();
}

void scenario_job_exit_close(void)
{
    system_run(exit_close);
}

/* --- kill x kill: rule 17, and a killer inside: rule 19 --- */

static void inner_killer(uintptr_t argument)
{
    (void)argument;
    job_call(do_job_kill, 0, 0);
    sim_fail("a member that killed its own job went on");
}

static void outer_killer(uintptr_t argument)
{
    (void)argument;
    job_kill_and_check();
    call_exit(9);
}

static void kill_kill(void)
{
    struct waited waited;
    int other;

    job_set_up();
    SIM_CHECK(job_spawn(inner_killer, 0) > 0);
    other = call_fork(outer_killer, 0);
    job_kill_and_check();
    while (call_wait(-1, WEXITED, &waited) == 0)
        SIM_CHECK_EQUAL(waited.status, waited.pid == other ? 9 << 8 : SIGKILL);
    job_tear_down();
}

void scenario_job_kill_kill(void)
{
    system_run(kill_kill);
}

/* --- lowering a limit x fork: rules 9 and 32 --- */

static void eager_member(uintptr_t argument)
{
    (void)argument;
    for (int i = 0; i < 2; i++) {
        int child = call_fork(exit_at_once, 1);

        SIM_CHECK(child > 0 || child == -EAGAIN);
    }
    for (;;)
        call_pause();
}

/* Members, and births under way, which hold their places already. */
static int64_t do_use(const uint64_t a[6])
{
    int64_t use;

    (void)a;
    spin_lock(&family_lock);
    use = job->active + job->reserved;
    spin_unlock(&family_lock);
    return use;
}

static void limit_fork(void)
{
    int64_t limit = 3;

    job_set_up();
    SIM_CHECK(job_spawn(eager_member, 0) > 0);
    SIM_CHECK_EQUAL(job_call(do_job_limit_processes, 2, 0), 0);
    for (int i = 0; i < 4; i++) {
        int64_t use = job_call(do_use, 0, 0);

        SIM_CHECK(use <= limit);
        limit = use > 2 ? use : 2;
    }
    job_kill_and_check();
    reap_all_children();
    job_tear_down();
}

void scenario_job_limit_fork(void)
{
    system_run(limit_fork);
}

/* --- wait x accounts: rule 23 --- */

static void wait_accounts(void)
{
    job_set_up();
    for (unsigned i = 1; i <= 2; i++)
        SIM_CHECK(job_spawn(exit_at_once, i) > 0);
    for (unsigned i = 1; i <= 2; i++) {
        struct job_stat now;

        SIM_CHECK(call_wait_any() > 0);
        now = job_stat_now();
        SIM_CHECK(now.exited >= i);
        SIM_CHECK(now.active <= 2 - i);
        SIM_CHECK(now.total.user_ns + now.total.kern_ns > 0);
    }
    job_tear_down();
}

void scenario_job_wait_accounts(void)
{
    system_run(wait_accounts);
}

/* --- every allocation --- */

static void allocations(void)
{
    int result;

    sim_faults_open();
    result = (int)job_call(do_job_create, 0, 0);
    SIM_CHECK(result == 0 || (result == -ENOMEM && sim_allocation_refused()));
    if (result == 0) {
        result = job_spawn(exit_at_once, 1);
        SIM_CHECK(result > 0 ||
                  ((result == -ENOMEM || result == -EAGAIN) && sim_allocation_refused()));
        reap_all_children();
        SIM_CHECK_EQUAL(job_stat_now().active, 0);
        job_tear_down();
    }
}

void scenario_job_allocations(void)
{
    system_run(allocations);
}
