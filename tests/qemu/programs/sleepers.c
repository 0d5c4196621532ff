/*
 * Sleepers with different deadlines: sleepers COUNT. Prints how many woke, were early, and woke
 * after one with a later deadline, and then the timer interrupts of 3 s in which everybody slept.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STEP_NS       1000000ll
#define HEAD_START_NS 500000000ll

struct shared {
    long long start;
    _Atomic int next;
    _Atomic int early;
    int number[4096];
};

static long long now_ns(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000ll + time.tv_nsec;
}

static void sleep_until(long long ns)
{
    struct timespec time = {ns / 1000000000, ns % 1000000000};

    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
}

static long long timer_interrupts(void)
{
    FILE *file = fopen("/proc/kin/cpus", "r");
    long long interrupts, sum = 0;
    char line[256];

    while (file && fgets(line, sizeof(line), file))
        if (sscanf(line, "%*s %*d %*d %lld", &interrupts) == 1)
            sum += interrupts;
    if (file)
        fclose(file);
    return sum;
}

int main(int argument_count, char **arguments)
{
    struct shared *shared =
        mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int count = atoi(arguments[argument_count - 1]), woken = 0, overtaken = 0;
    long long interrupts;
    int gate[2];
    char byte;

    if (pipe(gate) != 0)
        return 1;

    for (int i = 0; i < count; i++) {
        int place = (int)(i * 7919ll % count);

        if (fork() == 0) {
            close(gate[1]);
            /* Whoever wakes first also runs first. */
            syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &(int){1});
            if (read(gate[0], &byte, 1) != 0)
                _exit(1);
            sleep_until(shared->start + place * STEP_NS);
            shared->early += now_ns() < shared->start + place * STEP_NS;
            shared->number[place] = ++shared->next;
            _exit(0);
        }
    }
    /* The times count from when all are there. */
    shared->start = now_ns() + HEAD_START_NS;
    close(gate[1]);
    while (wait(NULL) > 0)
        woken++;
    for (int i = 1; i < count; i++)
        overtaken += shared->number[i] < shared->number[i - 1];
    printf("woken %d early %d overtaken %d\n", woken, shared->early, overtaken);
    usleep(300000);
    interrupts = -timer_interrupts();
    sleep(3);
    interrupts += timer_interrupts();
    printf("interrupts %lld\n", interrupts);
    return 0;
}
