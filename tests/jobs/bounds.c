/* docs/jobs.md, rule 38: nice floor and affinity; and what weight and class may be. How the CPUs
 * are shared then: figures_cpu.c. */
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include "jobs.h"

static int try_limit(int job, uint64_t bit, int64_t value)
{
    struct job_limits limits = {.mask = bit};

    limits.weight = (uint32_t)value;
    limits.sched_class = (uint32_t)value;
    limits.nice_floor = (int32_t)value;
    limits.affinity = (uint64_t)value;
    return job_set(job, &limits, 0);
}

static void set_limit(int job, uint64_t bit, int64_t value)
{
    if (try_limit(job, bit, value) != 0)
        tap_bail_out("job_set");
}

static int nice_of(pid_t pid)
{
    errno = 0;
    return getpriority(PRIO_PROCESS, (id_t)pid);
}

static void nice_floor(void)
{
    int outer = make_job(JOB_SELF, "", 0), inner = make_job(outer, "", 0);
    struct sched_param priority = {.sched_priority = 10};
    struct job_limits limits;
    pid_t child = spawn_idle(inner, NULL);
    pid_t child_id = child;

    is_int(nice_of(child), 0, "rule 38: no floor");
    set_limit(outer, JOB_LIMIT_NICE_FLOOR, 5);
    is_int(nice_of(child), 5, "rule 38: the effective nice value is the floor's");
    is_error(setpriority(PRIO_PROCESS, (id_t)child_id, 4), EACCES, "rule 38: not below it");
    is_int(setpriority(PRIO_PROCESS, (id_t)child_id, 7), 0, "rule 38: above it");
    is_int(nice_of(child), 7, "rule 38: is the greater of the two");
    set_limit(inner, JOB_LIMIT_NICE_FLOOR, 9);
    is_int(nice_of(child), 9, "rule 38: of all floors of the chain");
    set_limit(inner, JOB_LIMIT_NICE_FLOOR, 3);
    is_int(nice_of(child), 7, "rule 38: lowered, the own value is back");
    job_get(inner, &limits, JOB_GET_EFFECTIVE);
    is_int(limits.nice_floor, 5, "rule 30: the greatest floor binds");
    is_error(syscall(SYS_sched_setscheduler, child, SCHED_FIFO, &priority), EPERM,
             "rule 38: nor out of it by a realtime policy");
    set_limit(outer, JOB_LIMIT_NICE_FLOOR, -20);
    set_limit(inner, JOB_LIMIT_NICE_FLOOR, -20);
    is_int(syscall(SYS_sched_setscheduler, child, SCHED_FIFO, &priority), 0,
           "rule 38: which is free without a floor");
    is_error(try_limit(inner, JOB_LIMIT_NICE_FLOOR, 20), EINVAL, "rule 38: no such value: 20");
    is_error(try_limit(inner, JOB_LIMIT_NICE_FLOOR, -21), EINVAL, "rule 38: -21");
    kill_and_reap(child);
    close(inner);
    close(outer);
}

static int report_nice(void *argument)
{
    return nice_of(0);
}

static void nice_of_joining(void)
{
    int job = make_job(JOB_SELF, "", 0), pidfd;
    pid_t child = spawn_idle(job, &pidfd);
    int inner = make_job(job, "", 0);

    set_limit(inner, JOB_LIMIT_NICE_FLOOR, 6);
    is_int(WEXITSTATUS(reap(spawn(inner, report_nice, NULL))), 6, "rule 38: who is born there");
    job_adopt(inner, pidfd, 0);
    is_int(nice_of(child), 6, "rule 38: and who is adopted");
    kill_and_reap(child);
    close(pidfd);
    close(inner);
    close(job);
}

static uint64_t affinity_of(pid_t pid)
{
    uint64_t mask = 0;

    syscall(SYS_sched_getaffinity, pid, sizeof(mask), &mask);
    return mask;
}

static long set_affinity(pid_t pid, uint64_t mask)
{
    return syscall(SYS_sched_setaffinity, pid, sizeof(mask), &mask);
}

