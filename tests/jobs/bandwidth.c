/* docs/jobs.md, rule 36: CPU bandwidth. How exact it is: figures_cpu.c. */
#include <signal.h>

#include "jobs.h"

#define MS 1000000ull

static int spin(void *argument)
{
    volatile uint64_t *counter = argument;

    for (;;)
        ++*counter;
    return 0;
}

static int try_bandwidth(int job, uint64_t quota, uint64_t period, uint64_t burst)
{
    struct job_limits limits = {
        .mask = JOB_LIMIT_BANDWIDTH, .quota_ns = quota, .period_ns = period, .burst_ns = burst};

    return job_set(job, &limits, 0);
}

static void set_bandwidth(int job, uint64_t quota, uint64_t period)
{
    if (try_bandwidth(job, quota, period, 0) != 0)
        tap_bail_out("job_set");
}

static void values(void)
{
    int job = make_job(JOB_SELF, "", 0), inner = make_job(job, "", 0);
    struct job_limits limits;

    job_get(job, &limits, 0);
    ok(limits.quota_ns == JOB_UNLIMITED && limits.period_ns == 100 * MS && limits.burst_ns == 0,
       "rule 36: unlimited at first");
    is_error(try_bandwidth(job, 1 * MS, 999999, 0), EINVAL, "rule 36: a period below 1 ms");
    is_error(try_bandwidth(job, 1 * MS, 1001 * MS, 0), EINVAL, "rule 36: above 1 s");
    is_error(try_bandwidth(job, 0, 100 * MS, 0), EINVAL, "rule 36: nothing at all");
    is_error(try_bandwidth(job, 10 * MS, 100 * MS, 11 * MS), EINVAL,
             "rule 36: a burst above the quota");
    is_int(try_bandwidth(job, 10 * MS, 100 * MS, 10 * MS), 0, "rule 36: quota, period and burst");
    is_int(try_bandwidth(inner, 30 * MS, 200 * MS, 0), 0, "rule 36: and in a job below");
    job_get(inner, &limits, JOB_GET_EFFECTIVE);
    ok(limits.quota_ns == 10 * MS && limits.period_ns == 100 * MS, "rule 30: the less binds");
    close(inner);
    close(job);
}

/* A member that has used up its quota stands still until the next period. */
static void throttled(uint64_t *counter)
{
    int job = make_job(JOB_SELF, "", 0);
    struct job_stat stat;
    pid_t child;

    set_bandwidth(job, 5 * MS, 200 * MS);
    child = spawn(job, spin, counter);
    do {
        stat = stat_of(job);
        sched_yield();
    } while (stat.nr_throttled < 3);
    ok(stat.total.user_ns + stat.total.kern_ns >= 15 * MS, "rule 36: each period has its quota");
    ok(stat.throttled_ns >= 300 * MS, "rule 36: in between nobody runs");
    kill(child, SIGKILL);
    stat = stat_of(job);
    reap(child);
    ok(stat_of(job).nr_throttled == stat.nr_throttled, "rule 36: dying is exempt");
    close(job);
}

static void raised(uint64_t *counter)
{
    int job = make_job(JOB_SELF, "", 0);
    uint64_t before;
    pid_t child;

    set_bandwidth(job, 1000, 200 * MS);
    child = spawn(job, spin, counter);
    while (stat_of(job).nr_throttled == 0)
        sched_yield();
    before = *(volatile uint64_t *)counter;
    set_bandwidth(job, JOB_UNLIMITED, 200 * MS);
    while (*(volatile uint64_t *)counter < before + 1000000)
        sched_yield();
    ok(1, "rule 36: without the limit it goes on");
    kill_and_reap(child);
    close(job);
}

/* Whoever is in a job below uses up the outer quota too. */
static void nested(uint64_t *counter)
{
    int outer = make_job(JOB_SELF, "", 0);
    int inner[2] = {make_job(outer, "", 0), make_job(outer, "", 0)};
    uint64_t before;
    pid_t children[2];

    set_bandwidth(outer, 5 * MS, 1000 * MS);
    set_bandwidth(inner[0], 50 * MS, 100 * MS);
    for (int i = 0; i < 2; i++)
        children[i] = spawn(inner[i], spin, counter);
    while (stat_of(outer).nr_throttled == 0)
        sched_yield();
    is_int((long long)stat_of(inner[0]).nr_throttled, 0, "rule 36: the inner quota is not used up");
    ok(1, "rule 36: nested quotas all apply");
    set_bandwidth(outer, JOB_UNLIMITED, 1000 * MS);
    before = stat_of(inner[0]).nr_throttled;
    while (stat_of(inner[0]).nr_throttled == before)
        sched_yield();
    ok(1, "rule 36: then the inner one binds");
    for (int i = 0; i < 2; i++)
        kill_and_reap(children[i]);
    close(inner[0]);
    close(inner[1]);
    close(outer);
}

/* A throttled process that is moved to a job with more waits for that one. */
static void adopted(uint64_t *counter)
{
    int outer = make_job(JOB_SELF, "", 0), inner = make_job(outer, "", 0);
    int pidfd;
    pid_t child = job_fork(outer, &pidfd, 0);

    if (child == 0)
        spin(counter);
    set_bandwidth(inner, 1000, 200 * MS);
    is_int(job_adopt(inner, pidfd, 0), 0, "rule 36: adopted into a job with little");
    while (stat_of(inner).nr_throttled == 0)
        sched_yield();
    ok(1, "rule 36: it is bound by that");
    kill_and_reap(child);
    close(pidfd);
    close(inner);
    close(outer);
}

int main(void)
{
    uint64_t *counter = share_memory(sizeof(*counter));

    values();
    throttled(counter);
    raised(counter);
    nested(counter);
    adopted(counter);
    check_kernel("bandwidth");
    return tap_done();
}
