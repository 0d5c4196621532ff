/* docs/jobs.md, rules 43 to 46: events. */
#include "jobs.h"

static int leave(void *argument)
{
    return *(int *)argument;
}

static void run_one(int job, int status)
{
    reap(spawn(job, leave, &status));
}

static void rule_43_sequence(void)
{
    int top = make_job(JOB_SELF, "", 0);
    int job = make_job(top, "", 0);
    int stream = open_stream(top, 0, 0);
    static const uint16_t types[] = {JOB_EVENT_NEW, JOB_EVENT_EXIT, JOB_EVENT_EMPTY,
                                     JOB_EVENT_EMPTY};
    bool right = true, in_order = true;
    uint64_t first = stat_of(top).ev_seq;
    pid_t child;

    run_one(job, 3);
    for (unsigned i = 0; i < 4; i++) {
        struct job_event event = next_event(stream);

        right &= event.type == types[i];
        in_order &= event.seq == first + 1 + i;
    }
    ok(right, "rule 43: a process's life in events: NEW, EXIT, EMPTY of both jobs");
    ok(in_order, "rule 43: numbered without a hole");
    child = spawn_idle(job, NULL);
    kill_and_reap(child);
    next_event(stream);
    is_int(next_event(stream).type, JOB_EVENT_ABNORMAL_EXIT, "rule 43: death by a signal");
    close(stream);
    close(job);
    close(top);
}

static void rule_43_gap(void)
{
    int job = make_job(JOB_SELF, "", 0);
    int stream = open_stream(job, JOB_EVENT_BIT(JOB_EVENT_EXIT), 4);
    uint64_t first = stat_of(job).ev_seq;
    struct job_event gap, event;

    for (int i = 0; i < 10; i++)
        run_one(job, i);
    gap = next_event(stream);
    is_int(gap.type, JOB_EVENT_GAP, "rule 43: a full stream: a GAP record comes first");
    is_int(gap.count, 6, "rule 43: it says how many were lost");
    /* Three events a process: NEW, EXIT, EMPTY. */
    is_int((long long)gap.seq, (long long)first + 2, "rule 43: the first of them");
    is_int((long long)gap.limit_job, (long long)first + 2 + 5 * 3, "rule 43: and the last");
    event = next_event(stream);
    is_int(WEXITSTATUS(event.status), 6, "rule 43: the oldest were dropped, the newest are there");
    is_int((long long)event.seq, (long long)first + 2 + 6 * 3, "rule 43: with their own numbers");
    is_int((long long)stat_of(job).exited, 10, "rule 43: the counters are exact");
    is_int((long long)stat_of(job).refused_events, 6, "rule 43: and count what was lost");
    close(stream);
    close(job);
}

static int churn(void *argument)
{
    for (;;) {
        pid_t child = fork();

        if (child == 0)
            _exit(0);
        if (child > 0)
            reap(child);
    }
    return 0;
}

static void rule_44_snapshot(void)
{
    int job = make_job(JOB_SELF, "", 0);
    pid_t child = spawn(job, churn, NULL);
    unsigned wrong = 0;

    for (unsigned round = 0; round < 100; round++) {
        struct job_stat start, now;
        struct job_events_args args = {
            .flags = JOB_EVENTS_FROM_NOW, .snapshot = (uintptr_t)&start, .slots = 4096};
        int stream = job_events(job, &args);
        uint64_t entered, exited, seq;

        entered = start.entered;
        exited = start.exited;
        seq = start.ev_seq;
        now = stat_of(job);
        while (seq < now.ev_seq) {
            struct job_event event = next_event(stream);

            wrong += event.seq != ++seq;
            entered += event.type == JOB_EVENT_NEW;
            exited += event.type == JOB_EVENT_EXIT;
        }
        wrong += entered != now.entered || exited != now.exited;
        close(stream);
    }
    is_int(wrong, 0,
           "rule 44: snapshot plus events is the later snapshot, nothing missed or twice");
    job_kill(job, &forever, NULL, 0);
    reap(child);
    close(job);
}

