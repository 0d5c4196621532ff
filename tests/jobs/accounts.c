/* docs/jobs.md, rules 23 to 29: exit and accounts. */
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>

#include "jobs.h"

#define PROCESSES 300
#define PAGES     50
#define ROUNDS    20
#define RELAYS    500

static int nothing(void *argument)
{
    return 0;
}

static uint64_t cpu_of(const struct job_usage *use)
{
    return use->user_ns + use->kern_ns;
}

static void rule_23_wait_then_stat(void)
{
    int job = make_job(JOB_SELF, "", 0);
    unsigned wrong = 0;
    uint64_t before = 0;

    for (unsigned i = 1; i <= PROCESSES; i++) {
        struct job_stat stat;

        reap(spawn(job, nothing, NULL));
        stat = stat_of(job);
        if (stat.active != 0 || stat.exited != i || cpu_of(&stat.total) <= before)
            wrong++;
        before = cpu_of(&stat.total);
    }
    is_int(wrong, 0, "rule 23: after waitpid the figures include the process");
    close(job);
}

static bool has_fallen(const struct job_stat *before, const struct job_stat *now)
{
    return now->entered < before->entered || now->exited < before->exited ||
           now->total.user_ns < before->total.user_ns ||
           now->total.kern_ns < before->total.kern_ns ||
           now->total.queued_ns < before->total.queued_ns ||
           now->total.minflt < before->total.minflt || now->peak_active < before->peak_active;
}

static int make_many(void *argument)
{
    for (unsigned i = 0; i < PROCESSES; i++) {
        pid_t child = fork();

        if (child == 0)
            _exit(0);
        if (child < 0)
            return 1;
        reap(child);
    }
    return 0;
}

static void rule_24_snapshots(void)
{
    int job = make_job(JOB_SELF, "", 0);
    struct job_stat before = stat_of(job), now;
    unsigned unbalanced = 0, fallen = 0;
    pid_t maker = spawn(job, make_many, NULL);

    do {
        now = stat_of(job);
        unbalanced += now.entered != now.active + now.exited;
        fallen += has_fallen(&before, &now);
        before = now;
    } while (waitpid(maker, NULL, WNOHANG) == 0);
    is_int(unbalanced, 0, "rule 24: entered = active + exited at each sample");
    is_int(fallen, 0, "rule 24: totals never fall");
    is_int((long long)stat_of(job).entered, PROCESSES + 1, "rule 24: everybody was counted");
    close(job);
}

static void rule_24_sum_of_exits(void)
{
    int job = make_job(JOB_SELF, "", 0);
    int stream = open_stream(job, JOB_EVENT_BIT(JOB_EVENT_EXIT), 2 * PROCESSES);
    struct job_usage sum = {0};
    struct job_stat stat;

    reap(spawn(job, make_many, NULL));
    stat = stat_of(job);
    for (unsigned i = 0; i < PROCESSES + 1; i++) {
        struct job_event event = next_event(stream);

        sum.user_ns += event.use.user_ns;
        sum.kern_ns += event.use.kern_ns;
        sum.queued_ns += event.use.queued_ns;
        sum.minflt += event.use.minflt;
        sum.rd_ops += event.use.rd_ops;
        sum.wr_bytes += event.use.wr_bytes;
    }
    is_int((long long)sum.user_ns, (long long)stat.total.user_ns,
           "rule 24: the sum over EXIT is the total: time in user mode");
    is_int((long long)sum.kern_ns, (long long)stat.total.kern_ns, "rule 24: time in the kernel");
    is_int((long long)sum.queued_ns, (long long)stat.total.queued_ns, "rule 24: time spent ready");
    is_int((long long)sum.minflt, (long long)stat.total.minflt, "rule 24: minor faults");
    is_int((long long)sum.rd_ops, (long long)stat.total.rd_ops, "rule 24: reads");
    is_int((long long)sum.wr_bytes, (long long)stat.total.wr_bytes, "rule 24: bytes written");
    close(stream);
    close(job);
}

