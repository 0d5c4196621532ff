/* docs/jobs.md, rules 39 to 41: signals to jobs, and freezing. */
#include <stdatomic.h>

#include "jobs.h"

/* Ready when SIGUSR1 is blocked and has a handler; then takes SIGUSR1 until SIGTERM. */
struct listener {
    int ready[2];
    _Atomic unsigned *heard;
};

static int listen(void *argument)
{
    struct listener *listener = argument;
    sigset_t both;
    int signal;

    sigemptyset(&both);
    sigaddset(&both, SIGUSR1);
    sigaddset(&both, SIGTERM);
    sigprocmask(SIG_BLOCK, &both, NULL);
    if (write(listener->ready[1], "x", 1) != 1)
        return 1;
    for (;;) {
        sigwait(&both, &signal);
        if (signal == SIGTERM)
            return 0;
        atomic_fetch_add(listener->heard, 1);
    }
}

static void rule_39_broadcast(void)
{
    int top = make_job(JOB_SELF, "rule39", 0);
    int jobs[2] = {top, make_job(top, "", 0)};
    int query = job_open(JOB_SELF, "rule39", JOB_RIGHT_QUERY);
    struct listener listener = {.heard = share_memory(sizeof(unsigned))};
    pid_t children[6];
    char byte;

    if (pipe(listener.ready) != 0)
        tap_bail_out("pipe");
    is_error(job_signal(top, 0, 0), ESRCH, "rule 39: none lives");
    for (unsigned i = 0; i < 6; i++)
        children[i] = spawn(jobs[i % 2], listen, &listener);
    for (unsigned i = 0; i < 6; i++)
        if (read(listener.ready[0], &byte, 1) != 1)
            tap_bail_out("read");
    is_int(job_signal(top, 0, 0), 6, "rule 39: signal 0 returns the number of members");
    is_error(job_signal(top, 65, 0), EINVAL, "rule 39: no such signal");
    is_error(job_signal(query, SIGUSR1, 0), EACCES, "rule 39: it needs the right");
    is_int(job_signal(top, SIGUSR1, 0), 6, "rule 39: a signal reaches all");
    is_int(job_signal(top, SIGTERM, 0), 6, "rule 39: and another");
    for (unsigned i = 0; i < 6; i++)
        reap(children[i]);
    is_int(*listener.heard, 6, "rule 39: each had it exactly once");
    close(query);
    close(jobs[1]);
    close(top);
    close(listener.ready[0]);
    close(listener.ready[1]);
}

static int signal_foreign(void *argument)
{
    return setresuid(1000, 1000, 1000) == 0 && job_signal(*(int *)argument, SIGTERM, 0) == 1 ? 0
                                                                                             : 1;
}

static void rule_39_right_not_uid(void)
{
    int job = make_job(JOB_SELF, "", 0);
    pid_t child = spawn_idle(job, NULL);
    pid_t other = fork();

    if (other == 0)
        _exit(signal_foreign(&job));
    is_int(reap(other), 0, "rule 39: the right suffices, whoever one is");
    is_int(reap(child), SIGTERM, "rule 39: and the signal comes");
    close(job);
}

#define SLOTS 4096

/* Each process counts in a slot of its own what it gets. */
struct slots {
    _Atomic unsigned next;
    _Atomic unsigned count[SLOTS];
};
static struct slots *slots;
static unsigned own_slot;

static void count_in_slot(int signal)
{
    atomic_fetch_add(&slots->count[own_slot], 1);
}

/* Forks on and on. The signal is blocked until the child knows its slot. */
static int fork_tree(void *argument)
{
    sigset_t blocked, none;

    sigemptyset(&none);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    for (;;) {
        unsigned slot = atomic_fetch_add(&slots->next, 1);
        pid_t child = -1;

        sigprocmask(SIG_BLOCK, &blocked, NULL);
        if (slot < SLOTS)
            child = fork();
        if (child == 0)
            own_slot = slot;
        if (child < 0)
            sigsuspend(&none);
        sigprocmask(SIG_UNBLOCK, &blocked, NULL);
    }
    return 0;
}

