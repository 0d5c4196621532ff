/* Tables of dispositions that parent and child have together until one of them changes his. */
#include "lib/errno.h"
#include "scenarios.h"
#include "system.h"

static unsigned seen_by_parent, seen_by_child;

static void parent_handler(int signal, const void *info)
{
    (void)signal;
    (void)info;
    seen_by_parent++;
}

static void child_handler(int signal, const void *info)
{
    (void)signal;
    (void)info;
    seen_by_child++;
}

static bool may_fail(int result)
{
    return result == -ENOMEM && sim_allocation_refused();
}

/* --- both change theirs, while others look --- */

static void changing_child(uintptr_t argument)
{
    (void)argument;
    SIM_CHECK_EQUAL(call_kill(call_getpid(), SIGUSR1), 0);
    SIM_CHECK_EQUAL(seen_by_child, 1);
    SIM_CHECK_EQUAL(call_sigaction(SIGUSR1, HANDLER_IGNORE, 0), 0);
    SIM_CHECK_EQUAL(call_kill(call_getpid(), SIGUSR1), 0);
    SIM_CHECK_EQUAL(seen_by_child, 1);
    call_kill(call_getppid(), SIGUSR1);
}

static void disposition_fork(void)
{
    SIM_CHECK_EQUAL(call_sigaction(SIGUSR1, child_handler, 0), 0);
    SIM_CHECK(call_fork(changing_child, 0) > 0);
    SIM_CHECK_EQUAL(call_sigaction(SIGUSR1, parent_handler, SA_RESTART), 0);
    SIM_CHECK(call_wait_any() > 0);
    /* The child's signal came before or after the change. */
    SIM_CHECK_EQUAL(seen_by_parent + seen_by_child, 2);
    SIM_CHECK_EQUAL(call_kill(1, SIGUSR1), 0);
    SIM_CHECK_EQUAL(seen_by_parent + seen_by_child, 3);
    SIM_CHECK(seen_by_parent > 0);
}

void scenario_disposition_fork(void)
{
    system_run(disposition_fork);
}

/* --- no memory for a table of one's own --- */

static void ignoring_child(uintptr_t argument)
{
    int result = call_sigaction(SIGUSR1, HANDLER_IGNORE, 0);

    (void)argument;
    SIM_CHECK(result == 0 || may_fail(result));
    SIM_CHECK_EQUAL(call_kill(call_getpid(), SIGUSR1), 0);
    SIM_CHECK_EQUAL(seen_by_child, result == 0 ? 0 : 1);
}

static void reset_child(uintptr_t argument)
{
    (void)argument;
    SIM_CHECK_EQUAL(call_kill(call_getpid(), SIGUSR2), 0);
    SIM_CHECK_EQUAL(call_kill(call_getpid(), SIGUSR2), 0); /* the handler is gone */
    SIM_CHECK(false);
}

static void common_child(uintptr_t argument)
{
    (void)argument;
    SIM_CHECK_EQUAL(call_sigaction(SIGUSR1, HANDLER_IGNORE, 0), 0);
}

static int run_child(uint64_t flags, sim_program *program)
{
    struct waited waited;
    int child = call_fork_with(flags, SIGCHLD, program, 0);

    if (may_fail(child) || (child == -EAGAIN && sim_allocation_refused()))
        return -1;
    SIM_CHECK(child > 0);
    SIM_CHECK_EQUAL(call_wait(child, WEXITED, &waited), 0);
    return waited.status;
}

static void disposition_allocations(void)
{
    int status;

    SIM_CHECK_EQUAL(call_sigaction(SIGUSR1, child_handler, 0), 0);
    SIM_CHECK_EQUAL(call_sigaction(SIGUSR2, child_handler, SA_RESETHAND), 0);
    sim_faults_open();
    status = run_child(0, ignoring_child);
    SIM_CHECK(status == 0 || status == -1);
    status = run_child(0, reset_child);
    SIM_CHECK(status == SIGUSR2 || status == -1 || (status == SIGKILL && sim_allocation_refused()));
    status = run_child(CLONE_VM | CLONE_VFORK | CLONE_SIGHAND, common_child);
    SIM_CHECK(status == 0 || status == -1);
    sim_faults_close();
    /* What such a child ignores is ignored here too. */
    seen_by_child = 0;
    SIM_CHECK_EQUAL(call_kill(1, SIGUSR1), 0);
    SIM_CHECK_EQUAL(seen_by_child, status == 0 ? 0 : 1);
}

void scenario_disposition_allocations(void)
{
    system_run(disposition_allocations);
}
