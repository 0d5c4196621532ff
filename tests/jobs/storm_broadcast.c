/* A realtime signal to a whole job, many times: each member counts each broadcast exactly once. */
#include <stdatomic.h>

#include "storm.h"

#define MEMBERS 20

struct counts {
    _Atomic unsigned ready;
    _Atomic unsigned of[MEMBERS];
};

static struct counts *counts;

static int listen_as(void *argument)
{
    unsigned own = *(unsigned *)argument;
    sigset_t both;

    sigemptyset(&both);
    sigaddset(&both, SIGRTMIN);
    sigaddset(&both, SIGRTMIN + 1);
    sigprocmask(SIG_BLOCK, &both, NULL);
    counts->ready++;
    for (;;) {
        int signal = sigwaitinfo(&both, NULL);

        if (signal == SIGRTMIN + 1)
            return 0;
        counts->of[own]++;
    }
}

int main(int count, char **words)
{
    unsigned rounds = rounds_of(count, words, 300);
    int top = make_job(JOB_SELF, "", 0);
    int jobs[2] = {top, make_job(top, "", 0)};
    unsigned wrong = 0, missed = 0;
    pid_t members[MEMBERS];

    counts = share_memory(sizeof(*counts));
    for (unsigned i = 0; i < MEMBERS; i++)
        members[i] = spawn(jobs[i % 2], listen_as, &i);
    while (counts->ready < MEMBERS)
        sched_yield();
    for (unsigned round = 0; round < rounds; round++)
        missed += job_signal(top, SIGRTMIN, 0) != MEMBERS;
    job_signal(top, SIGRTMIN + 1, 0);
    for (unsigned i = 0; i < MEMBERS; i++) {
        reap(members[i]);
        wrong += counts->of[i] != rounds;
    }
    is_int(missed, 0, "each broadcast reaches all members");
    is_int(wrong, 0, "and each member counts each exactly once");
    check_kernel("the storm");
    close(jobs[1]);
    close(top);
    return tap_done();
}