/* Does a known amount of each thing that is counted, says so, and waits to be told to go. */
static int use_things(void *argument)
{
    int *pipes = argument; /* read end of one, write end of another */
    char bytes[100] = {0};
    char *memory =
        mmap(NULL, PAGES * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC), null = open("/dev/null", O_WRONLY);

    for (unsigned i = 0; i < PAGES; i++)
        memory[i * 4096] = 1;
    for (unsigned i = 0; i < ROUNDS; i++)
        if (read(zero, bytes, sizeof(bytes)) != sizeof(bytes) || write(null, bytes, 7) != 7)
            return 1;
    ioctl(pipes[0], FIONREAD, &(int){0});
    return write(pipes[1], "x", 1) == 1 && read(pipes[0], bytes, 1) == 1 ? 0 : 1;
}

static bool is_zero(const struct job_usage *use)
{
    return use->minflt + use->majflt + use->rd_ops + use->wr_ops + use->ot_ops + use->rd_bytes +
               use->wr_bytes + use->ot_bytes ==
           0;
}

/* Faults and transfers are seen while the process lives, and not twice when it is gone. */
static void rule_24_living_members(void)
{
    int top = make_job(JOB_SELF, "", 0);
    int job = make_job(top, "", 0);
    struct job_stat before = stat_of(top), alive, after;
    int up[2], down[2];
    pid_t child;
    char byte;

    if (pipe(up) != 0 || pipe(down) != 0)
        tap_bail_out("pipe");
    child = spawn(job, use_things, (int[]){down[0], up[1]});
    if (read(up[0], &byte, 1) != 1)
        tap_bail_out("read");
    ok(is_zero(&before.total), "rule 24: a job without members has used nothing");
    alive = stat_of(top);
    ok(alive.total.minflt >= PAGES, "rule 24: a living member's faults are counted");
    is_int((long long)alive.total.majflt, 0, "rule 24: none of them waited for a disk");
    is_int((long long)alive.total.rd_ops, ROUNDS, "rule 24: so are its reads");
    is_int((long long)alive.total.rd_bytes, ROUNDS * 100, "rule 24: the bytes read");
    is_int((long long)alive.total.wr_ops, ROUNDS + 1, "rule 24: its writes");
    is_int((long long)alive.total.wr_bytes, ROUNDS * 7 + 1, "rule 24: the bytes written");
    is_int((long long)alive.total.ot_ops, 1, "rule 24: its controls");
    if (write(down[1], "x", 1) != 1 || reap(child) != 0)
        tap_bail_out("a member");
    after = stat_of(top);
    is_int((long long)after.total.rd_ops, ROUNDS + 1, "rule 24: and once when it is gone: reads");
    is_int((long long)after.total.wr_bytes, ROUNDS * 7 + 1, "rule 24: bytes written");
    ok(after.total.minflt - alive.total.minflt < PAGES, "rule 24: faults");
    for (unsigned i = 0; i < 2; i++) {
        close(up[i]);
        close(down[i]);
    }
    close(job);
    close(top);
}

static void rule_25_parent_has_all(void)
{
    int top = make_job(JOB_SELF, "", 0);
    int stream = open_stream(top, JOB_EVENT_BIT(JOB_EVENT_EXIT), 0);
    struct job_usage below = {0};
    struct job_event own;
    struct job_stat stat, later;

    for (unsigned i = 0; i < 3; i++) {
        int child = make_job(top, "", 0);

        reap(spawn(child, nothing, NULL));
        stat = stat_of(child);
        below.user_ns += stat.total.user_ns;
        below.kern_ns += stat.total.kern_ns;
        below.minflt += stat.total.minflt;
        next_event(stream);
        close(child); /* and with it the job is gone */
    }
    stat = stat_of(top);
    is_int((long long)stat.entered, 3, "rule 25: members of destroyed children count above");
    is_int((long long)stat.total.user_ns, (long long)below.user_ns,
           "rule 25: with their user time");
    is_int((long long)stat.total.kern_ns, (long long)below.kern_ns, "rule 25: system time");
    is_int((long long)stat.total.minflt, (long long)below.minflt, "rule 25: faults");
    reap(spawn(top, nothing, NULL));
    later = stat_of(top);
    own = next_event(stream);
    is_int((long long)later.total.user_ns, (long long)(below.user_ns + own.use.user_ns),
           "rule 25: to which the own come: user time");
    is_int((long long)later.total.kern_ns, (long long)(below.kern_ns + own.use.kern_ns),
           "rule 25: system time");
    is_int((long long)later.total.minflt, (long long)(below.minflt + own.use.minflt),
           "rule 25: faults");
    close(stream);
    close(top);
}

