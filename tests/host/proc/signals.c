/*
 * Races of signals with sleeping, waiting, stopping and forking: two or three processes each, for
 * the explorer.
 */
#include "lib/errno.h"
#include "scenarios.h"
#include "system.h"

static unsigned handled[SIGNAL_COUNT + 1];

static void count_handler(int signal, const void *info)
{
    (void)info;
    handled[signal]++;
}

static void exit_with_argument(uintptr_t status)
{
    call_exit((int)status);
}

static void pause_for_ever(uintptr_t argument)
{
    (void)argument;
    for (;;)
        call_pause();
}

/* --- SIGCHLD x sigsuspend: the shell's loop --- */

static void sigchld_sigsuspend(void)
{
    SIM_CHECK_EQUAL(call_sigaction(SIGCHLD, count_handler, 0), 0);
    call_sigprocmask(SIGNAL_BIT(SIGCHLD));
    SIM_CHECK(call_fork(exit_with_argument, 1) > 0);
    while (!handled[SIGCHLD])
        SIM_CHECK_EQUAL(call_sigsuspend(0), -EINTR);
    SIM_CHECK_EQUAL(handled[SIGCHLD], 1);
    SIM_CHECK_EQUAL(call_sigprocmask(0), SIGNAL_BIT(SIGCHLD));
    SIM_CHECK(call_wait_any() > 0);
    SIM_CHECK_EQUAL(handled[SIGCHLD], 1);
}

void scenario_sigchld_sigsuspend(void)
{
    system_run(sigchld_sigsuspend);
}

/* --- SIGCHLD x wait: interrupted or not, the child is found once --- */

static void sigchld_wait(void)
{
    int pid = call_fork(exit_with_argument, 1);
    int result;

    SIM_CHECK_EQUAL(call_sigaction(SIGCHLD, count_handler, 0), 0);
    while ((result = call_wait_any()) == -EINTR)
        SIM_CHECK_EQUAL(handled[SIGCHLD], 1);
    SIM_CHECK_EQUAL(result, pid);
    SIM_CHECK_EQUAL(call_wait_any(), -ECHILD);
}

void scenario_sigchld_wait(void)
{
    system_run(sigchld_wait);
}

/* Two children at once, one handler run or two: none is forgotten by a handler that reaps all. */
static unsigned reaped;

static void reap_handler(int signal, const void *info)
{
    struct waited waited;

    (void)signal;
    (void)info;
    while (call_wait(-1, WEXITED | WNOHANG, &waited) == 0 && waited.pid)
        reaped++;
}

static void sigchld_storm(void)
{
    SIM_CHECK_EQUAL(call_sigaction(SIGCHLD, reap_handler, SA_RESTART), 0);
    call_sigprocmask(SIGNAL_BIT(SIGCHLD));
    for (int i = 0; i < 2; i++)
        SIM_CHECK(call_fork(exit_with_argument, 1) > 0);
    while (reaped < 2)
        call_sigsuspend(0);
    SIM_CHECK_EQUAL(call_wait_any(), -ECHILD);
}

void scenario_sigchld_storm(void)
{
    system_run(sigchld_storm);
}

/* --- stop x continue x kill --- */

static int victim;

static void continuer(uintptr_t argument)
{
    int result = call_kill(victim, SIGCONT);

    (void)argument;
    SIM_CHECK(result == 0 || result == -ESRCH); /* reaped already */
}

static void killer(uintptr_t argument)
{
    (void)argument;
    SIM_CHECK_EQUAL(call_kill(victim, SIGKILL), 0);
}

