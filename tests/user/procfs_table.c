/* /proc of a process: what tools read from it. */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "tap.h"

static char text[65536];

static long slurp(const char *name)
{
    int file = open(name, O_RDONLY);
    long length = 0, count;

    if (file < 0)
        return -errno;
    while ((count = read(file, text + length, sizeof(text) - 1 - (size_t)length)) > 0)
        length += count;
    text[length] = '\0';
    close(file);
    return count < 0 ? -errno : length;
}

/* The number behind a label such as "PPid:". */
static long field(const char *label)
{
    const char *at = strstr(text, label);

    return at ? strtol(at + strlen(label), NULL, 10) : -1;
}

static void test_stat(void)
{
    int pid, parent, group, session;
    char name[64], state;

    prctl(PR_SET_NAME, "odd (name) x");
    ok(slurp("/proc/self/stat") > 0, "stat");
    int count = sscanf(text, "%d (%63[^\n]", &pid, name);
    const char *end = strrchr(text, ')');

    is_int(count, 2, "begins with pid and name");
    is_int(pid, getpid(), "the pid");
    ok(end && strncmp(strchr(text, '(') + 1, "odd (name) x", 12) == 0, "the name");
    sscanf(end + 2, "%c %d %d %d", &state, &parent, &group, &session);
    is_int(state, 'R', "running");
    is_int(parent, getppid(), "the parent");
    is_int(group, getpgrp(), "the group");
    is_int(session, getsid(0), "the session");
    int words = 1;

    for (const char *at = end; *at; at++)
        words += *at == ' ';
    is_int(words + 1, 52, "52 fields");
    ok(text[strlen(text) - 1] == '\n', "and a newline");
}

static void test_status(void)
{
    ok(slurp("/proc/self/status") > 0, "status");
    is_int(field("Pid:\t"), getpid(), "Pid");
    is_int(field("PPid:\t"), getppid(), "PPid");
    is_int(field("Uid:\t"), getuid(), "Uid");
    is_int(field("Threads:\t"), 1, "Threads");
    ok(strstr(text, "State:\tR (running)\n") != NULL, "State");
    ok(strncmp(text, "Name:\todd (name) x\n", 19) == 0, "Name comes first");
    ok(strstr(text, "SigQ:\t") && strstr(text, "VmData:\t"), "SigQ, VmData");
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct sets[2] = {0};
    char expected[64];

    syscall(SYS_capget, &header, sets);
    snprintf(expected, sizeof(expected), "CapEff:\t%08x%08x\n", sets[1].effective,
             sets[0].effective);
    ok(strstr(text, expected) != NULL, "CapEff, as capget(2) has it");
    ok(strstr(text, "SigCgt:\t") && strstr(text, "VmRSS:\t"), "and the rest");
    ok(slurp("/proc/self/comm") == 13 && strcmp(text, "odd (name) x\n") == 0, "comm");
}

/* All that the process may use, then the first of it alone. */
static void test_cpus(void)
{
    cpu_set_t all, first;
    char expected[64];
    int cpu = 0;

    sched_getaffinity(0, sizeof(all), &all);
    while (!CPU_ISSET(cpu, &all))
        cpu++;
    CPU_ZERO(&first);
    CPU_SET(cpu, &first);
    sched_setaffinity(0, sizeof(first), &first);
    slurp("/proc/self/status");
    snprintf(expected, sizeof(expected), "Cpus_allowed_list:\t%d\n", cpu);
    ok(strstr(text, expected) != NULL, "one CPU is allowed");
    const char *mask = strstr(text, "Cpus_allowed:\t");

    ok(mask && mask[strcspn(mask, "\n") - 1] == (cpu < 4 ? "1248"[cpu] : '0'), "as a mask");
    sched_setaffinity(0, sizeof(all), &all);
}