static void rule_26_zombies(void)
{
    int job = make_job(JOB_SELF, "", 0);
    int stream =
        open_stream(job, JOB_EVENT_BIT(JOB_EVENT_EMPTY) | JOB_EVENT_BIT(JOB_EVENT_DEAD), 0);
    struct job_member member;
    pid_t child = spawn(job, nothing, NULL);

    waitid(P_PID, (id_t)child, &(siginfo_t){0}, WEXITED | WNOWAIT);
    is_int(stat_of(job).active, 0, "rule 26: a zombie is not active");
    is_int(job_list(job, NULL, 0, 0), 0, "rule 26: nor listed");
    is_int(job_list(job, &member, 1, JOB_LIST_ZOMBIES), 1, "rule 26: unless asked for");
    ok(member.pid == child && member.state == JOB_MEMBER_ZOMBIE, "rule 26: as what it is");
    is_int(next_event(stream).type, JOB_EVENT_EMPTY, "rule 26: it does not delay EMPTY");
    is_int(job_kill(job, &forever, NULL, 0), 0, "rule 26: nor a kill's wait");
    is_int(next_event(stream).type, JOB_EVENT_DEAD, "rule 26: nor DEAD");
    reap(child);
    is_int(job_list(job, NULL, 0, JOB_LIST_ZOMBIES), 0,
           "rule 26: and when it is reaped it is gone");
    close(stream);
    close(job);
}

static void rule_27_list(void)
{
    int top = make_job(JOB_SELF, "", 0);
    int jobs[2] = {top, make_job(top, "", 0)};
    struct job_member members[6];
    pid_t children[5];
    bool right = true;

    memset(members, 0xaa, sizeof(members));
    for (unsigned i = 0; i < 5; i++)
        children[i] = spawn_idle(jobs[i % 2], NULL);
    is_int(job_list(top, members, 3, 0), 5, "rule 27: returns the number of all");
    is_int((long long)members[3].puid, (long long)0xaaaaaaaaaaaaaaaa, "rule 27: and writes only n");
    is_int(job_list(top, members, 6, 0), 5, "rule 27: with room for all");
    for (unsigned i = 0; i < 5; i++)
        right &= members[i].pid == children[i] && members[i].ppid == getpid() &&
                 members[i].job_id == id_of(jobs[i % 2]) && members[i].threads == 1 &&
                 members[i].state == JOB_MEMBER_ALIVE &&
                 (i == 0 || members[i].puid > members[i - 1].puid);
    ok(right, "rule 27: oldest first, each as it is");
    is_error(job_list(top, (struct job_member *)8, 6, 0), EFAULT, "rule 27: a bad address");
    job_kill(top, &forever, NULL, 0);
    for (unsigned i = 0; i < 5; i++)
        reap(children[i]);
    close(jobs[1]);
    close(top);
}

/* Hands life on: each forks a child into the other job and ends, so that there is always one. */
static int relay(void *argument)
{
    const int *jobs = argument;

    for (unsigned i = 0; i < RELAYS; i++) {
        pid_t child = job_fork(jobs[i % 2], NULL, 0);

        if (child != 0)
            return child < 0;
    }
    return 0;
}

static void rule_27_one_instant(void)
{
    int top = make_job(JOB_SELF, "", JOB_AUTOREAP);
    int jobs[2] = {make_job(top, "", JOB_BREAKAWAY_OK), make_job(top, "", JOB_BREAKAWAY_OK)};
    unsigned nobody = 0, disorder = 0, lists = 0;
    pid_t first = spawn(jobs[1], relay, jobs);

    /* If somebody lives after a list, somebody did when it was made. */
    for (bool over = false; !over; lists++) {
        struct job_member members[16];
        ssize_t count = job_list(top, members, 16, 0);

        over = stat_of(top).active == 0;
        nobody += count == 0 && !over;
        for (ssize_t i = 1; i < count && i < 16; i++)
            disorder += members[i - 1].puid >= members[i].puid;
    }
    is_int((long long)stat_of(top).entered, RELAYS + 1, "rule 27: members come and go");
    is_int(nobody, 0, "rule 27: a list is of one instant: somebody is always there");
    is_int(disorder, 0, "rule 27: nobody is in it twice, the oldest is first");
    ok(lists > 1, "rule 27: there were lists");
    reap(first);
    close(jobs[0]);
    close(jobs[1]);
    close(top);
}