/* Stops and continues are told in turn, and nothing after the end. */
static void watch_victim(int *stops, int *continues)
{
    struct waited waited;
    bool is_stopped = false;

    do {
        SIM_CHECK_EQUAL(call_wait(victim, WEXITED | WSTOPPED | WCONTINUED, &waited), 0);
        if (waited.code == CLD_STOPPED) {
            SIM_CHECK(!is_stopped);
            SIM_CHECK_EQUAL(waited.status, (SIGSTOP << 8) | 0x7f);
            is_stopped = true;
            ++*stops;
        } else if (waited.code == CLD_CONTINUED) {
            SIM_CHECK_EQUAL(waited.status, 0xffff);
            is_stopped = false;
            ++*continues;
        }
    } while (waited.code == CLD_STOPPED || waited.code == CLD_CONTINUED);
    SIM_CHECK_EQUAL(waited.code, CLD_KILLED);
    SIM_CHECK_EQUAL(waited.status, SIGKILL);
}

static void stop_continue_kill(void)
{
    int stops = 0, continues = 0;

    victim = call_fork(pause_for_ever, 0);
    SIM_CHECK(call_fork(continuer, 0) > 0);
    SIM_CHECK_EQUAL(call_kill(victim, SIGSTOP), 0);
    SIM_CHECK_EQUAL(call_kill(victim, SIGKILL), 0);
    watch_victim(&stops, &continues);
    SIM_CHECK(stops <= 1 && continues <= 1);
    reap_all_children();
}

void scenario_stop_continue_kill(void)
{
    system_run(stop_continue_kill);
}

/* A stop that is waited for, then SIGCONT against SIGKILL from another. */
static void stopped_continue_kill(void)
{
    struct waited waited;
    int stops = 0, continues = 0;

    victim = call_fork(pause_for_ever, 0);
    SIM_CHECK_EQUAL(call_kill(victim, SIGSTOP), 0);
    SIM_CHECK_EQUAL(call_wait(victim, WSTOPPED, &waited), 0);
    SIM_CHECK_EQUAL(waited.code, CLD_STOPPED);
    SIM_CHECK_EQUAL(call_wait(victim, WSTOPPED | WNOHANG, &waited), 0);
    SIM_CHECK_EQUAL(waited.pid, 0);
    SIM_CHECK(call_fork(killer, 0) > 0);
    SIM_CHECK_EQUAL(call_kill(victim, SIGCONT), 0);
    watch_victim(&stops, &continues);
    SIM_CHECK_EQUAL(stops, 0);
    reap_all_children();
}

void scenario_stopped_continue_kill(void)
{
    system_run(stopped_continue_kill);
}

/* SIGCONT may come before, between or after: in the end the victim runs, and says so. */
static bool victim_ran;

static void run_after_continue(uintptr_t argument)
{
    (void)argument;
    SIM_CHECK_EQUAL(call_kill(call_getpid(), SIGSTOP), 0);
    victim_ran = true;
}

static void stop_continue_wait(void)
{
    struct waited waited;

    victim = call_fork(run_after_continue, 0);
    SIM_CHECK_EQUAL(call_wait(victim, WSTOPPED | WEXITED, &waited), 0);
    SIM_CHECK_EQUAL(waited.code, CLD_STOPPED);
    SIM_CHECK(!victim_ran);
    SIM_CHECK_EQUAL(call_kill(victim, SIGCONT), 0);
    SIM_CHECK_EQUAL(call_wait(victim, WEXITED, &waited), 0);
    SIM_CHECK_EQUAL(waited.code, CLD_EXITED);
    SIM_CHECK(victim_ran);
}

void scenario_stop_continue_wait(void)
{
    system_run(stop_continue_wait);
}

/* One sender's stop, continue and end: the last finds a running process, whatever it was doing. */
static void stop_continue_term(void)
{
    struct waited waited;

    victim = call_fork(pause_for_ever, 0);
    SIM_CHECK_EQUAL(call_kill(victim, SIGSTOP), 0);
    SIM_CHECK_EQUAL(call_kill(victim, SIGCONT), 0);
    SIM_CHECK_EQUAL(call_kill(victim, SIGTERM), 0);
    SIM_CHECK_EQUAL(call_wait(victim, WEXITED, &waited), 0);
    SIM_CHECK_EQUAL(waited.status, SIGTERM);
}

void scenario_stop_continue_term(void)
{
    system_run(stop_continue_term);
}

