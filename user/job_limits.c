/* job set, and the limits among the options of job run. */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "job_tool.h"

static const struct limit_option {
    const char *name;
    uint64_t bit;
    size_t offset;
    enum value_kind { COUNT, BYTES, TIME, SIGNED } kind;
} options[] = {
    {"--procs=", JOB_LIMIT_PROCS, offsetof(struct job_limits, max_procs), COUNT},
    {"--threads=", JOB_LIMIT_THREADS, offsetof(struct job_limits, max_threads), COUNT},
    {"--jobs=", JOB_LIMIT_JOBS, offsetof(struct job_limits, max_jobs), COUNT},
    {"--depth=", JOB_LIMIT_DEPTH, offsetof(struct job_limits, max_depth), COUNT},
    {"--memory=", JOB_LIMIT_JOB_MEM, offsetof(struct job_limits, job_mem_bytes), BYTES},
    {"--proc-memory=", JOB_LIMIT_PROC_MEM, offsetof(struct job_limits, proc_mem_bytes), BYTES},
    {"--user-time=", JOB_LIMIT_JOB_USER, offsetof(struct job_limits, job_user_ns), TIME},
    {"--cpu-time=", JOB_LIMIT_JOB_CPU, offsetof(struct job_limits, job_cpu_ns), TIME},
    {"--proc-time=", JOB_LIMIT_PROC_USER, offsetof(struct job_limits, proc_user_ns), TIME},
    {"--weight=", JOB_LIMIT_WEIGHT, offsetof(struct job_limits, weight), COUNT},
    {"--class=", JOB_LIMIT_CLASS, offsetof(struct job_limits, sched_class), COUNT},
    {"--nice=", JOB_LIMIT_NICE_FLOOR, offsetof(struct job_limits, nice_floor), SIGNED},
};

/* A time that is used up without consequences is of little use: what is meant unless it is said. */
static const struct action_option {
    const char *name;
    enum job_action_index index;
    uint64_t limit;
    enum job_action usual;
} action_options[] = {
    {"--at-procs=", JOB_ON_PROCS, JOB_LIMIT_PROCS, JOB_ACTION_FAIL},
    {"--at-threads=", JOB_ON_THREADS, JOB_LIMIT_THREADS, JOB_ACTION_FAIL},
    {"--at-memory=", JOB_ON_JOB_MEM, JOB_LIMIT_JOB_MEM, JOB_ACTION_FAIL},
    {"--at-proc-memory=", JOB_ON_PROC_MEM, JOB_LIMIT_PROC_MEM, JOB_ACTION_FAIL},
    {"--at-user-time=", JOB_ON_JOB_USER, JOB_LIMIT_JOB_USER, JOB_ACTION_KILL_JOB},
    {"--at-cpu-time=", JOB_ON_JOB_CPU, JOB_LIMIT_JOB_CPU, JOB_ACTION_KILL_JOB},
    {"--at-proc-time=", JOB_ON_PROC_USER, JOB_LIMIT_PROC_USER, JOB_ACTION_KILL_PROC},
};

#define ACTION_OPTION_COUNT (sizeof(action_options) / sizeof(action_options[0]))

static const char *const action_names[JOB_ACTION_COUNT] = {"fail",   "kill-proc", "kill-job",
                                                           "notify", "freeze",    "sigxcpu"};

/* "64M" */
static bool parse_bytes(const char *text, uint64_t *value)
{
    static const char units[] = "KMGT";
    const char *unit;
    char *end;

    errno = 0;
    *value = strtoull(text, &end, 0);
    if (errno || end == text || text[0] == '-')
        return false;
    unit = *end ? strchr(units, *end) : NULL;
    if (unit) {
        unsigned shift = 10 * (unsigned)(unit - units + 1);

        if (*value > UINT64_MAX >> shift)
            return false;
        *value <<= shift;
        end++;
    }
    return *end == '\0';
}

bool parse_time(const char *text, const char **end, uint64_t *ns)
{
    static const struct {
        const char *name;
        double ns;
    } units[] = {{"ms", 1e6}, {"us", 1e3}, {"ns", 1}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}};
    double unit = 1e9, value;
    char *after;

    value = strtod(text, &after);
    if (after == text || !(value >= 0))
        return false;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (strncmp(after, units[i].name, strlen(units[i].name)) == 0) {
            unit = units[i].ns;
            after += strlen(units[i].name);
            break;
        }
    if (value * unit >= 1e19)
        return false;
    *ns = (uint64_t)(value * unit + 0.5);
    *end = after;
    return true;
}

static bool parse_value(const char *text, enum value_kind kind, uint64_t *value)
{
    const char *after = text;
    char *end;

    if (kind != SIGNED && strcmp(text, "none") == 0) {
        *value = JOB_UNLIMITED;
        return true;
    }
    if (kind == BYTES)
        return parse_bytes(text, value);
    if (kind == TIME)
        return parse_time(text, &after, value) && *after == '\0';
    errno = 0;
    *value = kind == SIGNED ? (uint64_t)strtol(text, &end, 0) : strtoull(text, &end, 0);
    return !errno && end != text && *end == '\0' &&
           (kind == SIGNED || (text[0] != '-' && *value <= JOB_UNLIMITED_COUNT));
}

