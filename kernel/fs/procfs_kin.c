/*
 * /proc/kin: what tests and people ask of this kernel and Linux does not have.
 *   memory     frames free or in slabs, kernel objects live: the leak balance
 *   caches     the objects by kind
 *   cpus       of each CPU: ns idle, switches, timer interrupts, threads that run or are ready to
 *   counters   of each CPU since boot, and of the kernel as a whole
 *   check      runs proc_check(), which panics on a fault, and says ok
 *   processes  the process listing, to the kernel log
 */
#include "fs/procfs_entry.h"
#include "lib/klog.h"
#include "mm/frame.h"
#include "mm/slab.h"
#include "proc/check.h"
#include "proc/dump.h"
#include "sched/sched.h"

static int print_memory(const struct proc_node *node, struct text *text)
{
    port_release_caches();
    text_print(text, "total_frames %lu\nfree_frames %lu\nslab_frames %lu\nlive_objects %lu\n",
               frame_total_count(), frame_free_count(), slab_frames(), slab_live_objects());
    return 0;
}

static void print_cache(const struct slab_cache *cache, void *argument)
{
    text_print(argument, "%s %lu %lu\n", cache->name, cache->size, cache->live);
}

static int print_counters(const struct proc_node *node, struct text *text)
{
    struct sched_cpu_usage usage;

    text_print(text, "clock_ns %lu\nlast_pid %d\nlog_lines %lu\n", port_clock_ns(),
               pid_last_number(), klog_line_count());
    for (unsigned i = 0; i < port_cpu_count(); i++) {
        sched_cpu_usage(i, &usage);
        text_print(text, "cpu%u idle_ns %lu switches %lu timer_interrupts %lu running %u\n", i,
                   usage.idle_ns, usage.switches, usage.timer_interrupts, usage.running);
    }
    return 0;
}

static int print_caches(const struct proc_node *node, struct text *text)
{
    slab_for_each_cache(print_cache, text);
    return 0;
}

static int print_check(const struct proc_node *node, struct text *text)
{
    proc_check();
    text_print(text, "ok\n");
    return 0;
}

static int print_cpus(const struct proc_node *node, struct text *text)
{
    struct sched_cpu_usage usage;

    for (unsigned i = 0; i < port_cpu_count(); i++) {
        sched_cpu_usage(i, &usage);
        text_print(text, "cpu%u %lu %lu %lu %u\n", i, usage.idle_ns, usage.switches,
                   usage.timer_interrupts, usage.running);
    }
    return 0;
}

static int print_processes(const struct proc_node *node, struct text *text)
{
    process_dump();
    text_print(text, "see the kernel log\n");
    return 0;
}

static const struct proc_entry entries[] = {
    PROC_FILE("caches", print_caches), PROC_FILE("check", print_check),
    PROC_FILE("cpus", print_cpus),     PROC_FILE("counters", print_counters),
    PROC_FILE("memory", print_memory), PROC_FILE("processes", print_processes),
};

const struct proc_directory proc_kin_directory = {entries, array_length(entries), NULL, NULL};
