/*
 * How processes that only compute share the CPUs: share SECONDS CPU NICE...
 *
 * One process for each nice value, all on that CPU, or, if it is -1, wherever they like. After so
 * many seconds a line for each: its nice value, its CPU time in ns, how often the CPU was taken
 * from it, and the set of CPUs on which it found itself. With -1 it ends as soon as all CPUs were
 * used and nobody has had 5% more than another: what a host's stall gave to one, the others get
 * later.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PROCESSES_MAX 64
#define SHORTEST_NS   2000000000ull

struct shared {
    _Atomic int stop;
    struct result {
        uint64_t cpu_ns;
        uint64_t switches;
        _Atomic uint64_t cpus;
    } results[PROCESSES_MAX];
};

static pid_t processes[PROCESSES_MAX];

static uint64_t now_ns(clockid_t clock)
{
    struct timespec time;

    clock_gettime(clock, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static uint64_t switches(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (uint64_t)usage.ru_nivcsw;
}

static void compute(struct shared *shared, struct result *result, int gate)
{
    unsigned cpu = 0;
    char byte;

    if (read(gate, &byte, 1) != 0)
        _exit(1);
    result->switches = -switches();
    while (!shared->stop) {
        for (volatile int i = 0; i < 10000; i++)
            ;
        syscall(SYS_getcpu, &cpu, NULL, NULL);
        result->cpus |= 1ull << cpu;
    }
    result->switches += switches();
    _exit(0);
}

static void start(struct shared *shared, int cpu, int count, char **nice_values, int gate[2])
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(cpu < 0 ? 0 : cpu, &set);
    for (int i = 0; i < count; i++) {
        processes[i] = fork();
        if (processes[i] != 0)
            continue;
        if (cpu >= 0 && sched_setaffinity(0, sizeof(set), &set) != 0)
            _exit(1);
        if (setpriority(PRIO_PROCESS, 0, atoi(nice_values[i])) != 0)
            _exit(1);
        close(gate[1]);
        compute(shared, &shared->results[i], gate[0]);
    }
    usleep(50000);
    close(gate[0]);
    close(gate[1]);
}

/* What they have had since `began`, as of now. */
static void read_times(struct shared *shared, const uint64_t *began, int count)
{
    clockid_t clock;

    for (int i = 0; i < count; i++) {
        clock_getcpuclockid(processes[i], &clock);
        shared->results[i].cpu_ns = now_ns(clock) - began[i];
    }
}

static bool is_even(const struct shared *shared, int count)
{
    uint64_t least = UINT64_MAX, most = 0, cpus = 0;

    for (int i = 0; i < count; i++) {
        const struct result *result = &shared->results[i];

        least = result->cpu_ns < least ? result->cpu_ns : least;
        most = result->cpu_ns > most ? result->cpu_ns : most;
        cpus |= result->cpus;
    }
    return (most - least) * 20 <= most && cpus == (1ull << sysconf(_SC_NPROCESSORS_ONLN)) - 1;
}

static void let_run(struct shared *shared, int count, uint64_t shortest, uint64_t longest)
{
    static const uint64_t zero[PROCESSES_MAX];
    uint64_t began[PROCESSES_MAX], start_ns = now_ns(CLOCK_MONOTONIC), passed = 0;

    read_times(shared, zero, count);
    for (int i = 0; i < count; i++)
        began[i] = shared->results[i].cpu_ns;
    while (passed < shortest || (passed < longest && !is_even(shared, count))) {
        usleep(50000);
        read_times(shared, began, count);
        passed = now_ns(CLOCK_MONOTONIC) - start_ns;
    }
    shared->stop = 1;
}

int main(int argument_count, char **arguments)
{
    struct shared *shared =
        mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    uint64_t longest = strtoull(arguments[1], NULL, 10) * 1000000000;
    int cpu = atoi(arguments[2]), count = argument_count - 3;
    int gate[2], status, failed = 0;

    if (pipe(gate) != 0 || count > PROCESSES_MAX)
        return 1;
    start(shared, cpu, count, arguments + 3, gate);
    let_run(shared, count, cpu < 0 ? SHORTEST_NS : longest, longest);
    while (wait(&status) > 0)
        failed |= status;
    for (int i = 0; i < count; i++) {
        const struct result *result = &shared->results[i];

        printf("%s %llu %llu %#llx\n", arguments[i + 3], (unsigned long long)result->cpu_ns,
               (unsigned long long)result->switches, (unsigned long long)result->cpus);
    }
    return failed ? 1 : 0;
}
