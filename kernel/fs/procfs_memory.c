/* /proc/<pid>/maps, cmdline and environ: what a process's memory says. */
#include <linux/mman.h>

#include "fs/procfs_entry.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/slab.h"

/* As much of the arguments or environment as is shown. */
#define STRINGS_MAX 65536

static const char *mapping_name(const struct mapping_description *mapping, const char *name)
{
    if (mapping->kind == MAPPING_HEAP)
        return "[heap]";
    return mapping->kind == MAPPING_STACK ? "[stack]" : name;
}

/* Device and inode number are not known here: 0, as for anonymous memory. */
static void print_mapping(struct text *text, const struct mapping_description *mapping,
                          const char *name)
{
    size_t start = text->length;

    text_print(text, "%08lx-%08lx %c%c%c%c %08lx 00:00 0 ", mapping->start, mapping->end,
               mapping->protection & PROT_READ ? 'r' : '-',
               mapping->protection & PROT_WRITE ? 'w' : '-',
               mapping->protection & PROT_EXEC ? 'x' : '-', mapping->is_shared ? 's' : 'p',
               mapping->offset);
    name = mapping_name(mapping, name);
    while (*name && !text->failed && text->length - start < 73)
        text_append(text, " ", 1);
    text_print(text, "%s\n", name);
}

static int print_all_mappings(struct address_space *space, struct text *text)
{
    struct mapping_description mapping;
    uintptr_t address = 0;
    char *name = kmalloc(PATH_LENGTH_MAX);

    if (!name)
        return -ENOMEM;
    while (!text->failed &&
           address_space_describe(space, address, &mapping, name, PATH_LENGTH_MAX)) {
        print_mapping(text, &mapping, name);
        address = mapping.end;
    }
    kfree(name);
    return 0;
}

/* Calls `print` with the memory of the node's process; nothing for one that has none. */
static int with_space(const struct proc_node *node, struct text *text,
                      int (*print)(struct address_space *space, struct text *text))
{
    struct process *process = proc_node_process(node);

    if (!process)
        return -ESRCH;
    struct address_space *space = proc_space_of(process);

    process_put(process);
    if (!space)
        return 0;
    int error = print(space, text);

    address_space_put(space);
    return error;
}

int proc_print_maps(const struct proc_node *node, struct text *text)
{
    return with_space(node, text, print_all_mappings);
}

static int print_range(struct address_space *space, struct text *text, uintptr_t start,
                       uintptr_t end)
{
    size_t size = end - start < STRINGS_MAX ? end - start : STRINGS_MAX;

    if (end <= start || !text_reserve(text, size))
        return 0;
    int error = address_space_read(space, start, text->data + text->length, size);

    if (!error)
        text->length += size;
    return error == -EFAULT ? 0 : error;
}

static int print_arguments(struct address_space *space, struct text *text)
{
    const struct address_space_layout *layout = address_space_layout(space);

    return print_range(space, text, layout->arguments_start, layout->arguments_end);
}

static int print_environment(struct address_space *space, struct text *text)
{
    const struct address_space_layout *layout = address_space_layout(space);

    return print_range(space, text, layout->environment_start, layout->environment_end);
}

int proc_print_cmdline(const struct proc_node *node, struct text *text)
{
    return with_space(node, text, print_arguments);
}

int proc_print_environ(const struct proc_node *node, struct text *text)
{
    return with_space(node, text, print_environment);
}