static void test_limits_of_machine(void)
{
    struct rlimit files = {2000000000, 2000000000};
    int ends[2];

    ok(slurp("/proc/sys/fs/nr_open") > 0, "nr_open");
    files.rlim_max = files.rlim_cur = (rlim_t)atol(text) + 1;
    is_error(setrlimit(RLIMIT_NOFILE, &files), EPERM, "not one descriptor more");
    ok(slurp("/proc/sys/fs/pipe-max-size") > 0, "pipe-max-size");
    pipe(ends);
    is_int(fcntl(ends[0], F_SETPIPE_SZ, atol(text)) == atol(text), 1, "a pipe can have it");
    close(ends[0]);
    close(ends[1]);
    ok(slurp("/proc/sys/vm/max_map_count") > 0 && atol(text) > 1000, "max_map_count");
}

static void test_links(const char *program)
{
    char link[256], name[64], expected[64];
    struct stat a, b;
    ssize_t length = readlink("/proc/self", link, sizeof(link) - 1);

    link[length > 0 ? length : 0] = '\0';
    snprintf(expected, sizeof(expected), "%d", getpid());
    is_string(link, expected, "/proc/self");
    length = readlink("/proc/self/exe", link, sizeof(link) - 1);
    ok(length > 0 && link[0] == '/', "/proc/self/exe");
    link[length > 0 ? length : 0] = '\0';
    const char *slash = strrchr(link, '/'), *program_slash = strrchr(program, '/');

    is_string(slash + 1, program_slash ? program_slash + 1 : program, "ends with our name");
    is_int(stat("/proc/self/exe", &a), 0, "stat of it");
    ok(S_ISREG(a.st_mode) && (a.st_mode & 0100), "is a program");
    chdir("/tmp");
    length = readlink("/proc/self/cwd", link, sizeof(link) - 1);
    link[length > 0 ? length : 0] = '\0';
    is_string(link, "/tmp", "/proc/self/cwd");
    stat("/proc/self/root/", &a);
    stat("/", &b);
    ok(a.st_ino == b.st_ino && a.st_dev == b.st_dev, "/proc/self/root");
    int ends[2], file = open("/tmp/kin-proc-file", O_CREAT | O_RDWR, 0600);

    snprintf(name, sizeof(name), "/proc/self/fd/%d", file);
    length = readlink(name, link, sizeof(link) - 1);
    link[length > 0 ? length : 0] = '\0';
    is_string(link, "/tmp/kin-proc-file", "a file's link");
    write(file, "content", 7);
    int again = open(name, O_RDONLY);

    is_int(read(again, link, 100), 7, "opens the same file anew");
    close(again);
    unlink("/tmp/kin-proc-file");
    length = readlink(name, link, sizeof(link) - 1);
    link[length > 0 ? length : 0] = '\0';
    is_string(link, "/tmp/kin-proc-file (deleted)", "a deleted file's link");
    close(file);
    is_error(readlink(name, link, 10), ENOENT, "a closed one has none");
    pipe(ends);
    snprintf(name, sizeof(name), "/proc/self/fd/%d", ends[0]);
    length = readlink(name, link, sizeof(link) - 1);
    ok(length > 7 && strncmp(link, "pipe:[", 6) == 0, "a pipe's link");
    fstat(ends[0], &a);
    stat(name, &b);
    ok(a.st_ino == b.st_ino && S_ISFIFO(b.st_mode), "leads to it");
    snprintf(name, sizeof(name), "/proc/self/fd/%d", ends[1]);
    again = open(name, O_WRONLY);
    is_int(write(again, "x", 1), 1, "a pipe opened by its link");
    is_int(read(ends[0], link, 10), 1, "is that pipe");
    lstat(name, &a);
    is_int(a.st_mode & 0777, 0300, "the link's permissions are those of the file");
    close(again);
    close(ends[0]);
    close(ends[1]);
}

static int count_entries(const char *name)
{
    DIR *directory = opendir(name);
    struct dirent *entry;
    int count = 0;

    if (!directory)
        return -1;
    while ((entry = readdir(directory)))
        count += entry->d_name[0] != '.';
    closedir(directory);
    return count;
}

