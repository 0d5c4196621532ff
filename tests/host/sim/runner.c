/*
 * The command line of a simulator binary: which scenarios, how often, and what to say about them.
 */
#include <getopt.h>
#include <sanitizer/common_interface_defs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "internal.h"

#define EXPLORER_LIMIT    300000
#define ALLOCATION_LIMIT  2000
#define SEEDS_PER_FAILURE 4
#define RACE_SCALE        0.1

static struct {
    const char *program;
    const char *scenario;
    const char *schedule;
    long seed, runs, cpus, preemptions, fail_allocation;
    double scale;
    bool trace, list, random_only, explore_only, atomics;
} options = {.seed = -1, .runs = -1, .preemptions = -1, .scale = 1};

static const struct sim_scenario *present;
static struct sim_plan plan;

const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "quarantine_size_mb=16:malloc_context_size=8:detect_stack_use_after_return=0";
}

const char *__ubsan_default_options(void);
const char *__ubsan_default_options(void)
{
    return "print_stacktrace=1";
}

#define COUNTERS_MAX 8

static struct {
    const char *name;
    uint64_t value;
} counters[COUNTERS_MAX];

void sim_count(const char *name, uint64_t amount)
{
    for (size_t i = 0; i < COUNTERS_MAX; i++) {
        if (counters[i].name && strcmp(counters[i].name, name) != 0)
            continue;
        counters[i].name = name;
        counters[i].value += amount;
        return;
    }
}

static void print_counters(void)
{
    for (size_t i = 0; i < COUNTERS_MAX && counters[i].name; i++)
        printf(", %lu %s", (unsigned long)counters[i].value, counters[i].name);
    memset(counters, 0, sizeof(counters));
}

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec + now.tv_nsec * 1e-9;
}

static void print_replay(void)
{
    static char schedule[65536];

    printf("  replay: %s --scenario %s --cpus %u", options.program, present->name,
           plan.cpus ? plan.cpus : present->cpus);
    if (plan.mode == SIM_RANDOM) {
        printf(" --seed %lu", (unsigned long)plan.seed);
    } else {
        choice_print_schedule(schedule, sizeof(schedule));
        printf("%s --schedule %s", options.atomics ? " --atomics" : "", schedule);
    }
    if (plan.fail_allocation)
        printf(" --fail-allocation %lu", (unsigned long)plan.fail_allocation);
    printf("\n");
}

static void report_failure(const char *reason)
{
    printf("# %s: %s\n", present->name, reason);
    trace_print(options.trace ? SIZE_MAX : 120);
    printf("  %s: %s\n", present->name, reason);
    print_replay();
    fflush(stdout);
}

/* The sanitizers end the process: their report stands above. */
static void sanitizer_died(void)
{
    if (!present)
        return;
    report_failure("a sanitizer report (above)");
    printf("not ok %s\n", present->name);
    fflush(stdout);
}

static bool run_once(void)
{
    enum sim_result result = sim_run(present, &plan);

    if (result != SIM_PASSED)
        report_failure(sim_failure());
    else if (options.trace)
        trace_print(SIZE_MAX);
    sim_fiber_destroy_all();
    memory_end_run();
    return result == SIM_PASSED;
}

static bool run_seeds(uint64_t first, uint64_t count, uint64_t *done)
{
    for (plan.seed = first; plan.seed < first + count; plan.seed++, ++*done)
        if (!run_once())
            return false;
    return true;
}

/* Fails the first allocation, then the second, ... until a run has no more to fail. */
static bool run_allocation_failures(uint64_t *done)
{
    for (plan.fail_allocation = 1; plan.fail_allocation < ALLOCATION_LIMIT;
         plan.fail_allocation++) {
        bool refused = false;

        for (plan.seed = 0; plan.seed < SEEDS_PER_FAILURE; plan.seed++) {
            if (!run_once())
                return false;
            refused |= sim_allocation_refused();
        }
        if (!refused)
            break;
        ++*done;
    }
    plan.fail_allocation = 0;
    return true;
}

static bool explore(unsigned preemptions, uint64_t *done, bool *complete)
{
    plan.mode = SIM_EXPLORE;
    plan.preemptions = preemptions;
    plan.atomics = present->atomics || options.atomics;
    explorer_reset();
    do {
        if (!run_once())
            return false;
        if (++*done >= EXPLORER_LIMIT * options.scale) {
            *complete = false;
            return true;
        }
    } while (explorer_next(preemptions));
    *complete = true;
    return true;
}

