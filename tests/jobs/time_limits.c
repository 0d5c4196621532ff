/* docs/jobs.md, rule 34: limits on CPU time. By how much they are overrun: figures_cpu.c. */
#include <signal.h>
#include <sys/resource.h>

#include "jobs.h"

#define MS 1000000ull

/* A member that computes for ever. */
static int spin(void *argument)
{
    volatile uint64_t *counter = argument;

    for (;;)
        ++*counter;
    return 0;
}

static void set_time(int job, uint64_t bit, uint64_t ns, enum job_action_index index,
                     enum job_action action)
{
    struct job_limits limits = {.mask = bit | JOB_LIMIT_ACTIONS};

    limits.proc_user_ns = limits.job_user_ns = limits.job_cpu_ns = ns;
    limits.action[index] = (uint8_t)action;
    if (job_set(job, &limits, 0) != 0)
        tap_bail_out("job_set");
}

static void process_time(uint64_t *counter)
{
    int job = make_job(JOB_SELF, "", 0);
    int stream = open_stream(job, JOB_EVENT_BIT(JOB_EVENT_PROC_TIME), 0);
    pid_t first, second;
    struct job_event event;
    struct rusage usage;
    int status;

    set_time(job, JOB_LIMIT_PROC_USER, 50 * MS, JOB_ON_PROC_USER, JOB_ACTION_KILL_PROC);
    first = spawn(job, spin, counter);
    wait4(first, &status, 0, &usage);
    ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "rule 34: process time: killed");
    ok(usage.ru_utime.tv_sec > 0 || usage.ru_utime.tv_usec >= 50000, "rule 34: not before");
    event = next_event(stream);
    ok(event.pid == first && event.limit_job == id_of(job) && event.cause == JOB_ON_PROC_USER,
       "rule 34: an event tells of whom, which limit, and whose");
    ok(event.use.user_ns >= 50 * MS, "rule 34: and how much it had used");
    second = spawn(job, spin, counter);
    wait4(second, &status, 0, &usage);
    ok(WIFSIGNALED(status) && (usage.ru_utime.tv_sec > 0 || usage.ru_utime.tv_usec >= 50000),
       "rule 34: the next process begins at its own start");
    is_int((long long)stat_of(job).limit_killed, 2, "rule 34: both are counted");
    close(stream);
    close(job);
}

/* The nearer limit only tells, the farther one kills. */
static void process_time_in_chain(uint64_t *counter)
{
    int outer = make_job(JOB_SELF, "", 0), inner = make_job(outer, "", 0);
    int stream = open_stream(outer, JOB_EVENT_BIT(JOB_EVENT_PROC_TIME), 0);
    pid_t child;

    set_time(outer, JOB_LIMIT_PROC_USER, 60 * MS, JOB_ON_PROC_USER, JOB_ACTION_KILL_PROC);
    set_time(inner, JOB_LIMIT_PROC_USER, 20 * MS, JOB_ON_PROC_USER, JOB_ACTION_NOTIFY);
    child = spawn(inner, spin, counter);
    ok(WIFSIGNALED(reap(child)), "rule 34: each limit of the chain holds");
    is_int((long long)next_event(stream).limit_job, (long long)id_of(inner),
           "rule 34: the nearer first");
    is_int((long long)next_event(stream).limit_job, (long long)id_of(outer),
           "rule 34: then the farther");
    close(stream);
    close(inner);
    close(outer);
}

static void job_time(uint64_t *counter)
{
    int job = make_job(JOB_SELF, "", 0);
    int stream = open_stream(job, JOB_EVENT_BIT(JOB_EVENT_JOB_TIME), 0);
    struct job_event event;
    pid_t members[2];

    set_time(job, JOB_LIMIT_JOB_USER, 80 * MS, JOB_ON_JOB_USER, JOB_ACTION_KILL_JOB);
    members[0] = spawn(job, spin, counter);
    members[1] = spawn_idle(job, NULL);
    ok(WIFSIGNALED(reap(members[0])), "rule 34: job time: who computed is killed");
    ok(WIFSIGNALED(reap(members[1])), "rule 34: and who slept");
    event = next_event(stream);
    ok(event.cause == JOB_ON_JOB_USER && event.limit_job == id_of(job) &&
           event.use.user_ns >= 80 * MS,
       "rule 34: an event tells how much was used");
    is_int(stat_of(job).state, JOB_OPEN, "rule 34: the job is not sealed");
    is_error(job_fork(job, NULL, 0), EDQUOT, "rule 34: but nobody can join");
    ok(stat_of(job).refused == 1, "rule 34: the refusal is counted");
    set_time(job, JOB_LIMIT_JOB_USER, 1000000 * MS, JOB_ON_JOB_USER, JOB_ACTION_KILL_JOB);
    members[0] = spawn_idle(job, NULL);
    ok(members[0] > 0, "rule 34: raised, it works again");
    kill_and_reap(members[0]);
    close(stream);
    close(job);
}

static void job_cpu_and_period(uint64_t *counter)
{
    int job = make_job(JOB_SELF, "", 0);
    struct job_stat stat;
    pid_t child;

    set_time(job, JOB_LIMIT_JOB_CPU, 40 * MS, JOB_ON_JOB_CPU, JOB_ACTION_KILL_PROC);
    reap(spawn(job, spin, counter));
    stat = stat_of(job);
    ok(stat.period.user_ns + stat.period.kern_ns >= 40 * MS, "rule 34: system time counts too");
    is_error(job_fork(job, NULL, 0), EDQUOT, "rule 34: used up");
    job_stat(job, &stat, JOB_PERIOD_RESET);
    child = spawn(job, spin, counter);
    ok(child > 0, "rule 34: job time counts from the period's start");
    reap(child);
    is_int((long long)stat_of(job).limit_killed, 2, "rule 34: and ends again");
    close(job);
}

