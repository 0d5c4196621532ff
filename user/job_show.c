/* job stat and job events: figures, and what happens. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "job_tool.h"

static const char *const state_names[] = {"open", "killing", "dead"};

static void show_count(FILE *out, const char *name, uint64_t value)
{
    fprintf(out, "%-14s %llu\n", name, (unsigned long long)value);
}

static void show_time(FILE *out, const char *name, uint64_t ns)
{
    fprintf(out, "%-14s %.6f s\n", name, (double)ns / 1e9);
}

static void show_limit(FILE *out, const char *name, uint64_t value, uint64_t none, uint64_t owner)
{
    if (value != none)
        fprintf(out, "%-14s %llu (of job %llu)\n", name, (unsigned long long)value,
                (unsigned long long)owner);
}

static void show_time_limit(FILE *out, const char *name, uint64_t ns, uint64_t owner)
{
    if (ns != JOB_UNLIMITED)
        fprintf(out, "%-14s %.6f s (of job %llu)\n", name, (double)ns / 1e9,
                (unsigned long long)owner);
}

static void show_cpu_limits(FILE *out, const struct job_limits *limits)
{
    const uint64_t *whose = (const uint64_t *)limits->binding_job;

    if (limits->quota_ns != JOB_UNLIMITED)
        fprintf(out, "%-14s %.1f ms of %.1f ms (of job %llu)\n", "bandwidth",
                (double)limits->quota_ns / 1e6, (double)limits->period_ns / 1e6,
                (unsigned long long)whose[10]);
    if (limits->weight != 100)
        show_count(out, "weight", limits->weight);
    show_limit(out, "class", limits->sched_class, 5, whose[12]);
    if (limits->nice_floor != -20)
        fprintf(out, "%-14s %d (of job %llu)\n", "nice at least", limits->nice_floor,
                (unsigned long long)whose[13]);
    if (limits->affinity != JOB_UNLIMITED)
        fprintf(out, "%-14s 0x%llx (of job %llu)\n", "CPUs", (unsigned long long)limits->affinity,
                (unsigned long long)whose[14]);
}

static void show_limits(FILE *out, int job)
{
    struct job_limits limits;
    const uint64_t *whose = (const uint64_t *)limits.binding_job;

    if (job_get(job, &limits, JOB_GET_EFFECTIVE) != 0)
        return;
    show_limit(out, "max procs", limits.max_procs, JOB_UNLIMITED_COUNT, whose[1]);
    show_limit(out, "max threads", limits.max_threads, JOB_UNLIMITED_COUNT, whose[2]);
    show_limit(out, "max jobs", limits.max_jobs, JOB_UNLIMITED_COUNT, whose[3]);
    show_time_limit(out, "max proc time", limits.proc_user_ns, whose[5]);
    show_time_limit(out, "max user time", limits.job_user_ns, whose[6]);
    show_time_limit(out, "max CPU time", limits.job_cpu_ns, whose[7]);
    show_limit(out, "max proc mem", limits.proc_mem_bytes, JOB_UNLIMITED, whose[8]);
    show_limit(out, "max memory", limits.job_mem_bytes, JOB_UNLIMITED, whose[9]);
    show_cpu_limits(out, &limits);
}

void show_stat(int job, bool to_error)
{
    FILE *out = to_error ? stderr : stdout;
    struct job_stat stat;

    if (job_stat(job, &stat, 0) != 0) {
        complain("cannot read the figures");
        return;
    }
    show_count(out, "job", stat.job_id);
    show_count(out, "parent", stat.parent_id);
    fprintf(out, "%-14s %s\n", "state", state_names[stat.state < 3 ? stat.state : 2]);
    show_count(out, "active", stat.active);
    show_count(out, "peak active", stat.peak_active);
    show_count(out, "entered", stat.entered);
    show_count(out, "exited", stat.exited);
    show_count(out, "child jobs", stat.child_jobs);
    show_count(out, "refused", stat.refused);
    show_count(out, "limit killed", stat.limit_killed);
    show_time(out, "user time", stat.total.user_ns);
    show_time(out, "system time", stat.total.kern_ns);
    show_time(out, "ready time", stat.total.queued_ns);
    show_time(out, "frozen time", stat.frozen_ns);
    show_count(out, "throttled", stat.nr_throttled);
    show_time(out, "throttled time", stat.throttled_ns);
    show_count(out, "page faults", stat.total.minflt);
    show_count(out, "reads", stat.total.rd_ops);
    show_count(out, "bytes read", stat.total.rd_bytes);
    show_count(out, "writes", stat.total.wr_ops);
    show_count(out, "bytes written", stat.total.wr_bytes);
    show_count(out, "controls", stat.total.ot_ops);
    show_count(out, "memory", stat.mem_bytes);
    show_count(out, "peak memory", stat.total.peak_mem_bytes);
    show_limits(out, job);
}

int command_stat(int count, char **words)
{
    int job;

    if (count != 2) {
        complain_about_use("stat: one job");
        return EXIT_OWN_FAILURE;
    }
    job = open_job(words[1], JOB_RIGHT_QUERY);
    if (job < 0)
        return EXIT_OWN_FAILURE;
    show_stat(job, false);
    close(job);
    return 0;
}

static void show_event(const struct job_event *event)
{
    static const char *const names[JOB_EVENT_TYPE_COUNT] = {
        "NEW",       "EXIT",     "ABNORMAL_EXIT", "EMPTY",     "DEAD",   "MOVED",  "LIMIT",
        "PROC_TIME", "JOB_TIME", "THRESHOLD",     "CHILD_JOB", "FROZEN", "THAWED", "GAP"};

    printf("%llu %.6f job %llu %s", (unsigned long long)event->seq, (double)event->time_ns / 1e9,
           (unsigned long long)event->job_id,
           event->type < JOB_EVENT_TYPE_COUNT ? names[event->type] : "?");
    if (event->pid)
        printf(" pid %d", event->pid);
    if (event->type == JOB_EVENT_EXIT)
        printf(" status %d", event->status >> 8);
    if (event->type == JOB_EVENT_ABNORMAL_EXIT)
        printf(" signal %d", event->status & 0x7f);
    if (event->type == JOB_EVENT_LIMIT)
        printf(" of job %llu", (unsigned long long)event->limit_job);
    if (event->type == JOB_EVENT_GAP)
        printf(" %u lost, up to %llu", event->count, (unsigned long long)event->limit_job);
    printf("\n");
    fflush(stdout);
}

/* Without --follow: until the job is empty. With it: until it is dead. */
static int show_events(int job, bool follow)
{
    struct job_stat start = {0};
    struct job_events_args args = {
        .flags = JOB_EVENTS_FROM_NOW, .slots = 4096, .snapshot = (uintptr_t)&start};
    int stream = job_events(job, &args);
    struct job_event event;
    uint64_t active;

    if (stream < 0) {
        complain("cannot watch the job");
        return EXIT_OWN_FAILURE;
    }
    active = start.active;
    while ((follow || active > 0) && read(stream, &event, sizeof(event)) == sizeof(event)) {
        show_event(&event);
        if (event.type == JOB_EVENT_EMPTY && event.job_id == start.job_id)
            active = 0;
    }
    close(stream);
    return 0;
}

int command_events(int count, char **words)
{
    bool follow = count > 1 && strcmp(words[1], "--follow") == 0;
    int job, result;

    if (count != 2 + follow) {
        complain_about_use("events: one job");
        return EXIT_OWN_FAILURE;
    }
    job = open_job(words[1 + follow], JOB_RIGHT_EVENTS);
    if (job < 0)
        return EXIT_OWN_FAILURE;
    result = show_events(job, follow);
    close(job);
    return result;
}
