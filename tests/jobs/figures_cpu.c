/*
 * By how much limits on CPU time are missed, and how weights and classes divide a CPU. Run with
 * counted guest time only, where no host takes time from the guest.
 */
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "jobs.h"

#define MS           1000000ull
#define TICK_NS      (250 * 1000ull) /* between two looks at a limit */
#define MEMBERS_MOST 8

static unsigned cpu_count;

static int spin(void *argument)
{
    volatile uint64_t counter = 0;

    for (;;)
        ++counter;
    return 0;
}

static void set_bandwidth(int job, uint64_t quota, uint64_t period)
{
    struct job_limits limits = {
        .mask = JOB_LIMIT_BANDWIDTH, .quota_ns = quota, .period_ns = period};

    if (job_set(job, &limits, 0) != 0)
        tap_bail_out("job_set");
}

static uint64_t cpu_time(int job)
{
    struct job_usage total = stat_of(job).total;

    return total.user_ns + total.kern_ns;
}

static void pass(uint64_t ns)
{
    struct timespec time = {(time_t)(ns / 1000000000), (long)(ns % 1000000000)};

    nanosleep(&time, NULL);
}

/* |measured - expected| <= expected * percent / 100 */
static void is_near(uint64_t measured, uint64_t expected, unsigned percent, const char *what)
{
    uint64_t off = measured > expected ? measured - expected : expected - measured;

    ok(off * 100 <= expected * percent, "%s", what);
    printf("# %s: %llu of %llu us, %.2f%% off\n", what, (unsigned long long)measured / 1000,
           (unsigned long long)expected / 1000, 100.0 * (double)off / (double)expected);
}

static void quarter(void)
{
    int job = make_job(JOB_SELF, "", 0);
    uint64_t begin, used;

    set_bandwidth(job, 25 * MS, 100 * MS);
    spawn(job, spin, NULL);
    begin = stat_of(job).time_ns;
    used = cpu_time(job);
    pass(10000 * MS);
    is_near(cpu_time(job) - used, (stat_of(job).time_ns - begin) / 4, 2,
            "rule 36: 25% of one CPU over 10 s");
    finish(job);
}

static void many_members(void)
{
    int job = make_job(JOB_SELF, "", 0);
    uint64_t begin, used;

    set_bandwidth(job, 40 * MS, 100 * MS);
    for (unsigned i = 0; i < 2 * cpu_count; i++)
        spawn(job, spin, NULL);
    begin = stat_of(job).time_ns;
    used = cpu_time(job);
    pass(2000 * MS);
    is_near(cpu_time(job) - used, (stat_of(job).time_ns - begin) * 4 / 10, 2,
            "rule 36: 40%, by two members a CPU");
    finish(job);
}

/* Two inner halves in an outer half. */
static void nested_halves(void)
{
    int outer = make_job(JOB_SELF, "", 0);
    int inner[2] = {make_job(outer, "", 0), make_job(outer, "", 0)};
    uint64_t begin, used;

    set_bandwidth(outer, 50 * MS, 100 * MS);
    for (int i = 0; i < 2; i++) {
        set_bandwidth(inner[i], 50 * MS, 100 * MS);
        spawn(inner[i], spin, NULL);
    }
    begin = stat_of(outer).time_ns;
    used = cpu_time(outer);
    pass(2000 * MS);
    is_near(cpu_time(outer) - used, (stat_of(outer).time_ns - begin) / 2, 2,
            "rule 36: two halves within a half");
    set_bandwidth(inner[0], 10 * MS, 100 * MS);
    begin = stat_of(outer).time_ns;
    used = cpu_time(inner[0]);
    pass(2000 * MS);
    is_near(cpu_time(inner[0]) - used, (stat_of(outer).time_ns - begin) / 10, 2,
            "rule 36: a tenth within a half");
    finish(outer);
    close(inner[0]);
    close(inner[1]);
}

static void overrun_of_job(void)
{
    struct job_limits limits = {.mask = JOB_LIMIT_JOB_USER | JOB_LIMIT_ACTIONS,
                                .job_user_ns = 200 * MS,
                                .action[JOB_ON_JOB_USER] = JOB_ACTION_KILL_JOB};
    int job = make_job(JOB_SELF, "", 0);
    int stream = open_stream(job, JOB_EVENT_BIT(JOB_EVENT_JOB_TIME), 0);
    struct job_event event;
    uint64_t user;

    job_set(job, &limits, 0);
    for (unsigned i = 0; i < cpu_count; i++)
        spawn(job, spin, NULL);
    event = next_event(stream);
    finish(job);
    user = event.use.user_ns;
    ok(user >= 200 * MS && user <= 200 * MS + cpu_count * TICK_NS,
       "rule 34: job time fires within a tick a CPU");
    printf("# overrun %llu us with %u CPUs\n", (unsigned long long)(user - 200 * MS) / 1000,
           cpu_count);
    close(stream);
}

