/*
 * Races of birth, death and waiting. Each scenario is one meeting of two or three processes, small
 * enough for the explorer to try all ways in which it can go.
 */
#include "scenarios.h"

#include "lib/errno.h"
#include "system.h"

static void check_exit(const struct waited *waited, int pid, int status)
{
    SIM_CHECK_EQUAL(waited->pid, pid);
    SIM_CHECK_EQUAL(waited->code, CLD_EXITED);
    SIM_CHECK_EQUAL(waited->status, status << 8);
}

static void exit_with_argument(uintptr_t status)
{
    call_exit((int)status);
}

/* --- exit x wait --- */

static void exit_wait(void)
{
    struct waited waited;
    int child = call_fork(exit_with_argument, 7);

    SIM_CHECK(child > 1);
    SIM_CHECK_EQUAL(call_wait(-1, WEXITED, &waited), 0);
    check_exit(&waited, child, 7);
    SIM_CHECK_EQUAL(call_wait(-1, WEXITED, &waited), -ECHILD);
}

void scenario_exit_wait(void)
{
    system_run(exit_wait);
}

/* By pid, polled, peeked at, and with a bad address: the zombie is there until it was really taken.
 */
static void exit_wait_ways(void)
{
    struct waited waited;
    int child = call_fork(exit_with_argument, 3);
    int result;

    result = call_wait(child, WEXITED | WNOHANG, &waited);
    SIM_CHECK_EQUAL(result, 0);
    if (waited.pid) {
        check_exit(&waited, child, 3);
        return;
    }
    SIM_CHECK_EQUAL(call_wait(0, WEXITED | WNOWAIT, &waited), 0);
    check_exit(&waited, child, 3);
    SIM_CHECK_EQUAL(call_wait_faulting(-1, WEXITED), -EFAULT);
    SIM_CHECK_EQUAL(call_wait(child, WEXITED, &waited), 0);
    check_exit(&waited, child, 3);
    SIM_CHECK_EQUAL(call_wait(child, WEXITED, &waited), -ECHILD);
}

void scenario_exit_wait_ways(void)
{
    system_run(exit_wait_ways);
}

/* --- exit x reparent x wait: the grandchild dies while its parent does, init waits --- */

static void die_with_child(uintptr_t status)
{
    int child = call_fork(exit_with_argument, 9);

    SIM_CHECK(child > 0);
    call_exit((int)status);
}

static void exit_reparent_wait(void)
{
    struct waited waited;
    int child = call_fork(die_with_child, 5);
    int seen = 0;

    for (int i = 0; i < 2; i++) {
        SIM_CHECK_EQUAL(call_wait(-1, WEXITED, &waited), 0);
        check_exit(&waited, waited.pid, waited.pid == child ? 5 : 9);
        seen += waited.pid == child;
    }
    SIM_CHECK_EQUAL(seen, 1);
    SIM_CHECK_EQUAL(call_wait(-1, WEXITED, &waited), -ECHILD);
}

void scenario_exit_reparent_wait(void)
{
    system_run(exit_reparent_wait);
}

/* A zombie that goes from a dying parent past the grandparent to init, who must be told. */
static void pause_after_child(uintptr_t argument)
{
    (void)argument;
    SIM_CHECK(call_fork(die_with_child, 5) > 0);
    SIM_CHECK(call_wait_any() > 0);
    for (;;)
        call_pause();
}

static void zombie_inheritance(void)
{
    struct waited waited;
    int child = call_fork(pause_after_child, 0);

    SIM_CHECK_EQUAL(call_wait(-1, WEXITED, &waited), 0);
    check_exit(&waited, waited.pid, 9);
    SIM_CHECK_EQUAL(call_kill(child, SIGKILL), 0);
    reap_all_children();
}

void scenario_zombie_inheritance(void)
{
    system_run(zombie_inheritance);
}

/* --- exit x exit: parent and child at once, under an init that ignores SIGCHLD --- */

static void exit_exit(void)
{
    SIM_CHECK_EQUAL(call_sigaction(SIGCHLD, HANDLER_IGNORE, 0), 0);
    SIM_CHECK(call_fork(die_with_child, 5) > 0);
    SIM_CHECK_EQUAL(call_wait_any(), -ECHILD);
}

void scenario_exit_exit(void)
{
    system_run(exit_exit);
}

