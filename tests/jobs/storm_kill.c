/* A fork bomb in a job, and job_kill: each time a balanced certificate and an empty list. */
#include <sys/prctl.h>

#include "storm.h"

int main(int count, char **words)
{
    unsigned rounds = rounds_of(count, words, 1000);
    unsigned unbalanced = 0, listed = 0, failed = 0, entered = 0;

    prctl(PR_SET_CHILD_SUBREAPER, 1);
    for (unsigned round = 0; round < rounds; round++) {
        int job = make_job(JOB_SELF, "", round % 2 ? JOB_AUTOREAP : 0);
        int below = make_job(job, "", 0);
        struct job_cert cert;

        set_count(below, JOB_LIMIT_PROCS, 20);
        set_count(job, JOB_LIMIT_PROCS, 40);
        spawn(below, fork_storm, NULL);
        spawn(job, fork_bomb, NULL);
        wait_for_active(job, 2 + round % 30);
        failed += job_kill(job, &forever, &cert, 0) != 0;
        unbalanced += cert.entered != cert.exited || cert.live != 0;
        listed += job_list(job, NULL, 0, 0) != 0 || stat_of(job).state != JOB_DEAD;
        entered += (unsigned)cert.entered;
        close(below);
        close(job);
        reap_all();
    }
    is_int(failed, 0, "fork bombs are killed");
    is_int(unbalanced, 0, "with a balanced certificate");
    is_int(listed, 0, "and an empty list");
    ok(entered > 2 * rounds, "they had forked");
    check_kernel("the storm");
    return tap_done();
}
