/*
 * Futexes: see futex.h. Who waits stands in a hash of lists, by the word's place: the object behind
 * a shared mapping and the offset in it, or the address space and the address.
 *
 * One sleeping lock guards the lists. It is held while a waiter reads its word and queues itself,
 * so a waker that changed the word before either is seen by the reader or finds the waiter. A
 * waiter takes it again after its sleep: its entry, on its stack, outlives a waker's use of it.
 */
#include "proc/futex.h"

#include "lib/errno.h"
#include "lib/list.h"
#include "mm/address_space.h"
#include "mm/user_copy.h"
#include "proc/process.h"
#include "sched/mutex.h"
#include "sched/wait.h"

#define BUCKET_COUNT 256

struct futex_place {
    struct mapping_source *source; /* reference; NULL: the address in `space` */
    struct address_space *space;   /* the waiter's own: it lives while the waiter does */
    uint64_t offset;
};

struct waiter {
    struct list link; /* (futex_lock) */
    struct futex_place place;
    uint32_t bits;
    struct thread *thread;
    _Atomic bool is_woken; /* written under futex_lock */
};

static struct mutex futex_lock = MUTEX_INITIALIZER(futex_lock, LOCK_RANK_FUTEX);
static struct list buckets[BUCKET_COUNT] GUARDED_BY(futex_lock);

static int place_get(struct futex_place *place, uintptr_t address, bool is_private)
{
    *place = (struct futex_place){.space = current_thread()->space, .offset = address};
    if (is_private)
        return 0;
    return address_space_find_shared(place->space, address, &place->source, &place->offset);
}

static void place_put(struct futex_place *place)
{
    if (place->source)
        place->source->operations->put(place->source);
}

static bool is_same_place(const struct futex_place *left, const struct futex_place *right)
{
    return left->offset == right->offset && left->source == right->source &&
           (left->source || left->space == right->space);
}

static struct list *bucket_locked(const struct futex_place *place) REQUIRES(futex_lock);
static struct list *bucket_locked(const struct futex_place *place)
{
    uintptr_t object = place->source ? (uintptr_t)place->source : (uintptr_t)place->space;
    uint64_t hash = (object / sizeof(uint64_t) + place->offset) * 0x9e3779b97f4a7c15ull;
    struct list *bucket = &buckets[hash >> 32 & (BUCKET_COUNT - 1)];

    if (!bucket->next)
        list_init(bucket);
    return bucket;
}

static bool is_woken(void *argument)
{
    const struct waiter *waiter = argument;

    return atomic_load_explicit(&waiter->is_woken, memory_order_acquire);
}

/* 0: the word has the value, and the waiter stands in the list. */
static int queue_waiter(struct waiter *waiter, const struct futex_wait *wait)
{
    uint32_t value;
    int error;

    mutex_lock(&futex_lock);
    error = copy_from_user(&value, wait->address, sizeof(value));
    if (error == 0 && value != wait->value)
        error = -EAGAIN;
    if (error == 0)
        list_push_back(bucket_locked(&waiter->place), &waiter->link);
    mutex_unlock(&futex_lock);
    return error;
}

/* What a wake-up decided first stands, whatever ended the sleep. */
static int end_wait(struct waiter *waiter, int outcome)
{
    mutex_lock(&futex_lock);
    if (is_woken(waiter))
        outcome = 0;
    else
        list_remove(&waiter->link);
    mutex_unlock(&futex_lock);
    return outcome;
}

int futex_wait(const struct futex_wait *wait)
{
    struct waiter waiter = {.bits = wait->bits, .thread = current_thread()};
    int error = place_get(&waiter.place, wait->address, wait->is_private);

    if (error)
        return error;
    error = queue_waiter(&waiter, wait);
    if (error == 0)
        error =
            end_wait(&waiter, thread_sleep(is_woken, &waiter, SLEEP_INTERRUPTIBLE, wait->deadline));
    place_put(&waiter.place);
    return error;
}

static int wake_locked(const struct futex_place *place, int count, uint32_t bits)
    REQUIRES(futex_lock);
static int wake_locked(const struct futex_place *place, int count, uint32_t bits)
{
    struct waiter *waiter, *next;
    int woken = 0;

    list_for_each_safe (waiter, next, bucket_locked(place), link) {
        if (!is_same_place(&waiter->place, place) || !(waiter->bits & bits))
            continue;
        list_remove(&waiter->link);
        atomic_store_explicit(&waiter->is_woken, true, memory_order_release);
        thread_wake(waiter->thread);
        if (++woken >= count)
            break;
    }
    return woken;
}

int futex_wake(uintptr_t address, int count, uint32_t bits, bool is_private)
{
    struct futex_place place;
    int result = place_get(&place, address, is_private);

    if (result)
        return result;
    mutex_lock(&futex_lock);
    result = wake_locked(&place, count, bits);
    mutex_unlock(&futex_lock);
    place_put(&place);
    return result;
}