/* --- an orphaned group with a stopped member gets SIGHUP and SIGCONT --- */

static void stopped_member(uintptr_t argument)
{
    (void)argument;
    call_kill(call_getpid(), SIGSTOP);
    pause_for_ever(0);
}

static void orphaning_parent(uintptr_t argument)
{
    struct waited waited;
    int child;

    (void)argument;
    call_setsid();
    child = call_fork(stopped_member, 0);
    SIM_CHECK_EQUAL(call_setpgid(child, child), 0);
    SIM_CHECK_EQUAL(call_wait(child, WSTOPPED, &waited), 0);
    SIM_CHECK_EQUAL(waited.code, CLD_STOPPED);
}

static void orphaned_group(void)
{
    struct waited waited;
    int parent = call_fork(orphaning_parent, 0);
    int hung_up = 0;

    while (call_wait(-1, WEXITED, &waited) == 0)
        if (waited.pid != parent) {
            SIM_CHECK_EQUAL(waited.status, SIGHUP);
            hung_up++;
        }
    SIM_CHECK_EQUAL(hung_up, 1);
}

void scenario_orphaned_group(void)
{
    system_run(orphaned_group);
}

/* --- group signal x fork: whoever was born before it has it, whoever after has not --- */

static void forking_member(uintptr_t depth)
{
    if (depth > 0)
        call_fork(forking_member, depth - 1);
    pause_for_ever(0);
}

static void new_group_member(uintptr_t argument)
{
    (void)argument;
    call_setpgid(0, 0);
    forking_member(1);
}

static void group_term_fork(void)
{
    struct waited waited;
    int leader = call_fork(new_group_member, 0);

    call_setpgid(leader, leader);
    SIM_CHECK_EQUAL(call_kill(-leader, SIGTERM), 0);
    while (call_wait(-1, WEXITED, &waited) == 0)
        SIM_CHECK_EQUAL(waited.status, SIGTERM);
}

void scenario_group_term_fork(void)
{
    system_run(group_term_fork);
}

/* --- kill(-1) x fork: all but init and the caller --- */

static void kill_all_fork(void)
{
    struct waited waited;

    SIM_CHECK(call_fork(forking_member, 1) > 0);
    SIM_CHECK_EQUAL(call_kill(-1, SIGKILL), 0);
    while (call_wait(-1, WEXITED, &waited) == 0)
        SIM_CHECK_EQUAL(waited.status, SIGKILL);
}

void scenario_kill_all_fork(void)
{
    system_run(kill_all_fork);
}

/* --- signal x sleep entry: a sleep that nothing else would end --- */

static void sleeping_parent(uintptr_t argument)
{
    (void)argument;
    SIM_CHECK(call_fork(pause_for_ever, 0) > 0);
    call_wait_any();
    sim_fail("the wait was to be interrupted by death");
}

static void signal_sleep_entry(void)
{
    struct waited waited;
    int child = call_fork(sleeping_parent, 0);

    SIM_CHECK_EQUAL(call_kill(child, SIGTERM), 0);
    SIM_CHECK_EQUAL(call_wait(child, WEXITED, &waited), 0);
    SIM_CHECK_EQUAL(waited.status, SIGTERM);
    call_kill(-1, SIGKILL);
    reap_all_children();
}

void scenario_signal_sleep_entry(void)
{
    system_run(signal_sleep_entry);
}

static void suspended_child(uintptr_t argument)
{
    (void)argument;
    while (!handled[SIGUSR1])
        call_sigsuspend(0);
    SIM_CHECK_EQUAL(handled[SIGUSR1], 1);
}

static void signal_sigsuspend(void)
{
    int child;

    SIM_CHECK_EQUAL(call_sigaction(SIGUSR1, count_handler, 0), 0);
    call_sigprocmask(SIGNAL_BIT(SIGUSR1));
    child = call_fork(suspended_child, 0);
    SIM_CHECK_EQUAL(call_kill(child, SIGUSR1), 0);
    reap_all_children();
}