/* --- two waiters x one zombie: CLONE_PARENT siblings cannot share a child, but a parent whose wait
 * is interrupted by a handler that waits too can --- */

static int handler_reaped, handler_calls;

static void reap_in_handler(int signal, const void *info)
{
    struct waited waited;

    (void)signal;
    (void)info;
    handler_calls++;
    if (call_wait(-1, WEXITED | WNOHANG, &waited) == 0 && waited.pid)
        handler_reaped++;
}

static void two_waiters(void)
{
    int reaped = 0;

    SIM_CHECK_EQUAL(call_sigaction(SIGCHLD, reap_in_handler, SA_RESTART), 0);
    SIM_CHECK(call_fork(exit_with_argument, 1) > 0);
    reaped = call_wait_any() > 0;
    SIM_CHECK_EQUAL(reaped + handler_reaped, 1);
    SIM_CHECK_EQUAL(call_wait_any(), -ECHILD);
    SIM_CHECK_EQUAL(handler_calls, 1);
}

void scenario_two_waiters(void)
{
    system_run(two_waiters);
}

/* --- subreaper death x orphan --- */

static void orphan_maker(uintptr_t argument)
{
    (void)argument;
    SIM_CHECK(call_fork(exit_with_argument, 4) > 0);
}

/* Dies at once, while its child makes an orphan: which goes to it, or to init. */
static void dying_subreaper(uintptr_t argument)
{
    (void)argument;
    SIM_CHECK_EQUAL(call_set_subreaper(true), 0);
    SIM_CHECK(call_fork(orphan_maker, 0) > 0);
}

static void subreaper_orphan(void)
{
    SIM_CHECK(call_fork(dying_subreaper, 0) > 0);
    for (int i = 0; i < 3; i++)
        SIM_CHECK(call_wait_any() > 0);
    SIM_CHECK_EQUAL(call_wait_any(), -ECHILD);
}

void scenario_subreaper_orphan(void)
{
    system_run(subreaper_orphan);
}

static void reaping_subreaper(uintptr_t argument)
{
    (void)argument;
    SIM_CHECK_EQUAL(call_set_subreaper(true), 0);
    SIM_CHECK(call_fork(orphan_maker, 0) > 0);
    SIM_CHECK(call_wait_any() > 0);
    SIM_CHECK(call_wait_any() > 0);
    SIM_CHECK_EQUAL(call_wait_any(), -ECHILD);
}

static void subreaper_reaps(void)
{
    int child = call_fork(reaping_subreaper, 0);

    SIM_CHECK_EQUAL(call_wait_any(), child);
    SIM_CHECK_EQUAL(call_wait_any(), -ECHILD);
}

void scenario_subreaper_reaps(void)
{
    system_run(subreaper_reaps);
}

/* --- fork x group kill: no child escapes --- */

static void forker(uintptr_t depth)
{
    if (depth > 0)
        call_fork(forker, depth - 1);
    for (;;)
        call_pause();
}

static void group_leader(uintptr_t argument)
{
    (void)argument;
    call_setpgid(0, 0);
    forker(1);
}

static void fork_group_kill(void)
{
    struct waited waited;
    int leader = call_fork(group_leader, 0);

    SIM_CHECK(leader > 0);
    call_setpgid(leader, leader);
    SIM_CHECK_EQUAL(call_kill(-leader, SIGKILL), 0);
    SIM_CHECK_EQUAL(call_wait(leader, WEXITED, &waited), 0);
    SIM_CHECK_EQUAL(waited.code, CLD_KILLED);
    SIM_CHECK_EQUAL(waited.status, SIGKILL);
    while (call_wait(-1, WEXITED, &waited) == 0)
        SIM_CHECK_EQUAL(waited.status, SIGKILL);
    SIM_CHECK_EQUAL(call_kill(-leader, 0), -ESRCH);
}

void scenario_fork_group_kill(void)
{
    system_run(fork_group_kill);
}

/* --- vfork --- */

static bool child_done;

static void vfork_child(uintptr_t status)
{
    child_done = true;
    call_exit((int)status);
}

static void vfork_wait(void)
{
    struct waited waited;
    int child = call_fork_with(CLONE_VM | CLONE_VFORK, SIGCHLD, vfork_child, 2);

    SIM_CHECK(child > 0);
    SIM_CHECK(child_done);
    SIM_CHECK_EQUAL(call_wait(child, WEXITED, &waited), 0);
    check_exit(&waited, child, 2);
}