static unsigned heard(unsigned *most)
{
    unsigned sum = 0;

    for (unsigned i = 0; i < SLOTS; i++) {
        sum += slots->count[i];
        if (slots->count[i] > *most)
            *most = slots->count[i];
    }
    return sum;
}

static void rule_39_fork_in_flight(void)
{
    struct sigaction action = {.sa_handler = count_in_slot};
    int job = make_job(JOB_SELF, "", 0);
    unsigned most = 0;
    pid_t first;
    int reached;

    slots = share_memory(sizeof(*slots));
    slots->next = 1;
    sigaction(SIGUSR1, &action, NULL);
    set_count(job, JOB_LIMIT_PROCS, 60);
    first = spawn(job, fork_tree, NULL);
    while (stat_of(job).active < 30)
        sched_yield();
    reached = job_signal(job, SIGUSR1, 0);
    while (heard(&most) < (unsigned)reached)
        sched_yield();
    ok(true, "rule 39: amid forks, all that job_signal reached have counted");
    job_kill(job, &forever, NULL, 0);
    heard(&most);
    is_int(most, 1, "rule 39: and nobody twice");
    reap(first);
    signal(SIGUSR1, SIG_DFL);
    close(job);
}

static int spin(void *argument)
{
    volatile uint64_t *counter = argument;

    for (;;)
        ++*counter;
    return 0;
}

static void rule_40_counter_stands_still(void)
{
    int job = make_job(JOB_SELF, "", 0);
    int below = make_job(job, "", 0);
    volatile uint64_t *counters = share_memory(4096);
    pid_t spinners[2] = {spawn(job, spin, (void *)&counters[0]),
                         spawn(below, spin, (void *)&counters[8])};
    struct job_stat before;
    uint64_t seen[2];
    int token;

    while (counters[0] == 0 || counters[8] == 0)
        sched_yield();
    token = job_freeze(job, 0);
    ok(token >= 0, "rule 40: freeze");
    seen[0] = counters[0];
    seen[1] = counters[8];
    before = stat_of(job);
    /* Long enough for either to have run: another process runs to its end meanwhile, many times. */
    for (unsigned i = 0; i < 20; i++) {
        pid_t child = fork();

        if (child == 0)
            _exit(0);
        reap(child);
    }
    ok(counters[0] == seen[0] && counters[8] == seen[1],
       "rule 40: when it has returned nobody runs in user mode, nor enters it");
    ok(stat_of(job).total.user_ns == before.total.user_ns, "rule 40: nor uses time there");
    close(token);
    while (counters[0] == seen[0] || counters[8] == seen[1])
        sched_yield();
    ok(true, "rule 40: closing the token thaws");
    ok(stat_of(job).frozen_ns > 0, "rule 40: frozen_ns tells how long it was");
    job_kill(job, &forever, NULL, 0);
    reap(spinners[0]);
    reap(spinners[1]);
    close(below);
    close(job);
}

static int leave(void *argument)
{
    return 7;
}

static void rule_40_tokens_of_the_chain(void)
{
    int top = make_job(JOB_SELF, "", 0);
    int job = make_job(top, "", 0);
    int tokens[3] = {job_freeze(top, 0), job_freeze(job, 0), job_freeze(job, 0)};
    pid_t child = spawn(job, leave, NULL);

    is_int(waitpid(child, NULL, WNOHANG), 0, "rule 40: frozen by three tokens of its chain");
    close(tokens[1]);
    close(tokens[0]);
    is_int(waitpid(child, NULL, WNOHANG), 0, "rule 40: one left freezes still");
    close(tokens[2]);
    is_int(WEXITSTATUS(reap(child)), 7, "rule 40: the job runs again when its chain holds none");
    close(job);
    close(top);
}