void scenario_signal_sigsuspend(void)
{
    system_run(signal_sigsuspend);
}

/* --- sigtimedwait x timeout: taken now or later, once --- */

static void timed_waiter(uintptr_t argument)
{
    struct signal_info info;
    int result = call_sigtimedwait(SIGNAL_BIT(SIGUSR1), 3000, &info);

    (void)argument;
    SIM_CHECK(result == SIGUSR1 || result == -EAGAIN);
    if (result == -EAGAIN)
        SIM_CHECK_EQUAL(call_sigtimedwait(SIGNAL_BIT(SIGUSR1), DEADLINE_NEVER, &info), SIGUSR1);
    SIM_CHECK_EQUAL(info.signal, SIGUSR1);
    SIM_CHECK_EQUAL(info.pid, 1);
    SIM_CHECK_EQUAL(call_sigtimedwait(SIGNAL_BIT(SIGUSR1), 0, &info), -EAGAIN);
    SIM_CHECK_EQUAL(call_sigpending(), 0);
}

static void sigtimedwait_timeout(void)
{
    struct waited waited;
    int child;

    call_sigprocmask(SIGNAL_BIT(SIGUSR1));
    child = call_fork(timed_waiter, 0);
    SIM_CHECK_EQUAL(call_kill(child, SIGUSR1), 0);
    SIM_CHECK_EQUAL(call_wait(child, WEXITED, &waited), 0);
    SIM_CHECK_EQUAL(waited.status, 0);
}

void scenario_sigtimedwait_timeout(void)
{
    system_run(sigtimedwait_timeout);
}

/* --- two senders: real-time signals arrive all, each sender's in its order --- */

#define FIRST_REALTIME 34
#define SENT           4

static uint64_t next_value[2];
static unsigned received;

static void queue_handler(int signal, const void *data)
{
    const struct signal_info *info = data;
    unsigned sender = info->value >> 32;

    (void)signal;
    SIM_CHECK_EQUAL(info->value & UINT32_MAX, next_value[sender]);
    next_value[sender]++;
    received++;
}

static void queue_sender(uintptr_t sender)
{
    for (uint64_t i = 0; i < SENT; i++)
        SIM_CHECK_EQUAL(call_sigqueue(1, FIRST_REALTIME, (uint64_t)sender << 32 | i), 0);
}

static void realtime_order(void)
{
    SIM_CHECK_EQUAL(call_sigaction(FIRST_REALTIME, queue_handler, SA_SIGINFO | SA_RESTART), 0);
    SIM_CHECK(call_fork(queue_sender, 0) > 0);
    SIM_CHECK(call_fork(queue_sender, 1) > 0);
    reap_all_children();
    SIM_CHECK_EQUAL(received, 2 * SENT);
}

void scenario_realtime_order(void)
{
    system_run(realtime_order);
}

/* --- a disposition that changes while signals come --- */

static void changing_child(uintptr_t argument)
{
    (void)argument;
    call_sigaction(SIGUSR1, HANDLER_IGNORE, 0);
    call_sigaction(SIGUSR1, count_handler, SA_RESETHAND);
    call_sigaction(SIGUSR1, HANDLER_IGNORE, 0);
    SIM_CHECK(handled[SIGUSR1] <= 1);
    SIM_CHECK_EQUAL(call_sigpending(), 0);
}

static void sigaction_send(void)
{
    struct waited waited;
    int child;

    call_sigaction(SIGUSR1, HANDLER_IGNORE, 0);
    child = call_fork(changing_child, 0);
    SIM_CHECK_EQUAL(call_kill(child, SIGUSR1), 0);
    SIM_CHECK_EQUAL(call_kill(child, SIGUSR1), 0);
    SIM_CHECK_EQUAL(call_wait(child, WEXITED, &waited), 0);
    SIM_CHECK(waited.status == 0 || waited.status == SIGUSR1);
}

void scenario_sigaction_send(void)
{
    system_run(sigaction_send);
}
