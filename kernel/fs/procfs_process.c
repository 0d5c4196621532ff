/* /proc/<pid>: the table of a process's directory, its links, its threads, and the short files. */
#include "fs/executable.h"
#include "fs/procfs_snapshot.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "proc/job.h"
#include "proc/rlimit.h"

/* --- links to where it is and what it runs --- */

static struct path *executable_path_of(struct process *process)
{
    spin_lock(&family_lock);
    struct executable *executable = process->executable;

    if (executable)
        executable_get(executable);
    spin_unlock(&family_lock);
    if (!executable)
        return NULL;
    struct path *path = executable_path(executable);

    path_get(path);
    executable_put(executable);
    return path;
}

static int follow_with(const struct proc_node *node, struct path *(*path_of)(struct process *),
                       struct path **target)
{
    struct process *process = proc_node_process(node);

    if (!process)
        return -ENOENT;
    *target = path_of(process);
    process_put(process);
    return *target ? 0 : -ENOENT;
}

static int follow_executable(const struct proc_node *node, struct path **target)
{
    return follow_with(node, executable_path_of, target);
}

static int follow_working_directory(const struct proc_node *node, struct path **target)
{
    return follow_with(node, path_working_directory_of, target);
}

static int follow_root(const struct proc_node *node, struct path **target)
{
    return follow_with(node, path_root_of, target);
}

static int64_t read_followed_link(const struct proc_node *node, char *buffer, size_t size)
{
    struct path *target;
    int64_t length = node->entry->follow(node, &target);
    char *text, *start;

    if (length)
        return length;
    text = kmalloc(PATH_LENGTH_MAX);
    length = -ENOMEM;
    if (text) {
        struct path *root = path_root();

        length = path_format(target, root, text, PATH_LENGTH_MAX, &start);
        path_put(root);
    }
    if (length > (int64_t)size)
        length = size;
    if (length > 0)
        memcpy(buffer, start, length);
    kfree(text);
    path_put(target);
    return length;
}

/* --- short files --- */

static int print_name(const struct proc_node *node, struct text *text)
{
    struct process *process = proc_node_process(node);
    struct proc_snapshot shot;

    if (!process)
        return -ESRCH;
    int error = proc_snapshot_take(process, &shot);

    process_put(process);
    if (!error)
        text_print(text, "%s\n", shot.name);
    return error;
}

static int print_control_group(const struct proc_node *node, struct text *text)
{
    struct process *process = proc_node_process(node);
    char path[JOB_DEPTH_MAX * (JOB_NAME_SIZE + 1)];

    if (!process)
        return -ESRCH;
    job_format_path(process, path, sizeof(path));
    process_put(process);
    text_print(text, "0::%s\n", path);
    return 0;
}

static int print_mounts(const struct proc_node *node, struct text *text)
{
    text_print(text, "tmpfs / tmpfs rw,relatime 0 0\nproc /proc proc rw,relatime 0 0\n");
    return 0;
}

static int print_oom_score(const struct proc_node *node, struct text *text)
{
    text_print(text, "0\n");
    return 0;
}

static const struct limit_name {
    const char *name, *unit;
} limit_names[RLIM_NLIMITS] = {
    [RLIMIT_CPU] = {"Max cpu time", "seconds"},
    [RLIMIT_FSIZE] = {"Max file size", "bytes"},
    [RLIMIT_DATA] = {"Max data size", "bytes"},
    [RLIMIT_STACK] = {"Max stack size", "bytes"},
    [RLIMIT_CORE] = {"Max core file size", "bytes"},
    [RLIMIT_RSS] = {"Max resident set", "bytes"},
    [RLIMIT_NPROC] = {"Max processes", "processes"},
    [RLIMIT_NOFILE] = {"Max open files", "files"},
    [RLIMIT_MEMLOCK] = {"Max locked memory", "bytes"},
    [RLIMIT_AS] = {"Max address space", "bytes"},
    [RLIMIT_LOCKS] = {"Max file locks", "locks"},
    [RLIMIT_SIGPENDING] = {"Max pending signals", "signals"},
    [RLIMIT_MSGQUEUE] = {"Max msgqueue size", "bytes"},
    [RLIMIT_NICE] = {"Max nice priority", ""},
    [RLIMIT_RTPRIO] = {"Max realtime priority", ""},
    [RLIMIT_RTTIME] = {"Max realtime timeout", "us"},
};