void scenario_vfork(void)
{
    system_run(vfork_wait);
}

static void vfork_parent(uintptr_t argument)
{
    (void)argument;
    call_fork_with(CLONE_VM | CLONE_VFORK, SIGCHLD, exit_with_argument, 2);
    for (;;)
        call_pause();
}

/* A parent killed at the gate: its child must not open a gate that is gone. */
static void vfork_kill(void)
{
    int parent = call_fork(vfork_parent, 0);

    SIM_CHECK_EQUAL(call_kill(parent, SIGKILL), 0);
    reap_all_children();
}

void scenario_vfork_kill(void)
{
    system_run(vfork_kill);
}

/* --- kill x exit --- */

static void kill_exit(void)
{
    struct waited waited;
    int child = call_fork(exit_with_argument, 6);

    SIM_CHECK_EQUAL(call_kill(child, SIGKILL), 0);
    SIM_CHECK_EQUAL(call_wait(child, WEXITED, &waited), 0);
    if (waited.code == CLD_KILLED)
        SIM_CHECK_EQUAL(waited.status, SIGKILL);
    else
        check_exit(&waited, child, 6);
    SIM_CHECK_EQUAL(call_kill(child, 0), -ESRCH);
}

void scenario_kill_exit(void)
{
    system_run(kill_exit);
}

/* --- a look-up by a third process x the reaping --- */

static void prober(uintptr_t target)
{
    int result = call_kill((int)target, 0);

    SIM_CHECK(result == 0 || result == -ESRCH);
}

static void kill_reap(void)
{
    int child = call_fork(exit_with_argument, 6);

    SIM_CHECK(call_fork(prober, (uintptr_t)child) > 0);
    reap_all_children();
}

void scenario_kill_reap(void)
{
    system_run(kill_reap);
}

/* --- setpgid by the parent x by the child x its exit --- */

static void own_group_child(uintptr_t argument)
{
    int result = call_setpgid(0, 0);

    (void)argument;
    SIM_CHECK_EQUAL(result, 0);
    SIM_CHECK_EQUAL(call_getpgid(0), call_getpid());
}

static void setpgid_exit(void)
{
    struct waited waited;
    int child = call_fork(own_group_child, 0);
    int result = call_setpgid(child, child);

    SIM_CHECK(result == 0);
    SIM_CHECK_EQUAL(call_wait(-child, WEXITED, &waited), 0);
    check_exit(&waited, child, 0);
}

void scenario_setpgid_exit(void)
{
    system_run(setpgid_exit);
}

/* --- parent death signal x parent's death --- */

static void death_signal_child(uintptr_t argument)
{
    (void)argument;
    call_set_parent_death_signal(SIGKILL);
    if (call_getppid() == 1)
        return; /* the parent died before it was asked for */
    for (;;)
        call_pause();
}

static void death_signal_parent(uintptr_t argument)
{
    (void)argument;
    call_fork(death_signal_child, 0);
}

static void death_signal(void)
{
    SIM_CHECK(call_fork(death_signal_parent, 0) > 0);
    reap_all_children();
}

void scenario_parent_death_signal(void)
{
    system_run(death_signal);
}

/* --- every allocation of fork, session and group --- */

static void new_session(uintptr_t argument)
{
    int result = call_setsid();

    (void)argument;
    SIM_CHECK(result == call_getpid() || (result == -ENOMEM && sim_allocation_refused()));
}

static void new_group(uintptr_t argument)
{
    int result = call_setpgid(0, 0);

    (void)argument;
    SIM_CHECK(result == 0 || (result == -ENOMEM && sim_allocation_refused()));
}

static void allocations(void)
{
    static sim_program *const programs[] = {exit_with_argument, new_session, new_group};

    sim_faults_open();
    for (unsigned i = 0; i < array_length(programs); i++) {
        int result = call_fork_with(i == 1 ? CLONE_VM | CLONE_VFORK : 0, SIGCHLD, programs[i], 0);

        SIM_CHECK(result > 0 ||
                  ((result == -ENOMEM || result == -EAGAIN) && sim_allocation_refused()));
    }
    reap_all_children();
}

void scenario_allocations(void)
{
    system_run(allocations);
}
