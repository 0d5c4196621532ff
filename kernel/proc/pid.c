/*
 * The pid table: a hash from numbers to what they name, and the set of numbers in use, under a lock
 * of its own. Two levels of bits find the next free number without a scan: `used` has a bit a
 * number, `full` a bit a word of `used`.
 */
#include "proc/pid.h"

#include "lib/assert.h"
#include "lib/bitset.h"
#include "lib/errno.h"
#include "mm/slab.h"

#define BUCKET_COUNT 4096
#define USED_WORDS   BITSET_WORDS(PID_MAX)

static SLAB_CACHE(pid_cache, struct pid);
static struct spinlock pid_lock = SPINLOCK_INITIALIZER(LOCK_RANK_PID);
static struct list buckets[BUCKET_COUNT] GUARDED_BY(pid_lock);
static uint64_t used[USED_WORDS] GUARDED_BY(pid_lock);
static uint64_t full[BITSET_WORDS(USED_WORDS)] GUARDED_BY(pid_lock);
static pid_number last_number GUARDED_BY(pid_lock);

/* The smallest free number >= from, PID_MAX if there is none. */
static pid_number next_free_locked(pid_number from) REQUIRES(pid_lock);
static pid_number next_free_locked(pid_number from)
{
    size_t word = (size_t)from / 64;
    size_t found;

    if (from >= PID_MAX)
        return PID_MAX;
    found = bitset_next_missing(&used[word], 64, (size_t)from % 64);
    if (found == 64) {
        word = bitset_next_missing(full, USED_WORDS, word + 1);
        if (word == USED_WORDS)
            return PID_MAX;
        found = bitset_next_missing(&used[word], 64, 0);
    }
    return (pid_number)(word * 64 + found);
}

static pid_number take_number_locked(void) REQUIRES(pid_lock);
static pid_number take_number_locked(void)
{
    pid_number number = next_free_locked(last_number + 1);
    size_t word;

    if (number == PID_MAX)
        number = next_free_locked(PID_RESERVED);
    if (number == PID_MAX)
        return PID_MAX;
    word = (size_t)number / 64;
    bitset_add(used, (size_t)number);
    if (used[word] == UINT64_MAX)
        bitset_add(full, word);
    last_number = number;
    return number;
}

static void free_number_locked(pid_number number) REQUIRES(pid_lock);
static void free_number_locked(pid_number number)
{
    bitset_remove(used, (size_t)number);
    bitset_remove(full, (size_t)number / 64);
}

static struct list *bucket_locked(pid_number number) REQUIRES(pid_lock);
static struct list *bucket_locked(pid_number number)
{
    struct list *bucket = &buckets[(uint32_t)number % BUCKET_COUNT];

    if (!bucket->next)
        list_init(bucket);
    return bucket;
}

struct pid *pid_allocate(int *error)
{
    struct pid *pid = slab_alloc(&pid_cache);

    if (!pid) {
        *error = -ENOMEM;
        return NULL;
    }
    refcount_init(&pid->refs);
    spin_lock(&pid_lock);
    pid->number = take_number_locked();
    if (pid->number != PID_MAX)
        list_push_front(bucket_locked(pid->number), &pid->hash_link);
    spin_unlock(&pid_lock);
    if (pid->number != PID_MAX)
        return pid;
    slab_free(&pid_cache, pid);
    *error = -EAGAIN;
    return NULL;
}

void pid_get(struct pid *pid)
{
    refcount_get(&pid->refs);
}

void pid_put(struct pid *pid)
{
    if (!refcount_put(&pid->refs))
        return;
    assert(!pid->process && !pid->thread && !pid->group && !pid->session);
    spin_lock(&pid_lock);
    list_remove(&pid->hash_link);
    free_number_locked(pid->number);
    spin_unlock(&pid_lock);
    slab_free(&pid_cache, pid);
}

struct pid *pid_find(pid_number number)
{
    struct pid *found = NULL;
    struct pid *pid;

    if (number <= 0 || number >= PID_MAX)
        return NULL;
    spin_lock(&pid_lock);
    list_for_each (pid, bucket_locked(number), hash_link) {
        if (pid->number != number)
            continue;
        if (refcount_get_unless_zero(&pid->refs))
            found = pid;
        break;
    }
    spin_unlock(&pid_lock);
    return found;
}

pid_number pid_last_number(void)
{
    pid_number number;

    spin_lock(&pid_lock);
    number = last_number;
    spin_unlock(&pid_lock);
    return number;
}

struct pid *pid_next(pid_number from)
{
    size_t number;
    struct pid *pid;

    do {
        spin_lock(&pid_lock);
        number = bitset_next(used, PID_MAX, (size_t)from);
        spin_unlock(&pid_lock);
        pid = pid_find((pid_number)number);
        from = (pid_number)number + 1;
    } while (!pid && number < PID_MAX);
    return pid;
}
