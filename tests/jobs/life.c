/* docs/jobs.md, rules 1 to 7: how jobs begin and end. */
#include "jobs.h"

static void check_takes_nobody(int job, int stranger, const char *state)
{
    struct job_create_args none = {0};

    is_error(job_fork(job, NULL, 0), ENODEV, "rule 1: spawn into a job that is %s", state);
    is_error(job_adopt(job, stranger, 0), ENODEV, "rule 1: adopt into a job that is %s", state);
    is_error(job_create(job, &none), ENODEV, "rule 1: create in a job that is %s", state);
}

static void rule_1_a_killed_job_takes_nobody(void)
{
    int job = make_job(JOB_SELF, "", 0);
    int below = make_job(job, "below", 0);
    int outside;
    pid_t stranger = fork();
    pid_t child;

    if (stranger == 0)
        for (;;)
            pause();
    outside = (int)syscall(SYS_pidfd_open, stranger, 0);
    hold_children();
    child = spawn_idle(job, NULL);
    ok(job_kill(job, NULL, NULL, 0) == 0, "rule 1: a job with a member is killed");
    is_int(stat_of(job).state, JOB_KILLING, "rule 1: and is so until the member is gone");
    check_takes_nobody(job, outside, "being killed");
    check_takes_nobody(below, outside, "below one that is being killed");
    is_int(stat_of(job).state, JOB_KILLING, "rule 1: all that while");
    release_children();
    job_kill(job, &forever, NULL, 0);
    is_int(stat_of(job).state, JOB_DEAD, "rule 1: the job is dead when it is empty");
    check_takes_nobody(job, outside, "dead");
    reap(child);
    kill_and_reap(stranger);
    close(outside);
    close(below);
    close(job);
}

static void rule_2_depth(void)
{
    int jobs[JOB_DEPTH_MAX + 1] = {JOB_SELF};
    struct job_create_args none = {0};
    int depth = 0;

    while (depth < JOB_DEPTH_MAX && (jobs[depth + 1] = job_create(jobs[depth], &none)) >= 0)
        depth++;
    is_int(depth, JOB_DEPTH_MAX, "rule 2: a tree of 32 levels");
    is_error(job_create(jobs[depth], &none), EAGAIN, "rule 2: not of 33");
    while (depth > 0)
        close(jobs[depth--]);
}

static void rule_2_limits_and_names(void)
{
    struct job_create_args args = {.name = "child"};
    int top = make_job(JOB_SELF, "", 0);
    int middle = make_job(top, "middle", 0);
    int child;

    set_count(top, JOB_LIMIT_DEPTH, 1);
    is_error(job_create(middle, &args), EAGAIN, "rule 2: max_depth of an ancestor");
    set_count(top, JOB_LIMIT_DEPTH, JOB_DEPTH_MAX);
    set_count(top, JOB_LIMIT_JOBS, 1);
    is_error(job_create(middle, &args), EAGAIN, "rule 2: max_jobs of an ancestor");
    set_count(top, JOB_LIMIT_JOBS, 2);
    set_count(middle, JOB_LIMIT_JOBS, 0);
    is_error(job_create(middle, &args), EAGAIN, "rule 2: max_jobs of the job itself");
    set_count(middle, JOB_LIMIT_JOBS, JOB_UNLIMITED_COUNT);
    child = job_create(middle, &args);
    ok(child >= 0, "rule 2: with room for it a job is created");
    set_count(top, JOB_LIMIT_JOBS, 3);
    is_error(job_create(middle, &args), EEXIST, "rule 2: a sibling has the name");
    strcpy(args.name, "a/b");
    is_error(job_create(middle, &args), EINVAL, "rule 2: a name with a slash");
    memset(args.name, 'x', sizeof(args.name));
    is_error(job_create(middle, &args), EINVAL, "rule 2: a name without an end");
    close(child);
    close(middle);
    close(top);
}

static void rule_3_a_job_outlives_its_descriptors(void)
{
    int job = make_job(JOB_SELF, "rule3", 0);
    pid_t child = spawn_idle(job, NULL);

    close(job);
    is_int(kill(child, 0), 0, "rule 3: closing the last descriptor kills nobody");
    job = job_open(JOB_SELF, "rule3", 0);
    ok(job >= 0, "rule 3: the name opens while there is a member");
    is_int(stat_of(job).active, 1, "rule 3: and the member is still in it");
    kill_and_reap(child);
    close(job);
    is_error(job_open(JOB_SELF, "rule3", 0), ENOENT, "rule 3: with nothing left the job is freed");
}