static void print_limit(struct text *text, uint64_t value)
{
    if (value == RLIM64_INFINITY)
        text_print(text, "%-20s ", "unlimited");
    else
        text_print(text, "%-20lu ", value);
}

static int print_limits(const struct proc_node *node, struct text *text)
{
    struct process *process = proc_node_process(node);

    if (!process)
        return -ESRCH;
    text_print(text, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
    for (unsigned i = 0; i < RLIM_NLIMITS; i++) {
        struct rlimit64 limit = process->limits.values[i];

        text_print(text, "%-25s ", limit_names[i].name);
        print_limit(text, limit.rlim_cur);
        print_limit(text, limit.rlim_max);
        text_print(text, "%-10s\n", limit_names[i].unit);
    }
    process_put(process);
    return 0;
}

/* --- threads --- */

#define LINK(link_name, function)                                                                  \
    {                                                                                              \
        .name = link_name, .mode = S_IFLNK | 0777, .read_link = read_followed_link,                \
        .follow = function                                                                         \
    }

static const struct proc_entry thread_entries[] = {
    PROC_FILE("cmdline", proc_print_cmdline),
    PROC_FILE("comm", print_name),
    PROC_FILE("stat", proc_print_stat),
    PROC_FILE("status", proc_print_status),
};

static const struct proc_directory thread_directory = {
    .entries = thread_entries,
    .count = array_length(thread_entries),
};

static const struct proc_entry thread_entry = PROC_DIRECTORY("thread", &thread_directory);

/* The smallest thread number >= from; 0: none. O(threads): a directory is read in one pass each. */
static pid_number next_thread(struct process *process, pid_number from)
{
    pid_number next = 0;
    struct user_thread *thread;

    spin_lock(&family_lock);
    list_for_each (thread, &process->threads, process_link) {
        pid_number number = pid_number_of(thread->tid);

        if (number >= from && (next == 0 || number < next))
            next = number;
    }
    if (next == 0 && process->state == PROCESS_ZOMBIE && from <= process_number(process))
        next = process_number(process);
    spin_unlock(&family_lock);
    return next;
}

static int lookup_thread(const struct proc_node *directory, const char *name, size_t length,
                         struct inode **found)
{
    int number = proc_parse_number(name, length);
    struct process *process = proc_node_process(directory);

    if (!process)
        return -ENOENT;
    bool exists = number > 0 && next_thread(process, number) == number;

    process_put(process);
    return exists ? proc_inode_create(&thread_entry, directory->pid, number, found) : -ENOENT;
}

static int list_threads(const struct proc_node *directory, struct directory_emitter *emitter,
                        uint64_t from, uint64_t base)
{
    struct process *process = proc_node_process(directory);
    pid_number number;
    bool more = true;

    if (!process)
        return -ENOENT;
    while (more && (number = next_thread(process, from)) > 0) {
        char name[16];
        size_t length = ksnprintf(name, sizeof(name), "%d", number);

        more = directory_emit(emitter, name, length, (3ull << 32) + number, S_IFDIR,
                              base + number + 1);
        from = number + 1;
    }
    process_put(process);
    return 0;
}

const struct proc_directory proc_threads = {.lookup = lookup_thread, .list = list_threads};

/* --- the directory --- */

static const struct proc_entry entries[] = {
    PROC_FILE("cgroup", print_control_group),
    PROC_FILE("cmdline", proc_print_cmdline),
    PROC_FILE("comm", print_name),
    LINK("cwd", follow_working_directory),
    {.name = "environ", .mode = S_IFREG | 0400, .print = proc_print_environ},
    LINK("exe", follow_executable),
    {.name = "fd", .mode = S_IFDIR | 0500, .directory = &proc_descriptors},
    {.name = "fdinfo", .mode = S_IFDIR | 0555, .directory = &proc_descriptor_infos},
    PROC_FILE("limits", print_limits),
    PROC_FILE("maps", proc_print_maps),
    PROC_FILE("mounts", print_mounts),
    PROC_FILE("oom_score", print_oom_score),
    LINK("root", follow_root),
    PROC_FILE("stat", proc_print_stat),
    PROC_FILE("statm", proc_print_statm),
    PROC_FILE("status", proc_print_status),
    PROC_DIRECTORY("task", &proc_threads),
};

static const struct proc_directory process_directory = {
    .entries = entries,
    .count = array_length(entries),
};

const struct proc_entry proc_process_entry = PROC_DIRECTORY("process", &process_directory);
