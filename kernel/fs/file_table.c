/*
 * Descriptor tables: the table itself, and the calls on the caller's own.
 *
 * A table is guarded by its spinlock. Only the threads of the processes that share it change it, so
 * the one thread of an unshared table looks a descriptor up without the lock. What other processes
 * do (/proc, pidfd_getfd) only reads, and always takes the lock.
 *
 * A descriptor is in use when its bit in `used` is set; without a file it is reserved. A word of
 * `used` that is all ones has its bit in `full`, so the lowest free number is found by looking at
 * one word in 4096 descriptors.
 */
#include "fs/file_table.h"

#include <linux/fcntl.h>

#include "fs/file_lock.h"
#include "fs/file_table_internal.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "proc/process.h"
#include "proc/rlimit.h"

static SLAB_CACHE(file_table_cache, struct file_table);

static size_t full_words(unsigned capacity)
{
    return BITSET_WORDS(BITSET_WORDS(capacity));
}

/* Points the table at arrays of that capacity, zeroed. -ENOMEM. */
static int set_arrays(struct file_table *table, unsigned capacity)
{
    size_t words = BITSET_WORDS(capacity);

    if (capacity == FILE_TABLE_INLINE_CAPACITY) {
        table->files = table->inline_files;
        table->used = &table->inline_words[0];
        table->close_on_exec = &table->inline_words[1];
        table->full = &table->inline_words[2];
    } else {
        void *memory = kmalloc(capacity * sizeof(struct file *) +
                               (2 * words + full_words(capacity)) * sizeof(uint64_t));

        if (!memory)
            return -ENOMEM;
        table->files = memory;
        table->used = (uint64_t *)(table->files + capacity);
        table->close_on_exec = table->used + words;
        table->full = table->close_on_exec + words;
    }
    table->capacity = capacity;
    return 0;
}

unsigned file_table_round_capacity(unsigned minimum)
{
    unsigned capacity = FILE_TABLE_INLINE_CAPACITY;

    while (capacity < minimum)
        capacity *= 2;
    return capacity;
}

struct file_table *file_table_create(unsigned capacity)
{
    struct file_table *table = slab_alloc(&file_table_cache);

    if (!table)
        return NULL;
    refcount_init(&table->refs);
    spin_init(&table->lock, LOCK_RANK_FILE_TABLE);
    if (set_arrays(table, capacity)) {
        slab_free(&file_table_cache, table);
        return NULL;
    }
    return table;
}

void file_table_free(struct file_table *table)
{
    if (table->files != table->inline_files)
        kfree(table->files);
    slab_free(&file_table_cache, table);
}

/* Makes room for `descriptor`. -ENOMEM. */
static int grow_locked(struct file_table *table, unsigned descriptor)
{
    struct file_table old = *table;
    size_t words = BITSET_WORDS(old.capacity);
    int error = set_arrays(table, file_table_round_capacity(descriptor + 1));

    if (error)
        return error;
    memcpy(table->files, old.files, old.capacity * sizeof(struct file *));
    memcpy(table->used, old.used, words * sizeof(uint64_t));
    memcpy(table->close_on_exec, old.close_on_exec, words * sizeof(uint64_t));
    memcpy(table->full, old.full, full_words(old.capacity) * sizeof(uint64_t));
    if (old.files != table->inline_files)
        kfree(old.files);
    return 0;
}

/* --- One descriptor --- */

/* The number is in use from now on. */
static void mark_locked(struct file_table *table, unsigned descriptor, bool close_on_exec)
{
    unsigned word = descriptor / FILE_TABLE_WORD_BITS;

    bitset_add(table->used, descriptor);
    if (close_on_exec)
        bitset_add(table->close_on_exec, descriptor);
    else
        bitset_remove(table->close_on_exec, descriptor);
    if (table->used[word] == UINT64_MAX)
        bitset_add(table->full, word);
}

struct file *file_table_clear_locked(struct file_table *table, unsigned descriptor)
{
    struct file *file = table->files[descriptor];

    table->files[descriptor] = NULL;
    bitset_remove(table->used, descriptor);
    bitset_remove(table->close_on_exec, descriptor);
    bitset_remove(table->full, descriptor / FILE_TABLE_WORD_BITS);
    return file;
}

/* The lowest number >= minimum whose bit in `used` is clear; `capacity` or more if all are set. */
static unsigned find_free_locked(const struct file_table *table, unsigned minimum)
{
    unsigned word = minimum / FILE_TABLE_WORD_BITS, words = BITSET_WORDS(table->capacity);

    if (minimum >= table->capacity)
        return minimum;
    uint64_t free = ~table->used[word] & UINT64_MAX << minimum % FILE_TABLE_WORD_BITS;

    if (free)
        return word * FILE_TABLE_WORD_BITS + __builtin_ctzll(free);
    for (word++; word < words;
         word = ALIGN_DOWN(word, FILE_TABLE_WORD_BITS) + FILE_TABLE_WORD_BITS) {
        uint64_t open =
            ~table->full[word / FILE_TABLE_WORD_BITS] & UINT64_MAX << word % FILE_TABLE_WORD_BITS;

        if (!open)
            continue;
        word = ALIGN_DOWN(word, FILE_TABLE_WORD_BITS) + __builtin_ctzll(open);
        if (word >= words)
            break;
        return word * FILE_TABLE_WORD_BITS + __builtin_ctzll(~table->used[word]);
    }
    return table->capacity;
}

