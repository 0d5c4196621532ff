/* Files of /proc about the machine as a whole, and /proc/sys. */
#include "fs/procfs_entry.h"
#include "lib/version.h"
#include "mm/frame.h"
#include "port.h"
#include "proc/host_name.h"
#include "sched/cpu.h"
#include "sched/sched.h"

#define SECOND_NS    1000000000ul
#define TICK_NS      10000000ul /* USER_HZ is 100 */
#define PAGES_TO_KIB (PAGE_SIZE / 1024)

/* Times since boot, in ns. A CPU is idle while its idle thread runs. */
static uint64_t idle_ns(unsigned cpu)
{
    const struct thread *idle = port_cpu(cpu)->idle;

    return idle ? thread_system_ns(idle) : 0;
}

static uint64_t busy_ns(unsigned cpu, uint64_t now)
{
    uint64_t idle = idle_ns(cpu);

    return now > idle ? now - idle : 0;
}

int proc_print_uptime(const struct proc_node *node, struct text *text)
{
    uint64_t now = port_clock_ns(), idle = 0;

    for (unsigned i = 0; i < port_cpu_count(); i++)
        idle += idle_ns(i);
    text_print(text, "%lu.%02lu %lu.%02lu\n", now / SECOND_NS, now / TICK_NS % 100,
               idle / SECOND_NS, idle / TICK_NS % 100);
    return 0;
}

/* User and system time are not told apart by CPU: all of it is shown as user time. */
static void print_cpu_times(struct text *text, uint64_t busy, uint64_t idle)
{
    text_print(text, "%lu 0 0 %lu 0 0 0 0 0 0\n", busy / TICK_NS, idle / TICK_NS);
}

static unsigned count_processes(unsigned *running)
{
    unsigned count = 0;
    struct pid *pid;

    *running = 0;
    for (pid_number from = 1; (pid = pid_next(from)); from = pid_number_of(pid) + 1, pid_put(pid)) {
        spin_lock(&family_lock);
        struct user_thread *thread = pid->thread;

        if (thread) {
            count++;
            *running += thread->thread.state != THREAD_SLEEPING;
        }
        spin_unlock(&family_lock);
    }
    return count;
}

static uint64_t count_switches(void)
{
    struct sched_cpu_usage usage;
    uint64_t count = 0;

    for (unsigned i = 0; i < port_cpu_count(); i++) {
        sched_cpu_usage(i, &usage);
        count += usage.switches;
    }
    return count;
}

int proc_print_machine_stat(const struct proc_node *node, struct text *text)
{
    uint64_t now = port_clock_ns(), busy = 0, idle = 0;
    unsigned running;

    for (unsigned i = 0; i < port_cpu_count(); i++) {
        busy += busy_ns(i, now);
        idle += idle_ns(i);
    }
    text_print(text, "cpu  ");
    print_cpu_times(text, busy, idle);
    for (unsigned i = 0; i < port_cpu_count(); i++) {
        text_print(text, "cpu%u ", i);
        print_cpu_times(text, busy_ns(i, now), idle_ns(i));
    }
    count_processes(&running);
    text_print(text, "intr 0\nctxt %lu\nbtime %lu\nprocesses %d\nprocs_running %u\n",
               count_switches(), port_boot_realtime_ns() / SECOND_NS, pid_last_number(), running);
    text_print(text, "procs_blocked 0\nsoftirq 0\n");
    return 0;
}

int proc_print_loadavg(const struct proc_node *node, struct text *text)
{
    unsigned running, count = count_processes(&running);
    uint64_t averages[3];

    sched_load_averages(averages);
    for (int i = 0; i < 3; i++)
        text_print(text, "%lu.%02lu ", averages[i] >> 16, (averages[i] & 0xffff) * 100 >> 16);
    text_print(text, "%u/%u %d\n", running, count, pid_last_number());
    return 0;
}

int proc_print_meminfo(const struct proc_node *node, struct text *text)
{
    static const char *const without_figure[] = {
        "Buffers", "Cached", "SwapCached", "SwapTotal", "SwapFree", "Shmem",
    };
    uint64_t total = frame_total_count() * PAGES_TO_KIB, free = frame_free_count() * PAGES_TO_KIB;

    text_print(text, "MemTotal:       %8lu kB\nMemFree:        %8lu kB\nMemAvailable:   %8lu kB\n",
               total, free, free);
    for (unsigned i = 0; i < array_length(without_figure); i++)
        text_print(text, "%s:%*s%8u kB\n", without_figure[i],
                   15 - (int)__builtin_strlen(without_figure[i]), "", 0);
    return 0;
}

