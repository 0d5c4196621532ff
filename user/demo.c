/*
 * What `make run` shows: a family of processes at work, in a screenful.
 */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHILDREN 4

/* Something to chew on that a compiler can't foresee: steps of the longest Collatz chain. */
static unsigned longest_chain(unsigned from, unsigned to)
{
    unsigned longest = 0;

    for (unsigned start = from; start < to; start++) {
        unsigned steps = 0;

        for (uint64_t n = start; n > 1; n = n % 2 ? 3 * n + 1 : n / 2)
            steps++;
        if (steps > longest)
            longest = steps;
    }
    return longest;
}

struct answer {
    int child;
    unsigned longest;
};

static _Noreturn void work(int child, int to)
{
    struct answer answer = {child, longest_chain(1 + 50000u * child, 50000u * (child + 1))};

    if (write(to, &answer, sizeof(answer)) != sizeof(answer))
        _exit(1);
    if (child == CHILDREN - 1)
        raise(SIGTERM); /* not all ends are happy ones */
    _exit(child);
}

static int start_family(void)
{
    int ends[2];

    if (pipe(ends) < 0) {
        perror("demo: pipe");
        exit(1);
    }
    for (int i = 0; i < CHILDREN; i++) {
        pid_t pid = fork();

        if (pid == 0)
            work(i, ends[1]);
        if (pid < 0)
            perror("demo: fork");
        else
            printf("  process %d started child %d\n", getpid(), pid);
    }
    close(ends[1]);
    fflush(stdout);
    return ends[0];
}

static void collect_answers(int from)
{
    struct answer answer;

    while (read(from, &answer, sizeof(answer)) == sizeof(answer))
        printf("  child number %d found a chain of %u steps\n", answer.child, answer.longest);
}

static void bury_family(void)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, 0)) > 0) {
        if (WIFSIGNALED(status))
            printf("  %d was ended by: %s\n", pid, strsignal(WTERMSIG(status)));
        else
            printf("  %d exited with %d\n", pid, WEXITSTATUS(status));
    }
}

int main(void)
{
    struct timespec start, end;

    printf("%d processes, a pipe, and %ld CPUs:\n", CHILDREN, sysconf(_SC_NPROCESSORS_ONLN));
    clock_gettime(CLOCK_MONOTONIC, &start);
    collect_answers(start_family());
    bury_family();
    clock_gettime(CLOCK_MONOTONIC, &end);
    printf("done in %ld ms\n",
           (end.tv_sec - start.tv_sec) * 1000 + (end.tv_nsec - start.tv_nsec) / 1000000);
    return 0;
}