static void rule_3_a_child_job_keeps_it(void)
{
    int job = make_job(JOB_SELF, "rule3", 0);
    int below = make_job(job, "below", 0);

    close(job);
    job = job_open(JOB_SELF, "rule3", 0);
    ok(job >= 0, "rule 3: the name opens while there is a child job");
    close(job);
    close(below);
    is_error(job_open(JOB_SELF, "rule3", 0), ENOENT, "rule 3: the last of which takes it along");
}

static void rule_4_closing_the_owner_kills(void)
{
    int owner = make_job(JOB_SELF, "rule4", JOB_KILL_ON_CLOSE);
    int opened = job_open(JOB_SELF, "rule4", 0);
    int duplicate = dup(owner);
    pid_t child = spawn_idle(owner, NULL);

    close(owner);
    is_int(stat_of(opened).state, JOB_OPEN, "rule 4: a duplicate is the same owner");
    close(duplicate);
    ok(stat_of(opened).state != JOB_OPEN, "rule 4: closing the last one kills");
    is_int(reap(child), SIGKILL, "rule 4: the member was killed");
    is_int(stat_of(opened).cause, JOB_CAUSE_CLOSE, "rule 4: the cause is told");
    close(opened);
}

static void rule_4_others_do_not_own(void)
{
    int owner = make_job(JOB_SELF, "rule4", JOB_KILL_ON_CLOSE);
    int opened = job_open(JOB_SELF, "rule4", 0);
    pid_t child = spawn_idle(owner, NULL);
    pid_t other;

    close(opened);
    is_int(stat_of(owner).state, JOB_OPEN, "rule 4: what job_open gave does not own");
    other = fork();
    if (other == 0)
        _exit(fcntl(owner, F_GETFD) == -1 && errno == EBADF ? 0 : 1);
    is_int(reap(other), 0, "rule 4: fork does not inherit the owner");
    is_int(stat_of(owner).state, JOB_OPEN, "rule 4: so the end of a fork's child kills nothing");
    close(owner);
    is_int(reap(child), SIGKILL, "rule 4: the owner's closing does");
}

/* Makes a job with a member in it, and executes another program, which waits. */
static int exec_with_owner(void *argument)
{
    int job = make_job(JOB_SELF, "rule4", JOB_KILL_ON_CLOSE);
    char byte;

    spawn_idle(job, NULL);
    if (write(((int *)argument)[1], "x", 1) != 1 || read(((int *)argument)[2], &byte, 1) != 1)
        return 1;
    execlp("sleep", "sleep", "1000", NULL);
    return 2;
}

static void rule_4_exec_closes_the_owner(void)
{
    int up[2], down[2], opened;
    pid_t child;
    char byte;

    if (pipe2(up, O_CLOEXEC) != 0 || pipe2(down, O_CLOEXEC) != 0)
        tap_bail_out("pipe");
    child = fork();
    if (child == 0)
        _exit(exec_with_owner((int[]){up[0], up[1], down[0]}));
    if (read(up[0], &byte, 1) != 1)
        tap_bail_out("read");
    opened = job_open(JOB_SELF, "rule4", 0);
    is_int(stat_of(opened).state, JOB_OPEN, "rule 4: a job, and its owner about to exec");
    if (write(down[1], "x", 1) != 1)
        tap_bail_out("write");
    poll(&(struct pollfd){.fd = opened, .events = POLLHUP}, 1, -1);
    is_int(stat_of(opened).cause, JOB_CAUSE_CLOSE, "rule 4: exec closes the owner, which kills");
    is_int(kill(child, 0), 0, "rule 4: and spares who executed");
    kill_and_reap(child);
    for (unsigned i = 0; i < 2; i++) {
        close(up[i]);
        close(down[i]);
    }
    close(opened);
}