static void rule_28_short_processes_have_time(void)
{
    int job = make_job(JOB_SELF, "", 0);
    int stream = open_stream(job, JOB_EVENT_BIT(JOB_EVENT_EXIT), 0);
    unsigned without = 0;

    for (unsigned i = 0; i < 50; i++) {
        struct job_event event;

        reap(spawn(job, nothing, NULL));
        event = next_event(stream);
        without += event.use.user_ns == 0 || event.use.kern_ns == 0;
    }
    is_int(without, 0, "rule 28: the shortest process has time in user mode and in the kernel");
    close(stream);
    close(job);
}

static int leave_orphan(void *argument)
{
    int *gate = argument;
    char byte;

    if (fork() == 0)
        _exit(read(*gate, &byte, 1) == 0 ? 42 : 1);
    return 0;
}

static void rule_29_autoreap(void)
{
    int job = make_job(JOB_SELF, "", JOB_AUTOREAP);
    int stream = open_stream(job, JOB_EVENT_BIT(JOB_EVENT_EXIT), 0);
    int gate[2];

    if (pipe2(gate, O_CLOEXEC) != 0)
        tap_bail_out("pipe");
    /* We are the subreaper outside, so that nobody else could reap the orphan. */
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    {
        pid_t middle = job_fork(job, NULL, 0);

        if (middle == 0) {
            close(gate[1]);
            _exit(leave_orphan(&gate[0]));
        }
        is_int(reap(middle), 0, "rule 29: a process leaves an orphan");
    }
    is_int(WEXITSTATUS(next_event(stream).status), 0, "rule 29: its own end is told");
    close(gate[1]);
    is_int(WEXITSTATUS(next_event(stream).status), 42,
           "rule 29: the orphan's status survives in EXIT");
    is_error(waitpid(-1, NULL, 0), ECHILD, "rule 29: and no zombie is left");
    prctl(PR_SET_CHILD_SUBREAPER, 0);
    close(gate[0]);
    close(stream);
    close(job);
}

static int be_subreaper(void *argument)
{
    int *gate = argument;
    pid_t middle;

    prctl(PR_SET_CHILD_SUBREAPER, 1);
    middle = fork();
    if (middle == 0) {
        close(gate[1]);
        _exit(leave_orphan(gate));
    }
    reap(middle);
    close(gate[1]);
    return WEXITSTATUS(reap(-1));
}

static void rule_29_subreaper(void)
{
    int job = make_job(JOB_SELF, "", JOB_AUTOREAP);
    int gate[2];
    pid_t subreaper;

    if (pipe2(gate, O_CLOEXEC) != 0)
        tap_bail_out("pipe");
    subreaper = spawn(job, be_subreaper, gate);
    close(gate[0]);
    close(gate[1]);
    is_int(WEXITSTATUS(reap(subreaper)), 42,
           "rule 29: where a subreaper is inside, the orphan's zombie is for it");
    close(job);
}

static void period(void)
{
    int job = make_job(JOB_SELF, "", 0);
    struct job_stat stat;

    reap(spawn(job, nothing, NULL));
    job_stat(job, &stat, JOB_PERIOD_RESET);
    is_int((long long)cpu_of(&stat.period), (long long)cpu_of(&stat.total),
           "the first period has all");
    job_stat(job, &stat, 0);
    is_int((long long)cpu_of(&stat.period), 0,
           "after JOB_PERIOD_RESET a period begins with nothing");
    ok(cpu_of(&stat.total) > 0, "and the total goes on");
    close(job);
}

int main(void)
{
    rule_23_wait_then_stat();
    rule_24_snapshots();
    rule_24_sum_of_exits();
    rule_24_living_members();
    rule_25_parent_has_all();
    rule_26_zombies();
    rule_27_list();
    rule_27_one_instant();
    rule_28_short_processes_have_time();
    rule_29_autoreap();
    rule_29_subreaper();
    period();
    check_kernel("rules 23 to 29");
    return tap_done();
}
