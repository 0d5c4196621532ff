/* docs/jobs.md, rules 30 to 33, 35 and 37: limits. */
#include "jobs.h"

#define MIB (1024ul * 1024)

static unsigned bit_number(uint64_t bit)
{
    return (unsigned)__builtin_ctzll(bit);
}

static void rule_30_effective(void)
{
    int top = make_job(JOB_SELF, "", 0);
    int job = make_job(top, "", 0);
    struct job_limits limits;

    set_count(top, JOB_LIMIT_PROCS, 10);
    set_count(job, JOB_LIMIT_PROCS, 20);
    set_count(job, JOB_LIMIT_JOBS, 2);
    set_bytes(top, JOB_LIMIT_JOB_MEM, 64 * MIB);
    set_bytes(job, JOB_LIMIT_PROC_MEM, 8 * MIB);
    job_get(job, &limits, 0);
    is_int(limits.max_procs, 20, "rule 30: job_get shows the own limit");
    ok(limits.mask == (JOB_LIMIT_PROCS | JOB_LIMIT_JOBS | JOB_LIMIT_PROC_MEM),
       "rule 30: and which are set");
    is_int(job_get(job, &limits, JOB_GET_EFFECTIVE), 0, "rule 30: and the effective ones");
    is_int(limits.max_procs, 10, "rule 30: the strictest of the chain: from above");
    is_int(limits.max_jobs, 2, "rule 30: from the job itself");
    is_int((long long)limits.job_mem_bytes, 64 * MIB, "rule 30: memory of the job");
    is_int((long long)limits.proc_mem_bytes, 8 * MIB, "rule 30: memory of a process");
    is_int((long long)limits.binding_job[bit_number(JOB_LIMIT_PROCS)], (long long)id_of(top),
           "rule 30: and whose limit binds: the one's above");
    is_int((long long)limits.binding_job[bit_number(JOB_LIMIT_JOBS)], (long long)id_of(job),
           "rule 30: the own");
    is_int((long long)limits.binding_job[bit_number(JOB_LIMIT_THREADS)], 0, "rule 30: nobody's");
    close(job);
    close(top);
}

struct longer {
    struct job_limits limits;
    uint64_t tail;
};

static void rule_31_masked(void)
{
    int job = make_job(JOB_SELF, "", 0);
    struct longer set = {.limits = {.mask = JOB_LIMIT_PROCS, .max_procs = 5, .max_threads = 6}};
    struct job_limits before, after;

    set_count(job, JOB_LIMIT_THREADS, 100);
    is_int(job_set(job, &set.limits, 0), 0, "rule 31: job_set");
    job_get(job, &before, 0);
    ok(before.max_procs == 5 && before.max_threads == 100, "rule 31: only what is in the mask");
    set.limits.max_procs = 9;
    set.limits.mask |= 1ull << 63;
    is_error(job_set(job, &set.limits, 0), EINVAL, "rule 31: an unknown bit");
    set.limits.mask = JOB_LIMIT_PROCS;
    set.tail = 1;
    is_error(syscall(KIN_NR_job_set, job, &set, sizeof(set), 0), E2BIG, "rule 31: an unknown tail");
    set.limits.pad = 1;
    is_error(job_set(job, &set.limits, 0), EINVAL, "rule 31: padding");
    is_error(job_set(job, (void *)8, 0), EFAULT, "rule 31: a bad address");
    job_get(job, &after, 0);
    ok(memcmp(&before, &after, sizeof(before)) == 0, "rule 31: on any error nothing changes");
    set.tail = 0;
    set.limits.pad = 0;
    is_int((int)syscall(KIN_NR_job_set, job, &set, sizeof(set), 0), 0, "rule 31: a tail of zeros");
    is_int((int)syscall(KIN_NR_job_set, job, &set, offsetof(struct job_limits, max_jobs), 0), 0,
           "rule 31: an older, shorter structure");
    close(job);
}

