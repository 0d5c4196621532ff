/* Limits on how members run, flipped under a load of forks in two sibling jobs: nobody gets lost.
 */
#include <sys/prctl.h>
#include <unistd.h>

#include "storm.h"

#define MS 1000000ull

static void add_storm(int job)
{
    if (job_fork(job, NULL, 0) == 0)
        _exit(fork_storm(NULL));
}

/* A different mix each time; all of it valid. */
static void flip(int job, unsigned round, unsigned cpus)
{
    struct job_limits limits = {.mask = JOB_LIMIT_NICE_FLOOR, .nice_floor = (int)(round % 40) - 20};

    if (round % 2 == 0) {
        limits.mask |= JOB_LIMIT_BANDWIDTH;
        limits.quota_ns = round % 3 ? JOB_UNLIMITED : (1 + round % 5) * MS / 2;
        limits.period_ns = (1 + round % 10) * MS;
    }
    if (round % 3 == 0) {
        limits.mask |= JOB_LIMIT_AFFINITY;
        limits.affinity = 1 + round % ((1u << cpus) - 1);
    }
    if (round % 5 == 0) {
        limits.mask |= JOB_LIMIT_WEIGHT | JOB_LIMIT_CLASS;
        limits.weight = 1 + round % 1000;
        limits.sched_class = round % 10;
    }
    if (round % 7 == 0) {
        limits.mask |= JOB_LIMIT_JOB_CPU | JOB_LIMIT_PROC_USER;
        limits.job_cpu_ns = 1 + round % 3 * 1000 * MS;
        limits.proc_user_ns = 5 * MS;
        limits.mask |= JOB_LIMIT_ACTIONS;
        limits.action[JOB_ON_JOB_CPU] = JOB_ACTION_KILL_JOB;
        limits.action[JOB_ON_PROC_USER] = JOB_ACTION_KILL_PROC;
    }
    if (job_set(job, &limits, 0) != 0)
        tap_bail_out("job_set");
}

int main(int count, char **words)
{
    unsigned rounds = rounds_of(count, words, 400);
    unsigned cpus = (unsigned)sysconf(_SC_NPROCESSORS_ONLN), unbalanced = 0;
    int top = make_job(JOB_SELF, "", 0);
    int jobs[2] = {make_job(top, "", 0), make_job(top, "", 0)};
    struct job_cert cert;

    prctl(PR_SET_CHILD_SUBREAPER, 1);
    set_count(top, JOB_LIMIT_PROCS, 24);
    for (unsigned round = 0; round < rounds; round++) {
        int job = jobs[round % 2];
        struct job_stat stat = stat_of(job);

        unbalanced += stat.entered != stat.active + stat.exited;
        if (stat.active == 0) {
            job_stat(job, &stat, JOB_PERIOD_RESET);
            add_storm(job);
        }
        flip(job, round, cpus);
        while (waitpid(-1, NULL, WNOHANG) > 0)
            continue;
    }
    is_int(unbalanced, 0, "entered = active + exited");
    job_kill(top, &forever, &cert, 0);
    ok(cert.entered == cert.exited && cert.live == 0, "at the end the certificate balances");
    reap_all();
    is_int((long long)stat_of(top).mem_bytes, 0, "all memory is given back");
    check_kernel("the storm");
    close(jobs[0]);
    close(jobs[1]);
    close(top);
    return tap_done();
}
