/* Limits flipped under a load of forks: never one member too many, and the accounts balance. */
#include <sys/prctl.h>

#include "storm.h"

/* One more, if there is room. */
static void add_storm(int job)
{
    if (job_fork(job, NULL, 0) == 0)
        _exit(fork_storm(NULL));
}

int main(int count, char **words)
{
    unsigned rounds = rounds_of(count, words, 500);
    int top = make_job(JOB_SELF, "", 0);
    int job = make_job(top, "", 0);
    unsigned over = 0, unbalanced = 0;
    struct job_cert cert;

    prctl(PR_SET_CHILD_SUBREAPER, 1);
    set_count(top, JOB_LIMIT_PROCS, 24);
    for (unsigned i = 0; i < 4; i++)
        add_storm(job);
    for (unsigned round = 0; round < rounds; round++) {
        struct job_stat stat;

        set_count(job, JOB_LIMIT_PROCS, 4 + round % 24);
        set_bytes(job, JOB_LIMIT_JOB_MEM, round % 3 ? JOB_UNLIMITED : 1024 * 1024);
        stat = stat_of(job);
        over += stat_of(top).active > 24;
        unbalanced += stat.entered != stat.active + stat.exited;
        while (waitpid(-1, NULL, WNOHANG) > 0)
            continue;
        if (stat.active == 0)
            add_storm(job);
    }
    is_int(over, 0, "never one more than the limit above, which stays");
    is_int(unbalanced, 0, "entered = active + exited");
    job_kill(top, &forever, &cert, 0);
    ok(cert.entered == cert.exited && cert.live == 0, "and at the end the certificate balances");
    reap_all();
    is_int((long long)stat_of(top).mem_bytes, 0, "all memory is given back");
    check_kernel("the storm");
    close(job);
    close(top);
    return tap_done();
}
