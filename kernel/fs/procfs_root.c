/* The root of /proc: its table, /proc/self, and the directories of processes. */
#include "fs/procfs_entry.h"
#include "lib/cmdline.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "lib/version.h"

static int64_t read_self(const struct proc_node *node, char *buffer, size_t size)
{
    size_t length = ksnprintf(buffer, size, "%d", process_number(current_process()));

    return length < size ? length : size;
}

static int64_t read_thread_self(const struct proc_node *node, char *buffer, size_t size)
{
    size_t length = ksnprintf(buffer, size, "%d/task/%d", process_number(current_process()),
                              pid_number_of(current_user_thread()->tid));

    return length < size ? length : size;
}

static int64_t read_mounts(const struct proc_node *node, char *buffer, size_t size)
{
    size_t length = ksnprintf(buffer, size, "self/mounts");

    return length < size ? length : size;
}

static int print_version(const struct proc_node *node, struct text *text)
{
    text_print(text, "%s version %s (%s) %s\n", KERNEL_NAME, KERNEL_RELEASE, KERNEL_COMPILER,
               KERNEL_VERSION);
    return 0;
}

static int print_filesystems(const struct proc_node *node, struct text *text)
{
    text_print(text, "nodev\ttmpfs\nnodev\tproc\n");
    return 0;
}

static int print_command_line(const struct proc_node *node, struct text *text)
{
    text_print(text, "%s\n", cmdline_text());
    return 0;
}

static bool has_process(struct pid *pid)
{
    spin_lock(&family_lock);
    bool found = pid->process != NULL;

    spin_unlock(&family_lock);
    return found;
}

static int lookup_process(const struct proc_node *directory, const char *name, size_t length,
                          struct inode **found)
{
    int number = proc_parse_number(name, length);
    struct pid *pid = number > 0 ? pid_find(number) : NULL;
    int error = -ENOENT;

    if (!pid)
        return error;
    if (has_process(pid))
        error = proc_inode_create(&proc_process_entry, pid, number, found);
    pid_put(pid);
    return error;
}

static int list_processes(const struct proc_node *directory, struct directory_emitter *emitter,
                          uint64_t from, uint64_t base)
{
    struct pid *pid;
    bool more = true;

    while (more && (pid = pid_next(from))) {
        char name[16];
        pid_number number = pid_number_of(pid);
        size_t length = ksnprintf(name, sizeof(name), "%d", number);

        if (has_process(pid))
            more = directory_emit(emitter, name, length, (1ull << 32) + number, S_IFDIR,
                                  base + number + 1);
        pid_put(pid);
        from = number + 1;
    }
    return 0;
}

static const struct proc_entry entries[] = {
    {.name = "self", .mode = S_IFLNK | 0777, .read_link = read_self},
    {.name = "thread-self", .mode = S_IFLNK | 0777, .read_link = read_thread_self},
    {.name = "mounts", .mode = S_IFLNK | 0777, .read_link = read_mounts},
    PROC_FILE("cmdline", print_command_line),
    PROC_FILE("cpuinfo", proc_print_cpuinfo),
    PROC_FILE("filesystems", print_filesystems),
    PROC_FILE("loadavg", proc_print_loadavg),
    PROC_FILE("meminfo", proc_print_meminfo),
    PROC_FILE("stat", proc_print_machine_stat),
    PROC_FILE("uptime", proc_print_uptime),
    PROC_FILE("version", print_version),
    PROC_DIRECTORY("kin", &proc_kin_directory),
    PROC_DIRECTORY("sys", &proc_system_directory),
};

static const struct proc_directory root_directory = {
    .entries = entries,
    .count = array_length(entries),
    .lookup = lookup_process,
    .list = list_processes,
};

const struct proc_entry proc_root_entry = {
    .name = "proc",
    .mode = S_IFDIR | 0555,
    .directory = &root_directory,
};
