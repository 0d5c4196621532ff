/* execve and execveat: what is refused with which error, what survives, #! scripts, empty and large
 * argument lists. */
#define _GNU_SOURCE
#include <elf.h>
#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "tap.h"

static char self[4096];
static const char *const nothing[] = {NULL};

static void make_file(const char *name, const void *bytes, size_t size, mode_t mode)
{
    int file = open(name, O_CREAT | O_TRUNC | O_WRONLY, 0700);

    if (file < 0 || write(file, bytes, size) != (ssize_t)size || fchmod(file, mode) != 0)
        tap_bail_out(name);
    close(file);
}

/* Runs a program in a child: its exit status, or 1000 + errno if exec failed. */
static int run(const char *path, char *const arguments[], char *const environment[])
{
    int status, failure[2], error = 0;
    pid_t child;

    if (pipe2(failure, O_CLOEXEC) != 0)
        tap_bail_out("pipe");
    child = fork();
    if (child == 0) {
        execve(path, arguments, environment);
        error = errno;
        if (write(failure[1], &error, sizeof(error)) < 0)
            _exit(98);
        _exit(97);
    }
    close(failure[1]);
    if (read(failure[0], &error, sizeof(error)) != sizeof(error))
        error = 0;
    close(failure[0]);
    waitpid(child, &status, 0);
    if (error)
        return 1000 + error;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int run_simply(const char *path)
{
    char *arguments[] = {(char *)path, NULL};

    return run(path, arguments, (char *const *)nothing);
}

static void refused(const char *name, int got, int expected)
{
    is_int(got, 1000 + expected, "%s: %s", name, error_name(expected));
}

static void bad_files(void)
{
    Elf64_Ehdr header = {.e_type = ET_EXEC,
                         .e_machine = EM_X86_64,
                         .e_phentsize = sizeof(Elf64_Phdr),
                         .e_phnum = 1,
                         .e_phoff = sizeof(header)};

    memcpy(header.e_ident, "\177ELF\2\1\1", 7);
    make_file("empty", "", 0, 0755);
    refused("0 bytes", run_simply("empty"), ENOEXEC);
    make_file("text", "hello\n", 6, 0755);
    refused("text", run_simply("text"), ENOEXEC);
    make_file("magic", "\177ELF", 4, 0755);
    refused("only the magic", run_simply("magic"), ENOEXEC);
    make_file("header", &header, sizeof(header), 0755);
    refused("a header without program headers", run_simply("header"), ENOEXEC);
    header.e_machine = 40;
    make_file("arm", &header, sizeof(header), 0755);
    refused("another machine", run_simply("arm"), ENOEXEC);
    header.e_machine = EM_X86_64;
    header.e_phnum = 0;
    make_file("nophdr", &header, sizeof(header), 0755);
    refused("no program headers", run_simply("nophdr"), ENOEXEC);
    header.e_phnum = 65535;
    make_file("manyphdr", &header, sizeof(header), 0755);
    refused("65535 program headers", run_simply("manyphdr"), ENOEXEC);
    header.e_phnum = 1;
    header.e_phoff = ~0ull - 8;
    make_file("farphdr", &header, sizeof(header), 0755);
    refused("program headers beyond everything", run_simply("farphdr"), ENOEXEC);
}

static void bad_paths(void)
{
    char long_name[300], *long_path = malloc(5000);

    make_file("mode0", "#!/bin/sh\n", 10, 0);
    make_file("readable", "#!/bin/sh\n", 10, 0644);
    mkdir("directory", 0755);
    if (symlink("loop", "loop") != 0 && errno != EEXIST)
        tap_bail_out("symlink");
    memset(long_name, 'x', sizeof(long_name) - 1);
    long_name[sizeof(long_name) - 1] = '\0';
    memset(long_path, 'x', 4999);
    long_path[4999] = '\0';
    refused("no such file", run_simply("nothing"), ENOENT);
    refused("an empty path", run_simply(""), ENOENT);
    refused("no execute permission", run_simply("readable"), EACCES);
    refused("no permission at all", run_simply("mode0"), EACCES);
    refused("a directory", run_simply("directory"), EACCES);
    refused("a file as a directory", run_simply("readable/x"), ENOTDIR);
    refused("a loop of links", run_simply("loop"), ELOOP);
    refused("a name too long", run_simply(long_name), ENAMETOOLONG);
    refused("a path too long", run_simply(long_path), ENAMETOOLONG);
    refused("a device", run_simply("/dev/null"), EACCES);
    is_error(syscall(SYS_execve, (char *)16, NULL, NULL), EFAULT, "a bad path address");
    is_error(syscall(SYS_execve, self, (char *)16, NULL), EFAULT, "a bad argv");
    is_error(syscall(SYS_execve, self, NULL, (char *)16), EFAULT, "a bad envp");
    is_error(syscall(SYS_execveat, -1, "x", NULL, NULL, 0), EBADF, "execveat: a bad directory");
    is_error(syscall(SYS_execveat, AT_FDCWD, self, NULL, NULL, 0x10), EINVAL,
             "execveat: a bad flag");
    free(long_path);
}

static void scripts(void)
{
    char line[5000], name[16];
    char *arguments[] = {"ignored", "one", "two", NULL};

    snprintf(line, sizeof(line), "#!%s show  \n", self);
    make_file("script", line, strlen(line), 0755);
    is_int(run("./script", arguments, (char *const *)nothing), 24,
           "a script: interpreter, argument, path, the rest");
    snprintf(line, sizeof(line), "#! \t%s\t show more \nx", self);
    make_file("script2", line, strlen(line), 0755);
    is_int(run("./script2", arguments, (char *const *)nothing), 25, "blanks: one argument");
    make_file("bare", "#!\n", 3, 0755);
    refused("#! without interpreter", run_simply("./bare"), ENOEXEC);
    make_file("lost", "#!/no/such/thing\n", 17, 0755);
    refused("#! of nothing", run_simply("./lost"), ENOENT);
    make_file("plain", "#!./readable\n", 13, 0755);
    refused("#! of what may not run", run_simply("./plain"), EACCES);
    for (int i = 1; i <= 7; i++) {
        snprintf(name, sizeof(name), "deep%d", i);
        if (i == 1)
            snprintf(line, sizeof(line), "#!%s exit7\n", self);
        else
            snprintf(line, sizeof(line), "#!./deep%d\n", i - 1);
        make_file(name, line, strlen(line), 0755);
    }
    is_int(run_simply("./deep1"), 7, "a script");
    is_int(run_simply("./deep5"), 7, "five scripts deep");
    is_int(run_simply("./deep6"), 1000 + ELOOP, "six are too many");
}

static void arguments_arrive(void)
{
    char *big = malloc(200000);
    char *arguments[] = {self, "big", big, NULL};
    char *environment[] = {"A=1", "B=", NULL};
    char *count[] = {self, "environment", NULL};
    char *none[] = {NULL};

    memset(big, 'y', 131071);
    big[131071] = '\0';
    is_int(run(self, arguments, environment), 3, "an argument of 32 pages, its NUL included");
    big[131071] = 'y';
    big[131072] = '\0';
    refused("one byte more", run(self, arguments, environment), E2BIG);
    is_int(run(self, count, environment), 2, "two strings of environment");
    is_int(run(self, none, none), 26, "no arguments: argc is 1, argv[0] is empty");
    free(big);
}

static void many_arguments(void)
{
    enum { COUNT = 30000 };
    char **arguments = calloc(COUNT + 4, sizeof(char *));

    arguments[0] = self;
    arguments[1] = "count";
    for (int i = 2; i < COUNT + 2; i++)
        arguments[i] = "0123456789";
    is_int(run(self, arguments, (char *const *)nothing), (COUNT + 2) % 251, "30,000 arguments");
    free(arguments);
}

static void handler(int signal)
{
    (void)signal;
}

static void what_survives(void)
{
    char *arguments[] = {self, "survive", NULL};
    struct sigaction action = {.sa_handler = SIG_IGN};
    struct rlimit limit = {100, 200};
    int status, kept, closed;
    sigset_t set;
    pid_t child;

    kept = open("/dev/null", O_RDONLY);
    closed = open("/dev/null", O_RDONLY | O_CLOEXEC);
    child = fork();
    if (child == 0) {
        dup3(kept, 50, 0);
        dup3(closed, 51, O_CLOEXEC);
        sigaction(SIGUSR1, &action, NULL);
        action.sa_handler = handler;
        sigaction(SIGUSR2, &action, NULL);
        sigemptyset(&set);
        sigaddset(&set, SIGTERM);
        sigprocmask(SIG_BLOCK, &set, NULL);
        raise(SIGTERM);
        setrlimit(RLIMIT_NOFILE, &limit);
        prctl(PR_SET_NAME, "changed");
        prctl(PR_SET_CHILD_SUBREAPER, 1);
        umask(0123);
        if (chdir("directory") != 0)
            _exit(96);
        execve(self, arguments, (char *const *)nothing);
        _exit(95);
    }
    waitpid(child, &status, 0);
    is_int(status, 0, "the checks in the new program");
    close(kept);
    close(closed);
}

static int survived(void)
{
    struct sigaction action;
    struct rlimit limit;
    char name[16], directory[4096];
    sigset_t set;
    int value = 0, bad = 0;

#define CHECK(condition)                                                                           \
    if (!(condition)) {                                                                            \
        tap_line("# not so after exec: %s\n", #condition);                                         \
        bad++;                                                                                     \
    }
    CHECK(fcntl(50, F_GETFD) == 0);
    CHECK(fcntl(51, F_GETFD) == -1);
    sigaction(SIGUSR1, NULL, &action);
    CHECK(action.sa_handler == SIG_IGN);
    sigaction(SIGUSR2, NULL, &action);
    CHECK(action.sa_handler == SIG_DFL);
    sigprocmask(SIG_BLOCK, NULL, &set);
    CHECK(sigismember(&set, SIGTERM) == 1);
    sigpending(&set);
    CHECK(sigismember(&set, SIGTERM) == 1);
    getrlimit(RLIMIT_NOFILE, &limit);
    CHECK(limit.rlim_cur == 100 && limit.rlim_max == 200);
    prctl(PR_GET_NAME, name);
    CHECK(strcmp(name, "exec_table") == 0 || strcmp(name, "exe") == 0);
    prctl(PR_GET_CHILD_SUBREAPER, &value);
    CHECK(value == 1);
    CHECK(umask(0) == 0123);
    CHECK(getcwd(directory, sizeof(directory)) && strstr(directory, "/directory"));
    CHECK(getauxval(AT_PAGESZ) == 4096 && getauxval(AT_CLKTCK) == 100);
    CHECK(getauxval(AT_UID) == getuid() && getauxval(AT_SECURE) == 0);
    CHECK(getauxval(AT_RANDOM) != 0 && getauxval(AT_PHDR) != 0 && getauxval(AT_PHNUM) > 0);
    CHECK(strcmp((char *)getauxval(AT_PLATFORM), "x86_64") == 0);
    return bad;
}

static int as_program(int argc, char **argv)
{
    extern char **environ;
    int count = 0;

    if (argc == 1)
        return argv[0][0] == '\0' ? 26 : 90;
    if (strcmp(argv[1], "exit7") == 0)
        return 7;
    if (strcmp(argv[1], "count") == 0)
        return argc % 251;
    if (strcmp(argv[1], "survive") == 0)
        return survived();
    if (strcmp(argv[1], "big") == 0)
        return argc;
    if (strcmp(argv[1], "environment") == 0) {
        while (environ[count])
            count++;
        return count;
    }
    if (argc == 5 && strcmp(argv[2], "./script") == 0 && strcmp(argv[3], "one") == 0)
        return strcmp(argv[1], "show") == 0 ? 24 : 91;
    if (argc == 5 && strcmp(argv[2], "./script2") == 0)
        return strcmp(argv[1], "show more") == 0 ? 25 : 92;
    return 93;
}

int main(int argc, char **argv)
{
    char directory[] = "/tmp/exec_tableXXXXXX";
    ssize_t length;

    if (argc != 1 || argv[0][0] == '\0')
        return as_program(argc, argv);
    length = readlink("/proc/self/exe", self, sizeof(self) - 1);
    if (length < 0 || !mkdtemp(directory) || chdir(directory) != 0)
        tap_bail_out("set-up");
    self[length] = '\0';
    bad_files();
    bad_paths();
    scripts();
    arguments_arrive();
    many_arguments();
    what_survives();
    return tap_done();
}
