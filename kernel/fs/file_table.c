/*
 * Descriptor tables.
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

#include <linux/close_range.h>
#include <linux/fcntl.h>
#include <linux/sched.h>

#include "fs/file_lock.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "proc/process.h"
#include "proc/resource.h"
#include "proc/rlimit.h"
#include "proc/signal.h"

#define WORD_BITS       64u
#define INLINE_CAPACITY WORD_BITS

struct file_table {
    struct refcount refs;
    struct spinlock lock;
    unsigned capacity;       /* (lock) a multiple of 64 */
    struct file **files;     /* (lock) each non-NULL one holds a reference */
    uint64_t *used;          /* (lock) bit per descriptor */
    uint64_t *close_on_exec; /* (lock) bit per descriptor; 0 where unused */
    uint64_t *full;          /* (lock) bit per word of `used` */
    /* What the pointers above lead to until the table grows. */
    struct file *inline_files[INLINE_CAPACITY];
    uint64_t inline_words[3];
};

static SLAB_CACHE(file_table_cache, struct file_table);

static bool bit_is_set(const uint64_t *words, unsigned bit)
{
    return (words[bit / WORD_BITS] >> bit % WORD_BITS & 1) != 0;
}

static void bit_set(uint64_t *words, unsigned bit)
{
    words[bit / WORD_BITS] |= 1ull << bit % WORD_BITS;
}

static void bit_clear(uint64_t *words, unsigned bit)
{
    words[bit / WORD_BITS] &= ~(1ull << bit % WORD_BITS);
}

static size_t full_words(unsigned capacity)
{
    return (capacity / WORD_BITS + WORD_BITS - 1) / WORD_BITS;
}

