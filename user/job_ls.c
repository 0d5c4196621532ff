/*
 * job ls: the tree, each job with its figures and its members. Jobs and members are two lists, each
 * of one instant; a job that is gone by the time that its figures are asked for is left out.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "job_tool.h"

#define SPARE 64 /* for those who come while we ask */

struct tree {
    struct job_entry *jobs;
    struct job_member *members; /* oldest first */
    ssize_t job_count, member_count;
};

static bool collect(int job, struct tree *tree)
{
    ssize_t job_room = job_list_jobs(job, NULL, 0) + SPARE;
    ssize_t member_room = job_list(job, NULL, 0, 0) + SPARE;

    if (job_room < SPARE || member_room < SPARE)
        return false;
    tree->jobs = calloc((size_t)job_room, sizeof(*tree->jobs));
    tree->members = calloc((size_t)member_room, sizeof(*tree->members));
    if (!tree->jobs || !tree->members)
        return false;
    tree->job_count = job_list_jobs(job, tree->jobs, (size_t)job_room);
    tree->member_count = job_list(job, tree->members, (size_t)member_room, 0);
    if (tree->job_count > job_room)
        tree->job_count = job_room;
    if (tree->member_count > member_room)
        tree->member_count = member_room;
    return tree->job_count >= 0 && tree->member_count >= 0;
}

static void show_member(const struct job_member *member, unsigned indent)
{
    char path[64], name[32] = "";
    ssize_t length;
    int file;

    snprintf(path, sizeof(path), "/proc/%d/comm", member->pid);
    file = open(path, O_RDONLY | O_CLOEXEC);
    length = file < 0 ? -1 : read(file, name, sizeof(name) - 1);
    if (file >= 0)
        close(file);
    /* Else it is gone already. */
    if (length > 0)
        printf("%*s%d %s%s", indent, "", member->pid, name, name[length - 1] == '\n' ? "" : "\n");
}

static bool show_figures(int job, const char *name, unsigned indent)
{
    static const char *const states[] = {"", ", killed", ", dead"};
    struct job_stat stat;

    if (job < 0 || job_stat(job, &stat, 0) != 0)
        return false;
    printf("%*s%s  [job %llu: %u active, %llu entered, cpu %.3f s, memory %llu KiB%s]\n", indent,
           "", name, (unsigned long long)stat.job_id, stat.active, (unsigned long long)stat.entered,
           (double)(stat.total.user_ns + stat.total.kern_ns) / 1e9,
           (unsigned long long)stat.mem_bytes / 1024, states[stat.state < 3 ? stat.state : 2]);
    return true;
}

static void show_job(int top, const char *top_name, const struct job_entry *entry,
                     const struct tree *tree)
{
    unsigned indent = 2 * entry->depth;
    char name[JOB_NAME_SIZE + 24];
    int job = entry->depth == 0 ? top : job_open_id(top, entry->job_id, JOB_RIGHT_QUERY);

    if (entry->depth == 0)
        snprintf(name, sizeof(name), "%s", top_name);
    else if (entry->name[0])
        snprintf(name, sizeof(name), "%s", entry->name);
    else
        snprintf(name, sizeof(name), "#%llu", (unsigned long long)entry->job_id);
    if (show_figures(job, name, indent))
        for (ssize_t i = 0; i < tree->member_count; i++)
            if (tree->members[i].job_id == entry->job_id)
                show_member(&tree->members[i], indent + 2);
    if (job >= 0 && job != top)
        close(job);
}

int command_ls(int count, char **words)
{
    const char *name = count > 1 ? words[1] : ".";
    struct tree tree = {0};
    int job;

    if (count > 2) {
        complain_about_use("ls: at most one job");
        return EXIT_OWN_FAILURE;
    }
    job = open_job(name, JOB_RIGHT_QUERY);
    if (job < 0)
        return EXIT_OWN_FAILURE;
    if (!collect(job, &tree)) {
        complain("%s", name);
        return EXIT_OWN_FAILURE;
    }
    for (ssize_t i = 0; i < tree.job_count; i++)
        show_job(job, name, &tree.jobs[i], &tree);
    free(tree.jobs);
    free(tree.members);
    close(job);
    return 0;
}
