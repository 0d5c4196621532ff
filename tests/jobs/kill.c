/* docs/jobs.md, rules 15 to 20: killing a job. */
#include "jobs.h"

static int fork_bomb(void *argument)
{
    for (;;)
        fork();
    return 0;
}

static void wait_for_members(int job, uint32_t count)
{
    int stream = open_stream(job, JOB_EVENT_BIT(JOB_EVENT_NEW), 0);

    while (stat_of(job).active < count && next_event(stream).type != (uint16_t)-1)
        continue;
    close(stream);
}

static void rule_15_the_door_is_closed(void)
{
    int top = make_job(JOB_SELF, "", 0);
    int job = make_job(top, "", 0);
    pid_t bomb;
    uint64_t entered;
    int stream;

    set_count(job, JOB_LIMIT_PROCS, 50);
    bomb = spawn(job, fork_bomb, NULL);
    wait_for_members(job, 20);
    job_kill(top, NULL, NULL, 0);
    entered = stat_of(job).entered;
    is_error(job_fork(job, NULL, 0), ENODEV, "rule 15: nobody enters after job_kill has returned");
    stream = open_stream(top, 0, 0);
    while (stat_of(top).state != JOB_DEAD)
        next_event(stream);
    is_int((long long)stat_of(job).entered, (long long)entered,
           "rule 15: not one was linked after it");
    is_int((long long)stat_of(job).exited, (long long)entered, "rule 15: every member has died");
    is_int(reap(bomb), SIGKILL, "rule 15: of SIGKILL");
    close(stream);
    close(job);
    close(top);
}

/* Is SIGKILL among what waits for the process? From /proc/PID/status. */
static bool has_kill_pending(pid_t process)
{
    char path[64], line[256];
    bool found = false;
    FILE *status;

    snprintf(path, sizeof(path), "/proc/%d/status", process);
    status = fopen(path, "r");
    while (status && fgets(line, sizeof(line), status))
        if (strncmp(line, "SigPnd:", 7) == 0 || strncmp(line, "ShdPnd:", 7) == 0)
            found |= (strtoull(line + 7, NULL, 16) & (1u << (SIGKILL - 1))) != 0;
    if (status)
        fclose(status);
    return found;
}

static void rule_15_every_member_is_hit(void)
{
    int top = make_job(JOB_SELF, "", 0);
    int jobs[2] = {top, make_job(top, "", 0)};
    unsigned before = 0, after = 0;
    pid_t children[10];

    hold_children();
    for (unsigned i = 0; i < 10; i++) {
        children[i] = spawn_idle(jobs[i % 2], NULL);
        before += has_kill_pending(children[i]);
    }
    job_kill(top, NULL, NULL, 0);
    for (unsigned i = 0; i < 10; i++)
        after += has_kill_pending(children[i]);
    release_children();
    is_int(before, 0, "rule 15: members without SIGKILL");
    is_int(after, 10, "rule 15: all have it pending when job_kill returns");
    for (unsigned i = 0; i < 10; i++)
        reap(children[i]);
    close(jobs[1]);
    close(top);
}

static void rule_15_keep(void)
{
    int job = make_job(JOB_SELF, "", 0);
    pid_t child = spawn_idle(job, NULL);
    struct job_cert cert;

    is_int(job_kill(job, &forever, &cert, JOB_KILL_KEEP), 0, "rule 15: KEEP kills as well");
    is_int(reap(child), SIGKILL, "rule 15: the members that there are");
    is_int(stat_of(job).state, JOB_OPEN, "rule 15: but the job stays open");
    child = spawn_idle(job, NULL);
    is_int(stat_of(job).active, 1, "rule 15: for new ones");
    kill_and_reap(child);
    close(job);
}