/* Points the table at arrays of that capacity, zeroed. -ENOMEM. */
static int set_arrays(struct file_table *table, unsigned capacity)
{
    size_t words = capacity / WORD_BITS;

    if (capacity == INLINE_CAPACITY) {
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

static void free_arrays(struct file_table *table)
{
    if (table->files != table->inline_files)
        kfree(table->files);
}

static unsigned round_capacity(unsigned minimum)
{
    unsigned capacity = INLINE_CAPACITY;

    while (capacity < minimum)
        capacity *= 2;
    return capacity;
}

static struct file_table *file_table_create(unsigned capacity)
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

/* Makes room for `descriptor`. -ENOMEM. */
static int grow_locked(struct file_table *table, unsigned descriptor)
{
    struct file_table old = *table;
    size_t words = old.capacity / WORD_BITS;
    int error = set_arrays(table, round_capacity(descriptor + 1));

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

static void mark_used_locked(struct file_table *table, unsigned descriptor, bool close_on_exec)
{
    unsigned word = descriptor / WORD_BITS;

    bit_set(table->used, descriptor);
    if (close_on_exec)
        bit_set(table->close_on_exec, descriptor);
    else
        bit_clear(table->close_on_exec, descriptor);
    if (table->used[word] == UINT64_MAX)
        bit_set(table->full, word);
}

/* Returns what it named: the table's reference passes to the caller. NULL if it was not in use. */
static struct file *clear_locked(struct file_table *table, unsigned descriptor)
{
    struct file *file = table->files[descriptor];

    table->files[descriptor] = NULL;
    bit_clear(table->used, descriptor);
    bit_clear(table->close_on_exec, descriptor);
    bit_clear(table->full, descriptor / WORD_BITS);
    return file;
}

/* The lowest number >= minimum whose bit in `used` is clear; `capacity` or more if all are set. */
static unsigned find_free_locked(const struct file_table *table, unsigned minimum)
{
    unsigned word = minimum / WORD_BITS, words = table->capacity / WORD_BITS;

    if (minimum >= table->capacity)
        return minimum;
    uint64_t free = ~table->used[word] & UINT64_MAX << minimum % WORD_BITS;

    if (free)
        return word * WORD_BITS + __builtin_ctzll(free);
    for (word++; word < words; word = ALIGN_DOWN(word, WORD_BITS) + WORD_BITS) {
        uint64_t open = ~table->full[word / WORD_BITS] & UINT64_MAX << word % WORD_BITS;

        if (!open)
            continue;
        word = ALIGN_DOWN(word, WORD_BITS) + __builtin_ctzll(open);
        if (word >= words)
            break;
        return word * WORD_BITS + __builtin_ctzll(~table->used[word]);
    }
    return table->capacity;
}

/* A descriptor that leaves the table: tells the file, and gives the reference up. */
static void give_up(struct file *file, struct process *process)
{
    file_locks_descriptor_closed(file, process);
    if (file->operations->close)
        file->operations->close(file, process);
    file_put(file);
}

/* --- The caller's own table --- */

static struct file_table *own_table(void)
{
    return current_process()->files;
}

/* Can nobody change the table meanwhile? */
static bool is_private(const struct file_table *table)
{
    return refcount_read(&table->refs) == 1 && current_process()->thread_count == 1;
}

static struct file *lookup_locked(const struct file_table *table, unsigned descriptor)
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
    struct file_table *table = own_table();

    if (is_private(table))
        return lookup_locked(table, descriptor);
    spin_lock(&table->lock);
    struct file *file = lookup_locked(table, descriptor);

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
    mark_used_locked(table, descriptor, close_on_exec);
    return descriptor;
}

int file_install(struct file *file, int minimum, bool close_on_exec)
{
    struct file_table *table = own_table();

    spin_lock(&table->lock);
    int descriptor = reserve_locked(table, minimum, close_on_exec);

    if (descriptor >= 0)
        table->files[descriptor] = file;
    spin_unlock(&table->lock);
    return descriptor;
}

int file_reserve_descriptor(int minimum, bool close_on_exec)
{
    struct file_table *table = own_table();

    spin_lock(&table->lock);
    int descriptor = reserve_locked(table, minimum, close_on_exec);

    spin_unlock(&table->lock);
    return descriptor;
}

void file_fill_descriptor(int descriptor, struct file *file)
{
    struct file_table *table = own_table();

    spin_lock(&table->lock);
    assert(bit_is_set(table->used, descriptor) && !table->files[descriptor]);
    table->files[descriptor] = file;
    spin_unlock(&table->lock);
}

void file_unreserve_descriptor(int descriptor)
{
    struct file_table *table = own_table();

    spin_lock(&table->lock);
    assert(bit_is_set(table->used, descriptor) && !table->files[descriptor]);
    clear_locked(table, descriptor);
    spin_unlock(&table->lock);
}

int file_close_descriptor(int descriptor)
{
    struct file_table *table = own_table();
    struct file *file = NULL;

    spin_lock(&table->lock);
    if ((unsigned)descriptor < table->capacity && table->files[descriptor])
        file = clear_locked(table, descriptor);
    spin_unlock(&table->lock);
    if (!file)
        return -EBADF;
    give_up(file, current_process());
    return 0;
}

int file_table_replace(int descriptor, struct file *file, bool close_on_exec)
{
    struct file_table *table = own_table();
    struct file *old = NULL;
    int error = 0;

    if (descriptor < 0 || (uint64_t)descriptor >= rlimit_soft(current_process(), RLIMIT_NOFILE) ||
        descriptor >= RLIMIT_NOFILE_CEILING)
        return -EBADF;
    spin_lock(&table->lock);
    if ((unsigned)descriptor >= table->capacity)
        error = grow_locked(table, descriptor);
    else if (bit_is_set(table->used, descriptor) && !table->files[descriptor])
        error = -EBUSY;
    if (!error) {
        old = table->files[descriptor];
        mark_used_locked(table, descriptor, close_on_exec);
        table->files[descriptor] = file;
    }
    spin_unlock(&table->lock);
    if (old)
        give_up(old, current_process());
    return error;
}

int file_table_get_close_on_exec(int descriptor)
{
    struct file_table *table = own_table();
    int result = -EBADF;

    spin_lock(&table->lock);
    if ((unsigned)descriptor < table->capacity && table->files[descriptor])
        result = bit_is_set(table->close_on_exec, descriptor);
    spin_unlock(&table->lock);
    return result;
}

int file_table_set_close_on_exec(int descriptor, bool close_on_exec)
{
    struct file_table *table = own_table();
    int result = -EBADF;

    spin_lock(&table->lock);
    if ((unsigned)descriptor < table->capacity && table->files[descriptor]) {
        mark_used_locked(table, descriptor, close_on_exec);
        result = 0;
    }
    spin_unlock(&table->lock);
    return result;
}

/* --- Many descriptors --- */

/* The lowest set bit >= first, `capacity` if there is none. */
static unsigned next_bit(const uint64_t *words, unsigned capacity, unsigned first)
{
    for (unsigned word = first / WORD_BITS; word < capacity / WORD_BITS; word++) {
        uint64_t bits = words[word];

        if (word == first / WORD_BITS)
            bits &= UINT64_MAX << first % WORD_BITS;
        if (bits)
            return word * WORD_BITS + __builtin_ctzll(bits);
    }
    return capacity;
}

/* Closes the descriptors first..last whose bit is set in the table's bitset at `choice`. */
static void close_chosen(struct file_table *table, struct process *process, uint64_t *const *choice,
                         unsigned first, unsigned last)
{
    for (unsigned descriptor = first;; descriptor++) {
        struct file *file;

        spin_lock(&table->lock);
        do {
            descriptor = next_bit(*choice, table->capacity, descriptor);
            if (descriptor >= table->capacity || descriptor > last) {
                spin_unlock(&table->lock);
                return;
            }
            file = table->files[descriptor];
            if (!file)
                descriptor++;
        } while (!file);
        clear_locked(table, descriptor);
        spin_unlock(&table->lock);
        give_up(file, process);
    }
}

void file_table_close_range(unsigned first, unsigned last)
{
    struct file_table *table = own_table();

    close_chosen(table, current_process(), &table->used, first, last);
}

void file_table_mark_range(unsigned first, unsigned last)
{
    struct file_table *table = own_table();

    spin_lock(&table->lock);
    for (unsigned descriptor = next_bit(table->used, table->capacity, first);
         descriptor < table->capacity && descriptor <= last;
         descriptor = next_bit(table->used, table->capacity, descriptor + 1))
        bit_set(table->close_on_exec, descriptor);
    spin_unlock(&table->lock);
}

/* The copy has room for what is in use now; reserved numbers are free in it. */
static struct file_table *file_table_copy(struct file_table *from)
{
    struct file_table *copy = NULL;

    spin_lock(&from->lock);
    unsigned words = from->capacity / WORD_BITS;

    while (words > 1 && !from->used[words - 1])
        words--;
    copy = file_table_create(round_capacity(words * WORD_BITS));
    if (copy) {
        unsigned end = words * WORD_BITS;

        for (unsigned descriptor = next_bit(from->used, end, 0); descriptor < end;
             descriptor = next_bit(from->used, end, descriptor + 1)) {
            if (!from->files[descriptor])
                continue;
            copy->files[descriptor] = from->files[descriptor];
            file_get(copy->files[descriptor]);
            mark_used_locked(copy, descriptor, bit_is_set(from->close_on_exec, descriptor));
        }
    }
    spin_unlock(&from->lock);
    return copy;
}

/* --- What processes do with tables --- */

static void release_table(struct file_table *table, struct process *process)
{
    if (!refcount_put(&table->refs))
        return;
    close_chosen(table, process, &table->used, 0, table->capacity);
    free_arrays(table);
    slab_free(&file_table_cache, table);
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
        child->files = file_table_create(INLINE_CAPACITY);
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
    struct file *file = lookup_locked(table, descriptor);

    if (file && flags)
        *flags = atomic_load(&file->flags) |
                 (bit_is_set(table->close_on_exec, descriptor) ? O_CLOEXEC : 0);
    spin_unlock(&table->lock);
    return file;
}

int file_table_next(struct file_table *table, unsigned first)
{
    int found = -1;

    spin_lock(&table->lock);
    for (unsigned descriptor = next_bit(table->used, table->capacity, first);
         descriptor < table->capacity && found < 0;
         descriptor = next_bit(table->used, table->capacity, descriptor + 1))
        if (table->files[descriptor])
            found = descriptor;
    spin_unlock(&table->lock);
    return found;
}