static void rule_32_lowering_counts(void)
{
    int job = make_job(JOB_SELF, "", 0);
    struct job_limits limits = {.mask = JOB_LIMIT_PROCS, .max_procs = 1};
    pid_t children[3];

    for (unsigned i = 0; i < 3; i++)
        children[i] = spawn_idle(job, NULL);
    is_error(job_set(job, &limits, JOB_SET_STRICT), EBUSY, "rule 32: STRICT below what is in use");
    is_int(job_set(job, &limits, 0), 0, "rule 32: else lowering below present use succeeds");
    is_int(stat_of(job).active, 3, "rule 32: and ends nobody");
    for (unsigned i = 0; i < 3; i++) {
        is_error(job_fork(job, NULL, 0), EAGAIN, "rule 32: with %u members there is no room",
                 3 - i);
        kill_and_reap(children[i]);
    }
    children[0] = spawn_idle(job, NULL);
    ok(children[0] > 0, "rule 32: until it is below");
    kill_and_reap(children[0]);
    close(job);
}

struct memory_request {
    int up[2], down[2];
};

/* The data segment a page further; brk(2) says nothing, but stays where it was. */
static unsigned char extend_data(void)
{
    long end = syscall(SYS_brk, 0);

    return syscall(SYS_brk, end + 4096) == end ? ENOMEM : 0;
}

/* A member that maps and unmaps a page on request, and says what came of it. */
static int map_on_request(void *argument)
{
    struct memory_request *request = argument;
    char *extra = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char what;

    while (read(request->down[0], &what, 1) == 1) {
        unsigned char answer = 0;

        if (what == 'm' && mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                                0) == MAP_FAILED)
            answer = (unsigned char)errno;
        if (what == 'b')
            answer = extend_data();
        if (what == 'u')
            munmap(extra, MIB);
        if (what == 'f') {
            pid_t child = fork();

            if (child == 0)
                _exit(0);
            answer = child < 0 ? (unsigned char)errno : (reap(child), 0);
        }
        if (write(request->up[1], &answer, 1) != 1)
            return 1;
    }
    return 0;
}

static int ask(struct memory_request *request, char what)
{
    unsigned char answer = 255;

    if (write(request->down[1], &what, 1) != 1 || read(request->up[0], &answer, 1) != 1)
        tap_bail_out("a member's pipe");
    return answer;
}

static pid_t start_mapper(int job, struct memory_request *request)
{
    pid_t child;

    if (pipe(request->up) != 0 || pipe(request->down) != 0)
        tap_bail_out("pipe");
    child = spawn(job, map_on_request, request);
    ask(request, 'm');
    return child;
}

static void stop_mapper(pid_t child, struct memory_request *request)
{
    kill_and_reap(child);
    for (unsigned i = 0; i < 2; i++) {
        close(request->up[i]);
        close(request->down[i]);
    }
}

static void rule_32_lowering_memory(void)
{
    int job = make_job(JOB_SELF, "", 0);
    struct job_limits limits = {.mask = JOB_LIMIT_JOB_MEM};
    struct memory_request request;
    pid_t child = start_mapper(job, &request);

    limits.job_mem_bytes = stat_of(job).mem_bytes - MIB / 2;
    is_error(job_set(job, &limits, JOB_SET_STRICT), EBUSY, "rule 32: STRICT, for memory");
    is_int(job_set(job, &limits, 0), 0, "rule 32: memory below present use");
    is_int(ask(&request, 'm'), ENOMEM, "rule 32: a commitment fails");
    ask(&request, 'u');
    is_int(ask(&request, 'm'), 0, "rule 32: until it is below");
    stop_mapper(child, &request);
    close(job);
}

