/* What the files of the descriptor table share. For file_table*.c only. */
#pragma once

#include "fs/file_lock.h"
#include "fs/file_table.h"
#include "lib/bitset.h"
#include "sched/spinlock.h"

#define FILE_TABLE_WORD_BITS 64u
/* What a table has room for without arrays of its own: most programs have few descriptors. */
#define FILE_TABLE_INLINE_CAPACITY 32u

struct file_table {
    struct refcount refs;
    struct spinlock lock;
    unsigned capacity;       /* (lock) FILE_TABLE_INLINE_CAPACITY, or a multiple of 64 */
    struct file **files;     /* (lock) each non-NULL one holds a reference */
    uint64_t *used;          /* (lock) bit per descriptor */
    uint64_t *close_on_exec; /* (lock) bit per descriptor; 0 where unused */
    uint64_t *full;          /* (lock) bit per word of `used` */
    /* What the pointers above lead to until the table grows. */
    struct file *inline_files[FILE_TABLE_INLINE_CAPACITY];
    uint64_t inline_words[3];
};

/* An empty table, one reference; a capacity from file_table_round_capacity(). NULL if memory is
 * short. */
struct file_table *file_table_create(unsigned capacity) MUST_CHECK;
/* Nothing is in it any more. */
void file_table_free(struct file_table *table);
/* The capacity that has room for so many descriptors. */
unsigned file_table_round_capacity(unsigned minimum);

/* The caller's. */
struct file_table *file_table_own(void);

/* The lock is held. The number is free again. Returns what it named: the table's reference passes
 * to the caller; NULL if it was not in use. */
struct file *file_table_clear_locked(struct file_table *table, unsigned descriptor);
/* A reference, or NULL. */
static inline struct file *file_table_lookup_locked(const struct file_table *table,
                                                    unsigned descriptor)
{
    struct file *file = NULL;

    if (likely(descriptor < table->capacity))
        file = table->files[descriptor];
    if (likely(file))
        file_get(file);
    return file;
}

/* A descriptor that left the table: tells the file, and gives the reference up. May sleep. */
static inline void file_table_give_up(struct file *file, struct process *process)
{
    if (file->inode && !(file->flags & O_PATH))
        file_locks_descriptor_closed(file, process);
    if (file->operations->close)
        file->operations->close(file, process);
    file_put(file);
}