int proc_print_cpuinfo(const struct proc_node *node, struct text *text)
{
    uint64_t hz = port_ns_to_cycles(SECOND_NS);

    for (unsigned i = 0; i < port_cpu_count(); i++)
        text_print(text,
                   "processor\t: %u\nvendor_id\t: Kin\ncpu family\t: 6\nmodel name\t: x86_64\n"
                   "cpu MHz\t\t: %lu.%03lu\ncpu cores\t: 1\nflags\t\t: fpu sse sse2\n\n",
                   i, hz / 1000000, hz / 1000 % 1000);
    return 0;
}

/* --- /proc/sys/kernel --- */

static int print_os_type(const struct proc_node *node, struct text *text)
{
    text_print(text, KERNEL_NAME "\n");
    return 0;
}

static int print_os_release(const struct proc_node *node, struct text *text)
{
    text_print(text, KERNEL_RELEASE "\n");
    return 0;
}

static int print_version(const struct proc_node *node, struct text *text)
{
    text_print(text, KERNEL_VERSION "\n");
    return 0;
}

static int print_name(struct text *text, enum host_name_kind kind)
{
    char name[HOST_NAME_MAX + 1];

    host_name_get(kind, name);
    text_print(text, "%s\n", name);
    return 0;
}

static int print_host_name(const struct proc_node *node, struct text *text)
{
    return print_name(text, HOST_NAME);
}

static int print_domain_name(const struct proc_node *node, struct text *text)
{
    return print_name(text, HOST_DOMAIN);
}

static int print_pid_max(const struct proc_node *node, struct text *text)
{
    text_print(text, "%d\n", PID_MAX);
    return 0;
}

/* As random UUIDs are written: version 4, variant 1. */
static void print_uuid(struct text *text, uint8_t bytes[16])
{
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    for (unsigned i = 0; i < 16; i++) {
        text_print(text, "%02x", bytes[i]);
        if (i == 3 || i == 5 || i == 7 || i == 9)
            text_print(text, "-");
    }
    text_print(text, "\n");
}

static int print_uuid_file(const struct proc_node *node, struct text *text)
{
    uint8_t bytes[16];

    port_random(bytes, sizeof(bytes));
    print_uuid(text, bytes);
    return 0;
}

static int print_boot_id(const struct proc_node *node, struct text *text)
{
    static uint8_t boot_id[16];
    static _Atomic bool made;
    uint8_t bytes[16];

    if (!atomic_exchange(&made, true))
        port_random(boot_id, sizeof(boot_id));
    __builtin_memcpy(bytes, boot_id, sizeof(bytes));
    print_uuid(text, bytes);
    return 0;
}

static int print_zero(const struct proc_node *node, struct text *text)
{
    text_print(text, "0\n");
    return 0;
}

static const struct proc_entry random_entries[] = {
    PROC_FILE("boot_id", print_boot_id),
    PROC_FILE("uuid", print_uuid_file),
};

static const struct proc_directory random_directory = {random_entries, array_length(random_entries),
                                                       NULL, NULL};

static const struct proc_entry kernel_entries[] = {
    PROC_FILE("domainname", print_domain_name), PROC_FILE("hostname", print_host_name),
    PROC_FILE("osrelease", print_os_release),   PROC_FILE("ostype", print_os_type),
    PROC_FILE("pid_max", print_pid_max),        PROC_DIRECTORY("random", &random_directory),
    PROC_FILE("version", print_version),
};

static const struct proc_directory kernel_directory = {kernel_entries, array_length(kernel_entries),
                                                       NULL, NULL};

static const struct proc_entry vm_entries[] = {PROC_FILE("overcommit_memory", print_zero)};

static const struct proc_directory vm_directory = {vm_entries, array_length(vm_entries), NULL,
                                                   NULL};

static const struct proc_entry system_entries[] = {
    PROC_DIRECTORY("kernel", &kernel_directory),
    PROC_DIRECTORY("vm", &vm_directory),
};

const struct proc_directory proc_system_directory = {system_entries, array_length(system_entries),
                                                     NULL, NULL};
