/* Files of /proc about the machine as a whole, and /proc/sys. */
#include "fs/pipe_ring.h"
#include "fs/procfs_entry.h"
#include "lib/version.h"
#include "mm/frame.h"
#include "mm/region.h"
#include "port.h"
#include "proc/host_name.h"
#include "proc/rlimit.h"
#include "sched/sched.h"

#define SECOND_NS    1000000000ul
#define TICK_NS      10000000ul /* USER_HZ is 100 */
#define LOAD_UNIT    65536      /* of sched_load_averages() */
#define PAGES_TO_KIB (PAGE_SIZE / 1024)

int proc_print_uptime(const struct proc_node *node, struct text *text)
{
    uint64_t now = port_clock_ns(), idle = 0;
    struct sched_cpu_usage usage;

    for (unsigned i = 0; i < port_cpu_count(); i++) {
        sched_cpu_usage(i, &usage);
        idle += usage.idle_ns;
    }
    text_print(text, "%lu.%02lu %lu.%02lu\n", now / SECOND_NS, now / TICK_NS % 100,
               idle / SECOND_NS, idle / TICK_NS % 100);
    return 0;
}

/* User and system time are told apart by process, not by CPU: what is not idle is shown as user. */
static void print_cpu_times(struct text *text, uint64_t elapsed_ns, uint64_t idle_ns)
{
    uint64_t busy_ns = elapsed_ns > idle_ns ? elapsed_ns - idle_ns : 0;

    text_print(text, "%lu 0 0 %lu 0 0 0 0 0 0\n", busy_ns / TICK_NS, idle_ns / TICK_NS);
}

int proc_print_machine_stat(const struct proc_node *node, struct text *text)
{
    struct sched_cpu_usage usage[CPU_MAX], sum = {0};
    uint64_t now = port_clock_ns();
    unsigned count = port_cpu_count();

    for (unsigned i = 0; i < count; i++) {
        sched_cpu_usage(i, &usage[i]);
        sum.idle_ns += usage[i].idle_ns;
        sum.switches += usage[i].switches;
        sum.timer_interrupts += usage[i].timer_interrupts;
        sum.running += usage[i].running;
    }
    text_print(text, "cpu  ");
    print_cpu_times(text, now * count, sum.idle_ns);
    for (unsigned i = 0; i < count; i++) {
        text_print(text, "cpu%u ", i);
        print_cpu_times(text, now, usage[i].idle_ns);
    }
    text_print(text, "intr %lu\nctxt %lu\nbtime %lu\nprocesses %d\n", sum.timer_interrupts,
               sum.switches, port_boot_realtime_ns() / SECOND_NS, pid_last_number());
    text_print(text, "procs_running %u\nprocs_blocked 0\nsoftirq 0\n", sum.running);
    return 0;
}

static void print_average(struct text *text, uint64_t average)
{
    uint64_t hundredths = (average * 100 + LOAD_UNIT / 2) / LOAD_UNIT;

    text_print(text, "%lu.%02lu ", hundredths / 100, hundredths % 100);
}

static unsigned count_threads(void)
{
    unsigned count = 0;
    struct pid *pid;

    for (pid_number from = 1; (pid = pid_next(from)); from = pid_number_of(pid) + 1, pid_put(pid)) {
        spin_lock(&family_lock);
        count += pid->thread != NULL;
        spin_unlock(&family_lock);
    }
    return count;
}

int proc_print_loadavg(const struct proc_node *node, struct text *text)
{
    struct sched_cpu_usage usage;
    uint64_t averages[3];
    unsigned running = 0;

    sched_load_averages(averages);
    for (unsigned i = 0; i < array_length(averages); i++)
        print_average(text, averages[i]);
    for (unsigned i = 0; i < port_cpu_count(); i++) {
        sched_cpu_usage(i, &usage);
        running += usage.running;
    }
    text_print(text, "%u/%u %d\n", running, count_threads(), pid_last_number());
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

static int print_region_max(const struct proc_node *node, struct text *text)
{
    text_print(text, "%u\n", REGION_COUNT_MAX);
    return 0;
}

static const struct proc_entry vm_entries[] = {
    PROC_FILE("max_map_count", print_region_max),
    PROC_FILE("overcommit_memory", print_zero),
};

static const struct proc_directory vm_directory = {vm_entries, array_length(vm_entries), NULL,
                                                   NULL};

static int print_descriptor_max(const struct proc_node *node, struct text *text)
{
    text_print(text, "%u\n", RLIMIT_NOFILE_CEILING);
    return 0;
}

static int print_pipe_max(const struct proc_node *node, struct text *text)
{
    text_print(text, "%lu\n", PIPE_SLOTS_MAX * PAGE_SIZE);
    return 0;
}

static const struct proc_entry file_entries[] = {
    PROC_FILE("nr_open", print_descriptor_max),
    PROC_FILE("pipe-max-size", print_pipe_max),
};

static const struct proc_directory file_directory = {file_entries, array_length(file_entries), NULL,
                                                     NULL};

static const struct proc_entry system_entries[] = {
    PROC_DIRECTORY("fs", &file_directory),
    PROC_DIRECTORY("kernel", &kernel_directory),
    PROC_DIRECTORY("vm", &vm_directory),
};

const struct proc_directory proc_system_directory = {system_entries, array_length(system_entries),
                                                     NULL, NULL};
