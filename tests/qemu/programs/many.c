/*
 * Starts a program N times, one after the other, and prints free memory and live kernel objects
 * after the first and after the last: many N PROGRAM [ARGS...]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int run_once(char **arguments)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        close(STDOUT_FILENO);
        execv(arguments[0], arguments);
        _exit(127);
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
        return -1;
    return status;
}

/* The lines of a file that begin with one of the words, marked. */
static void show(const char *mark, const char *path, const char *word)
{
    char line[256];
    FILE *file = fopen(path, "r");

    while (file && fgets(line, sizeof(line), file))
        if (strncmp(line, word, strlen(word)) == 0)
            printf("%s %s", mark, line);
    if (file)
        fclose(file);
}

static void show_balance(const char *mark)
{
    show(mark, "/proc/meminfo", "MemFree");
    show(mark, "/proc/slabinfo", "");
    fflush(stdout);
}

int main(int argc, char **argv)
{
    int count = argc > 2 ? atoi(argv[1]) : 0;

    for (int i = 0; i < count; i++) {
        if (run_once(argv + 2) != 0)
            return 1;
        if (i == 0)
            show_balance("first");
    }
    show_balance("last");
    return 0;
}
