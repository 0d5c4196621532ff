/*
 * max_procs of two jobs under a storm of forks: never one member too many, in a million samples of
 * the counts, and in the lists of members, which are counted apart from them.
 */
#include <sys/prctl.h>

#include "storm.h"

#define READERS    2
#define LIST_EVERY 64

struct findings {
    uint64_t over, unbalanced, listed_over, full;
};

struct reader {
    int job;
    uint32_t limit;
    uint64_t samples;
    struct findings *findings; /* shared */
};

static int read_counts(const struct reader *reader)
{
    struct findings *findings = reader->findings;

    for (uint64_t i = 0; i < reader->samples; i++) {
        struct job_stat stat = stat_of(reader->job);

        findings->over += stat.active > reader->limit;
        findings->unbalanced += stat.entered != stat.active + stat.exited;
        findings->full += stat.active == reader->limit;
        if (i % LIST_EVERY == 0)
            findings->listed_over += job_list(reader->job, NULL, 0, 0) > reader->limit;
    }
    return 0;
}

/* Without starving the readers. */
static int nice_storm(void *argument)
{
    return nice(10) < 0 ? 1 : fork_storm(argument);
}

static void check(const struct reader *reader, const char *which)
{
    const struct findings *findings = reader->findings;

    is_int((long long)findings->over, 0, "%s: never one more than the limit", which);
    is_int((long long)findings->listed_over, 0, "%s: nor in the list", which);
    is_int((long long)findings->unbalanced, 0, "%s: entered = active + exited", which);
    ok(findings->full > 0, "%s: the limit was seen reached", which);
    is_int(stat_of(reader->job).peak_active, reader->limit, "%s: and is the peak", which);
}

int main(int count, char **words)
{
    unsigned samples = rounds_of(count, words, 1000000);
    struct findings *findings = share_memory(READERS * sizeof(*findings));
    int top = make_job(JOB_SELF, "", JOB_AUTOREAP);
    int below = make_job(top, "", 0);
    struct reader readers[READERS] = {{top, 24, samples / READERS, &findings[0]},
                                      {below, 10, samples / READERS, &findings[1]}};
    pid_t children[READERS];

    prctl(PR_SET_CHILD_SUBREAPER, 1);
    for (unsigned i = 0; i < READERS; i++)
        set_count(readers[i].job, JOB_LIMIT_PROCS, readers[i].limit);
    /* The one below fills itself first; then the two are each other's rivals for the room above. */
    spawn(below, nice_storm, NULL);
    wait_for_active(below, readers[1].limit);
    spawn(top, nice_storm, NULL);
    for (unsigned i = 0; i < READERS; i++)
        if ((children[i] = fork()) == 0)
            _exit(read_counts(&readers[i]));
    for (unsigned i = 0; i < READERS; i++)
        reap(children[i]);
    job_kill(top, &forever, NULL, 0);
    reap_all();
    check(&readers[0], "the job above");
    check(&readers[1], "the job below");
    check_kernel("the storm");
    close(below);
    close(top);
    return tap_done();
}
