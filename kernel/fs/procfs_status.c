/* /proc/<pid>/status: what stat says, for people. */
#include <linux/capability.h>
#include <linux/resource.h>

#include "fs/path.h"
#include "fs/procfs_snapshot.h"
#include "lib/errno.h"
#include "port.h"
#include "proc/account.h"
#include "proc/cred.h"
#include "proc/rlimit.h"
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

/* Capabilities follow the effective uid; what is queued counts by the real one. */
static void print_queue(struct text *text, struct process *process)
{
    struct credentials *credentials = credentials_of(process);

    if (!credentials)
        return;
    text_print(text, "SigQ:\t%u/%lu\n", credentials->account->queued_signals,
               rlimit_soft(process, RLIMIT_SIGPENDING));
    credentials_put(credentials);
}

static void print_capabilities(struct text *text, struct process *process)
{
    struct credentials *credentials = credentials_of(process);
    const uint64_t all = (1ull << (CAP_LAST_CAP + 1)) - 1;

    if (!credentials)
        return;
    uint64_t own = credentials_is_privileged(credentials) ? all : 0;

    credentials_put(credentials);
    text_print(text, "CapInh:\t%016lx\nCapPrm:\t%016lx\nCapEff:\t%016lx\n", 0ul, own, own);
    text_print(text, "CapBnd:\t%016lx\nCapAmb:\t%016lx\n", all, 0ul);
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
    text_print(text, "VmPeak:\t%8lu kB\nVmSize:\t%8lu kB\nVmLck:\t%8lu kB\n",
               usage.mapped_pages * kib, usage.mapped_pages * kib, 0ul);
    text_print(text, "VmHWM:\t%8lu kB\nVmRSS:\t%8lu kB\nVmData:\t%8lu kB\nVmSwap:\t%8lu kB\n",
               usage.peak_resident_pages * kib, usage.resident_pages * kib, usage.data_pages * kib,
               0ul);
}

static void print_signals(struct text *text, const struct proc_snapshot *shot)
{
    text_print(text, "SigPnd:\t%016lx\nShdPnd:\t%016lx\nSigBlk:\t%016lx\n", shot->thread_pending,
               shot->pending, shot->blocked);
    text_print(text, "SigIgn:\t%016lx\nSigCgt:\t%016lx\n", shot->ignored, shot->caught);
}

/* Groups of 32 bits, then ranges: "0-2,5". */
static void print_cpus(struct text *text, uint64_t mask)
{
    const char *separator = "";

    text_print(text, "Cpus_allowed:\t");
    if (port_cpu_count() > 32)
        text_print(text, "%08x,%08x", (uint32_t)(mask >> 32), (uint32_t)mask);
    else
        text_print(text, "%x", (uint32_t)mask);
    text_print(text, "\nCpus_allowed_list:\t");
    while (mask) {
        unsigned first = __builtin_ctzll(mask);
        uint64_t gap = ~(mask >> first);
        unsigned last = first + (gap ? __builtin_ctzll(gap) : 64) - 1;

        text_print(text, first == last ? "%s%u" : "%s%u-%u", separator, first, last);
        mask = last == 63 ? 0 : mask & (UINT64_MAX << (last + 1));
        separator = ",";
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
    print_queue(text, process);
    print_signals(text, &shot);
    print_capabilities(text, process);
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