static void rule_16_certificate(void)
{
    int job = make_job(JOB_SELF, "", 0);
    int below = make_job(job, "", 0);
    struct job_cert cert;
    pid_t children[10];

    for (unsigned i = 0; i < 10; i++)
        children[i] = spawn_idle(i % 2 ? job : below, NULL);
    is_int(job_kill(job, &forever, &cert, 0), 0, "rule 16: kill and wait");
    is_int((long long)cert.entered, 10, "rule 16: the certificate: all who entered");
    is_int((long long)cert.exited, 10, "rule 16: have exited");
    is_int((long long)cert.live, 0, "rule 16: nobody lives");
    is_int((long long)cert.kill_gen, 1, "rule 16: it was the first kill");
    ok(cert.asked_ns > 0 && cert.empty_ns >= cert.asked_ns, "rule 16: empty after it was asked");
    is_int((long long)cert.job_id, (long long)id_of(job), "rule 16: of this job");
    is_int(job_list(job, NULL, 0, 0), 0, "rule 16: the list is empty");
    for (unsigned i = 0; i < 10; i++)
        reap(children[i]);
    close(below);
    close(job);
}

static void spin(void)
{
    for (;;)
        continue;
}

/* The members share a CPU with somebody who does not let them run, not even to die; the killer
 * comes before that one. */
static void rule_16_expiry(void)
{
    const struct timespec none = {0}, soon = {.tv_nsec = 20000000};
    int job = make_job(JOB_SELF, "", 0);
    struct job_cert cert;
    pid_t children[10];
    pid_t spinner;

    hold_children();
    spinner = fork();
    if (spinner == 0)
        spin();
    set_policy(spinner, SCHED_FIFO, 1);
    for (unsigned i = 0; i < 10; i++)
        children[i] = spawn_idle(job, NULL);
    is_error(job_kill(job, &none, &cert, 0), ETIMEDOUT, "rule 16: with no time to wait");
    is_error(job_kill(job, &soon, &cert, 0), ETIMEDOUT, "rule 16: with too little");
    ok(cert.entered == 10 && cert.exited == 0 && cert.live == 10,
       "rule 16: the certificate tells who is left");
    kill(spinner, SIGKILL);
    is_int(job_kill(job, &forever, &cert, 0), 0, "rule 16: the kill stands");
    ok(cert.exited == 10 && cert.live == 0, "rule 16: and all are gone");
    release_children();
    reap(spinner);
    for (unsigned i = 0; i < 10; i++)
        is_int(reap(children[i]), SIGKILL, "rule 16: of SIGKILL");
    close(job);
}

static int kill_and_report(void *argument)
{
    int *where = argument; /* the job, and a pipe */
    struct job_cert cert;

    if (job_kill(where[0], &forever, &cert, 0) != 0)
        return 1;
    return write(where[1], &cert, sizeof(cert)) == sizeof(cert) ? 0 : 2;
}

static void rule_17_again(void)
{
    int job = make_job(JOB_SELF, "", 0);
    struct job_cert certs[2], later;
    pid_t child = spawn_idle(job, NULL);
    pid_t killers[2];
    int channel[2];

    if (pipe(channel) != 0)
        tap_bail_out("pipe");
    for (unsigned i = 0; i < 2; i++)
        if ((killers[i] = fork()) == 0)
            _exit(kill_and_report((int[]){job, channel[1]}));
    is_int(reap(killers[0]) | reap(killers[1]), 0, "rule 17: two kill at once");
    is_int(read(channel[0], certs, sizeof(certs)), sizeof(certs), "rule 17: both are told");
    is_int(job_kill(job, &forever, &later, 0), 0, "rule 17: a later kill is well too");
    ok(memcmp(&certs[0], &certs[1], sizeof(later)) == 0, "rule 17: the same certificate");
    ok(memcmp(&certs[1], &later, sizeof(later)) == 0, "rule 17: which a later kill gets too");
    reap(child);
    close(channel[0]);
    close(channel[1]);
    close(job);
}

static int kill_by_self(void *argument)
{
    return job_kill(JOB_SELF, NULL, NULL, 0) == -1 ? errno : 0;
}

