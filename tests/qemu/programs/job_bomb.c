/*
 * How soon a shell answers while a fork bomb fills a job of 200 processes; then the same shell ends
 * the bomb. Arguments: the bomb's command, or nothing for a bomb in C. Prints the longest times
 * from a line into the shell's pipe to its answer, in ns, and what `job kill --wait` said.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "user/libjob.h"

#define LINES    50
#define COMMANDS 10

static FILE *to_shell, *from_shell;

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static uint64_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void start_shell(void)
{
    int in[2], out[2];

    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
        fail("pipe");
    if (fork() == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        execlp("sh", "sh", NULL);
        fail("sh");
    }
    close(in[0]);
    close(out[1]);
    to_shell = fdopen(in[1], "w");
    from_shell = fdopen(out[0], "r");
    setlinebuf(to_shell);
}

/* What the shell says to a line. */
static const char *ask(const char *line)
{
    static char answer[256];

    fprintf(to_shell, "%s\n", line);
    if (!fgets(answer, sizeof(answer), from_shell))
        fail("the shell's answer");
    return answer;
}

static uint64_t longest_answer(const char *line, unsigned times)
{
    uint64_t longest = 0;

    for (unsigned i = 0; i < times; i++) {
        uint64_t asked = now(), took;

        if (strcmp(ask(line), "word\n") != 0)
            fail(line);
        took = now() - asked;
        if (took > longest)
            longest = took;
    }
    return longest;
}

static void next_event(int stream, uint16_t type)
{
    struct job_event event;

    do
        if (read(stream, &event, sizeof(event)) != sizeof(event))
            fail("read an event");
    while (event.type != type);
}

/* The words go on with those of `job run`; those of the C bomb follow if there is no command. */
static pid_t start_bomb(char **words, char **self)
{
    char *command[16] = {"job", "run", "--name=bomb", "--procs=200"};
    unsigned count = 4;
    pid_t child;

    while (*words && count < 13 && **words == '-')
        command[count++] = *words++;
    if (!*words)
        words = self;
    while (*words && count < 15)
        command[count++] = *words++;
    child = fork();
    if (child == 0) {
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);

        dup2(null, 0);
        dup2(null, 1);
        dup2(null, 2);
        execvp("job", command);
        _exit(127);
    }
    return child;
}

static _Noreturn void explode(void)
{
    for (;;)
        fork();
}

int main(int count, char **words)
{
    struct job_events_args args = {.mask = JOB_EVENT_BIT(JOB_EVENT_LIMIT),
                                   .flags = JOB_EVENTS_FROM_NOW};
    char path[4096] = "";
    char *self[] = {path, "--explode", NULL};
    int stream = job_events(JOB_SELF, &args);
    pid_t bomb;

    if (count == 2 && strcmp(words[1], self[1]) == 0)
        explode();
    if (readlink("/proc/self/exe", path, sizeof(path) - 1) < 0)
        fail("/proc/self/exe");
    start_shell();
    ask("echo ready");
    printf("quiet %llu\n", (unsigned long long)longest_answer("echo word", LINES));
    printf("quiet command %llu\n", (unsigned long long)longest_answer("/bin/echo word", COMMANDS));
    bomb = start_bomb(words + 1, self);
    next_event(stream, JOB_EVENT_LIMIT);
    printf("line %llu\n", (unsigned long long)longest_answer("echo word", LINES));
    printf("command %llu\n", (unsigned long long)longest_answer("/bin/echo word", COMMANDS));
    printf("%s", ask("job kill --wait bomb"));
    waitpid(bomb, NULL, 0);
    printf("%s", ask("cat /proc/kin/check"));
    printf("%s", ask("job stat bomb 2>&1"));
    return 0;
}
