/*
 * How processes that only compute share the CPUs: share SECONDS CPU NICE...
 *
 * One process for each nice value, all on that CPU, or, if it is -1, wherever they like. After so
 * many seconds a line for each: its nice value, its CPU time in ns, how often the CPU was taken
 * from it, and the set of CPUs on which it found itself.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct shared {
    _Atomic int stop;
    struct result {
        uint64_t cpu_ns;
        uint64_t switches;
        uint64_t cpus;
    } results[64];
};

static uint64_t cpu_ns(void)
{
    struct timespec time;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
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
    result->cpu_ns = -cpu_ns();
    result->switches = -switches();
    while (!shared->stop) {
        for (volatile int i = 0; i < 10000; i++)
            ;
        syscall(SYS_getcpu, &cpu, NULL, NULL);
        result->cpus |= 1ull << cpu;
    }
    result->cpu_ns += cpu_ns();
    result->switches += switches();
    _exit(0);
}

int main(int count, char **arguments)
{
    struct shared *shared =
        mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int cpu = atoi(arguments[2]);
    int gate[2], status, failed = 0;
    cpu_set_t set;

    if (pipe(gate) != 0)
        return 1;
    for (int i = 3; i < count; i++)
        if (fork() == 0) {
            close(gate[1]);
            CPU_ZERO(&set);
            CPU_SET(cpu < 0 ? 0 : cpu, &set);
            if (cpu >= 0 && sched_setaffinity(0, sizeof(set), &set) != 0)
                _exit(1);
            if (setpriority(PRIO_PROCESS, 0, atoi(arguments[i])) != 0)
                _exit(1);
            close(gate[1]);
            compute(shared, &shared->results[i - 3], gate[0]);
        }
    usleep(50000);
    close(gate[0]);
    close(gate[1]);
    sleep((unsigned)atoi(arguments[1]));
    shared->stop = 1;
    while (wait(&status) > 0)
        failed |= status;
    for (int i = 3; i < count; i++) {
        const struct result *result = &shared->results[i - 3];

        printf("%s %llu %llu %#llx\n", arguments[i], (unsigned long long)result->cpu_ns,
               (unsigned long long)result->switches, (unsigned long long)result->cpus);
    }
    return failed ? 1 : 0;
}
