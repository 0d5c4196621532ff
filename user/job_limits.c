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
    bool is_bytes;
} options[] = {
    {"--procs=", JOB_LIMIT_PROCS, offsetof(struct job_limits, max_procs), false},
    {"--threads=", JOB_LIMIT_THREADS, offsetof(struct job_limits, max_threads), false},
    {"--jobs=", JOB_LIMIT_JOBS, offsetof(struct job_limits, max_jobs), false},
    {"--depth=", JOB_LIMIT_DEPTH, offsetof(struct job_limits, max_depth), false},
    {"--memory=", JOB_LIMIT_JOB_MEM, offsetof(struct job_limits, job_mem_bytes), true},
    {"--proc-memory=", JOB_LIMIT_PROC_MEM, offsetof(struct job_limits, proc_mem_bytes), true},
};

static const struct action_option {
    const char *name;
    enum job_action_index index;
} action_options[] = {
    {"--at-procs=", JOB_ON_PROCS},
    {"--at-threads=", JOB_ON_THREADS},
    {"--at-memory=", JOB_ON_JOB_MEM},
    {"--at-proc-memory=", JOB_ON_PROC_MEM},
};

static const char *const action_names[JOB_ACTION_COUNT] = {"fail",   "kill-proc", "kill-job",
                                                           "notify", "freeze",    "sigxcpu"};

static bool parse_number(const char *text, bool is_bytes, uint64_t *value)
{
    static const char units[] = "KMGT";
    const char *unit;
    char *end;

    if (strcmp(text, "none") == 0) {
        *value = JOB_UNLIMITED;
        return true;
    }
    errno = 0;
    *value = strtoull(text, &end, 0);
    if (errno || end == text || text[0] == '-')
        return false;
    unit = *end ? strchr(units, *end) : NULL;
    if (is_bytes && unit) {
        *value <<= 10 * (unit - units + 1);
        end++;
    }
    return *end == '\0' && (is_bytes || *value <= JOB_UNLIMITED_COUNT);
}

static int take_limit(const struct limit_option *option, const char *text,
                      struct job_limits *limits)
{
    char *field = (char *)limits + option->offset;
    uint64_t value;

    if (!parse_number(text, option->is_bytes, &value)) {
        complain_about_use("%s%s: not a number", option->name, text);
        return -1;
    }
    limits->mask |= option->bit;
    if (option->is_bytes)
        *(uint64_t *)(void *)field = value;
    else
        *(uint32_t *)(void *)field = (uint32_t)value;
    return 1;
}

static int take_action(const struct action_option *option, const char *text,
                       struct job_limits *limits)
{
    for (uint8_t action = 0; action < JOB_ACTION_COUNT; action++)
        if (strcmp(text, action_names[action]) == 0) {
            limits->mask |= JOB_LIMIT_ACTIONS;
            limits->action[option->index] = action;
            return 1;
        }
    complain_about_use("%s%s: no such action", option->name, text);
    return -1;
}

int parse_limit(const char *word, struct job_limits *limits)
{
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
        if (strncmp(word, options[i].name, strlen(options[i].name)) == 0)
            return take_limit(&options[i], word + strlen(options[i].name), limits);
    for (size_t i = 0; i < sizeof(action_options) / sizeof(action_options[0]); i++)
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
    if (job_set(job, &limits, 0) != 0) {
        complain("%s", words[count - 1]);
        result = EXIT_OWN_FAILURE;
    }
    close(job);
    return result;
}
