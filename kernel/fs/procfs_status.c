/* /proc/<pid>/status: what stat says, for people. */
#include "fs/path.h"
#include "fs/procfs_snapshot.h"
#include "lib/errno.h"
#include "port.h"
#include "proc/cred.h"
#include "proc/usage.h"

static void print_ids(struct text *text, const char *label, const struct id_set *ids)
{
    text_print(text, "%s:\t%u\t%u\t%u\t%u\n", label, ids->real, ids->effective, ids->saved,
               ids->file_system);
}

static void print_credentials(struct text *text, struct process *process)
{
    struct credentials *credentials = credentials_of(process);

    if (!credentials)
        return;
    print_ids(text, "Uid", &credentials->user);
    print_ids(text, "Gid", &credentials->group);
    text_print(text, "FDSize:\t64\nGroups:\t");
    for (uint32_t i = 0; i < credentials->group_count; i++)
        text_print(text, "%u ", credentials->groups[i]);
    text_print(text, "\n");
    credentials_put(credentials);
}

static void print_memory(struct text *text, struct process *process)
{
    struct address_space *space = proc_space_of(process);
    struct address_space_usage usage;
    const uint64_t kib = PAGE_SIZE / 1024;

    if (!space)
        return;
    address_space_get_usage(space, &usage);
    address_space_put(space);
    text_print(text, "VmPeak:\t%8lu kB\nVmSize:\t%8lu kB\nVmHWM:\t%8lu kB\nVmRSS:\t%8lu kB\n",
               usage.mapped_pages * kib, usage.mapped_pages * kib, usage.peak_resident_pages * kib,
               usage.resident_pages * kib);
}

static void print_signals(struct text *text, const struct proc_snapshot *shot)
{
    text_print(text, "SigPnd:\t%016lx\nShdPnd:\t%016lx\nSigBlk:\t%016lx\n", shot->thread_pending,
               shot->pending, shot->blocked);
    text_print(text, "SigIgn:\t%016lx\nSigCgt:\t%016lx\n", shot->ignored, shot->caught);
}

/* "0-2,5" */
static void print_cpus(struct text *text, uint64_t cpus)
{
    const char *separator = "";

    text_print(text, "Cpus_allowed_list:\t");
    for (unsigned first = 0; first < CPU_MAX; first++) {
        unsigned last = first;

        if (!(cpus >> first & 1))
            continue;
        while (last + 1 < CPU_MAX && (cpus >> (last + 1) & 1))
            last++;
        text_print(text, "%s%u", separator, first);
        if (last > first)
            text_print(text, "-%u", last);
        separator = ",";
        first = last;
    }
    text_print(text, "\n");
}

static void print_switches(struct text *text, struct process *process)
{
    struct usage_totals usage;

    usage_of_process(process, &usage);
    text_print(text, "voluntary_ctxt_switches:\t%lu\nnonvoluntary_ctxt_switches:\t%lu\n",
               usage.voluntary_switches, usage.involuntary_switches);
}

static int print_status(struct process *process, struct text *text)
{
    struct proc_snapshot shot;
    int error = proc_snapshot_take(process, &shot);

    if (error)
        return error;
    text_print(text, "Name:\t%s\nUmask:\t%04o\nState:\t%s\n", shot.name, path_umask_of(process),
               proc_state_word(shot.state));
    text_print(text, "Tgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%d\nTracerPid:\t0\n", shot.number,
               shot.number, shot.parent);
    print_credentials(text, process);
    text_print(text, "NStgid:\t%d\nNSpid:\t%d\nNSpgid:\t%d\nNSsid:\t%d\n", shot.number, shot.number,
               shot.group, shot.session);
    print_memory(text, process);
    text_print(text, "Threads:\t%u\n", shot.thread_count);
    print_signals(text, &shot);
    text_print(text, "NoNewPrivs:\t%d\nSeccomp:\t0\n", process->no_new_privileges);
    print_cpus(text, shot.cpus);
    print_switches(text, process);
    return 0;
}

int proc_print_status(const struct proc_node *node, struct text *text)
{
    struct process *process = proc_node_process(node);

    if (!process)
        return -ESRCH;
    int error = print_status(process, text);

    process_put(process);
    return error;
}
