/* /proc/<pid>/stat and statm: one line of numbers, in the order of proc(5). */
#include <linux/sched.h>

#include "fs/procfs_snapshot.h"
#include "lib/errno.h"
#include "proc/rlimit.h"
#include "proc/usage.h"

#define TICK_NS 10000000ul /* USER_HZ is 100 */

/* What a process has of memory; all 0 once it has given it up. */
struct memory_figures {
    struct address_space_usage usage;
    struct address_space_layout layout;
};

static void take_memory(struct process *process, struct memory_figures *figures)
{
    struct address_space *space = proc_space_of(process);

    *figures = (struct memory_figures){0};
    if (!space)
        return;
    address_space_get_usage(space, &figures->usage);
    figures->layout = *address_space_layout(space);
    address_space_put(space);
}

static bool is_realtime(int policy)
{
    return policy == SCHED_FIFO || policy == SCHED_RR;
}

/* Kernel priority as user space sees it: 20 + nice, or -1 - priority. */
static int shown_priority(const struct sched_attributes *attributes)
{
    return is_realtime(attributes->policy) ? -1 - attributes->priority : 20 + attributes->nice;
}

/* Fields 1 to 22. */
static void print_identity(struct text *text, const struct proc_snapshot *shot,
                           const struct usage_totals *own, const struct usage_totals *children)
{
    text_print(text, "%d (%s) %c %d %d %d %lu %d %u ", shot->number, shot->name, shot->state,
               shot->parent, shot->group, shot->session, shot->terminal_device, shot->foreground,
               4194304u);
    text_print(text, "%lu %lu 0 0 %lu %lu %lu %lu ", own->minor_faults, children->minor_faults,
               own->user_ns / TICK_NS, own->system_ns / TICK_NS, children->user_ns / TICK_NS,
               children->system_ns / TICK_NS);
    text_print(text, "%d %d %u 0 %lu ", shown_priority(&shot->attributes), shot->attributes.nice,
               shot->thread_count, shot->start_ns / TICK_NS);
}

/* Fields 23 to 52. */
static void print_memory(struct text *text, const struct proc_snapshot *shot,
                         const struct memory_figures *memory, uint64_t resident_limit)
{
    const struct address_space_layout *layout = &memory->layout;
    const signal_set classic = UINT32_MAX >> 1;

    text_print(text, "%lu %lu %lu ", memory->usage.mapped_pages * PAGE_SIZE,
               memory->usage.resident_pages, resident_limit);
    text_print(text, "%lu %lu %lu 0 0 ", layout->code_start, layout->code_end, layout->stack_start);
    text_print(text, "%lu %lu %lu %lu ", shot->pending & classic, shot->blocked & classic,
               shot->ignored & classic, shot->caught & classic);
    text_print(text, "%d 0 0 %d %u %d %d 0 0 0 ", shot->state == 'S' || shot->state == 'D',
               shot->exit_signal, shot->cpu, shot->attributes.priority, shot->attributes.policy);
    text_print(text, "%lu %lu %lu %lu %lu %lu %lu %d\n", layout->data_start, layout->data_end,
               layout->data_end, layout->arguments_start, layout->arguments_end,
               layout->environment_start, layout->environment_end,
               shot->state == 'Z' ? shot->exit_status : 0);
}

static int print_stat(struct process *process, struct text *text)
{
    struct proc_snapshot shot;
    struct usage_totals own, children;
    struct memory_figures memory;
    int error = proc_snapshot_take(process, &shot);

    if (error)
        return error;
    usage_of_process(process, &own);
    usage_of_children(process, &children);
    take_memory(process, &memory);
    print_identity(text, &shot, &own, &children);
    print_memory(text, &shot, &memory, rlimit_soft(process, RLIMIT_RSS));
    return 0;
}

int proc_print_stat(const struct proc_node *node, struct text *text)
{
    struct process *process = proc_node_process(node);

    if (!process)
        return -ESRCH;
    int error = print_stat(process, text);

    process_put(process);
    return error;
}

int proc_print_statm(const struct proc_node *node, struct text *text)
{
    struct process *process = proc_node_process(node);
    struct memory_figures memory;

    if (!process)
        return -ESRCH;
    take_memory(process, &memory);
    process_put(process);
    uint64_t code = (memory.layout.code_end - memory.layout.code_start + PAGE_SIZE - 1) / PAGE_SIZE;

    text_print(text, "%lu %lu 0 %lu 0 %lu 0\n", memory.usage.mapped_pages,
               memory.usage.resident_pages, code, memory.usage.mapped_pages - code);
    return 0;
}