static void rule_17_root(void)
{
    int root = job_open(JOB_SELF, "", 0);
    int job = make_job(JOB_SELF, "", 0);

    is_int((long long)stat_of(root).parent_id, 0,
           "rule 17: the first programs are in the root job");
    is_error(job_kill(root, NULL, NULL, 0), EPERM, "rule 17: which cannot be killed");
    is_error(job_kill(JOB_SELF, &forever, NULL, JOB_KILL_KEEP), EPERM, "rule 17: in no way");
    is_int(WEXITSTATUS(reap(spawn(job, kill_by_self, NULL))), EACCES,
           "rule 17: for another job it is a right that is missing");
    close(job);
    close(root);
}

static int stop_oneself(void *argument)
{
    return kill(getpid(), SIGSTOP);
}

static void rule_18_frozen_and_stopped(void)
{
    int job = make_job(JOB_SELF, "", 0);
    pid_t stopped = spawn(job, stop_oneself, NULL);
    pid_t sleeping = spawn_idle(job, NULL);
    pid_t running = spawn(job, fork_bomb, NULL);
    int stream = open_stream(job, JOB_EVENT_BIT(JOB_EVENT_THAWED), 0);
    int token;

    set_count(job, JOB_LIMIT_PROCS, 10);
    waitpid(stopped, NULL, WUNTRACED);
    token = job_freeze(job, 0);
    ok(token >= 0, "rule 18: members are frozen, one of them stopped");
    is_int(job_kill(job, &forever, NULL, 0), 0, "rule 18: they die");
    is_int(reap(stopped), SIGKILL, "rule 18: the stopped one");
    is_int(reap(sleeping), SIGKILL, "rule 18: the sleeping one");
    is_int(reap(running), SIGKILL, "rule 18: the running one");
    is_int(next_event(stream).type, (uint16_t)-1, "rule 18: without a thaw");
    close(token);
    close(stream);
    close(job);
}

static int kill_own_job(void *argument)
{
    job_kill(*(int *)argument, &forever, NULL, 0);
    return 0;
}

static void rule_19_suicide(void)
{
    int job = make_job(JOB_SELF, "", 0);

    is_int(reap(spawn(job, kill_own_job, &job)), SIGKILL,
           "rule 19: a member that kills its own job never returns");
    is_int(stat_of(job).state, JOB_DEAD, "rule 19: and the job is dead");
    close(job);
}

static void rule_20_children_first(void)
{
    int top = make_job(JOB_SELF, "", 0);
    int middle = make_job(top, "", 0);
    int low = make_job(middle, "", 0);
    uint64_t expected[] = {id_of(low), id_of(middle), id_of(top)};
    int stream = open_stream(top, JOB_EVENT_BIT(JOB_EVENT_DEAD), 0);
    bool in_order = true;
    pid_t child;

    hold_children();
    child = spawn_idle(low, NULL);
    job_kill(top, NULL, NULL, 0);
    ok(stat_of(low).state == JOB_KILLING && stat_of(middle).state == JOB_KILLING &&
           stat_of(top).state == JOB_KILLING,
       "rule 20: with a member left far below, none is dead");
    release_children();
    job_kill(top, &forever, NULL, 0);
    for (unsigned i = 0; i < 3; i++)
        in_order &= next_event(stream).job_id == expected[i];
    ok(in_order, "rule 20: the lowest job is dead first, the highest last");
    is_int(next_event(stream).type, (uint16_t)-1, "rule 20: then the stream ends");
    ok(poll_now(top, POLLHUP) & POLLHUP, "rule 20: a dead job polls POLLHUP");
    reap(child);
    close(stream);
    close(low);
    close(middle);
    close(top);
}

int main(void)
{
    rule_15_the_door_is_closed();
    rule_15_every_member_is_hit();
    rule_15_keep();
    rule_16_certificate();
    rule_16_expiry();
    rule_17_again();
    rule_17_root();
    rule_18_frozen_and_stopped();
    rule_19_suicide();
    rule_20_children_first();
    check_kernel("rules 15 to 20");
    return tap_done();
}
