/*
 * job: the job object for people. Each command stands in a file job_*.c; this one finds it. Exit
 * codes are those of timeout(1) and env(1): 125 when job itself fails, 126 when the command to be
 * run cannot be, 127 when it is not found; else the command's own.
 */
#include "job_tool.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct command {
    const char *name;
    int (*run)(int count, char **words);
    const char *usage;
} commands[] = {
    {"run", command_run,
     "[OPTION]... [--] CMD [ARGS]   run CMD in a new job; end what it leaves behind"},
    {"ls", command_ls, "[JOB]                         the tree of jobs, with members and figures"},
    {"stat", command_stat, "JOB                           all figures of a job"},
    {"kill", command_kill,
     "[--wait[=TIME]] [--keep] JOB  kill all members; --wait until it is empty"},
    {"freeze", command_freeze, "JOB CMD [ARGS]                keep the job frozen while CMD runs"},
    {"thaw", command_thaw, "JOB                           thaw a job that was born frozen"},
    {"signal", command_signal, "SIGNAL JOB                    send a signal to all members"},
    {"set", command_set, "[LIMIT]... JOB                change limits"},
    {"events", command_events,
     "[--follow] JOB                what happens in a job, a line an event"},
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static const char about_job[] =
    "\nJOB is a path below the own job (a/b), #ID, or pid:PID; '.' is the own job.\n";

static const char about_limits[] =
    "\nlimits of run and set (numbers; 64M; 1.5s 20ms 2m; or 'none'):\n"
    "  --procs=N --threads=N --jobs=N --depth=N   how many at once\n"
    "  --memory=BYTES --proc-memory=BYTES         committed, of all and of each process\n"
    "  --cpu-time=TIME --user-time=TIME           CPU time of all together; kills the job\n"
    "  --proc-time=TIME                           user time of each process; kills it\n"
    "  --bandwidth=25% | --bandwidth=QUOTA/PERIOD of one CPU, continuously\n"
    "  --weight=1..10000 --class=0..9             share of the CPUs; length of turns\n"
    "  --nice=N --cpus=0-3,6                      nice values are N at least; only these CPUs\n"
    "  --at-LIMIT=ACTION                          at procs, threads, memory, proc-memory,\n"
    "                                             cpu-time, user-time, proc-time: fail,\n"
    "                                             kill-proc, kill-job, notify, freeze, sigxcpu\n";

static const char about_run[] =
    "\nmore of run:\n"
    "  --name=NAME     a name, by which others find the job\n"
    "  --frozen        born frozen: `job thaw` starts it\n"
    "  --breakaway     members may leave the job at birth\n"
    "  --keep          do not kill what CMD leaves behind; wait for it\n"
    "  --stats         the job's figures on standard error at the end\n";

static const char about_status[] =
    "\nexit status: CMD's; 128+N if signal N ended it; 125 job failed; 126 CMD cannot be run;\n"
    "127 CMD was not found; 124 kill --wait=TIME: members are left after that time\n";

static void print_usage(FILE *out)
{
    fprintf(out, "usage:\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        fprintf(out, "  job %-7s%s\n", commands[i].name, commands[i].usage);
    fprintf(out, "%s%s%s%s", about_job, about_limits, about_run, about_status);
}

/* Of one command: what of all that concerns it. */
static void print_usage_of(const struct command *command)
{
    bool runs = command->run == command_run;

    printf("usage: job %s %s\n", command->name, command->usage);
    if (!runs)
        printf("%s", about_job);
    if (runs || command->run == command_set)
        printf("%s", about_limits);
    if (runs)
        printf("%s", about_run);
    printf("%s", about_status);
}

void complain(const char *format, ...)
{
    va_list arguments;
    int error = errno;

    va_start(arguments, format);
    fprintf(stderr, "job: ");
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, error ? ": %s\n" : "\n", strerror(error));
    errno = error;
}

void complain_about_use(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    fprintf(stderr, "job: ");
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\nTry 'job --help'.\n");
}

int open_job(const char *name, uint32_t rights)
{
    int job;

    if (name[0] == '-') {
        complain_about_use("no option '%s'", name);
        return -1;
    }
    if (strcmp(name, ".") == 0)
        job = job_open(JOB_SELF, "", rights);
    else if (name[0] == '#')
        job = job_open_id(JOB_SELF, strtoull(name + 1, NULL, 10), rights);
    else if (strncmp(name, "pid:", 4) == 0)
        job = open_job_of_pid(atoi(name + 4), rights);
    else
        job = job_open(JOB_SELF, name[0] == '/' ? name + 1 : name, rights);
    if (job < 0)
        complain("%s", name);
    return job;
}

int main(int count, char **words)
{
    if (count < 2) {
        print_usage(stderr);
        return EXIT_OWN_FAILURE;
    }
    if (strcmp(words[1], "--help") == 0 || strcmp(words[1], "-h") == 0) {
        print_usage(stdout);
        return 0;
    }
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(words[1], commands[i].name) == 0) {
            if (count > 2 && strcmp(words[2], "--help") == 0) {
                print_usage_of(&commands[i]);
                return 0;
            }
            return commands[i].run(count - 1, words + 1);
        }
    complain_about_use("no command '%s'", words[1]);
    return EXIT_OWN_FAILURE;
}