static void rule_33_committed_memory(uint64_t limit, enum job_action_index index, const char *name)
{
    int job = make_job(JOB_SELF, "", 0);
    struct memory_request request;
    pid_t child = start_mapper(job, &request);
    int stream = open_stream(job, JOB_EVENT_BIT(JOB_EVENT_LIMIT), 0);
    uint64_t used = stat_of(job).mem_bytes;
    struct job_event event;

    set_bytes(job, limit, used + 4096);
    is_int(ask(&request, 'm'), 0, "rule 33: %s: up to the limit memory is given", name);
    is_int((long long)stat_of(job).mem_bytes, (long long)used + 4096,
           "rule 33: %s: and charged when it is committed", name);
    is_int(ask(&request, 'm'), ENOMEM, "rule 33: %s: and not a byte beyond", name);
    is_int((long long)stat_of(job).mem_bytes, (long long)used + 4096,
           "rule 33: %s: without a side effect", name);
    event = next_event(stream);
    ok(event.type == JOB_EVENT_LIMIT && event.cause == index && event.limit_job == id_of(job) &&
           event.pid == child,
       "rule 33: %s: a LIMIT event tells", name);
    fcntl(stream, F_SETFL, O_NONBLOCK);
    is_error(read(stream, &event, sizeof(event)), EAGAIN, "rule 33: %s: one", name);
    stop_mapper(child, &request);
    is_int((long long)stat_of(job).mem_bytes, 0, "rule 33: %s: all is given back", name);
    close(stream);
    close(job);
}

static void rule_33_data_segment(void)
{
    int job = make_job(JOB_SELF, "", 0);
    struct memory_request request;
    pid_t child = start_mapper(job, &request);
    uint64_t used = stat_of(job).mem_bytes;

    set_bytes(job, JOB_LIMIT_JOB_MEM, used + 4096);
    is_int(ask(&request, 'b'), 0, "rule 33: brk, up to the limit");
    is_int((long long)stat_of(job).mem_bytes, (long long)used + 4096, "rule 33: is charged");
    is_int(ask(&request, 'b'), ENOMEM, "rule 33: and beyond refused");
    is_int((long long)stat_of(job).mem_bytes, (long long)used + 4096,
           "rule 33: without a side effect");
    stop_mapper(child, &request);
    close(job);
}

static void rule_33_fork(void)
{
    int job = make_job(JOB_SELF, "", 0);
    struct memory_request request;
    pid_t child = start_mapper(job, &request);
    uint64_t used = stat_of(job).mem_bytes;

    set_bytes(job, JOB_LIMIT_JOB_MEM, 2 * used - 4096);
    is_int(ask(&request, 'f'), ENOMEM, "rule 33: fork copies private writable memory");
    is_int(stat_of(job).active, 1, "rule 33: no child is born");
    set_bytes(job, JOB_LIMIT_JOB_MEM, 2 * used);
    is_int(ask(&request, 'f'), 0, "rule 33: with room for the copy it is");
    stop_mapper(child, &request);
    close(job);
}

static int map_file(void *argument)
{
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    uint64_t before = stat_of(JOB_SELF).mem_bytes;
    void *image = mmap(NULL, 65536, PROT_READ, MAP_PRIVATE, file, 0);

    return image != MAP_FAILED && stat_of(JOB_SELF).mem_bytes == before ? 0 : 1;
}

static void rule_33_file_images(void)
{
    int job = make_job(JOB_SELF, "", 0);

    is_int(reap(spawn(job, map_file, NULL)), 0, "rule 33: a file's image is not charged");
    close(job);
}

static void set_action(int job, enum job_action_index index, enum job_action action)
{
    struct job_limits limits = {.mask = JOB_LIMIT_ACTIONS};

    limits.action[index] = (uint8_t)action;
    if (job_set(job, &limits, 0) != 0)
        tap_bail_out("job_set");
}

static void rule_35_notify(void)
{
    int job = make_job(JOB_SELF, "", 0);
    int stream = open_stream(job, JOB_EVENT_BIT(JOB_EVENT_LIMIT), 0);
    pid_t children[4];
    struct job_event event;

    set_count(job, JOB_LIMIT_PROCS, 1);
    set_action(job, JOB_ON_PROCS, JOB_ACTION_NOTIFY);
    for (unsigned i = 0; i < 4; i++)
        children[i] = spawn_idle(job, NULL);
    is_int(stat_of(job).active, 4, "rule 35: NOTIFY refuses nothing");
    is_int(next_event(stream).type, JOB_EVENT_LIMIT, "rule 35: it tells");
    fcntl(stream, F_SETFL, O_NONBLOCK);
    is_error(read(stream, &event, sizeof(event)), EAGAIN, "rule 35: once");
    set_count(job, JOB_LIMIT_PROCS, 2);
    kill_and_reap(children[0]);
    children[0] = spawn_idle(job, NULL);
    is_int(next_event(stream).type, JOB_EVENT_LIMIT, "rule 35: and again when it is set again");
    job_kill(job, &forever, NULL, 0);
    for (unsigned i = 0; i < 4; i++)
        reap(children[i]);
    close(stream);
    close(job);
}

