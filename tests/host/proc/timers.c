/* Races of a process's timers, which expire in interrupts, with its other doings and its death. */
#include "lib/errno.h"
#include "scenarios.h"
#include "system.h"

#define FIRST_REALTIME 34

static unsigned handled;

static void count_handler(int signal, const void *info)
{
    (void)signal;
    (void)info;
    handled++;
}

/* --- alarm x sigsuspend --- */

static void alarm_sigsuspend(void)
{
    SIM_CHECK_EQUAL(call_sigaction(SIGALRM, count_handler, 0), 0);
    call_sigprocmask(SIGNAL_BIT(SIGALRM));
    SIM_CHECK_EQUAL(call_setitimer(2000, 0), 0);
    while (!handled)
        SIM_CHECK_EQUAL(call_sigsuspend(0), -EINTR);
    SIM_CHECK_EQUAL(handled, 1);
    SIM_CHECK_EQUAL(call_setitimer(0, 0), 0);
}

static void run_alarm_sigsuspend(uintptr_t argument)
{
    (void)argument;
    alarm_sigsuspend();
}

/* In a child: its timers go with it. */
static void in_child(sim_program *program)
{
    struct waited waited;

    SIM_CHECK(call_fork(program, 0) > 0);
    SIM_CHECK_EQUAL(call_wait(-1, WEXITED, &waited), 0);
    SIM_CHECK(waited.status == 0 || waited.status == SIGALRM || waited.status == FIRST_REALTIME);
    reap_all_children();
}

static void alarm_sigsuspend_in_child(void)
{
    in_child(run_alarm_sigsuspend);
}

void scenario_alarm_sigsuspend(void)
{
    system_run(alarm_sigsuspend_in_child);
}

/* --- alarm x exit: ignored, so that the expiry goes on until the last moment --- */

static void exit_under_alarm(uintptr_t argument)
{
    (void)argument;
    call_sigaction(SIGALRM, HANDLER_IGNORE, 0);
    SIM_CHECK_EQUAL(call_setitimer(300, 300), 0);
    call_getpid();
}

static void alarm_exit(void)
{
    in_child(exit_under_alarm);
}

void scenario_alarm_exit(void)
{
    system_run(alarm_exit);
}

/* --- alarm x a new setting: what was set last counts --- */

static void change_alarm(uintptr_t argument)
{
    (void)argument;
    SIM_CHECK_EQUAL(call_sigaction(SIGALRM, count_handler, 0), 0);
    SIM_CHECK_EQUAL(call_setitimer(500, 0), 0);
    SIM_CHECK_EQUAL(call_setitimer(0, 0), 0);
    handled = 0;
    SIM_CHECK_EQUAL(call_getpid() > 1, 1);
    SIM_CHECK_EQUAL(handled, 0);
    SIM_CHECK_EQUAL(call_setitimer(500, 0), 0);
    while (!handled)
        sim_relax();
    SIM_CHECK_EQUAL(handled, 1);
}

static void alarm_change(void)
{
    in_child(change_alarm);
}

void scenario_alarm_change(void)
{
    system_run(alarm_change);
}

/* --- timer_delete x expiry --- */

static void delete_timer(uintptr_t argument)
{
    int id;

    (void)argument;
    SIM_CHECK_EQUAL(call_sigaction(FIRST_REALTIME, count_handler, SA_SIGINFO), 0);
    id = call_timer_create(FIRST_REALTIME);
    SIM_CHECK(id >= 0);
    SIM_CHECK_EQUAL(call_timer_settime(id, 500, 0), 0);
    SIM_CHECK_EQUAL(call_timer_delete(id), 0);
    SIM_CHECK(handled <= 1);
    SIM_CHECK_EQUAL(call_timer_delete(id), -EINVAL);
    SIM_CHECK_EQUAL(call_sigpending(), 0);
}

static void timer_delete_expire(void)
{
    in_child(delete_timer);
}

void scenario_timer_delete_expire(void)
{
    system_run(timer_delete_expire);
}

/* --- a periodic timer, its signal blocked or taken, x exit --- */

static void exit_under_timer(uintptr_t argument)
{
    int id = call_timer_create(FIRST_REALTIME);

    (void)argument;
    SIM_CHECK(id >= 0);
    call_sigprocmask(SIGNAL_BIT(FIRST_REALTIME));
    SIM_CHECK_EQUAL(call_timer_settime(id, 300, 300), 0);
    call_sigtimedwait(SIGNAL_BIT(FIRST_REALTIME), 1000, NULL);
}

static void timer_exit(void)
{
    in_child(exit_under_timer);
}

void scenario_timer_exit(void)
{
    system_run(timer_exit);
}

/* --- every allocation --- */

static void allocate_timers(uintptr_t argument)
{
    int id;

    (void)argument;
    sim_faults_open();
    id = call_timer_create(FIRST_REALTIME);
    SIM_CHECK(id >= 0 || (id == -EAGAIN && sim_allocation_refused()));
    SIM_CHECK(call_setitimer(1000000, 0) == 0 || sim_allocation_refused());
    sim_faults_close();
}

static void timer_allocations(void)
{
    in_child(allocate_timers);
}

void scenario_timer_allocations(void)
{
    system_run(timer_allocations);
}