/* A process that makes a job, is adopted by it, and ends its owner in one of two ways. */
static void owner_inside(bool by_exit)
{
    int channel[2];
    pid_t outer;
    char byte;

    if (pipe(channel) != 0)
        tap_bail_out("pipe");
    outer = fork();
    if (outer == 0) {
        int job = make_job(JOB_SELF, "", JOB_KILL_ON_CLOSE);
        int self = (int)syscall(SYS_pidfd_open, getpid(), 0);

        close(channel[0]);
        if (job_fork(job, NULL, 0) == 0)
            for (;;)
                pause();
        if (job_adopt(job, self, 0) != 0)
            _exit(1);
        if (by_exit)
            _exit(0);
        close(job);
        _exit(write(channel[1], "x", 1) != 1);
    }
    close(channel[1]);
    is_int(reap(outer), by_exit ? 0 : SIGKILL,
           by_exit ? "rule 5: a member may die holding the owner"
                   : "rule 5: a member that closes the owner is killed");
    is_int(read(channel[0], &byte, 1), 0, "rule 5: close did not return, and all others are gone");
    close(channel[0]);
}

static void rule_6_cleared_flag(void)
{
    int owner = make_job(JOB_SELF, "rule6", JOB_KILL_ON_CLOSE);
    pid_t child = spawn_idle(owner, NULL);
    int opened;

    is_int(set_flags(owner, 0), 0, "rule 6: the flag is cleared");
    close(owner);
    is_int(kill(child, 0), 0, "rule 6: closing kills nothing then");
    opened = job_open(JOB_SELF, "rule6", 0);
    is_int(stat_of(opened).state, JOB_OPEN, "rule 6: and the job is open");
    kill_and_reap(child);
    close(opened);
}

static int as_user(void *argument)
{
    int job;
    char byte;

    if (setresuid(1000, 1000, 1000) != 0)
        return 1;
    job = job_open(JOB_SELF, "root-made", JOB_RIGHT_KILL);
    if (job >= 0 || errno != EACCES)
        return 2;
    job = job_open(JOB_SELF, "root-made", 0);
    if (job < 0 || job_kill(job, NULL, NULL, 0) == 0 || errno != EACCES)
        return 3;
    job = make_job(JOB_SELF, "user-made", 0);
    if (job_open(JOB_SELF, "user-made", JOB_RIGHTS_ALL) < 0)
        return 4;
    /* Until root has looked at it. */
    return write(((int *)argument)[1], "x", 1) == 1 && read(((int *)argument)[2], &byte, 1) == 1
               ? 0
               : 5;
}

static int look_up(void *argument)
{
    int self = job_open(JOB_SELF, "", 0);
    int above = job_open_id(JOB_SELF, *(uint64_t *)argument, 0);
    struct job_stat stat;

    if (self < 0 || job_stat(self, &stat, 0) != 0 || stat.active == 0)
        return 1;
    if (above < 0 || job_stat(above, &stat, 0) != 0 || stat.job_id != *(uint64_t *)argument)
        return 2;
    if (job_events(self, &(struct job_events_args){.flags = JOB_EVENTS_FROM_NOW}) < 0 ||
        job_events(above, &(struct job_events_args){.flags = JOB_EVENTS_FROM_NOW}) < 0)
        return 6;
    if (job_signal(self, 0, 0) != -1 || errno != EACCES)
        return 3;
    if (job_kill(above, NULL, NULL, 0) != -1 || errno != EACCES)
        return 4;
    return job_open(JOB_SELF, "", JOB_RIGHT_KILL) == -1 && errno == EACCES ? 0 : 5;
}

static void rule_7_rights_by_self(void)
{
    int job = make_job(JOB_SELF, "rule7", 0);
    int inner = make_job(job, "inner", 0);
    int made = make_job(inner, "root-made", 0);
    uint64_t id = id_of(job);
    int up[2], down[2], again;
    pid_t user;
    char byte;

    if (pipe(up) != 0 || pipe(down) != 0)
        tap_bail_out("pipe");
    user = spawn(inner, as_user, (int[]){up[0], up[1], down[0]});
    if (read(up[0], &byte, 1) == 1) {
        again = job_open(JOB_SELF, "rule7/inner/user-made", JOB_RIGHTS_ALL);
        ok(again >= 0, "rule 7: a strict descendant gives all rights to root");
        close(again);
    }
    if (write(down[1], "x", 1) != 1)
        tap_bail_out("write");
    is_int(reap(user), 0, "rule 7: and to its creator, few to others");
    for (unsigned i = 0; i < 2; i++) {
        close(up[i]);
        close(down[i]);
    }
    is_int(reap(spawn(inner, look_up, &id)), 0,
           "rule 7: the own job and those above give QUERY and EVENTS");
    id = id_of(made);
    close(made);
    is_error(job_open_id(JOB_SELF, id, 0), ENOENT, "rule 7: a freed id names nothing");
    is_error(job_open(JOB_SELF, "rule7/inner/root-made", 0), ENOENT, "rule 7: nor a freed name");
    again = make_job(inner, "root-made", 0);
    ok(id_of(again) > id, "rule 7: ids are not used again");
    close(again);
    close(inner);
    close(job);
}