void file_table_give_up(struct file *file, struct process *process)
{
    if (file->inode && !(file->flags & O_PATH))
        file_locks_descriptor_closed(file, process);
    if (file->operations->close)
        file->operations->close(file, process);
    file_put(file);
}

/* --- The caller's own table --- */

struct file_table *file_table_own(void)
{
    return current_process()->files;
}

/* Can nobody change the table meanwhile? */
static bool is_private(const struct file_table *table)
{
    return refcount_read(&table->refs) == 1 && current_process()->thread_count == 1;
}

struct file *file_table_lookup_locked(const struct file_table *table, unsigned descriptor)
{
    struct file *file = NULL;

    if (likely(descriptor < table->capacity))
        file = table->files[descriptor];
    if (likely(file))
        file_get(file);
    return file;
}

struct file *file_from_descriptor_or_path(int descriptor)
{
    struct file_table *table = file_table_own();

    if (is_private(table))
        return file_table_lookup_locked(table, descriptor);
    spin_lock(&table->lock);
    struct file *file = file_table_lookup_locked(table, descriptor);

    spin_unlock(&table->lock);
    return file;
}

struct file *file_from_descriptor(int descriptor)
{
    struct file *file = file_from_descriptor_or_path(descriptor);

    if (likely(file) && unlikely(file->flags & O_PATH)) {
        file_put(file);
        return NULL;
    }
    return file;
}

/* The lowest free number, marked as in use. */
static int reserve_locked(struct file_table *table, unsigned minimum, bool close_on_exec)
{
    unsigned descriptor = find_free_locked(table, minimum);

    if (descriptor >= rlimit_soft(current_process(), RLIMIT_NOFILE) ||
        descriptor >= RLIMIT_NOFILE_CEILING)
        return -EMFILE;
    if (descriptor >= table->capacity) {
        int error = grow_locked(table, descriptor);

        if (error)
            return error;
    }
    mark_locked(table, descriptor, close_on_exec);
    return descriptor;
}

int file_install(struct file *file, int minimum, bool close_on_exec)
{
    struct file_table *table = file_table_own();

    spin_lock(&table->lock);
    int descriptor = reserve_locked(table, minimum, close_on_exec);

    if (descriptor >= 0)
        table->files[descriptor] = file;
    spin_unlock(&table->lock);
    return descriptor;
}

int file_reserve_descriptor(int minimum, bool close_on_exec)
{
    struct file_table *table = file_table_own();

    spin_lock(&table->lock);
    int descriptor = reserve_locked(table, minimum, close_on_exec);

    spin_unlock(&table->lock);
    return descriptor;
}

void file_fill_descriptor(int descriptor, struct file *file)
{
    struct file_table *table = file_table_own();

    spin_lock(&table->lock);
    assert(bitset_has(table->used, descriptor) && !table->files[descriptor]);
    table->files[descriptor] = file;
    spin_unlock(&table->lock);
}

void file_unreserve_descriptor(int descriptor)
{
    struct file_table *table = file_table_own();

    spin_lock(&table->lock);
    assert(bitset_has(table->used, descriptor) && !table->files[descriptor]);
    file_table_clear_locked(table, descriptor);
    spin_unlock(&table->lock);
}

int file_close_descriptor(int descriptor)
{
    struct file_table *table = file_table_own();
    struct file *file = NULL;

    spin_lock(&table->lock);
    if ((unsigned)descriptor < table->capacity && table->files[descriptor])
        file = file_table_clear_locked(table, descriptor);
    spin_unlock(&table->lock);
    if (!file)
        return -EBADF;
    file_table_give_up(file, current_process());
    return 0;
}

int file_table_replace(int descriptor, struct file *file, bool close_on_exec)
{
    struct file_table *table = file_table_own();
    struct file *old = NULL;
    int error = 0;

    if (descriptor < 0 || (uint64_t)descriptor >= rlimit_soft(current_process(), RLIMIT_NOFILE) ||
        descriptor >= RLIMIT_NOFILE_CEILING)
        return -EBADF;
    spin_lock(&table->lock);
    if ((unsigned)descriptor >= table->capacity)
        error = grow_locked(table, descriptor);
    else if (bitset_has(table->used, descriptor) && !table->files[descriptor])
        error = -EBUSY;
    if (!error) {
        old = table->files[descriptor];
        mark_locked(table, descriptor, close_on_exec);
        table->files[descriptor] = file;
    }
    spin_unlock(&table->lock);
    if (old)
        file_table_give_up(old, current_process());
    return error;
}

int file_table_get_close_on_exec(int descriptor)
{
    struct file_table *table = file_table_own();
    int result = -EBADF;

    spin_lock(&table->lock);
    if ((unsigned)descriptor < table->capacity && table->files[descriptor])
        result = bitset_has(table->close_on_exec, descriptor);
    spin_unlock(&table->lock);
    return result;
}

int file_table_set_close_on_exec(int descriptor, bool close_on_exec)
{
    struct file_table *table = file_table_own();
    int result = -EBADF;

    spin_lock(&table->lock);
    if ((unsigned)descriptor < table->capacity && table->files[descriptor]) {
        mark_locked(table, descriptor, close_on_exec);
        result = 0;
    }
    spin_unlock(&table->lock);
    return result;
}