static int take_limit(const struct limit_option *option, const char *text,
                      struct job_limits *limits)
{
    char *field = (char *)limits + option->offset;
    uint64_t value;

    if (!parse_value(text, option->kind, &value)) {
        complain_about_use("%s%s: not a %s", option->name, text,
                           option->kind == TIME ? "time" : "number");
        return -1;
    }
    limits->mask |= option->bit;
    if (option->kind == BYTES || option->kind == TIME)
        *(uint64_t *)(void *)field = value;
    else
        *(uint32_t *)(void *)field = (uint32_t)value;
    return 1;
}

/* "25%" of one CPU, "none", or "QUOTA/PERIOD" as times. */
static int take_bandwidth(const char *text, struct job_limits *limits)
{
    const char *after = text;
    char *end;
    double percent = strtod(text, &end);
    bool understood;

    limits->mask |= JOB_LIMIT_BANDWIDTH;
    limits->period_ns = 100000000;
    limits->burst_ns = 0;
    if (strcmp(text, "none") == 0) {
        limits->quota_ns = JOB_UNLIMITED;
        understood = true;
    } else if (end != text && strcmp(end, "%") == 0) {
        limits->quota_ns = (uint64_t)(percent * 1e6);
        understood = percent > 0 && percent <= 6400;
    } else {
        uint64_t *quota = (uint64_t *)&limits->quota_ns, *period = (uint64_t *)&limits->period_ns;

        understood = parse_time(text, &after, quota) && *after == '/' &&
                     parse_time(after + 1, &after, period) && *after == '\0';
    }
    if (!understood)
        complain_about_use("--bandwidth=%s: neither a percentage nor a quota/period", text);
    return understood ? 1 : -1;
}

/* "0-3,6" */
static int take_cpus(const char *text, struct job_limits *limits)
{
    const char *at = text;

    limits->mask |= JOB_LIMIT_AFFINITY;
    limits->affinity = 0;
    do {
        char *end;
        unsigned long first = strtoul(at, &end, 10), last = first;

        if (end == at)
            break;
        if (*end == '-')
            last = strtoul(end + 1, &end, 10);
        if (first > last || last > 63)
            break;
        for (unsigned long cpu = first; cpu <= last; cpu++)
            limits->affinity |= 1ull << cpu;
        if (*end == '\0')
            return 1;
        at = end + 1;
        if (*end != ',')
            break;
    } while (*at);
    complain_about_use("--cpus=%s: not a list of CPUs", text);
    return -1;
}

/* Which actions the user has named. */
static bool is_named[JOB_ON_COUNT];

static int take_action(const struct action_option *option, const char *text,
                       struct job_limits *limits)
{
    for (uint8_t action = 0; action < JOB_ACTION_COUNT; action++)
        if (strcmp(text, action_names[action]) == 0) {
            limits->mask |= JOB_LIMIT_ACTIONS;
            limits->action[option->index] = action;
            is_named[option->index] = true;
            return 1;
        }
    complain_about_use("%s%s: no such action", option->name, text);
    return -1;
}

void complete_limits(struct job_limits *limits)
{
    for (size_t i = 0; i < ACTION_OPTION_COUNT; i++) {
        const struct action_option *option = &action_options[i];

        if (!(limits->mask & option->limit) || is_named[option->index] ||
            option->usual == JOB_ACTION_FAIL || limits->action[option->index] != JOB_ACTION_FAIL)
            continue;
        limits->mask |= JOB_LIMIT_ACTIONS;
        limits->action[option->index] = option->usual;
    }
}

int parse_limit(const char *word, struct job_limits *limits)
{
    if (strncmp(word, "--bandwidth=", 12) == 0)
        return take_bandwidth(word + 12, limits);
    if (strncmp(word, "--cpus=", 7) == 0)
        return take_cpus(word + 7, limits);
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
        if (strncmp(word, options[i].name, strlen(options[i].name)) == 0)
            return take_limit(&options[i], word + strlen(options[i].name), limits);
    for (size_t i = 0; i < ACTION_OPTION_COUNT; i++)
        if (strncmp(word, action_options[i].name, strlen(action_options[i].name)) == 0)
            return take_action(&action_options[i], word + strlen(action_options[i].name), limits);
    return 0;
}

int command_set(int count, char **words)
{
    struct job_limits limits = {0}, present;
    int job, result = 0;

    if (count < 3) {
        complain_about_use("set: at least one limit, and a job");
        return EXIT_OWN_FAILURE;
    }
    job = open_job(words[count - 1], JOB_RIGHT_SET | JOB_RIGHT_QUERY);
    /* Actions that are not named stay as they are. */
    if (job < 0 || job_get(job, &present, 0) != 0)
        return EXIT_OWN_FAILURE;
    memcpy(limits.action, present.action, sizeof(limits.action));
    for (int i = 1; i < count - 1; i++) {
        int taken = parse_limit(words[i], &limits);

        if (taken == 0)
            complain_about_use("set: no limit '%s'", words[i]);
        if (taken <= 0)
            return EXIT_OWN_FAILURE;
    }
    complete_limits(&limits);
    if (job_set(job, &limits, 0) != 0) {
        complain("%s", words[count - 1]);
        result = EXIT_OWN_FAILURE;
    }
    close(job);
    return result;
}
