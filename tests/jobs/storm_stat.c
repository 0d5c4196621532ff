/*
 * Short processes under a loop of job_stat. At each sample: entered = active + exited, totals have
 * not fallen, and they are told apart exactly, because a snapshot's ev_seq says which EXIT records
 * belong to it: as many as it counts exited, and no more time than it shows. At the end the sum of
 * all EXIT is the total.
 */
#include "storm.h"

#define MAKERS 4

struct sampler {
    int job, stream;
    struct job_stat before;
    struct job_event next; /* read, but after the sample */
    bool have_next;
    uint64_t samples, exits;
    struct job_usage sum; /* of these exits */
    unsigned unbalanced, fallen, miscounted, missing;
};

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

static void add(struct job_usage *sum, const struct job_usage *part)
{
    sum->user_ns += part->user_ns;
    sum->kern_ns += part->kern_ns;
    sum->queued_ns += part->queued_ns;
    sum->minflt += part->minflt;
    sum->majflt += part->majflt;
}

/* Is any total of `now` below that of `before`? */
static bool is_less(const struct job_usage *now, const struct job_usage *before)
{
    return now->user_ns < before->user_ns || now->kern_ns < before->kern_ns ||
           now->queued_ns < before->queued_ns || now->minflt < before->minflt ||
           now->majflt < before->majflt;
}

/* Adds up the EXIT records up to `seq`; they are there already when a snapshot has that ev_seq. */
static void take_exits_up_to(struct sampler *sampler, uint64_t seq)
{
    for (;;) {
        if (!sampler->have_next) {
            sampler->next = next_event(sampler->stream);
            if (sampler->next.type == (uint16_t)-1)
                return;
        }
        sampler->have_next = sampler->next.seq > seq;
        if (sampler->have_next)
            return;
        sampler->exits += sampler->next.type == JOB_EVENT_EXIT;
        add(&sampler->sum, &sampler->next.use);
    }
}

/* False when nobody is left. */
static bool sample(struct sampler *sampler)
{
    struct job_stat now = stat_of(sampler->job);

    take_exits_up_to(sampler, now.ev_seq);
    sampler->samples++;
    sampler->unbalanced += now.entered != now.active + now.exited;
    sampler->fallen += is_less(&now.total, &sampler->before.total);
    sampler->miscounted += now.exited != sampler->exits;
    sampler->missing += is_less(&now.total, &sampler->sum);
    sampler->before = now;
    return now.active > 0;
}

static void check_sum(const struct job_usage *sum, const struct job_usage *total)
{
    is_int((long long)sum->user_ns, (long long)total->user_ns,
           "the sum of all EXIT is the total: time in user mode");
    is_int((long long)sum->kern_ns, (long long)total->kern_ns, "time in the kernel");
    is_int((long long)sum->queued_ns, (long long)total->queued_ns, "time spent ready");
    is_int((long long)sum->minflt, (long long)total->minflt, "minor faults");
    is_int((long long)sum->majflt, (long long)total->majflt, "major faults");
}

int main(int count, char **words)
{
    unsigned each = rounds_of(count, words, 10000) / MAKERS;
    int top = make_job(JOB_SELF, "", 0);
    int jobs[2] = {make_job(top, "", 0), make_job(top, "", 0)};
    struct sampler sampler = {.job = top,
                              .stream = open_stream(top, JOB_EVENT_BIT(JOB_EVENT_EXIT), 8192)};

    fcntl(sampler.stream, F_SETFL, O_NONBLOCK);
    for (unsigned i = 0; i < MAKERS; i++)
        spawn(jobs[i % 2], make_short_ones, &each);
    while (sample(&sampler))
        continue;
    is_int(sampler.unbalanced, 0, "entered = active + exited at each sample");
    is_int(sampler.fallen, 0, "totals never fall");
    is_int(sampler.miscounted, 0, "a sample counts those exited whose EXIT comes with it");
    is_int(sampler.missing, 0, "and shows all that they used");
    ok(sampler.samples >= 100, "there were samples");
    reap_all();
    sample(&sampler);
    is_int((long long)sampler.exits, MAKERS + (long long)each * MAKERS, "everybody was counted");
    check_sum(&sampler.sum, &sampler.before.total);
    is_int((long long)(stat_of(jobs[0]).entered + stat_of(jobs[1]).entered),
           (long long)sampler.before.entered, "the parent's count is its children's");
    check_kernel("the storm");
    close(sampler.stream);
    close(jobs[0]);
    close(jobs[1]);
    close(top);
    return tap_done();
}