static void test_directories(void)
{
    char name[64];
    int before = count_entries("/proc/self/fd"), file = dup(0);

    is_int(count_entries("/proc/self/fd"), before + 1, "fd lists each descriptor");
    close(file);
    is_int(count_entries("/proc/self/task"), 1, "task lists the one thread");
    snprintf(name, sizeof(name), "/proc/self/task/%d/stat", getpid());
    ok(slurp(name) > 0, "which has a stat");
    is_error(open("/proc/self/none", O_RDONLY), ENOENT, "what is not there");
    is_error(open("/proc/99999999", O_RDONLY), ENOENT, "nobody");
    is_error(mkdir("/proc/self/new", 0777), ENOENT, "making a directory");
}

static void test_child(void)
{
    char name[64];
    int ends[2], status;
    char byte;

    pipe(ends);
    pid_t child = fork();

    if (child == 0) {
        read(ends[0], &byte, 1);
        _exit(0);
    }
    do {
        snprintf(name, sizeof(name), "/proc/%d/stat", child);
        slurp(name);
    } while (strstr(text, ") S") == NULL);
    ok(1, "a child that waits sleeps");
    kill(child, SIGSTOP);
    waitpid(child, &status, WUNTRACED);
    slurp(name);
    ok(strstr(text, ") T") != NULL, "stopped");
    kill(child, SIGKILL);
    waitid(P_PID, (id_t)child, NULL, WEXITED | WNOWAIT);
    slurp(name);
    ok(strstr(text, ") Z") != NULL, "a zombie");
    ok(strstr(text, "(odd (name) x)") != NULL, "keeps its name");
    snprintf(name, sizeof(name), "/proc/%d/cmdline", child);
    is_int(slurp(name), 0, "has no arguments");
    snprintf(name, sizeof(name), "/proc/%d/exe", child);
    is_error(readlink(name, text, 10), ENOENT, "and no program");
    snprintf(name, sizeof(name), "/proc/%d/stat", child);
    int file = open(name, O_RDONLY);

    waitpid(child, &status, 0);
    is_error(read(file, text, 10), ESRCH, "a file opened before it was reaped");
    close(file);
    is_error(open(name, O_RDONLY), ENOENT, "afterwards it is gone");
    close(ends[0]);
    close(ends[1]);
}

static void test_machine(void)
{
    static const char *const names[] = {"stat",
                                        "meminfo",
                                        "loadavg",
                                        "uptime",
                                        "mounts",
                                        "cpuinfo",
                                        "version",
                                        "cmdline",
                                        "filesystems",
                                        "self/mounts",
                                        "self/limits",
                                        "sys/kernel/osrelease",
                                        "sys/kernel/hostname",
                                        "sys/kernel/pid_max",
                                        "sys/kernel/random/boot_id"};

    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char name[64];

        snprintf(name, sizeof(name), "/proc/%s", names[i]);
        ok(slurp(name) > 0, "/proc/%s", names[i]);
    }
    slurp("/proc/self/cgroup");
    ok(strstr(text, "0::/") != NULL, "/proc/self/cgroup");
    slurp("/proc/self/maps");
    ok(strstr(text, "[stack]") && strstr(text, "r-xp"), "/proc/self/maps");
    slurp("/proc/meminfo");
    ok(field("MemTotal:") > field("MemFree:") && field("MemFree:") > 0, "memory figures");
}

static void test_arguments(int count, char **arguments)
{
    long length = slurp("/proc/self/cmdline"), expected = 0;

    for (int i = 0; i < count; i++)
        expected += (long)strlen(arguments[i]) + 1;
    is_int(length, expected, "cmdline holds the arguments");
    ok(length > 0 && strcmp(text, arguments[0]) == 0, "each ended with NUL");
}

int main(int count, char **arguments)
{
    test_stat();
    test_status();
    test_cpus();
    test_limits_of_machine();
    test_links(arguments[0]);
    test_directories();
    test_child();
    test_machine();
    test_arguments(count, arguments);
    return tap_done();
}
