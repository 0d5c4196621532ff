/* What C libraries build on fork, vfork and exec: posix_spawn, system, popen, with everything they
 * set. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "tap.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

extern char **environ;
static char self[4096];

static int run_spawned(const posix_spawn_file_actions_t *actions,
                       const posix_spawnattr_t *attributes, const char *mode, int *status)
{
    char *arguments[] = {self, (char *)mode, NULL};
    pid_t child;
    int error = posix_spawn(&child, self, actions, attributes, arguments, environ);

    if (error == 0 && waitpid(child, status, 0) != child)
        tap_bail_out("waitpid");
    return error;
}

static void plain(void)
{
    char *nobody[] = {"nobody", NULL};
    pid_t child;
    int status;

    is_int(run_spawned(NULL, NULL, "exit5", &status), 0, "posix_spawn");
    is_int(status, 5 << 8, "its exit status");
    is_int(run_spawned(NULL, NULL, "abort", &status), 0, "posix_spawn of one that aborts");
    is_int(WTERMSIG(status), SIGABRT, "its signal");
    is_int(posix_spawn(&child, "/no/such/file", NULL, NULL, nobody, environ), ENOENT,
           "posix_spawn tells of a failed exec");
    is_int(posix_spawnp(&child, "no-such-command", NULL, NULL, nobody, environ), ENOENT,
           "posix_spawnp too");
    is_error(waitpid(-1, &status, WNOHANG), ECHILD, "and leaves no child");
}

static void file_actions(void)
{
    posix_spawn_file_actions_t actions;
    char text[64] = "";
    int ends[2], status;
    ssize_t length;

    if (pipe(ends) != 0)
        tap_bail_out("pipe");
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&actions, ends[1]);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    is_int(run_spawned(&actions, NULL, "hello", &status), 0, "file actions");
    close(ends[1]);
    length = read(ends[0], text, sizeof(text) - 1);
    text[length > 0 ? length : 0] = '\0';
    is_string(text, "hello, null input", "redirected both ways");
    close(ends[0]);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 5, "/no/such/file", O_RDONLY, 0);
    is_int(run_spawned(&actions, NULL, "exit5", &status), ENOENT, "a file action that fails");
    posix_spawn_file_actions_destroy(&actions);
}

static void attributes(void)
{
    posix_spawnattr_t attributes;
    sigset_t set;
    int status;

    posix_spawnattr_init(&attributes);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    posix_spawnattr_setsigmask(&attributes, &set);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    posix_spawnattr_setsigdefault(&attributes, &set);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                              POSIX_SPAWN_SETPGROUP);
    signal(SIGUSR2, SIG_IGN);
    is_int(run_spawned(NULL, &attributes, "attributes", &status), 0, "attributes");
    is_int(status, 0, "mask, default and group arrive");
    signal(SIGUSR2, SIG_DFL);
    posix_spawnattr_destroy(&attributes);
}

static void shells(void)
{
    char line[64] = "";
    FILE *stream;

    is_int(system(NULL) != 0, 1, "there is a shell");
    is_int(system("exit 7"), 7 << 8, "system: exit 7");
    is_int(system("kill -9 $$"), 9, "system: killed");
    is_int(system("no-such-command 2>/dev/null"), 127 << 8, "system: no such command");
    stream = popen("echo one; echo two; exit 3", "r");
    if (!stream)
        tap_bail_out("popen");
    is_string(fgets(line, sizeof(line), stream), "one\n", "popen: the first line");
    is_string(fgets(line, sizeof(line), stream), "two\n", "popen: the second");
    is_int(pclose(stream), 3 << 8, "pclose: the status");
    stream = popen("read a; exit $a", "w");
    if (!stream)
        tap_bail_out("popen");
    fputs("11\n", stream);
    is_int(pclose(stream), 11 << 8, "popen for writing");
}

static void by_pidfd(void)
{
    char *arguments[] = {self, "exit5", NULL};
    siginfo_t info = {0};
    pid_t child;
    int pidfd;

    posix_spawn(&child, self, NULL, NULL, arguments, environ);
    pidfd = (int)syscall(SYS_pidfd_open, child, 0);
    ok(pidfd >= 0, "pidfd_open of a spawned child");
    is_int(waitid((idtype_t)P_PIDFD, (id_t)pidfd, &info, WEXITED), 0, "waitid by pidfd");
    is_int(info.si_status, 5, "its status");
    close(pidfd);
}

static int as_program(const char *mode)
{
    struct sigaction action;
    sigset_t set;
    char byte;

    if (strcmp(mode, "exit5") == 0)
        return 5;
    if (strcmp(mode, "abort") == 0)
        abort();
    if (strcmp(mode, "hello") == 0)
        return read(STDIN_FILENO, &byte, 1) == 0 &&
                       write(STDOUT_FILENO, "hello, null input", 17) == 17
                   ? 0
                   : 1;
    sigprocmask(SIG_BLOCK, NULL, &set);
    sigaction(SIGUSR2, NULL, &action);
    return !(sigismember(&set, SIGUSR1) == 1 && action.sa_handler == SIG_DFL &&
             getpgrp() == getpid());
}

int main(int argc, char **argv)
{
    ssize_t length;

    if (argc == 2)
        return as_program(argv[1]);
    length = readlink("/proc/self/exe", self, sizeof(self) - 1);
    if (length < 0)
        tap_bail_out("readlink");
    self[length] = '\0';
    plain();
    file_actions();
    attributes();
    shells();
    by_pidfd();
    return tap_done();
}
