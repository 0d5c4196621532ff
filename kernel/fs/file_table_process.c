/*
 * Descriptor tables and processes: copies at fork, close-on-exec, the end; ranges; what other
 * processes see.
 */
#include <linux/fcntl.h>
#include <linux/sched.h>

#include "fs/file_table.h"
#include "fs/file_table_internal.h"
#include "lib/errno.h"
#include "proc/process.h"
#include "proc/resource.h"
#include "proc/signal.h"

/* --- Ranges --- */

/* Closes the descriptors first..last whose bit is set in the table's bitset at `choice`. */
static void close_chosen(struct file_table *table, struct process *process, uint64_t *const *choice,
                         unsigned first, unsigned last)
{
    for (unsigned descriptor = first;; descriptor++) {
        struct file *file;

        spin_lock(&table->lock);
        do {
            descriptor = bitset_next(*choice, table->capacity, descriptor);
            if (descriptor >= table->capacity || descriptor > last) {
                spin_unlock(&table->lock);
                return;
            }
            file = table->files[descriptor];
            if (!file)
                descriptor++;
        } while (!file);
        file_table_clear_locked(table, descriptor);
        spin_unlock(&table->lock);
        file_table_give_up(file, process);
    }
}

void file_table_close_range(unsigned first, unsigned last)
{
    struct file_table *table = file_table_own();

    close_chosen(table, current_process(), &table->used, first, last);
}

void file_table_mark_range(unsigned first, unsigned last)
{
    struct file_table *table = file_table_own();

    spin_lock(&table->lock);
    for (unsigned descriptor = bitset_next(table->used, table->capacity, first);
         descriptor < table->capacity && descriptor <= last;
         descriptor = bitset_next(table->used, table->capacity, descriptor + 1))
        bitset_add(table->close_on_exec, descriptor);
    spin_unlock(&table->lock);
}

static bool is_inherited(struct file *file)
{
    return !file->operations->is_inherited || file->operations->is_inherited(file);
}

/* One word of descriptors. Reserved numbers are free in the copy. */
static void copy_word(struct file_table *copy, const struct file_table *from, unsigned word)
{
    struct file *const *files = &from->files[word * FILE_TABLE_WORD_BITS];
    struct file **copies = &copy->files[word * FILE_TABLE_WORD_BITS];
    uint64_t copied = from->used[word];

    for (uint64_t rest = copied; rest; rest &= rest - 1) {
        unsigned bit = __builtin_ctzll(rest);
        struct file *file = files[bit];

        if (likely(file && is_inherited(file))) {
            file_get(file);
            copies[bit] = file;
        } else {
            copied &= ~(1ull << bit);
        }
    }
    copy->used[word] = copied;
    copy->close_on_exec[word] = from->close_on_exec[word] & copied;
    if (copied == UINT64_MAX)
        bitset_add(copy->full, word);
}

/* The copy has room for what is in use now. */
static struct file_table *file_table_copy(struct file_table *from)
{
    struct file_table *copy;

    spin_lock(&from->lock);
    unsigned last = bitset_last(from->used, from->capacity);
    unsigned end = last < from->capacity ? last + 1 : 0;

    copy = file_table_create(file_table_round_capacity(end));
    for (unsigned word = 0; copy && word < BITSET_WORDS(end); word++)
        copy_word(copy, from, word);
    spin_unlock(&from->lock);
    return copy;
}

/* Nobody can reach the table any more. */
static void close_all(struct file_table *table, struct process *process)
{
    for (unsigned word = 0; word < BITSET_WORDS(table->capacity); word++) {
        struct file *const *files = &table->files[word * FILE_TABLE_WORD_BITS];

        for (uint64_t rest = table->used[word]; rest; rest &= rest - 1) {
            struct file *file = files[__builtin_ctzll(rest)];

            if (file)
                file_table_give_up(file, process);
        }
    }
}

/* --- What processes do with tables --- */

static void release_table(struct file_table *table, struct process *process)
{
    if (!refcount_put(&table->refs))
        return;
    close_all(table, process);
    file_table_free(table);
}

void file_table_put(struct file_table *table)
{
    release_table(table, current_process());
}

static struct file_table *exchange_table(struct process *process, struct file_table *table)
{
    spin_lock(&family_lock);
    struct file_table *old = process->files;

    process->files = table;
    spin_unlock(&family_lock);
    return old;
}

static int table_fork(struct process *parent, struct process *child, uint64_t clone_flags)
{
    if (!parent || !parent->files) {
        child->files = file_table_create(FILE_TABLE_INLINE_CAPACITY);
    } else if (clone_flags & CLONE_FILES) {
        refcount_get(&parent->files->refs);
        child->files = parent->files;
    } else {
        child->files = file_table_copy(parent->files);
    }
    return child->files ? 0 : -ENOMEM;
}

int file_table_unshare(void)
{
    struct process *process = current_process();

    if (refcount_read(&process->files->refs) == 1)
        return 0;
    struct file_table *copy = file_table_copy(process->files);

    if (!copy)
        return -ENOMEM;
    release_table(exchange_table(process, copy), process);
    return 0;
}

/* Too late to refuse: without memory for a table of its own the new image does not start. */
static void table_exec(struct process *process)
{
    if (file_table_unshare()) {
        signal_kill_process(process);
        return;
    }
    close_chosen(process->files, process, &process->files->close_on_exec, 0,
                 process->files->capacity);
}

static void table_exit(struct process *process)
{
    struct file_table *table = exchange_table(process, NULL);

    if (table)
        release_table(table, process);
}

static struct process_resource file_table_resource = {
    .fork = table_fork,
    .exec = table_exec,
    .exit = table_exit,
};

void file_table_register(void)
{
    process_resource_register(&file_table_resource);
}

/* --- Other processes' tables --- */

struct file_table *file_table_of(struct process *process)
{
    spin_lock(&family_lock);
    struct file_table *table = process->files;

    if (table)
        refcount_get(&table->refs);
    spin_unlock(&family_lock);
    return table;
}

struct file *file_table_find(struct file_table *table, unsigned descriptor, unsigned *flags)
{
    spin_lock(&table->lock);
    struct file *file = file_table_lookup_locked(table, descriptor);

    if (file && flags)
        *flags = atomic_load(&file->flags) |
                 (bitset_has(table->close_on_exec, descriptor) ? O_CLOEXEC : 0);
    spin_unlock(&table->lock);
    return file;
}

int file_table_next(struct file_table *table, unsigned first)
{
    int found = -1;

    spin_lock(&table->lock);
    for (unsigned descriptor = bitset_next(table->used, table->capacity, first);
         descriptor < table->capacity && found < 0;
         descriptor = bitset_next(table->used, table->capacity, descriptor + 1))
        if (table->files[descriptor])
            found = descriptor;
    spin_unlock(&table->lock);
    return found;
}