static void rule_45_chain(void)
{
    int top = make_job(JOB_SELF, "", 0);
    int middle = make_job(top, "", 0);
    int job = make_job(middle, "", 0);
    int sibling = make_job(top, "", 0);
    const uint64_t mask = JOB_EVENT_BIT(JOB_EVENT_EXIT);
    int streams[4] = {open_stream(job, mask, 0), open_stream(middle, mask, 0),
                      open_stream(top, mask, 0), open_stream(sibling, mask, 0)};
    struct job_event event;
    bool all = true;

    run_one(job, 0);
    for (unsigned i = 0; i < 3; i++) {
        event = next_event(streams[i]);
        all &= event.type == JOB_EVENT_EXIT && event.job_id == id_of(job);
    }
    ok(all, "rule 45: an event reaches the streams of every job above, and names its origin");
    fcntl(streams[3], F_SETFL, O_NONBLOCK);
    is_error(read(streams[3], &event, sizeof(event)), EAGAIN, "rule 45: and no other");
    for (unsigned i = 0; i < 4; i++)
        close(streams[i]);
    close(sibling);
    close(job);
    close(middle);
    close(top);
}

static void rule_46_reading(void)
{
    int job = make_job(JOB_SELF, "", 0);
    int stream = open_stream(job, 0, 0);
    struct job_event events[8];

    is_error(read(stream, events, sizeof(events[0]) - 1), EINVAL, "rule 46: shorter than a record");
    fcntl(stream, F_SETFL, O_NONBLOCK);
    is_error(read(stream, events, sizeof(events)), EAGAIN, "rule 46: empty and O_NONBLOCK");
    is_int(poll_now(stream, POLLIN), 0, "rule 46: nothing to poll");
    run_one(job, 0);
    is_int(poll_now(stream, POLLIN), POLLIN, "rule 46: then there is");
    is_int(read(stream, events, sizeof(events)), 3 * sizeof(events[0]), "rule 46: whole records");
    job_kill(job, NULL, NULL, 0);
    is_int(poll_now(stream, POLLIN), POLLIN, "rule 46: the end of the job is an event");
    is_int(next_event(stream).type, JOB_EVENT_DEAD, "rule 46: DEAD");
    is_int(poll_now(stream, POLLIN) & POLLHUP, POLLHUP, "rule 46: then POLLHUP");
    is_int(read(stream, events, sizeof(events)), 0, "rule 46: dead and drained reads 0");
    close(stream);
    close(job);
}

static void other_events(void)
{
    int job = make_job(JOB_SELF, "", 0);
    int stream = open_stream(job, 0, 0);
    int below = make_job(job, "", 0);
    struct job_event event = next_event(stream);
    pid_t child;
    int pidfd;

    ok(event.type == JOB_EVENT_CHILD_JOB && event.job_id == id_of(below),
       "CHILD_JOB names the child");
    child = spawn_idle(job, &pidfd);
    next_event(stream);
    job_adopt(below, pidfd, 0);
    event = next_event(stream);
    ok(event.type == JOB_EVENT_MOVED && event.pid == child && event.job_id == id_of(below),
       "MOVED names the process and its new job");
    close(job_freeze(below, 0));
    is_int(next_event(stream).type, JOB_EVENT_FROZEN, "FROZEN");
    is_int(next_event(stream).type, JOB_EVENT_THAWED, "THAWED");
    kill_and_reap(child);
    close(pidfd);
    close(below);
    close(stream);
    close(job);
}

int main(void)
{
    rule_43_sequence();
    rule_43_gap();
    rule_44_snapshot();
    rule_45_chain();
    rule_46_reading();
    other_events();
    check_kernel("rules 43 to 46");
    return tap_done();
}
