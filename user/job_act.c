/* job kill, signal and thaw. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "job_tool.h"

int open_job_of_pid(int pid, uint32_t rights)
{
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    int job = pidfd < 0 ? -1 : job_open_pidfd(pidfd, rights);
    int error = errno;

    if (pidfd >= 0)
        close(pidfd);
    errno = error;
    return job;
}

static int kill_job(const char *name, const struct timespec *wait, uint32_t flags)
{
    int job = open_job(name, JOB_RIGHT_KILL);
    struct job_cert cert;

    if (job < 0)
        return EXIT_OWN_FAILURE;
    if (job_kill(job, wait, &cert, flags) != 0) {
        complain("%s", name);
        return errno == ETIMEDOUT ? EXIT_TIMED_OUT : EXIT_OWN_FAILURE;
    }
    if (wait)
        printf("job %llu: entered %llu, exited %llu, live %llu; empty %.3f ms after the kill\n",
               (unsigned long long)cert.job_id, (unsigned long long)cert.entered,
               (unsigned long long)cert.exited, (unsigned long long)cert.live,
               cert.empty_ns > cert.asked_ns ? (double)(cert.empty_ns - cert.asked_ns) / 1e6 : 0.0);
    close(job);
    return 0;
}

/* "--wait" or "--wait=1.5s". */
static bool take_wait(const char *word, struct timespec *wait)
{
    const char *end = word + 7;
    uint64_t ns;

    *wait = (struct timespec){.tv_sec = 1000000};
    if (strcmp(word, "--wait") == 0)
        return true;
    if (!parse_time(word + 7, &end, &ns) || *end != '\0') {
        complain_about_use("kill: %s: not a time", word);
        return false;
    }
    wait->tv_sec = (time_t)(ns / 1000000000);
    wait->tv_nsec = (long)(ns % 1000000000);
    return true;
}

int command_kill(int count, char **words)
{
    const struct timespec *wait = NULL;
    struct timespec limit;
    uint32_t flags = 0;
    int i;

    for (i = 1; i < count && words[i][0] == '-'; i++) {
        if (strcmp(words[i], "--wait") == 0 || strncmp(words[i], "--wait=", 7) == 0) {
            if (!take_wait(words[i], &limit))
                return EXIT_OWN_FAILURE;
            wait = &limit;
        } else if (strcmp(words[i], "--keep") == 0) {
            flags |= JOB_KILL_KEEP;
        } else {
            complain_about_use("kill: no option '%s'", words[i]);
            return EXIT_OWN_FAILURE;
        }
    }
    if (i != count - 1) {
        complain_about_use("kill: one job");
        return EXIT_OWN_FAILURE;
    }
    return kill_job(words[i], wait, flags);
}

/* "TERM", "SIGTERM", "15", and as kill(1) has it, "-TERM" and "-15". */
static int signal_number(const char *name)
{
    static const struct {
        const char *name;
        int number;
    } signals[] = {
        {"HUP", SIGHUP},   {"INT", SIGINT},       {"QUIT", SIGQUIT}, {"ILL", SIGILL},
        {"TRAP", SIGTRAP}, {"ABRT", SIGABRT},     {"BUS", SIGBUS},   {"FPE", SIGFPE},
        {"KILL", SIGKILL}, {"USR1", SIGUSR1},     {"SEGV", SIGSEGV}, {"USR2", SIGUSR2},
        {"PIPE", SIGPIPE}, {"ALRM", SIGALRM},     {"TERM", SIGTERM}, {"STKFLT", SIGSTKFLT},
        {"CHLD", SIGCHLD}, {"CONT", SIGCONT},     {"STOP", SIGSTOP}, {"TSTP", SIGTSTP},
        {"TTIN", SIGTTIN}, {"TTOU", SIGTTOU},     {"URG", SIGURG},   {"XCPU", SIGXCPU},
        {"XFSZ", SIGXFSZ}, {"VTALRM", SIGVTALRM}, {"PROF", SIGPROF}, {"WINCH", SIGWINCH},
        {"POLL", SIGPOLL}, {"PWR", SIGPWR},       {"SYS", SIGSYS},
    };
    char *end;
    long number;

    if (name[0] == '-')
        name++;
    number = strtol(name, &end, 10);
    if (end != name && *end == '\0')
        return (int)number;
    if (strncasecmp(name, "SIG", 3) == 0)
        name += 3;
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        if (strcasecmp(name, signals[i].name) == 0)
            return signals[i].number;
    return -1;
}

int command_signal(int count, char **words)
{
    int number = count == 3 ? signal_number(words[1]) : -1;
    int job, reached;

    if (number < 0) {
        complain_about_use("signal: a signal's name or number, and a job");
        return EXIT_OWN_FAILURE;
    }
    job = open_job(words[2], JOB_RIGHT_SIGNAL);
    if (job < 0)
        return EXIT_OWN_FAILURE;
    reached = job_signal(job, number, 0);
    if (reached < 0) {
        complain("%s", words[2]);
        return EXIT_OWN_FAILURE;
    }
    printf("%d %s\n", reached, reached == 1 ? "member" : "members");
    close(job);
    return 0;
}

/* Gives up the token that a job born frozen holds itself. */
int command_thaw(int count, char **words)
{
    struct job_limits limits;
    int job, result = 0;

    if (count != 2) {
        complain_about_use("thaw: one job");
        return EXIT_OWN_FAILURE;
    }
    job = open_job(words[1], JOB_RIGHT_SET | JOB_RIGHT_QUERY);
    if (job < 0)
        return EXIT_OWN_FAILURE;
    if (job_get(job, &limits, 0) == 0 && !(limits.flags & JOB_FROZEN)) {
        errno = 0;
        complain("%s was not born frozen; another freeze ends with the command that holds it",
                 words[1]);
        return EXIT_OWN_FAILURE;
    }
    limits.mask = JOB_LIMIT_FLAGS;
    limits.flags &= ~JOB_FROZEN;
    if (job_set(job, &limits, 0) != 0) {
        complain("%s", words[1]);
        result = EXIT_OWN_FAILURE;
    }
    close(job);
    return result;
}