static volatile sig_atomic_t told;

static void on_told(int signal)
{
    told = 1;
}

static int spin_until_told(void *argument)
{
    signal(SIGXCPU, on_told);
    while (!told)
        continue;
    return 7;
}

static void other_actions(uint64_t *counter)
{
    int job = make_job(JOB_SELF, "", 0);
    int stream = open_stream(job, JOB_EVENT_BIT(JOB_EVENT_JOB_TIME), 0);
    uint64_t before;
    pid_t child;

    set_time(job, JOB_LIMIT_JOB_USER, 30 * MS, JOB_ON_JOB_USER, JOB_ACTION_SIGXCPU);
    is_int(WEXITSTATUS(reap(spawn(job, spin_until_told, NULL))), 7, "rule 34: SIGXCPU");
    next_event(stream);

    job_stat(job, &(struct job_stat){0}, JOB_PERIOD_RESET);
    set_time(job, JOB_LIMIT_JOB_USER, 30 * MS, JOB_ON_JOB_USER, JOB_ACTION_NOTIFY);
    child = spawn(job, spin, counter);
    is_int(next_event(stream).cause, JOB_ON_JOB_USER, "rule 34: NOTIFY tells");
    kill_and_reap(spawn_idle(job, NULL));
    ok(1, "rule 34: and refuses nobody");
    before = *(volatile uint64_t *)counter;
    while (*(volatile uint64_t *)counter == before)
        sched_yield();
    ok(1, "rule 34: nor stops anybody");
    is_int(poll_now(stream, POLLIN), 0, "rule 34: it tells once");
    set_time(job, JOB_LIMIT_JOB_USER, 1 * MS, JOB_ON_JOB_USER, JOB_ACTION_NOTIFY);
    is_int(next_event(stream).cause, JOB_ON_JOB_USER, "rule 34: until it is set again");

    set_time(job, JOB_LIMIT_JOB_USER, 1 * MS, JOB_ON_JOB_USER, JOB_ACTION_FREEZE);
    next_event(stream);
    is_error(job_fork(job, NULL, 0), EDQUOT, "rule 34: frozen, nobody joins");
    set_time(job, JOB_LIMIT_JOB_USER, 1000000 * MS, JOB_ON_JOB_USER, JOB_ACTION_FREEZE);
    before = *(volatile uint64_t *)counter;
    while (*(volatile uint64_t *)counter == before)
        sched_yield();
    ok(1, "rule 34: raised, it goes on");
    kill_and_reap(child);
    close(stream);
    close(job);
}

static void lowering(uint64_t *counter)
{
    int job = make_job(JOB_SELF, "", 0);
    struct job_limits strict = {.mask = JOB_LIMIT_JOB_USER, .job_user_ns = 1};
    pid_t child;

    set_time(job, JOB_LIMIT_JOB_USER, 20 * MS, JOB_ON_JOB_USER, JOB_ACTION_NOTIFY);
    child = spawn(job, spin, counter);
    while (stat_of(job).total.user_ns < 20 * MS)
        sched_yield();
    is_error(job_set(job, &strict, JOB_SET_STRICT), EBUSY, "rule 32: strict: below what was used");
    set_time(job, JOB_LIMIT_JOB_USER, 1, JOB_ON_JOB_USER, JOB_ACTION_KILL_JOB);
    ok(WIFSIGNALED(reap(child)), "rule 32: lowered below what was used, time fires now");
    close(job);

    job = make_job(JOB_SELF, "", 0);
    set_time(job, JOB_LIMIT_JOB_USER, 20 * MS, JOB_ON_JOB_USER, JOB_ACTION_NOTIFY);
    child = spawn(job, spin, counter);
    while (stat_of(job).total.user_ns < 20 * MS)
        sched_yield();
    kill(child, SIGSTOP);
    waitpid(child, NULL, WUNTRACED);
    set_time(job, JOB_LIMIT_PROC_USER, 1, JOB_ON_PROC_USER, JOB_ACTION_KILL_PROC);
    ok(WIFSIGNALED(reap(child)), "rule 32: for a process too, even a stopped one");
    close(job);
}

/* A process that has used more than the job allows each of its members. */
static void joining(uint64_t *counter)
{
    int outer = make_job(JOB_SELF, "", 0), inner = make_job(outer, "", 0);
    int pidfd;
    pid_t child = job_fork(outer, &pidfd, 0);

    if (child == 0)
        spin(counter);
    while (stat_of(outer).total.user_ns < 20 * MS)
        sched_yield();
    set_time(inner, JOB_LIMIT_PROC_USER, 10 * MS, JOB_ON_PROC_USER, JOB_ACTION_KILL_PROC);
    is_int(job_adopt(inner, pidfd, 0), 0, "rule 34: adopted with more than its time");
    ok(WIFSIGNALED(reap(child)), "rule 34: it is at its end there");
    close(pidfd);
    close(inner);
    close(outer);
}

int main(void)
{
    uint64_t *counter = share_memory(sizeof(*counter));

    process_time(counter);
    process_time_in_chain(counter);
    job_time(counter);
    job_cpu_and_period(counter);
    other_actions(counter);
    lowering(counter);
    joining(counter);
    check_kernel("limits on time");
    return tap_done();
}