static void rule_40_dying_with_a_token(void)
{
    int job = make_job(JOB_SELF, "", 0);
    int channel[2];
    pid_t holder, child;
    char byte;

    if (pipe(channel) != 0)
        tap_bail_out("pipe");
    holder = fork();
    if (holder == 0) {
        if (job_freeze(job, 0) < 0 || write(channel[1], "x", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    is_int(read(channel[0], &byte, 1), 1, "rule 40: another process freezes");
    child = spawn(job, leave, NULL);
    is_int(waitpid(child, NULL, WNOHANG), 0, "rule 40: the member does not run");
    kill_and_reap(holder);
    is_int(WEXITSTATUS(reap(child)), 7, "rule 40: dying with the token thaws");
    close(channel[0]);
    close(channel[1]);
    close(job);
}

static int freeze_own_chain(void *argument)
{
    return job_freeze(*(int *)argument, 0) == -1 ? errno : 0;
}

static void rule_40_own_chain(void)
{
    int top = make_job(JOB_SELF, "", 0);
    int job = make_job(top, "", 0);

    is_int(WEXITSTATUS(reap(spawn(job, freeze_own_chain, &job))), EDEADLK,
           "rule 40: freezing one's own job is EDEADLK");
    is_int(WEXITSTATUS(reap(spawn(job, freeze_own_chain, &top))), EDEADLK,
           "rule 40: or one above it");
    close(job);
    close(top);
}

static int touch(void *argument)
{
    *(volatile uint64_t *)argument = 1;
    return 0;
}

static void rule_41_born_frozen(void)
{
    int job = make_job(JOB_SELF, "", JOB_FROZEN);
    volatile uint64_t *touched = share_memory(4096);
    pid_t child = spawn(job, touch, (void *)touched);

    for (unsigned i = 0; i < 20; i++) {
        pid_t other = fork();

        if (other == 0)
            _exit(0);
        reap(other);
    }
    is_int((long long)*touched, 0, "rule 41: who is born into a frozen job runs no instruction");
    set_flags(job, 0);
    is_int(reap(child), 0, "rule 41: until it is thawed");
    is_int((long long)*touched, 1, "rule 41: then it runs");
    close(job);
}

/* Parent and child both count. */
static int fork_and_count(void *argument)
{
    _Atomic uint64_t *counter = argument;

    for (;;) {
        pid_t child = fork();

        atomic_fetch_add(counter, 1);
        if (child == 0)
            _exit(0);
        if (child > 0)
            reap(child);
    }
    return 0;
}

static void rule_41_fork_races_freeze(void)
{
    _Atomic uint64_t *counter = share_memory(4096);
    unsigned moved = 0;

    for (unsigned round = 0; round < 30; round++) {
        int job = make_job(JOB_SELF, "", 0);
        pid_t forkers[2] = {spawn(job, fork_and_count, counter),
                            spawn(job, fork_and_count, counter)};
        uint64_t start = *counter, seen;
        int token;

        while (*counter < start + 10)
            sched_yield();
        token = job_freeze(job, 0);
        seen = *counter;
        for (unsigned i = 0; i < 5; i++) {
            pid_t child = fork();

            if (child == 0)
                _exit(0);
            reap(child);
        }
        moved += *counter != seen;
        job_kill(job, &forever, NULL, 0);
        reap(forkers[0]);
        reap(forkers[1]);
        close(token);
        close(job);
    }
    is_int(moved, 0, "rule 41: a fork racing a freeze yields a child that does not run");
}

int main(void)
{
    rule_39_broadcast();
    rule_39_right_not_uid();
    rule_39_fork_in_flight();
    rule_40_counter_stands_still();
    rule_40_tokens_of_the_chain();
    rule_40_dying_with_a_token();
    rule_40_own_chain();
    rule_41_born_frozen();
    rule_41_fork_races_freeze();
    check_kernel("rules 39 to 41");
    return tap_done();
}
