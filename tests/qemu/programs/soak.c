/*
 * Sleeping, yielding, changing CPUs and priorities at random: soak SECONDS SEED. Ends with the
 * kernel's own check of its tables.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORKERS 24

static uint64_t seed, all;

static unsigned pick(unsigned limit)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(seed >> 33) % limit;
}

static void change_affinity(pid_t whose)
{
    uint64_t mask = pick(1u << 8) & all;

    syscall(SYS_sched_setaffinity, whose, sizeof(mask), &mask);
}

static void change_policy(pid_t whose)
{
    static const int policies[] = {0, 0, 0, 1, 2, 3, 5};
    int policy = policies[pick(7)];
    int priority = policy == 1 || policy == 2 ? (int)pick(99) + 1 : 0;

    syscall(SYS_sched_setscheduler, whose, policy, &priority);
}

static void step(const pid_t *others, int count)
{
    pid_t other = count ? others[pick((unsigned)count)] : 0;
    struct timespec pause = {0, (long)pick(3000000)};

    switch (pick(9)) {
    case 0:
        nanosleep(&pause, NULL);
        break;
    case 1:
        sched_yield();
        break;
    case 2:
        change_affinity(0);
        break;
    case 3:
        change_affinity(other);
        break;
    case 4:
        change_policy(0);
        nanosleep(&pause, NULL);
        break;
    case 5:
        change_policy(other);
        break;
    case 6:
        setpriority(PRIO_PROCESS, (id_t)other, (int)pick(40) - 20);
        break;
    case 7:
        if (fork() == 0)
            _exit(0);
        wait(NULL);
        break;
    default:
        for (volatile unsigned i = 0; i < pick(100000); i++)
            ;
    }
}

int main(int count, char **arguments)
{
    time_t end = time(NULL) + (count > 1 ? atoi(arguments[1]) : 10);
    pid_t workers[WORKERS];
    int failed = 0, status;
    char line[16] = "";
    FILE *check;

    seed = count > 2 ? strtoull(arguments[2], NULL, 10) : 1;
    syscall(SYS_sched_getaffinity, 0, sizeof(all), &all);
    for (int i = 0; i < WORKERS; i++) {
        workers[i] = fork();
        if (workers[i] == 0) {
            seed += (uint64_t)i * 977;
            while (time(NULL) < end)
                step(workers, i);
            _exit(0);
        }
    }
    while (wait(&status) > 0)
        failed += status != 0;
    check = fopen("/proc/kin/check", "r");
    if (!check || !fgets(line, sizeof(line), check))
        failed++;
    printf("failed %d check %s", failed, line);
    return 0;
}
