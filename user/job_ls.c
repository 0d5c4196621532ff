/*
 * job ls: the tree. The kernel lists members with the ids of their jobs; the paths come from
 * /proc/PID/cgroup. So what is shown are the jobs with members, and those above them; how many are
 * empty follows from the counts.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "job_tool.h"

struct entry {
    struct job_member member;
    char path[1024]; /* "/" or "/a/#7/b" */
};

static bool read_line(int pid, const char *name, char *line, size_t size)
{
    char path[64];
    ssize_t length;
    int file;

    snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
    file = open(path, O_RDONLY | O_CLOEXEC);
    length = file < 0 ? -1 : read(file, line, size - 1);
    if (file >= 0)
        close(file);
    line[length > 0 ? length : 0] = '\0';
    line[strcspn(line, "\n")] = '\0';
    return length > 0;
}

static bool read_path(int pid, char *path, size_t size)
{
    char line[1024];

    if (!read_line(pid, "cgroup", line, sizeof(line)) || strncmp(line, "0::", 3) != 0)
        return false;
    snprintf(path, size, "%s", line + 3);
    return true;
}

static int by_path_and_age(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    int order = strcmp(a->path, b->path);

    return order ? order : (a->member.puid > b->member.puid) - (a->member.puid < b->member.puid);
}

/* All members, those of one job beside each other. Their number, or -1. */
static ssize_t collect(int job, struct entry **entries)
{
    ssize_t room = job_list(job, NULL, 0, 0), count, kept = 0;
    struct job_member *members = calloc((size_t)(room > 0 ? room + 64 : 64), sizeof(*members));

    if (room < 0 || !members)
        return -1;
    room += 64;
    count = job_list(job, members, (size_t)room, 0);
    if (count > room)
        count = room;
    *entries = calloc((size_t)(count > 0 ? count : 1), sizeof(**entries));
    for (ssize_t i = 0; *entries && i < count; i++) {
        struct entry *entry = &(*entries)[kept];

        entry->member = members[i];
        kept += read_path(members[i].pid, entry->path, sizeof(entry->path));
    }
    free(members);
    if (*entries)
        qsort(*entries, (size_t)kept, sizeof(**entries), by_path_and_age);
    return kept;
}

static void show_job(int job, const char *name, unsigned depth)
{
    struct job_stat stat;

    if (job < 0 || job_stat(job, &stat, 0) != 0)
        return;
    printf("%*s%s  [job %llu: %u active, %llu entered, cpu %.3f s, memory %llu KiB%s]\n", 2 * depth,
           "", name, (unsigned long long)stat.job_id, stat.active, (unsigned long long)stat.entered,
           (double)(stat.total.user_ns + stat.total.kern_ns) / 1e9,
           (unsigned long long)stat.mem_bytes / 1024, stat.state == JOB_OPEN ? "" : ", killed");
}

/* Opens the component below the job `above`. */
static int open_component(int above, const char *component)
{
    return component[0] == '#' ? job_open_id(JOB_SELF, strtoull(component + 1, NULL, 10), 0)
                               : job_open(above, component, JOB_RIGHT_QUERY);
}

/* Shows the jobs of `path` that `previous` has not shown; returns the depth of the last. */
static unsigned show_path(int top, const char *path, const char *previous)
{
    char copy[1024], *state, *component;
    size_t end = 0;
    unsigned depth = 0;
    int job = top;

    snprintf(copy, sizeof(copy), "%s", path);
    for (component = strtok_r(copy, "/", &state); component;
         component = strtok_r(NULL, "/", &state)) {
        int next = open_component(job, component);
        bool shown;

        depth++;
        end += 1 + strlen(component);
        shown = strncmp(path, previous, end) == 0 && (previous[end] == '/' || !previous[end]);
        if (!shown)
            show_job(next, component, depth);
        if (job != top)
            close(job);
        job = next;
    }
    if (job != top)
        close(job);
    return depth;
}

static void show_tree(int top, const char *prefix, const struct entry *entries, ssize_t count)
{
    const char *previous = "";

    for (ssize_t i = 0; i < count; i++) {
        const char *path = entries[i].path;
        char name[32];
        unsigned depth;

        if (strcmp(prefix, "/") != 0 && strncmp(path, prefix, strlen(prefix)) == 0)
            path += strlen(prefix);
        depth = show_path(top, path, previous);
        previous = path;
        read_line(entries[i].member.pid, "comm", name, sizeof(name));
        printf("%*s%d %s\n", 2 * depth + 2, "", entries[i].member.pid, name);
    }
}

int command_ls(int count, char **words)
{
    const char *name = count > 1 ? words[1] : ".";
    struct entry *entries = NULL;
    char prefix[1024] = "/";
    ssize_t found;
    int job;

    if (count > 2) {
        complain_about_use("ls: at most one job");
        return EXIT_OWN_FAILURE;
    }
    job = open_job(name, JOB_RIGHT_QUERY);
    if (job < 0)
        return EXIT_OWN_FAILURE;
    found = collect(job, &entries);
    if (found < 0) {
        complain("%s", name);
        return EXIT_OWN_FAILURE;
    }
    /* Paths begin at the root job: the part above the shown one is dropped. */
    if (strcmp(name, ".") == 0) {
        read_path(getpid(), prefix, sizeof(prefix));
    } else if (name[0] != '#' && strncmp(name, "pid:", 4) != 0) {
        read_path(getpid(), prefix, sizeof(prefix));
        snprintf(prefix + strlen(prefix), sizeof(prefix) - strlen(prefix), "%s%s",
                 strcmp(prefix, "/") == 0 ? "" : "/", name[0] == '/' ? name + 1 : name);
    } else if (found > 0) {
        struct job_stat stat;

        for (ssize_t i = 0; job_stat(job, &stat, 0) == 0 && i < found; i++)
            if (entries[i].member.job_id == stat.job_id)
                snprintf(prefix, sizeof(prefix), "%s", entries[i].path);
    }
    show_job(job, name, 0);
    show_tree(job, prefix, entries, found);
    free(entries);
    close(job);
    return 0;
}