static void affinity_alone(void)
{
    int job = make_job(JOB_SELF, "", 0);
    pid_t child = spawn_idle(job, NULL);

    is_error(try_limit(job, JOB_LIMIT_AFFINITY, 0), EINVAL, "rule 38: no CPU at all");
    is_error(try_limit(job, JOB_LIMIT_AFFINITY, (int64_t)(1ull << 63)), EINVAL,
             "rule 38: none that there is");
    set_limit(job, JOB_LIMIT_AFFINITY, 1);
    is_int((long long)affinity_of(child), 1, "rule 38: the job's CPUs");
    is_error(set_affinity(child, 2), EINVAL, "rule 38: a disjoint mask");
    is_int(set_affinity(child, 3), 0, "rule 38: one that is not");
    is_int((long long)affinity_of(child), 1, "rule 38: is cut down");
    kill_and_reap(child);
    close(job);
}

static int report_affinity(void *argument)
{
    return (int)affinity_of(0);
}

/* With two CPUs at least. */
static void affinity_of_two(void)
{
    int outer = make_job(JOB_SELF, "", 0), inner = make_job(outer, "", 0), pidfd;
    pid_t child = spawn_idle(outer, &pidfd);
    struct job_limits limits;

    set_affinity(child, 1);
    is_error(try_limit(outer, JOB_LIMIT_AFFINITY, 2), EINVAL,
             "rule 38: a mask that leaves a member without a CPU");
    job_get(outer, &limits, 0);
    ok(limits.affinity == UINT64_MAX && affinity_of(child) == 1, "rule 38: changes nothing");
    set_limit(inner, JOB_LIMIT_AFFINITY, 2);
    is_error(job_adopt(inner, pidfd, 0), EINVAL, "rule 38: nor may such a one be adopted");
    is_int(stat_of(inner).active, 0, "rule 38: it is where it was");
    set_affinity(child, 3);
    is_int(job_adopt(inner, pidfd, 0), 0, "rule 38: but one with a CPU there");
    is_int((long long)affinity_of(child), 2, "rule 38: and runs on that");
    is_error(try_limit(outer, JOB_LIMIT_AFFINITY, 1), EINVAL, "rule 38: above a job with others");
    is_int(WEXITSTATUS(reap(spawn(inner, report_affinity, NULL))), 2, "rule 38: who is born there");
    set_affinity(0, 1);
    is_error(job_fork(inner, NULL, 0), EINVAL, "rule 38: unless it has no CPU there");
    set_affinity(0, UINT64_MAX);
    set_limit(inner, JOB_LIMIT_AFFINITY, -1);
    is_int((long long)(affinity_of(child) & 3), 3, "rule 38: wider again, all of its own");
    kill_and_reap(child);
    close(pidfd);
    close(inner);
    close(outer);
}

static void weight_and_class(void)
{
    int job = make_job(JOB_SELF, "", 0), inner = make_job(job, "", 0);
    struct job_limits limits;
    pid_t child;

    is_error(try_limit(job, JOB_LIMIT_WEIGHT, 0), EINVAL, "weight 0");
    is_error(try_limit(job, JOB_LIMIT_WEIGHT, 10001), EINVAL, "weight 10001");
    is_error(try_limit(job, JOB_LIMIT_CLASS, 10), EINVAL, "class 10");
    set_limit(inner, JOB_LIMIT_WEIGHT, 10000);
    set_limit(job, JOB_LIMIT_WEIGHT, 1);
    set_limit(job, JOB_LIMIT_CLASS, 9);
    set_limit(inner, JOB_LIMIT_CLASS, 2);
    job_get(inner, &limits, JOB_GET_EFFECTIVE);
    ok(limits.weight == 10000 && limits.sched_class == 2,
       "effective: the own weight, the least class");
    child = spawn(inner, report_nice, NULL);
    is_int(WEXITSTATUS(reap(child)), 0, "a member of weighted jobs runs");
    close(inner);
    inner = make_job(job, "", 0);
    is_int(WEXITSTATUS(reap(spawn(inner, report_nice, NULL))), 0, "and one of a new job there");
    close(inner);
    close(job);
}

int main(void)
{
    nice_floor();
    nice_of_joining();
    affinity_alone();
    if (sysconf(_SC_NPROCESSORS_ONLN) > 1)
        affinity_of_two();
    weight_and_class();
    check_kernel("bounds");
    return tap_done();
}
