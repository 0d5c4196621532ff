/* Short processes under a loop of job_stat: rule 24 at each sample, and the sum of all ends. */
#include "storm.h"

#define MAKERS 4

static int make_short_ones(void *argument)
{
    unsigned rounds = *(unsigned *)argument;

    for (unsigned i = 0; i < rounds; i++) {
        pid_t child = fork();

        if (child == 0)
            _exit(0);
        if (child < 0)
            return 1;
        reap(child);
    }
    return 0;
}

static bool has_fallen(const struct job_usage *before, const struct job_usage *now)
{
    return now->user_ns < before->user_ns || now->kern_ns < before->kern_ns ||
           now->queued_ns < before->queued_ns || now->minflt < before->minflt;
}

int main(int count, char **words)
{
    unsigned each = rounds_of(count, words, 2000) / MAKERS;
    int top = make_job(JOB_SELF, "", 0);
    int jobs[2] = {make_job(top, "", 0), make_job(top, "", 0)};
    unsigned unbalanced = 0, fallen = 0, over = 0;
    struct job_stat now, before = stat_of(top);
    int stream = open_stream(top, JOB_EVENT_BIT(JOB_EVENT_EXIT), 8192);
    struct job_usage sum = {0};

    set_count(top, JOB_LIMIT_PROCS, 2 * MAKERS);
    for (unsigned i = 0; i < MAKERS; i++)
        spawn(jobs[i % 2], make_short_ones, &each);
    do {
        now = stat_of(top);
        unbalanced += now.entered != now.active + now.exited;
        fallen += has_fallen(&before.total, &now.total);
        over += now.active > 2 * MAKERS;
        before = now;
    } while (now.active > 0);
    reap_all();
    is_int(unbalanced, 0, "entered = active + exited at each sample");
    is_int(fallen, 0, "totals never fall");
    is_int(over, 0, "never one more than max_procs");
    is_int((long long)now.entered, MAKERS + (long long)each * MAKERS, "everybody was counted");
    now = stat_of(top);
    for (uint64_t i = 0; i < now.exited; i++) {
        struct job_event event = next_event(stream);

        sum.user_ns += event.use.user_ns;
        sum.kern_ns += event.use.kern_ns;
        sum.minflt += event.use.minflt;
    }
    is_int((long long)sum.user_ns, (long long)now.total.user_ns,
           "user time is the sum of all EXIT");
    is_int((long long)sum.kern_ns, (long long)now.total.kern_ns, "so is system time");
    is_int((long long)sum.minflt, (long long)now.total.minflt, "so are faults");
    is_int((long long)(stat_of(jobs[0]).entered + stat_of(jobs[1]).entered), (long long)now.entered,
           "the parent's count is its children's");
    check_kernel("the storm");
    close(stream);
    close(jobs[0]);
    close(jobs[1]);
    close(top);
    return tap_done();
}
