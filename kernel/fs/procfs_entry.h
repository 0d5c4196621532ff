/*
 * How /proc is described: tables of entries, one for each kind of directory. procfs.c turns an
 * entry into an inode when it is looked up, and the text of a file into what read(2) gives.
 *
 * Nodes are immutable and belong to their inode. Functions of an entry run in thread context with
 * no lock held.
 */
#pragma once

#include "fs/directory.h"
#include "fs/inode.h"
#include "fs/path.h"
#include "fs/text.h"
#include "proc/process.h"

struct proc_entry;

/* What an inode of /proc stands for. */
struct proc_node {
    const struct proc_entry *entry;
    struct pid *pid; /* reference: whose directory it is in; NULL outside of them */
    int number;      /* the descriptor, or thread, that the entry is about */
};

struct proc_directory {
    const struct proc_entry *entries;
    size_t count;
    /* Names that the table does not hold. NULL: there are none. */
    int (*lookup)(const struct proc_node *directory, const char *name, size_t length,
                  struct inode **found);
    /* Emits those names from `from` on, whatever the numbers mean; `base` is to be added to get an
     * emitter position. */
    int (*list)(const struct proc_node *directory, struct directory_emitter *emitter, uint64_t from,
                uint64_t base);
};

struct proc_entry {
    const char *name;
    uint32_t mode; /* S_IFREG, S_IFDIR or S_IFLNK, and permissions */
    /* Files: their text. 0, -ESRCH (the process is gone), -ENOMEM ... */
    int (*print)(const struct proc_node *node, struct text *text);
    /* Links: their text, and, if they lead to an object and not to a name, that. */
    int64_t (*read_link)(const struct proc_node *node, char *buffer, size_t size);
    int (*follow)(const struct proc_node *node, struct path **target);
    const struct proc_directory *directory;
};

#define PROC_FILE(text_name, function)                                                             \
    {                                                                                              \
        .name = text_name, .mode = S_IFREG | 0444, .print = function                               \
    }
#define PROC_DIRECTORY(text_name, contents)                                                        \
    {                                                                                              \
        .name = text_name, .mode = S_IFDIR | 0555, .directory = contents                           \
    }

/* A new inode for the entry; takes its own reference to `pid`. -ENOMEM */
int proc_inode_create(const struct proc_entry *entry, struct pid *pid, int number,
                      struct inode **created);

/* A reference to the process whose directory the node is in; NULL once it has been reaped. */
struct process *proc_node_process(const struct proc_node *node) MUST_CHECK;
/* A reference to the process's memory; NULL for kernel threads and the dead. */
struct address_space *proc_space_of(struct process *process) MUST_CHECK;
/* The number that a name spells, -1 if none. */
int proc_parse_number(const char *name, size_t length);

extern const struct proc_entry proc_root_entry;           /* procfs_root.c */
extern const struct proc_entry proc_process_entry;        /* procfs_process.c */
extern const struct proc_directory proc_descriptors;      /* procfs_descriptor.c */
extern const struct proc_directory proc_descriptor_infos; /* procfs_descriptor.c */
extern const struct proc_directory proc_threads;          /* procfs_process.c */
extern const struct proc_directory proc_system_directory; /* procfs_system.c: /proc/sys */
extern const struct proc_directory proc_kin_directory;    /* procfs_kin.c */

/* Contents of files that several tables name. */
int proc_print_stat(const struct proc_node *node, struct text *text);         /* procfs_stat.c */
int proc_print_statm(const struct proc_node *node, struct text *text);        /* procfs_stat.c */
int proc_print_status(const struct proc_node *node, struct text *text);       /* procfs_status.c */
int proc_print_maps(const struct proc_node *node, struct text *text);         /* procfs_memory.c */
int proc_print_cmdline(const struct proc_node *node, struct text *text);      /* procfs_memory.c */
int proc_print_environ(const struct proc_node *node, struct text *text);      /* procfs_memory.c */
int proc_print_machine_stat(const struct proc_node *node, struct text *text); /* procfs_system.c */
int proc_print_meminfo(const struct proc_node *node, struct text *text);
int proc_print_loadavg(const struct proc_node *node, struct text *text);
int proc_print_uptime(const struct proc_node *node, struct text *text);
int proc_print_cpuinfo(const struct proc_node *node, struct text *text);
