/* Accounts of a process: sums of finished things, and of threads and spaces still alive. */
#include "proc/usage.h"

#include <asm/posix_types.h>
#include <linux/resource.h>

#include "proc/process.h"

#define NS_PER_SECOND 1000000000ull

void usage_add(struct usage_totals *sum, const struct usage_totals *part)
{
    sum->user_ns += part->user_ns;
    sum->system_ns += part->system_ns;
    sum->ready_ns += part->ready_ns;
    sum->voluntary_switches += part->voluntary_switches;
    sum->involuntary_switches += part->involuntary_switches;
    sum->minor_faults += part->minor_faults;
    if (sum->peak_resident_pages < part->peak_resident_pages)
        sum->peak_resident_pages = part->peak_resident_pages;
}

static uint64_t count_of(const struct thread *thread, enum thread_count what)
{
    return atomic_load_explicit(&thread->usage.counts[what], memory_order_relaxed);
}

static void add_counts(struct usage_totals *sum, const struct thread *thread)
{
    sum->minor_faults += count_of(thread, COUNT_FAULTS);
    sum->voluntary_switches +=
        atomic_load_explicit(&thread->usage.voluntary_switches, memory_order_relaxed);
    sum->involuntary_switches +=
        atomic_load_explicit(&thread->usage.involuntary_switches, memory_order_relaxed);
}

void usage_add_thread(struct usage_totals *sum, const struct thread *thread)
{
    sum->user_ns += thread_user_ns(thread);
    sum->system_ns += thread_system_ns(thread);
    sum->ready_ns += thread_ready_ns(thread);
    add_counts(sum, thread);
}

void usage_close_thread(struct process_usage *usage, struct thread *thread, struct cpu_time *used)
{
    struct usage_totals *sum = &usage->self;

    thread_set_group(thread, NULL, NULL);
    *used = thread->flushed.time; /* nobody adds to it any more */
    sum->user_ns += port_cycles_to_ns(used->user);
    sum->system_ns += port_cycles_to_ns(used->system);
    sum->ready_ns += port_cycles_to_ns(used->ready);
    add_counts(sum, thread);
    for (unsigned what = 0; what < THREAD_COUNTS; what++)
        usage->counts[what] += count_of(thread, what);
}

void usage_add_space(struct usage_totals *sum, struct address_space *space)
{
    struct address_space_usage usage;
    struct usage_totals part = {0};

    address_space_get_usage(space, &usage);
    part.peak_resident_pages = usage.peak_resident_pages;
    usage_add(sum, &part);
}

void usage_of_process(struct process *process, struct usage_totals *totals)
{
    struct address_space *space;
    struct user_thread *thread;

    spin_lock(&family_lock);
    *totals = process->usage.self;
    list_for_each (thread, &process->threads, process_link)
        usage_add_thread(totals, &thread->thread);
    space = process->space;
    if (space)
        address_space_get(space);
    spin_unlock(&family_lock);
    if (space) {
        usage_add_space(totals, space);
        address_space_put(space);
    }
}

void usage_of_children(struct process *process, struct usage_totals *totals)
{
    spin_lock(&family_lock);
    *totals = process->usage.children;
    spin_unlock(&family_lock);
}

static void to_timeval(uint64_t ns, __kernel_long_t *seconds, __kernel_long_t *microseconds)
{
    *seconds = (__kernel_long_t)(ns / NS_PER_SECOND);
    *microseconds = (__kernel_long_t)(ns % NS_PER_SECOND / 1000);
}

void usage_to_rusage(const struct usage_totals *totals, struct rusage *rusage)
{
    *rusage = (struct rusage){0};
    to_timeval(totals->user_ns, &rusage->ru_utime.tv_sec, &rusage->ru_utime.tv_usec);
    to_timeval(totals->system_ns, &rusage->ru_stime.tv_sec, &rusage->ru_stime.tv_usec);
    rusage->ru_maxrss = (__kernel_long_t)(totals->peak_resident_pages * (PAGE_SIZE / 1024));
    rusage->ru_minflt = (__kernel_long_t)totals->minor_faults;
    rusage->ru_nvcsw = (__kernel_long_t)totals->voluntary_switches;
    rusage->ru_nivcsw = (__kernel_long_t)totals->involuntary_switches;
}
