/* Freezing forkers and spinners again and again: a counter that all of them raise stands still. */
#include <stdatomic.h>

#include "storm.h"

static int count_and_fork(void *argument)
{
    _Atomic uint64_t *counter = argument;

    for (unsigned i = 0;; i++) {
        atomic_fetch_add(counter, 1);
        if (i % 1000 == 0) {
            pid_t child = fork();

            if (child == 0)
                _exit((int)atomic_fetch_add(counter, 1) & 1);
            if (child > 0)
                reap(child);
        }
    }
    return 0;
}

static void run_others(void)
{
    for (unsigned i = 0; i < 3; i++) {
        pid_t child = fork();

        if (child == 0)
            _exit(0);
        reap(child);
    }
}

int main(int count, char **words)
{
    unsigned rounds = rounds_of(count, words, 200);
    _Atomic uint64_t *counter = share_memory(4096);
    int job = make_job(JOB_SELF, "", 0);
    int below = make_job(job, "", 0);
    unsigned moved = 0, failed = 0;
    pid_t members[3];

    for (unsigned i = 0; i < 3; i++)
        members[i] = spawn(i ? below : job, count_and_fork, counter);
    for (unsigned round = 0; round < rounds; round++) {
        uint64_t seen = *counter;
        int token;

        while (*counter == seen)
            sched_yield();
        token = job_freeze(job, 0);
        failed += token < 0;
        seen = *counter;
        run_others();
        moved += *counter != seen;
        close(token);
    }
    is_int(failed, 0, "forkers are frozen and thawed");
    is_int(moved, 0, "while frozen their counter stands still");
    is_int(job_kill(job, &forever, NULL, 0), 0, "and they can be killed");
    for (unsigned i = 0; i < 3; i++)
        reap(members[i]);
    check_kernel("the storm");
    close(below);
    close(job);
    return tap_done();
}
