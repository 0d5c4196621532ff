/* JOB_ADOPT_TREE against a fork bomb: the whole bomb is in the new job, nobody is left behind.
 * Every other time the new job shares the CPUs as one, so that newborns change their share on the
 * way. */
#include "storm.h"

static void set_weight(int job, uint32_t weight)
{
    struct job_limits limits = {.mask = JOB_LIMIT_WEIGHT, .weight = weight};

    if (job_set(job, &limits, 0) != 0)
        tap_bail_out("job_set");
}

int main(int count, char **words)
{
    unsigned rounds = rounds_of(count, words, 100);
    unsigned failed = 0, behind = 0, unbalanced = 0;

    for (unsigned round = 0; round < rounds; round++) {
        int top = make_job(JOB_SELF, "", 0);
        int job = make_job(top, "", 0);
        struct job_stat above;
        pid_t bomb;
        int pidfd;

        if (round % 2)
            set_weight(job, 1 + round);
        set_count(top, JOB_LIMIT_PROCS, 40);
        bomb = spawn(top, fork_bomb, NULL);
        pidfd = (int)syscall(SYS_pidfd_open, bomb, 0);
        wait_for_active(top, 1 + round % 30);
        failed += job_adopt(job, pidfd, JOB_ADOPT_TREE) != 0;
        /* The bomb never ends by itself: who is not below now was left behind. */
        behind += job_kill(job, &forever, NULL, 0) != 0;
        above = stat_of(top);
        behind += above.active != 0;
        unbalanced += above.entered != above.active + above.exited;
        failed += job_kill(top, &forever, NULL, 0) != 0;
        reap(bomb);
        close(pidfd);
        close(job);
        close(top);
    }
    is_int(failed, 0, "adoption of a fork bomb");
    is_int(behind, 0, "leaves nobody behind");
    is_int(unbalanced, 0, "and the accounts balance");
    check_kernel("the storm");
    return tap_done();
}