static int fork_and_tell(void *argument)
{
    pid_t child = fork();

    if (child == 0)
        _exit(0);
    if (child > 0)
        reap(child);
    return child < 0 ? errno : 0;
}

static void rule_35_freeze(void)
{
    int job = make_job(JOB_SELF, "", 0);
    int stream =
        open_stream(job, JOB_EVENT_BIT(JOB_EVENT_FROZEN) | JOB_EVENT_BIT(JOB_EVENT_THAWED), 0);
    pid_t child;

    set_count(job, JOB_LIMIT_PROCS, 1);
    set_action(job, JOB_ON_PROCS, JOB_ACTION_FREEZE);
    child = spawn(job, fork_and_tell, NULL);
    is_int(next_event(stream).type, JOB_EVENT_FROZEN, "rule 35: FREEZE holds a token");
    is_int(waitpid(child, NULL, WNOHANG), 0, "rule 35: the member stands still");
    set_count(job, JOB_LIMIT_PROCS, 2);
    is_int(next_event(stream).type, JOB_EVENT_THAWED, "rule 35: until the limit is raised");
    is_int(WEXITSTATUS(reap(child)), EAGAIN, "rule 35: then it goes on; the fork was refused");
    close(stream);
    close(job);
}

static void actions_that_kill(void)
{
    int job = make_job(JOB_SELF, "", 0);
    pid_t bystander = spawn_idle(job, NULL);

    set_count(job, JOB_LIMIT_PROCS, 2);
    set_action(job, JOB_ON_PROCS, JOB_ACTION_KILL_PROC);
    is_int(reap(spawn(job, fork_and_tell, NULL)), SIGKILL, "KILL_PROC kills who reached the limit");
    is_int(kill(bystander, 0), 0, "and nobody else");
    set_action(job, JOB_ON_PROCS, JOB_ACTION_KILL_JOB);
    is_int(reap(spawn(job, fork_and_tell, NULL)), SIGKILL, "KILL_JOB kills who reached the limit");
    is_int(reap(bystander), SIGKILL, "and all the others");
    is_int((long long)stat_of(job).limit_killed, 3, "limit_killed counts them");
    is_int(stat_of(job).state, JOB_OPEN, "the job works again");
    set_count(job, JOB_LIMIT_PROCS, 3);
    is_int(reap(spawn(job, fork_and_tell, NULL)), 0, "when the limit is raised");
    close(job);
}

static int set_own(void *argument)
{
    struct job_limits limits = {.mask = JOB_LIMIT_PROCS, .max_procs = JOB_UNLIMITED_COUNT};

    return job_set(JOB_SELF, &limits, 0) == -1 ? errno : 0;
}

static void rule_37_self(void)
{
    int job = make_job(JOB_SELF, "", 0);

    set_count(job, JOB_LIMIT_PROCS, 5);
    is_int(WEXITSTATUS(reap(spawn(job, set_own, NULL))), EACCES,
           "rule 37: job_set through JOB_SELF is EACCES");
    close(job);
}

int main(void)
{
    rule_30_effective();
    rule_31_masked();
    rule_32_lowering_counts();
    rule_32_lowering_memory();
    rule_33_committed_memory(JOB_LIMIT_JOB_MEM, JOB_ON_JOB_MEM, "the job's");
    rule_33_committed_memory(JOB_LIMIT_PROC_MEM, JOB_ON_PROC_MEM, "the process's");
    rule_33_data_segment();
    rule_33_fork();
    rule_33_file_images();
    rule_35_notify();
    rule_35_freeze();
    actions_that_kill();
    rule_37_self();
    check_kernel("rules 30 to 37");
    return tap_done();
}
