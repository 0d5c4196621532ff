/*
 * The first process. Runs what the host command asks for in /etc/kin/run, or without a request the
 * demo and a shell; reaps every orphan; reports how the program ended on /dev/host/control; and
 * powers the machine off.
 *
 * The request is a row of NUL-terminated fields KEY=VALUE; tools/kinlib/request.py writes it.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#define REQUEST_FILE "/etc/kin/run"
#define INPUT_FILE   "/etc/kin/stdin"
#define WORDS_MAX    4096

/* Exit statuses of a program that could not be started, as shells have them. */
#define NOT_EXECUTABLE 126
#define NOT_FOUND      127
#define NOT_STARTED    (NOT_EXECUTABLE << 8) /* as a wait status */

struct request {
    const char
        *streams[3]; /* "console", "host", "null"; "file" for the input, "stdout" for the error */
    const char *directory;
    const char *path; /* NULL: there is no request for a program */
    char *arguments[WORDS_MAX];
    char *environment[WORDS_MAX];
    size_t argument_count, environment_count;
    struct winsize console_size;
};

static struct request request = {
    .streams = {"console", "console", "console"},
    .directory = "/",
};

static void report(const char *format, ...)
{
    char line[64];
    va_list arguments;
    int length, control = open("/dev/host/control", O_WRONLY | O_CLOEXEC);

    if (control < 0)
        return;
    va_start(arguments, format);
    length = vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    if (write(control, line, (size_t)length) < 0)
        perror("init: /dev/host/control");
    close(control);
}

/* Also the handler of the signals that busybox's poweroff, halt and reboot send to init. */
static void shut_down(int command)
{
    kill(-1, SIGKILL);
    reboot(command);
    _exit(0);
}

static void on_power_off(int signal)
{
    shut_down(RB_POWER_OFF);
}

static void on_restart(int signal)
{
    shut_down(RB_AUTOBOOT);
}

static void add_word(char **words, size_t *count, char *word)
{
    if (*count < WORDS_MAX - 1)
        words[(*count)++] = word;
}

static void take_field(char *key, char *value)
{
    static const char *const streams[] = {"stdin", "stdout", "stderr"};

    for (int i = 0; i < 3; i++)
        if (strcmp(key, streams[i]) == 0)
            request.streams[i] = value;
    if (strcmp(key, "cwd") == 0)
        request.directory = value;
    else if (strcmp(key, "path") == 0)
        request.path = value;
    else if (strcmp(key, "arg") == 0)
        add_word(request.arguments, &request.argument_count, value);
    else if (strcmp(key, "env") == 0)
        add_word(request.environment, &request.environment_count, value);
    else if (strcmp(key, "console_size") == 0)
        sscanf(value, "%hux%hu", &request.console_size.ws_row, &request.console_size.ws_col);
}

/* The fields keep pointing into the text, which is never freed. */
static void read_request(void)
{
    int file = open(REQUEST_FILE, O_RDONLY | O_CLOEXEC);
    struct stat status;
    char *text;
    ssize_t size;

    if (file < 0 || fstat(file, &status) < 0)
        return;
    text = calloc((size_t)status.st_size + 1, 1);
    size = text ? read(file, text, (size_t)status.st_size) : 0;
    close(file);
    for (char *field = text; field < text + size; field += strlen(field) + 1) {
        char *value = strchr(field, '=');

        if (!value)
            continue;
        *value = '\0';
        take_field(field, value + 1);
        field = value + 1;
    }
}

static const char *device_of(int descriptor)
{
    static const char *const host[] = {"/dev/host/stdin", "/dev/host/stdout", "/dev/host/stderr"};
    const char *stream = request.streams[descriptor];

    if (strcmp(stream, "host") == 0)
        return host[descriptor];
    if (strcmp(stream, "file") == 0)
        return INPUT_FILE;
    return strcmp(stream, "null") == 0 ? "/dev/null" : "/dev/console";
}

