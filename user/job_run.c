/* job run, and job freeze: commands that run a command. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "job_tool.h"

struct run {
    struct job_create_args args;
    struct job_limits limits;
    bool keep, stats;
    char **command;
};

int exit_status_of(int status)
{
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int execute(char **words)
{
    execvp(words[0], words);
    complain("%s", words[0]);
    return errno == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_RUN;
}

static int take_option(struct run *run, const char *word)
{
    if (strncmp(word, "--name=", 7) == 0) {
        if (strlen(word + 7) >= sizeof(run->args.name)) {
            complain_about_use("%s: the name is too long", word);
            return -1;
        }
        strcpy(run->args.name, word + 7);
    } else if (strcmp(word, "--frozen") == 0) {
        run->args.flags |= JOB_FROZEN;
    } else if (strcmp(word, "--breakaway") == 0) {
        run->args.flags |= JOB_BREAKAWAY_OK;
    } else if (strcmp(word, "--keep") == 0) {
        run->keep = true;
    } else if (strcmp(word, "--stats") == 0) {
        run->stats = true;
    } else {
        return parse_limit(word, &run->limits);
    }
    return 1;
}

static bool parse(struct run *run, int count, char **words)
{
    int i;

    for (i = 1; i < count && words[i][0] == '-'; i++) {
        int taken;

        if (strcmp(words[i], "--") == 0) {
            i++;
            break;
        }
        taken = take_option(run, words[i]);
        if (taken == 0)
            complain_about_use("run: no option '%s'", words[i]);
        if (taken <= 0)
            return false;
    }
    if (i == count) {
        complain_about_use("run: which command?");
        return false;
    }
    run->command = words + i;
    complete_limits(&run->limits);
    return true;
}

/* The owner of the job is this process: should it die, so does the job. */
static int create(const struct run *run)
{
    struct job_create_args args = run->args;
    int job;

    if (!run->keep)
        args.flags |= JOB_KILL_ON_CLOSE;
    job = job_create(JOB_SELF, &args);
    if (job < 0) {
        complain("cannot create the job %s", run->args.name);
        return -1;
    }
    if (run->limits.mask && job_set(job, &run->limits, 0) != 0) {
        complain("cannot set its limits");
        return -1;
    }
    return job;
}

static int run_in(int job, const struct run *run)
{
    /* The terminal's signals are for the command, which has them as it would without us. */
    void (*on_interrupt)(int) = signal(SIGINT, SIG_IGN);
    void (*on_quit)(int) = signal(SIGQUIT, SIG_IGN);
    int status;
    pid_t child = job_fork(job, NULL, 0);

    if (child < 0) {
        complain("cannot start a process in the job");
        return EXIT_OWN_FAILURE;
    }
    if (child == 0) {
        signal(SIGINT, on_interrupt);
        signal(SIGQUIT, on_quit);
        _exit(execute(run->command));
    }
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return EXIT_OWN_FAILURE;
    return exit_status_of(status);
}

static void wait_until_empty(int job)
{
    struct job_events_args args = {.mask = JOB_EVENT_BIT(JOB_EVENT_EMPTY),
                                   .flags = JOB_EVENTS_FROM_NOW};
    int stream = job_events(job, &args);
    struct job_stat stat;
    struct job_event event;

    while (stream >= 0 && job_stat(job, &stat, 0) == 0 && stat.active > 0)
        if (read(stream, &event, sizeof(event)) <= 0 && errno != EINTR)
            break;
    close(stream);
}

int command_run(int count, char **words)
{
    const struct timespec forever = {.tv_sec = 1000000};
    struct run run = {0};
    int job, result;

    if (!parse(&run, count, words))
        return EXIT_OWN_FAILURE;
    job = create(&run);
    if (job < 0)
        return EXIT_OWN_FAILURE;
    result = run_in(job, &run);
    if (run.keep)
        wait_until_empty(job);
    else
        job_kill(job, &forever, NULL, 0);
    if (run.stats)
        show_stat(job, true);
    return result;
}

/* A freeze lasts as long as its token is open: as long as the command runs. */
int command_freeze(int count, char **words)
{
    int job, token, status;
    pid_t child;

    if (count < 3) {
        complain_about_use("freeze: a job, and the command that it stays frozen for");
        return EXIT_OWN_FAILURE;
    }
    job = open_job(words[1], JOB_RIGHT_FREEZE);
    if (job < 0)
        return EXIT_OWN_FAILURE;
    token = job_freeze(job, 0);
    if (token < 0) {
        complain("%s: cannot freeze", words[1]);
        return EXIT_OWN_FAILURE;
    }
    child = fork();
    if (child == 0)
        _exit(execute(words + 2));
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    close(token);
    return child < 0 ? EXIT_OWN_FAILURE : exit_status_of(status);
}
