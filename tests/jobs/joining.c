/* docs/jobs.md, rules 8 to 14: how processes come into jobs. */
#include "jobs.h"

static int idle(void *argument)
{
    for (;;)
        pause();
    return 0;
}

/* The job that the caller is in. */
static uint64_t own_id(void)
{
    return id_of(JOB_SELF);
}

static int open_pid(pid_t process)
{
    return (int)syscall(SYS_pidfd_open, process, 0);
}

static int spawn_into_sibling(void *argument)
{
    pid_t child = job_fork(*(int *)argument, NULL, 0);

    if (child == 0)
        _exit(0);
    return child == -1 && errno == EXDEV ? 0 : 1;
}

static void rule_8_into(void)
{
    int file = open("/", O_RDONLY | O_CLOEXEC);
    int job = make_job(JOB_SELF, "rule8", 0);
    int sibling = make_job(JOB_SELF, "rule8b", 0);
    int query = job_open(JOB_SELF, "rule8", JOB_RIGHT_QUERY);
    int pidfd = -1, below;
    pid_t child;

    is_error(job_fork(999, NULL, 0), EBADF, "rule 8: a descriptor that is not open");
    is_error(job_fork(file, NULL, 0), EINVAL, "rule 8: one that is no job");
    is_error(job_fork(query, NULL, 0), EACCES, "rule 8: one without SPAWN");
    is_int(reap(spawn(job, spawn_into_sibling, &sibling)), 0, "rule 8: outside the own subtree");
    set_flags(job, JOB_BREAKAWAY_OK);
    is_int(WEXITSTATUS(reap(spawn(job, spawn_into_sibling, &sibling))), 1,
           "rule 8: unless every job that is left permits it");
    is_int(stat_of(sibling).entered, 1, "rule 8: then the child is born there");
    below = make_job(job, "", 0);
    is_int(reap(spawn(below, spawn_into_sibling, &sibling)), 0,
           "rule 8: the own job must, even if the one above does");
    set_flags(job, 0);
    set_flags(below, JOB_BREAKAWAY_OK);
    is_int(reap(spawn(below, spawn_into_sibling, &sibling)), 0, "rule 8: and the one above too");
    close(below);
    child = spawn_idle(job, &pidfd);
    ok(pidfd >= 0, "rule 8: CLONE_PIDFD composes");
    close(pidfd);
    kill_and_reap(child);
    close(query);
    close(sibling);
    close(job);
    close(file);
}

/* Forks until refused; returns how many were born. They stay. */
static int fork_until_refused(void *argument)
{
    int born = 0;

    for (;;) {
        pid_t child = fork();

        if (child == 0)
            idle(NULL);
        if (child < 0)
            return errno == EAGAIN ? born : 99;
        born++;
    }
}

static pid_t next_pid(void)
{
    pid_t child = fork();

    if (child == 0)
        _exit(0);
    reap(child);
    return child;
}

static void rule_9_counts_refuse(uint64_t limit, const char *name)
{
    int top = make_job(JOB_SELF, "", 0);
    int job = make_job(top, "", 0);
    struct job_event event;
    pid_t before, after;
    int stream;

    set_count(top, limit, 3);
    stream = open_stream(job, JOB_EVENT_BIT(JOB_EVENT_LIMIT), 0);
    is_int(WEXITSTATUS(reap(spawn(job, fork_until_refused, NULL))), 2,
           "rule 9: fork over %s of an ancestor is EAGAIN", name);
    is_int(stat_of(top).refused, 1, "rule 9: refused rises at the limiting job");
    is_int(stat_of(job).refused, 0, "rule 9: and not below");
    event = next_event(stream);
    is_int(event.type, JOB_EVENT_LIMIT, "rule 9: an event tells");
    is_int((long long)event.limit_job, (long long)id_of(top), "rule 9: and names the job");
    set_count(top, limit, 2);
    before = next_pid();
    is_error(job_fork(job, NULL, 0), EAGAIN, "rule 9: spawn over %s is EAGAIN", name);
    after = next_pid();
    is_int(after - before, 1, "rule 9: a refusal uses no pid up");
    ok(poll_now(top, POLLPRI) & POLLPRI, "rule 9: an unacknowledged limit polls POLLPRI");
    job_stat(top, &(struct job_stat){0}, JOB_ACK);
    is_int(poll_now(top, POLLPRI), 0, "rule 9: until it is acknowledged");
    close(stream);
    close(job);
    finish(top);
}