static void descriptors(void)
{
    int file = open("/", O_RDONLY | O_CLOEXEC);
    int job = make_job(JOB_SELF, "rights", 0);
    int few = job_open(JOB_SELF, "rights", JOB_RIGHT_QUERY);
    struct job_stat stat;

    is_error(job_stat(file, &stat, 0), EINVAL, "a wrong kind of descriptor");
    is_error(job_stat(999, &stat, 0), EBADF, "a descriptor that is not open");
    is_error(job_kill(few, NULL, NULL, 0), EACCES, "a right that is missing");
    is_error(job_open(few, "", JOB_RIGHT_KILL), EACCES, "rights only shrink");
    is_int(fcntl(job, F_GETFD), FD_CLOEXEC, "a job's descriptor is close-on-exec");
    is_int(poll_now(job, POLLIN | POLLHUP), POLLIN, "an empty job polls readable");
    close(few);
    close(job);
    close(file);
}

static void listing_of_jobs(void)
{
    int top = make_job(JOB_SELF, "top", 0);
    int a = make_job(top, "a", 0), b = make_job(top, "b", 0), low = make_job(a, "low", 0);
    uint64_t ids[] = {id_of(top), id_of(a), id_of(low), id_of(b)};
    static const char *const names[] = {"top", "a", "low", "b"};
    struct job_entry entries[6];
    pid_t child = spawn_idle(low, NULL);
    bool right = true;

    memset(entries, 0xaa, sizeof(entries));
    is_int(job_list_jobs(top, entries, 3), 4, "JOB_LIST_JOBS: the number of jobs");
    is_int((long long)entries[3].job_id, (long long)0xaaaaaaaaaaaaaaaa, "and no more than n");
    is_int(job_list_jobs(top, entries, 6), 4, "with room for all");
    for (unsigned i = 0; i < 4; i++)
        right &= entries[i].job_id == ids[i] && strcmp(entries[i].name, names[i]) == 0 &&
                 entries[i].state == JOB_OPEN && entries[i].active == (i < 3) &&
                 entries[i].pad == 0;
    ok(right, "with members or not, each before its children, the older sibling first");
    ok(entries[0].parent_id == id_of(JOB_SELF) && entries[1].parent_id == ids[0] &&
           entries[2].parent_id == ids[1] && entries[3].parent_id == ids[0],
       "with their parents");
    ok(entries[0].depth == 0 && entries[1].depth == 1 && entries[2].depth == 2 &&
           entries[3].depth == 1,
       "and how deep they are below the first");
    is_int(job_list_jobs(low, entries, 6), 1, "a job without children");
    ok(entries[0].job_id == ids[2] && entries[0].depth == 0, "is alone in its list");
    is_error(job_list(top, NULL, 0, JOB_LIST_JOBS | JOB_LIST_ZOMBIES), EINVAL,
             "jobs and zombies do not go together");
    is_error(job_list_jobs(top, (struct job_entry *)8, 6), EFAULT, "a bad address");
    kill_and_reap(child);
    close(low);
    is_int(job_list_jobs(top, entries, 6), 3, "what is freed is not listed");
    close(a);
    close(b);
    close(top);
}

int main(void)
{
    rule_1_a_killed_job_takes_nobody();
    rule_2_depth();
    rule_2_limits_and_names();
    rule_3_a_job_outlives_its_descriptors();
    rule_3_a_child_job_keeps_it();
    rule_4_closing_the_owner_kills();
    rule_4_others_do_not_own();
    rule_4_exec_closes_the_owner();
    owner_inside(false);
    owner_inside(true);
    rule_6_cleared_flag();
    rule_7_rights_by_self();
    listing_of_jobs();
    descriptors();
    check_kernel("rules 1 to 7");
    return tap_done();
}
