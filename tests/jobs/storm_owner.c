/* A member closes its job's owner amid a fork bomb: each time all are gone, itself too. */
#include "storm.h"

/* Makes a job, joins it, fills it with a bomb, and closes its owner. Never returns from that. */
static void blow_up(bool by_exit, int mark)
{
    int job = make_job(JOB_SELF, "", JOB_KILL_ON_CLOSE);
    int self = (int)syscall(SYS_pidfd_open, getpid(), 0);

    set_count(job, JOB_LIMIT_PROCS, 30);
    if (job_adopt(job, self, 0) != 0)
        _exit(1);
    spawn(job, fork_bomb, NULL);
    wait_for_active(JOB_SELF, 10);
    if (by_exit)
        _exit(0);
    close(job);
    _exit(write(mark, "x", 1) == 1 ? 2 : 3);
}

int main(int count, char **words)
{
    unsigned rounds = rounds_of(count, words, 100);
    unsigned survived = 0, wrong = 0;

    for (unsigned round = 0; round < rounds; round++) {
        bool by_exit = round % 2;
        int channel[2];
        pid_t owner;
        char byte;

        if (pipe(channel) != 0)
            tap_bail_out("pipe");
        owner = fork();
        if (owner == 0)
            blow_up(by_exit, channel[1]);
        close(channel[1]);
        wrong += reap(owner) != (by_exit ? 0 : SIGKILL);
        /* The pipe ends when the last of the bomb is gone. */
        survived += read(channel[0], &byte, 1) != 0;
        close(channel[0]);
    }
    is_int(wrong, 0, "the owner's closing kills the member that closed it");
    is_int(survived, 0, "and all others");
    is_int(stat_of(JOB_SELF).active, 2, "nobody is left but init and this");
    check_kernel("the storm");
    return tap_done();
}
