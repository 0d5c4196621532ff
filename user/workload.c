/*
 * workload: N workers behind a start gate, until SIGUSR1 stops them; each reports through a pipe of
 * its own what it has counted in shared memory. Who has not reported by the deadline is killed,
 * with its process group, and the reason is given. Plain POSIX; where there are jobs, all workers
 * are in one, which ends with a certificate that nobody is left.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/libjob.h"
#include "workload_types.h"

#define WORKERS_MAX 512

struct report {
    uint64_t count;
    uint64_t check; /* ~count */
};

struct worker {
    const struct work *work;
    pid_t process;
    int pipe; /* -1: closed */
    bool reported, timed_out;
    struct report report;
};

static struct worker workers[WORKERS_MAX];
static unsigned worker_count = 4;
static double run_seconds = 1, deadline_seconds = 5;
static _Atomic uint64_t *counters; /* shared: one a worker, a cache line apart */
static int gate[2];
static int job = -1;

static void stop(int signal)
{
    stopping = 1;
}

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static _Noreturn void work(unsigned index, int channel)
{
    struct sigaction action = {.sa_handler = stop};
    struct report report;
    char byte;

    setpgid(0, 0);
    sigaction(SIGUSR1, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    close(gate[1]);
    if (read(gate[0], &byte, 1) != 0 && !stopping)
        _exit(2);
    while (!stopping) {
        workers[index].work->step();
        counters[8 * index]++;
    }
    report.count = counters[8 * index];
    report.check = ~report.count;
    _exit(write(channel, &report, sizeof(report)) == sizeof(report) ? 0 : 5);
}

static bool start(unsigned index)
{
    struct worker *worker = &workers[index];
    int channel[2];

    if (pipe(channel) != 0)
        return false;
    worker->process = job >= 0 ? job_fork(job, NULL, 0) : fork();
    if (worker->process == 0) {
        close(channel[0]);
        work(index, channel[1]);
    }
    close(channel[1]);
    worker->pipe = channel[0];
    if (worker->process > 0)
        setpgid(worker->process, worker->process);
    return worker->process > 0;
}

static void take_report(struct worker *worker)
{
    ssize_t length = read(worker->pipe, &worker->report, sizeof(worker->report));

    worker->reported =
        length == (ssize_t)sizeof(worker->report) && worker->report.check == ~worker->report.count;
    close(worker->pipe);
    worker->pipe = -1;
}

/* Until each worker has reported or ended, or the time is over. */
static void collect_until(double deadline)
{
    for (;;) {
        struct pollfd polled[WORKERS_MAX];
        unsigned open = 0;
        int left = (int)((deadline - now()) * 1000);

        for (unsigned i = 0; i < worker_count; i++) {
            polled[i] = (struct pollfd){.fd = workers[i].pipe, .events = POLLIN};
            open += workers[i].pipe >= 0;
        }
        if (open == 0 || left < 0)
            return;
        if (poll(polled, worker_count, left) < 0 && errno != EINTR)
            return;
        for (unsigned i = 0; i < worker_count; i++)
            if (workers[i].pipe >= 0 && polled[i].revents)
                take_report(&workers[i]);
    }
}

static void stop_all(void)
{
    for (unsigned i = 0; i < worker_count; i++)
        kill(workers[i].process, SIGUSR1);
    collect_until(now() + deadline_seconds);
    for (unsigned i = 0; i < worker_count; i++) {
        workers[i].timed_out = workers[i].pipe >= 0;
        kill(-workers[i].process, SIGKILL);
        if (workers[i].timed_out)
            kill(workers[i].process, SIGKILL);
    }
}

static bool conclude(unsigned index)
{
    struct worker *worker = &workers[index];
    int status = 0;
    pid_t ended;

    while ((ended = waitpid(worker->process, &status, 0)) < 0 && errno == EINTR)
        continue;
    printf("worker %u %s: ", index, worker->work->name);
    if (worker->reported)
        printf("%llu\n", (unsigned long long)worker->report.count);
    else if (ended < 0)
        printf("no report: wait failed: %s\n", strerror(errno));
    else if (worker->timed_out)
        printf("no report: timed out\n");
    else if (WIFSIGNALED(status))
        printf("no report: signalled %d\n", WTERMSIG(status));
    else
        printf("no report: exited %d\n", WEXITSTATUS(status));
    return worker->reported;
}

static void end_job(void)
{
    const struct timespec limit = {.tv_sec = 10};
    struct job_cert cert;

    if (job < 0)
        return;
    if (job_kill(job, &limit, &cert, 0) == 0)
        printf("job: entered %llu, exited %llu, live %llu\n", (unsigned long long)cert.entered,
               (unsigned long long)cert.exited, (unsigned long long)cert.live);
    else
        printf("job: %s\n", strerror(errno));
}

static int run(void)
{
    struct job_create_args args = {.flags = JOB_KILL_ON_CLOSE};
    unsigned failed = 0;

    job = job_create(JOB_SELF, &args);
    counters =
        mmap(NULL, 64 * WORKERS_MAX, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (counters == MAP_FAILED || pipe(gate) != 0) {
        perror("workload");
        return 125;
    }
    for (unsigned i = 0; i < worker_count; i++)
        if (!start(i)) {
            perror("workload: cannot start a worker");
            return 125;
        }
    close(gate[0]);
    close(gate[1]); /* the gate opens */
    collect_until(now() + run_seconds);
    stop_all();
    for (unsigned i = 0; i < worker_count; i++)
        failed += !conclude(i);
    end_job();
    printf("%u workers, %u without a report\n", worker_count, failed);
    return failed ? 1 : 0;
}

static int usage(FILE *out)
{
    fprintf(out, "usage: workload [-n WORKERS] [-t SECONDS] [-d DEADLINE] [WORK]...\n"
                 "Workers do the kinds of work in turn:");
    for (unsigned i = 0; i < work_count; i++)
        fprintf(out, " %s", works[i].name);
    fprintf(out, "\nexit status: 0 all reported, 1 some did not, 125 workload itself failed\n");
    return out == stdout ? 0 : 125;
}

static const struct work *find_work(const char *name)
{
    for (unsigned i = 0; i < work_count; i++)
        if (strcmp(works[i].name, name) == 0)
            return &works[i];
    return NULL;
}

int main(int count, char **words)
{
    int option;

    if (count > 1 && strcmp(words[1], "--help") == 0)
        return usage(stdout);
    while ((option = getopt(count, words, "n:t:d:")) != -1) {
        double value = 0;
        char *end = optarg;

        if (option != '?')
            value = strtod(optarg, &end);
        if (option == '?' || end == optarg || *end || !(value >= 0 && value < 1e6)) {
            if (option != '?')
                fprintf(stderr, "workload: -%c %s: not a number\n", option, optarg);
            return usage(stderr);
        }
        if (option == 'n')
            worker_count = (unsigned)value;
        else if (option == 't')
            run_seconds = value;
        else
            deadline_seconds = value;
    }
    if (worker_count == 0 || worker_count > WORKERS_MAX)
        return usage(stderr);
    for (unsigned i = 0; i < worker_count; i++) {
        int named = count - optind;

        const char *name = named > 0 ? words[optind + (int)i % named] : works[i % 6].name;

        workers[i].work = find_work(name);
        if (!workers[i].work) {
            fprintf(stderr, "workload: no work '%s'\n", name);
            return usage(stderr);
        }
    }
    return run();
}
