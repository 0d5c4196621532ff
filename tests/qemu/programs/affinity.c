/*
 * Is an affinity mask ever violated? affinity SAMPLES
 *
 * Some processes change their own masks, and a parent its children's, all the time. After each
 * change by the process itself, and as often as it likes in between, it looks where it is. The CPU
 * is looked up twice around the mask, so a change from outside in between makes no false alarm.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILDREN 6

static uint64_t all;

static unsigned where(void)
{
    unsigned cpu = 99;

    syscall(SYS_getcpu, &cpu, NULL, NULL);
    return cpu;
}

static uint64_t random_mask(uint64_t *seed)
{
    uint64_t mask;

    do {
        *seed = *seed * 6364136223846793005u + 1442695040888963407u;
        mask = (*seed >> 33) & all;
    } while (!mask);
    return mask;
}

/* Its mask is its own. */
static long wander(uint64_t seed, long samples)
{
    long violations = 0;

    for (long i = 0; i < samples; i += 4) {
        uint64_t mask = random_mask(&seed);

        syscall(SYS_sched_setaffinity, 0, sizeof(mask), &mask);
        for (int j = 0; j < 4; j++) {
            violations += !(mask >> where() & 1);
            if (j == 1)
                sched_yield();
        }
    }
    return violations;
}

/* Its mask is changed by its parent, which tells the number of changes begun and done. */
struct pushed {
    _Atomic unsigned long begun, done;
    _Atomic uint64_t mask;
    _Atomic int stop;
    _Atomic long samples, violations;
};

static void be_pushed(struct pushed *pushed)
{
    while (!pushed->stop) {
        unsigned long done = pushed->done;
        uint64_t mask = pushed->mask;
        unsigned cpu = where();

        if (pushed->begun != done || !mask)
            continue;
        pushed->samples++;
        pushed->violations += !(mask >> cpu & 1);
    }
    _exit(0);
}

static void push(struct pushed *pushed, pid_t child, uint64_t *seed)
{
    uint64_t mask = random_mask(seed);

    pushed->begun++;
    syscall(SYS_sched_setaffinity, child, sizeof(mask), &mask);
    pushed->mask = mask;
    pushed->done++;
}

int main(int count, char **arguments)
{
    struct pushed *pushed =
        mmap(NULL, sizeof(*pushed), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    long samples = count > 1 ? atol(arguments[1]) : 100000, violations = 0;
    uint64_t seed = 1;
    pid_t child;
    int status;

    syscall(SYS_sched_getaffinity, 0, sizeof(all), &all);
    for (int i = 0; i < CHILDREN; i++)
        if (fork() == 0)
            _exit(wander((uint64_t)i + 7, samples / CHILDREN) != 0);
    child = fork();
    if (child == 0)
        be_pushed(pushed);
    for (int i = 0; i < 2000; i++) {
        push(pushed, child, &seed);
        usleep(100);
    }
    pushed->stop = 1;
    while (wait(&status) > 0)
        violations += status != 0;
    printf("pushed %ld violations %ld\n", (long)pushed->samples, violations + pushed->violations);
    return 0;
}