static bool run_scenario(uint64_t *total)
{
    uint64_t seeds = 0, schedules = 0, failures = 0;
    uint64_t seed_count =
        options.runs >= 0 ? (uint64_t)options.runs : (uint64_t)(present->seeds * options.scale);
    unsigned preemptions =
        options.preemptions >= 0 ? (unsigned)options.preemptions : present->preemptions;
    bool complete = true, passed;
    double start = seconds();

    plan = (struct sim_plan){.mode = SIM_RANDOM, .cpus = options.cpus};
    passed =
        options.explore_only || run_seeds(options.seed >= 0 ? options.seed : 0, seed_count, &seeds);
    if (passed && !options.explore_only && present->fail_allocations)
        passed = run_allocation_failures(&failures);
    if (passed && !options.random_only && preemptions)
        passed = explore(preemptions, &schedules, &complete);
    printf("%s %-24s # %lu seeds", passed ? "ok" : "not ok", present->name, (unsigned long)seeds);
    if (schedules)
        printf(", %lu schedules to %u preemptions%s", (unsigned long)schedules, preemptions,
               complete ? " (all)" : " (stopped at the limit)");
    if (failures)
        printf(", %lu allocation failures", (unsigned long)failures);
    print_counters();
    printf(", %.1f s\n", seconds() - start);
    fflush(stdout);
    *total += seeds + schedules + failures * SEEDS_PER_FAILURE;
    return passed;
}

static bool replay(void)
{
    bool passed;

    plan = (struct sim_plan){.mode = options.schedule ? SIM_EXPLORE : SIM_RANDOM,
                             .cpus = options.cpus,
                             .atomics = present->atomics || options.atomics,
                             .seed = options.seed,
                             .fail_allocation = options.fail_allocation};
    explorer_reset();
    if (options.schedule && !choice_set_schedule(options.schedule)) {
        fprintf(stderr, "cannot read the schedule %s\n", options.schedule);
        exit(2);
    }
    passed = run_once();
    printf("%s %s\n", passed ? "ok" : "not ok", present->name);
    return passed;
}

static const char usage[] =
    "usage: %s [options]\n"
    "  without options: everything, as `make test-host` does\n"
    "  --list                  names of the scenarios\n"
    "  --scenario NAME         only this one\n"
    "  --cpus N                on N CPUs instead of the scenario's own number\n"
    "  --seed S                one random schedule; with --runs N: N of them from S on\n"
    "  --runs N                so many random schedules\n"
    "  --explore K             all schedules with up to K preemptions, and no random ones\n"
    "  --atomics               the explorer branches at atomic accesses too\n"
    "  --random                no explorer\n"
    "  --schedule LIST         replay one schedule of the explorer\n"
    "  --fail-allocation N     with --seed or --schedule: refuse the Nth allocation\n"
    "  --trace                 print the whole trace\n"
    "environment: KIN_SIM_SCALE=10 multiplies the counts of a default run\n";

static void parse(int count, char **words)
{
    static const struct option names[] = {
        {"list", 0, 0, 'l'},     {"scenario", 1, 0, 's'}, {"cpus", 1, 0, 'c'},
        {"seed", 1, 0, 'S'},     {"runs", 1, 0, 'r'},     {"explore", 1, 0, 'e'},
        {"schedule", 1, 0, 'x'}, {"trace", 0, 0, 't'},    {"fail-allocation", 1, 0, 'f'},
        {"random", 0, 0, 'R'},   {"atomics", 0, 0, 'a'},  {0, 0, 0, 0},
    };
    const char *scale = getenv("KIN_SIM_SCALE");
    int option;

    /* The detector of races needs no particular schedule: a few of each scenario will do. */
    options.scale = race_is_on() ? RACE_SCALE : 1;
    options.random_only = race_is_on();

    options.program = words[0];
    if (scale)
        options.scale *= atof(scale);
    while ((option = getopt_long(count, words, "", names, NULL)) != -1) {
        switch (option) {
        case 'l':
            options.list = true;
            break;
        case 's':
            options.scenario = optarg;
            break;
        case 'c':
            options.cpus = atol(optarg);
            break;
        case 'S':
            options.seed = atol(optarg);
            break;
        case 'r':
            options.runs = atol(optarg);
            break;
        case 'e':
            options.preemptions = atol(optarg);
            options.explore_only = true;
            break;
        case 'x':
            options.schedule = optarg;
            break;
        case 't':
            options.trace = true;
            break;
        case 'f':
            options.fail_allocation = atol(optarg);
            break;
        case 'R':
            options.random_only = true;
            break;
        case 'a':
            options.atomics = true;
            break;
        default:
            fprintf(stderr, usage, words[0]);
            exit(2);
        }
    }
}

int main(int count, char **words)
{
    uint64_t total = 0;
    unsigned passed = 0, failed = 0;
    double start = seconds();

    parse(count, words);
    snapshot_take();
    __sanitizer_set_death_callback(sanitizer_died);
    for (size_t i = 0; i < sim_scenario_count; i++) {
        present = &sim_scenarios[i];
        if (options.list)
            printf("%s\n", present->name);
        if (options.list || (options.scenario && strcmp(options.scenario, present->name) != 0))
            continue;
        if (options.schedule || (options.seed >= 0 && options.runs < 0))
            return replay() ? 0 : 1;
        if (run_scenario(&total))
            passed++;
        else
            failed++;
    }
    present = NULL;
    if (options.list)
        return 0;
    if (!passed && !failed) {
        fprintf(stderr, "no scenario of that name\n");
        return 2;
    }
    printf("%s: %u passed, %u failed, %lu schedules, %.1f s\n", options.program, passed, failed,
           (unsigned long)total, seconds() - start);
    return failed ? 1 : 0;
}