static pid_t fork_with(uint64_t flags)
{
    struct clone_args args = {.flags = flags, .exit_signal = SIGCHLD};

    return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

static uint64_t *seen;

static int break_away(void *argument)
{
    pid_t child = fork_with(CLONE_JOB_BREAKAWAY);

    if (child == 0) {
        *seen = own_id();
        _exit(0);
    }
    if (child < 0)
        return errno;
    reap(child);
    return 0;
}

static int plain_fork(void *argument)
{
    pid_t child = fork();

    if (child == 0) {
        *seen = own_id();
        _exit(0);
    }
    reap(child);
    return 0;
}

static void rule_10_breakaway(void)
{
    int top = make_job(JOB_SELF, "", 0);
    int middle = make_job(top, "", JOB_BREAKAWAY_OK);
    int job = make_job(middle, "", 0);

    is_int(WEXITSTATUS(reap(spawn(job, break_away, NULL))), EPERM,
           "rule 10: where the own job does not permit it");
    set_flags(job, JOB_BREAKAWAY_OK);
    is_int(reap(spawn(job, break_away, NULL)), 0, "rule 10: where it does");
    is_int((long long)*seen, (long long)id_of(top),
           "rule 10: the child is in the nearest ancestor that does not");
    set_flags(job, 0);
    is_int(reap(spawn(job, plain_fork, NULL)), 0, "rule 10: a plain fork");
    is_int((long long)*seen, (long long)id_of(job), "rule 10: stays");
    set_flags(job, JOB_SILENT_BREAKAWAY);
    is_int(reap(spawn(job, plain_fork, NULL)), 0, "rule 10: with silent breakaway");
    is_int((long long)*seen, (long long)id_of(middle), "rule 10: every fork leaves");
    close(job);
    close(middle);
    close(top);
}

static bool is_in_job(int pidfd, int job)
{
    int own = job_open_pidfd(pidfd, 0);
    bool same = own >= 0 && id_of(own) == id_of(job);

    close(own);
    return same;
}

/* Do both figures of the job say the same about members and what they hold? */
static bool is_unchanged(const struct job_stat *before, const struct job_stat *after)
{
    return before->entered == after->entered && before->exited == after->exited &&
           before->active == after->active && before->threads == after->threads &&
           before->peak_active == after->peak_active && before->mem_bytes == after->mem_bytes;
}

static void rule_11_an_error_changes_nothing(void)
{
    int top = make_job(JOB_SELF, "", 0);
    int middle = make_job(top, "", 0);
    int job = make_job(middle, "", 0);
    int pidfd;
    pid_t child = spawn_idle(top, &pidfd);
    struct job_stat before[3] = {stat_of(top), stat_of(middle), stat_of(job)}, after[3];

    /* The limits of the lower and the upper of the jobs that it would join. */
    set_count(job, JOB_LIMIT_PROCS, 0);
    is_error(job_adopt(job, pidfd, 0), EAGAIN, "rule 11: over a count");
    set_count(job, JOB_LIMIT_PROCS, JOB_UNLIMITED_COUNT);
    set_count(middle, JOB_LIMIT_THREADS, 0);
    is_error(job_adopt(job, pidfd, 0), EAGAIN, "rule 11: over a count above");
    set_count(middle, JOB_LIMIT_THREADS, JOB_UNLIMITED_COUNT);
    set_bytes(job, JOB_LIMIT_JOB_MEM, 4096);
    is_error(job_adopt(job, pidfd, 0), ENOMEM, "rule 11: over memory");
    set_bytes(job, JOB_LIMIT_JOB_MEM, JOB_UNLIMITED);
    set_bytes(middle, JOB_LIMIT_PROC_MEM, 4096);
    is_error(job_adopt(job, pidfd, 0), ENOMEM, "rule 11: over memory above");
    after[0] = stat_of(top);
    after[1] = stat_of(middle);
    after[2] = stat_of(job);
    ok(is_unchanged(&before[0], &after[0]) && is_unchanged(&before[1], &after[1]) &&
           is_unchanged(&before[2], &after[2]) && is_in_job(pidfd, top),
       "rule 11: after all these nothing has changed");
    kill_and_reap(child);
    close(pidfd);
    close(job);
    close(middle);
    close(top);
}

static void rule_11_adopt(void)
{
    int top = make_job(JOB_SELF, "", 0);
    int job = make_job(top, "", 0);
    int sibling = make_job(top, "", 0);
    int pidfd;
    pid_t child = spawn_idle(top, &pidfd);

    is_int(job_adopt(top, pidfd, 0), 0, "rule 11: into the same job");
    is_int(stat_of(top).entered, 1, "rule 11: changes nothing");
    is_int(job_adopt(job, pidfd, 0), 0, "rule 11: down");
    ok(stat_of(job).active == 1 && is_in_job(pidfd, job), "rule 11: it is a member below");
    is_int(stat_of(top).entered, 1, "rule 11: and still one member above");
    is_error(job_adopt(top, pidfd, 0), EXDEV, "rule 11: up");
    is_error(job_adopt(sibling, pidfd, 0), EXDEV, "rule 11: sideways");
    kill(child, SIGKILL);
    waitid(P_PID, (id_t)child, &(siginfo_t){0}, WEXITED | WNOWAIT);
    is_error(job_adopt(job, pidfd, 0), ESRCH, "rule 11: a zombie");
    reap(child);
    close(pidfd);
    close(sibling);
    close(job);
    close(top);
}

struct family {
    int ready[2];
    int elsewhere;
};

/* A process, its child, a grandchild, and another child that is in another job. */
static int grow_family(void *argument)
{
    struct family *family = argument;

    if (fork() == 0) {
        if (fork() == 0 && write(family->ready[1], "x", 1) == 1)
            idle(NULL);
        idle(NULL);
    }
    if (job_fork(family->elsewhere, NULL, 0) == 0)
        idle(NULL);
    if (write(family->ready[1], "x", 1) != 1)
        return 1;
    return idle(NULL);
}

static void rule_12_adopt_tree(void)
{
    int top = make_job(JOB_SELF, "", 0);
    int job = make_job(top, "", 0);
    struct family family = {.elsewhere = make_job(top, "", 0)};
    char bytes[2];
    pid_t first;
    int pidfd;

    if (pipe(family.ready) != 0)
        tap_bail_out("pipe");
    first = spawn(top, grow_family, &family);
    pidfd = open_pid(first);
    for (size_t have = 0; have < sizeof(bytes);)
        have += (size_t)read(family.ready[0], bytes, sizeof(bytes) - have);
    set_count(job, JOB_LIMIT_PROCS, 2);
    is_error(job_adopt(job, pidfd, JOB_ADOPT_TREE), EAGAIN, "rule 12: no room for the whole tree");
    is_int(stat_of(job).entered, 0, "rule 12: all or nothing");
    set_count(job, JOB_LIMIT_PROCS, 3);
    is_int(job_adopt(job, pidfd, JOB_ADOPT_TREE), 0, "rule 12: room for the whole tree");
    is_int(stat_of(job).active, 3, "rule 12: all who were in its job are moved");
    is_int(stat_of(family.elsewhere).active, 1, "rule 12: who was in another is not");
    job_kill(top, &forever, NULL, 0);
    reap(first);
    close(pidfd);
    close(family.ready[0]);
    close(family.ready[1]);
    close(family.elsewhere);
    close(job);
    close(top);
}

static int leave_when_told(void *argument)
{
    char byte;

    return read(*(int *)argument, &byte, 1) == 1 ? 0 : 1;
}

static void rule_13_adopt_races_exit(void)
{
    int top = make_job(JOB_SELF, "", 0);
    int job = make_job(top, "", 0);
    unsigned moved = 0, late = 0, wrong = 0;
    int gate[2];

    if (pipe(gate) != 0)
        tap_bail_out("pipe");
    for (unsigned round = 0; round < 100; round++) {
        pid_t child = spawn(top, leave_when_told, &gate[0]);
        int pidfd = open_pid(child);
        struct job_stat before = stat_of(job);
        int result;

        if (write(gate[1], "x", 1) != 1)
            tap_bail_out("write");
        result = job_adopt(job, pidfd, 0);
        if (result == 0)
            moved++;
        else if (errno == ESRCH)
            late++;
        else
            wrong++;
        reap(child);
        if (stat_of(job).entered != before.entered + (result == 0) ||
            stat_of(job).exited != before.exited + (result == 0))
            wrong++;
        close(pidfd);
    }
    ok(moved + late == 100 && wrong == 0, "rule 13: adoption racing exit: either gone and counted "
                                          "nowhere, or it exits from the new job");
    close(gate[0]);
    close(gate[1]);
    close(job);
    close(top);
}

static int stop_oneself(void *argument)
{
    return kill(getpid(), SIGSTOP); /* raise() would take the parent's thread id */
}

static void rule_14_adoption_charges_memory(void)
{
    int top = make_job(JOB_SELF, "", 0);
    int job = make_job(top, "", 0);
    pid_t child = spawn(top, stop_oneself, NULL);
    int pidfd = open_pid(child);
    struct job_stat before, after;

    waitpid(child, NULL, WUNTRACED);
    before = stat_of(top);
    ok(before.mem_bytes > 0, "rule 14: a member has memory");
    job_adopt(job, pidfd, 0);
    after = stat_of(job);
    is_int((long long)after.mem_bytes, (long long)before.mem_bytes,
           "rule 14: which the job that adopts is charged");
    is_int((long long)stat_of(top).mem_bytes, (long long)before.mem_bytes,
           "rule 14: the job above has it once");
    ok(after.total.user_ns + after.total.kern_ns <
           stat_of(top).total.user_ns + stat_of(top).total.kern_ns,
       "rule 14: past CPU time is not charged");
    kill_and_reap(child);
    is_int((long long)stat_of(job).mem_bytes, 0, "rule 14: all is given back");
    close(pidfd);
    close(job);
    close(top);
}

/* Uses time, faults and a read; says so; and again when told. */
static int work_in_two_parts(void *argument)
{
    int *pipes = argument; /* read end of one, write end of another */
    char byte = 0;

    for (unsigned part = 0; part < 2; part++) {
        volatile char *memory =
            mmap(NULL, 8 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        for (unsigned i = 0; i < 1000000; i++)
            memory[i % 8 * 4096] = (char)i;
        if (write(pipes[1], &byte, 1) != 1 || read(pipes[0], &byte, 1) != 1)
            return 1;
    }
    return 0;
}

static uint64_t cpu_of(const struct job_usage *use)
{
    return use->user_ns + use->kern_ns;
}

/* Is `whole` the sum of both parts, to the last digit? */
static bool is_sum(const struct job_usage *whole, const struct job_usage *one,
                   const struct job_usage *other)
{
    return whole->user_ns == one->user_ns + other->user_ns &&
           whole->kern_ns == one->kern_ns + other->kern_ns &&
           whole->queued_ns == one->queued_ns + other->queued_ns &&
           whole->minflt == one->minflt + other->minflt &&
           whole->rd_ops == one->rd_ops + other->rd_ops &&
           whole->wr_bytes == one->wr_bytes + other->wr_bytes;
}

static void rule_14_the_past_stays(void)
{
    int top = make_job(JOB_SELF, "", 0);
    int job = make_job(top, "", 0);
    int up[2], down[2], pidfd, stream;
    struct job_event moved, exited;
    struct job_stat joined, last;
    pid_t child;
    char byte;

    if (pipe(up) != 0 || pipe(down) != 0)
        tap_bail_out("pipe");
    child = spawn(top, work_in_two_parts, (int[]){down[0], up[1]});
    pidfd = open_pid(child);
    if (read(up[0], &byte, 1) != 1)
        tap_bail_out("read");
    stream = open_stream(job, JOB_EVENT_BIT(JOB_EVENT_MOVED) | JOB_EVENT_BIT(JOB_EVENT_EXIT), 0);
    job_adopt(job, pidfd, 0);
    joined = stat_of(job);
    moved = next_event(stream);
    ok(cpu_of(&moved.use) > 0 && moved.use.minflt >= 8 && moved.use.wr_ops == 1,
       "rule 14: MOVED tells what the process had used before");
    ok(cpu_of(&joined.total) < cpu_of(&moved.use) && joined.total.minflt < 8,
       "rule 14: which the job that it joins is not charged");
    for (unsigned i = 0; i < 2; i++)
        if (write(down[1], "x", 1) != 1 || (i == 0 && read(up[0], &byte, 1) != 1))
            tap_bail_out("a member's pipe");
    reap(child);
    exited = next_event(stream);
    last = stat_of(job);
    ok(last.total.minflt >= 8 && last.total.rd_ops == 2, "rule 14: it is charged what comes after");
    ok(is_sum(&exited.use, &moved.use, &last.total),
       "rule 14: EXIT has all of the process's life: MOVED and the job's total");
    last = stat_of(top);
    ok(is_sum(&exited.use, &last.total, &(struct job_usage){0}),
       "rule 14: the job above has all of it");
    for (unsigned i = 0; i < 2; i++) {
        close(up[i]);
        close(down[i]);
    }
    close(stream);
    close(pidfd);
    close(job);
    close(top);
}

int main(void)
{
    seen = share_memory(sizeof(*seen));
    rule_8_into();
    rule_9_counts_refuse(JOB_LIMIT_PROCS, "max_procs");
    rule_9_counts_refuse(JOB_LIMIT_THREADS, "max_threads");
    rule_10_breakaway();
    rule_11_adopt();
    rule_11_an_error_changes_nothing();
    rule_12_adopt_tree();
    rule_13_adopt_races_exit();
    rule_14_adoption_charges_memory();
    rule_14_the_past_stays();
    check_kernel("rules 8 to 14");
    return tap_done();
}