static void open_streams(void)
{
    for (int i = 0; i < 3; i++) {
        int file;

        if (strcmp(request.streams[i], "stdout") == 0) {
            dup2(STDOUT_FILENO, i);
            continue;
        }
        file = open(device_of(i), (i == STDIN_FILENO ? O_RDONLY : O_WRONLY) | O_NOCTTY);
        if (file >= 0 && file != i) {
            dup2(file, i);
            close(file);
        }
    }
}

/* A terminal needs both directions, and a session that it controls. */
static void take_console(void)
{
    int console = open("/dev/console", O_RDWR | O_NOCTTY);

    if (console < 0)
        return;
    ioctl(console, TIOCSCTTY, 0);
    if (request.console_size.ws_row != 0)
        ioctl(console, TIOCSWINSZ, &request.console_size);
    for (int i = 0; i < 3; i++)
        if (strcmp(request.streams[i], "console") == 0)
            dup2(console, i);
    if (console > STDERR_FILENO)
        close(console);
}

static _Noreturn void become(const char *path, char *const arguments[])
{
    setsid();
    if (strcmp(request.streams[STDIN_FILENO], "console") == 0)
        take_console();
    if (chdir(request.directory) < 0)
        fprintf(stderr, "kin: %s: %s\n", request.directory, strerror(errno));
    execve(path, arguments, request.environment);
    fprintf(stderr, "kin: %s: %s\n", path, strerror(errno));
    _exit(errno == ENOENT ? NOT_FOUND : NOT_EXECUTABLE);
}

/* Runs a program to its end, reaping whatever else dies. Returns its wait status. */
static int run(const char *path, char *const arguments[])
{
    pid_t child = fork();

    if (child == 0)
        become(path, arguments);
    if (child < 0) {
        fprintf(stderr, "init: fork: %s\n", strerror(errno));
        return NOT_STARTED;
    }
    for (;;) {
        int status;
        pid_t pid = waitpid(-1, &status, 0);

        if (pid == child)
            return status;
        if (pid < 0 && errno != EINTR) {
            fprintf(stderr, "init: wait: %s\n", strerror(errno));
            return NOT_STARTED;
        }
    }
}

static void reap_rest(void)
{
    if (kill(-1, SIGKILL) == 0)
        while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
            continue;
}

static void report_status(int status)
{
    if (WIFSIGNALED(status))
        report("status signalled %d\n", WTERMSIG(status));
    else
        report("status exited %d\n", WEXITSTATUS(status));
}

/* What a computer does that is only switched on. */
static void welcome(void)
{
    static char *const demo[] = {"demo", NULL};
    static char *const shell[] = {"sh", NULL};
    bool interactive = strcmp(request.streams[STDIN_FILENO], "console") == 0;
    struct utsname name;

    uname(&name);
    printf(
        "\nThis is Kin, a small kernel that runs unmodified static Linux programs, which take it\n"
        "for %s %s. What follows is its demo%s\n\n",
        name.sysname, name.release,
        interactive ? ", then Debian's busybox shell; \"poweroff\" or Ctrl-D ends it." : ".");
    fflush(stdout);
    run("/bin/demo", demo);
    if (strcmp(request.streams[STDIN_FILENO], "null") != 0)
        run("/bin/busybox", shell);
}

int main(void)
{
    report("up\n");
    signal(SIGUSR1, on_power_off);
    signal(SIGUSR2, on_power_off);
    signal(SIGTERM, on_restart);
    read_request();
    if (request.environment_count == 0) {
        add_word(request.environment, &request.environment_count,
                 "PATH=/sbin:/usr/sbin:/bin:/usr/bin");
        add_word(request.environment, &request.environment_count, "HOME=/root");
        add_word(request.environment, &request.environment_count, "TERM=vt100");
    }
    open_streams();
    if (request.path)
        report_status(run(request.path, request.arguments));
    else
        welcome();
    reap_rest();
    shut_down(RB_POWER_OFF);
}