static void overrun_of_process(void)
{
    struct job_limits limits = {.mask = JOB_LIMIT_PROC_USER | JOB_LIMIT_ACTIONS,
                                .proc_user_ns = 100 * MS,
                                .action[JOB_ON_PROC_USER] = JOB_ACTION_KILL_PROC};
    int job = make_job(JOB_SELF, "", 0);
    struct rusage usage;
    uint64_t user;

    job_set(job, &limits, 0);
    wait4(spawn(job, spin, NULL), NULL, 0, &usage);
    user = (uint64_t)usage.ru_utime.tv_sec * 1000000000 + (uint64_t)usage.ru_utime.tv_usec * 1000;
    ok(user >= 100 * MS && user <= 100 * MS + TICK_NS, "rule 34: process time, within a tick");
    printf("# overrun %llu us\n", (unsigned long long)(user - 100 * MS) / 1000);
    close(job);
}

static void set_u32(int job, uint64_t bit, uint32_t value)
{
    struct job_limits limits = {.mask = bit, .weight = value, .sched_class = value};

    if (job_set(job, &limits, 0) != 0)
        tap_bail_out("job_set");
}

/* Two jobs on all CPUs; the lighter one has more members, which is of no use to it. */
static void weights(unsigned heavy_members, unsigned light_members, const char *what)
{
    int parent = make_job(JOB_SELF, "", 0);
    int heavy = make_job(parent, "", 0), light = make_job(parent, "", 0);
    uint64_t heavy_time, light_time;

    for (unsigned i = 0; i < heavy_members; i++)
        spawn(heavy, spin, NULL);
    for (unsigned i = 0; i < light_members; i++)
        spawn(light, spin, NULL);
    set_u32(heavy, JOB_LIMIT_WEIGHT, 300);
    pass(200 * MS);
    heavy_time = cpu_time(heavy);
    light_time = cpu_time(light);
    pass(3000 * MS);
    heavy_time = cpu_time(heavy) - heavy_time;
    light_time = cpu_time(light) - light_time;
    is_near(heavy_time, (heavy_time + light_time) * 3 / 4, 5, what);
    finish(parent);
    close(heavy);
    close(light);
}

/* Members of a job below share what their parent has. */
static void weights_below_weights(void)
{
    int top = make_job(JOB_SELF, "", 0), left = make_job(top, "", 0), right = make_job(top, "", 0);
    int a = make_job(left, "", 0), b = make_job(left, "", 0);
    uint64_t time_a, time_b, time_right;

    set_u32(a, JOB_LIMIT_WEIGHT, 10000);
    for (unsigned i = 0; i < cpu_count; i++) {
        spawn(a, spin, NULL);
        spawn(b, spin, NULL);
        spawn(right, spin, NULL);
    }
    set_u32(b, JOB_LIMIT_WEIGHT, 10000);
    set_u32(left, JOB_LIMIT_WEIGHT, 100);
    pass(200 * MS);
    time_a = cpu_time(a);
    time_b = cpu_time(b);
    time_right = cpu_time(right);
    pass(3000 * MS);
    time_a = cpu_time(a) - time_a;
    time_b = cpu_time(b) - time_b;
    time_right = cpu_time(right) - time_right;
    is_near(time_right, (time_a + time_b + time_right) / 2, 5, "equal weights, whatever is below");
    is_near(time_a, (time_a + time_b) / 2, 5, "and equal ones below");
    finish(top);
    close(left);
    close(right);
    close(a);
    close(b);
}

static uint64_t switches_of_two(int job)
{
    struct rusage before, after;
    pid_t children[2];

    getrusage(RUSAGE_CHILDREN, &before);
    for (int i = 0; i < 2; i++)
        children[i] = spawn(job, spin, NULL);
    pass(1000 * MS);
    for (int i = 0; i < 2; i++)
        kill_and_reap(children[i]);
    getrusage(RUSAGE_CHILDREN, &after);
    return (uint64_t)(after.ru_nivcsw - before.ru_nivcsw);
}

/* On one CPU two members take turns; the class makes them longer or shorter. */
static void classes(void)
{
    int job = make_job(JOB_SELF, "", 0);
    struct job_limits one_cpu = {.mask = JOB_LIMIT_AFFINITY, .affinity = 1};
    uint64_t usual, longer, shorter;

    job_set(job, &one_cpu, 0);
    usual = switches_of_two(job);
    set_u32(job, JOB_LIMIT_CLASS, 8);
    longer = switches_of_two(job);
    set_u32(job, JOB_LIMIT_CLASS, 2);
    shorter = switches_of_two(job);
    printf("# turns in a second: class 5 %llu, 8 %llu, 2 %llu\n", (unsigned long long)usual,
           (unsigned long long)longer, (unsigned long long)shorter);
    is_near(longer, usual * 6 / 9, 10, "class 8: turns of 9/6");
    is_near(shorter, usual * 6 / 3, 10, "class 2: turns of 3/6");
    close(job);
}

int main(void)
{
    cpu_count = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
    quarter();
    many_members();
    nested_halves();
    overrun_of_job();
    overrun_of_process();
    weights(cpu_count, 3 * cpu_count, "weight 300 beside 100");
    weights_below_weights();
    classes();
    return tap_done();
}
