/* epoll: which watched files have news, and who waits for them. See epoll_internal.h for the locks.
 */
#include "fs/epoll_internal.h"
#include "lib/errno.h"
#include "mm/user_copy.h"

#define MODE_BITS (EPOLLONESHOT | EPOLLET | EPOLLEXCLUSIVE | EPOLLWAKEUP)

struct spinlock epoll_ready_lock = SPINLOCK_INITIALIZER(LOCK_RANK_POLL);

static void make_ready_locked(struct epoll_item *item, uint64_t key) REQUIRES(epoll_ready_lock)
{
    struct epoll *epoll = item->epoll;
    struct epoll_item *outer;

    if (key && !(key & item->event.events))
        return;
    if (list_is_linked(&item->ready_link))
        return;
    list_push_back(&epoll->ready, &item->ready_link);
    atomic_fetch_add(&epoll->count, 1);
    wait_queue_wake_all(&epoll->wait, POLLIN | POLLRDNORM);
    list_for_each (outer, &epoll->outer_items, outer_link)
        make_ready_locked(outer, POLLIN | POLLRDNORM);
}

void epoll_make_ready(struct epoll_item *item, uint64_t key)
{
    irq_state_t state = spin_lock_irq_save(&epoll_ready_lock);

    make_ready_locked(item, key);
    spin_unlock_irq_restore(&epoll_ready_lock, state);
}

void epoll_unlink_ready_locked(struct epoll_item *item)
{
    if (!list_is_linked(&item->ready_link))
        return;
    list_remove(&item->ready_link);
    atomic_fetch_sub(&item->epoll->count, 1);
}

/* The first item with news, no longer listed; NULL if there is none. */
static struct epoll_item *pop_ready(struct epoll *epoll)
{
    struct epoll_item *item = NULL;
    irq_state_t state = spin_lock_irq_save(&epoll_ready_lock);

    if (!list_is_empty(&epoll->ready)) {
        item = list_first(&epoll->ready, struct epoll_item, ready_link);
        epoll_unlink_ready_locked(item);
    }
    spin_unlock_irq_restore(&epoll_ready_lock, state);
    return item;
}

static void push_ready(struct epoll_item *item, bool first)
{
    irq_state_t state = spin_lock_irq_save(&epoll_ready_lock);

    if (!list_is_linked(&item->ready_link)) {
        if (first)
            list_push_front(&item->epoll->ready, &item->ready_link);
        else
            list_push_back(&item->epoll->ready, &item->ready_link);
        atomic_fetch_add(&item->epoll->count, 1);
    }
    spin_unlock_irq_restore(&epoll_ready_lock, state);
}

/* --- asking files --- */

uint32_t epoll_ask_item(struct epoll_item *item, struct poll_table *table)
{
    uint32_t events;

    if (file_is_epoll(item->file))
        events = epoll_has_news(item->file->private) ? POLLIN | POLLRDNORM : 0;
    else
        events = item->file->operations->poll(item->file, table);
    return events & item->event.events;
}

/* Drops from the ready list what is not ready after all. */
bool epoll_has_news(struct epoll *epoll)
{
    size_t left = atomic_load(&epoll->count);

    while (left-- > 0) {
        struct epoll_item *item = pop_ready(epoll);

        if (!item)
            return false;
        if (epoll_ask_item(item, NULL)) {
            push_ready(item, true);
            return true;
        }
    }
    return false;
}

/* --- epoll_wait --- */

/* After the item was reported: one-shot items go to sleep, level-triggered ones are looked at again
 * next time. */
static void settle_item(struct epoll_item *item) REQUIRES(epoll_items_lock)
{
    if (item->event.events & EPOLLONESHOT)
        item->event.events &= MODE_BITS;
    else if (!(item->event.events & EPOLLET))
        push_ready(item, false);
}

/* Reports what has news: each listed item is asked once. */
static int collect_locked(struct epoll *epoll, uintptr_t events, int count)
    REQUIRES(epoll_items_lock)
{
    size_t left = atomic_load(&epoll->count);
    int done = 0;

    while (done < count && left-- > 0) {
        struct epoll_item *item = pop_ready(epoll);

        if (!item)
            break;
        struct epoll_event event = {.events = epoll_ask_item(item, NULL), .data = item->event.data};

        if (!event.events)
            continue;
        if (copy_to_user(events + done * sizeof(event), &event, sizeof(event)) != 0) {
            push_ready(item, true);
            return done ? done : -EFAULT;
        }
        done++;
        settle_item(item);
    }
    return done;
}

static bool has_listed(void *argument)
{
    struct epoll *epoll = argument;

    return atomic_load(&epoll->count) > 0;
}

int epoll_wait_for_events(struct file *file, uintptr_t events, int count, uint64_t deadline)
{
    struct epoll *epoll = file->private;

    for (;;) {
        int done = 0;

        if (has_listed(epoll)) {
            mutex_lock(&epoll_items_lock);
            done = collect_locked(epoll, events, count);
            mutex_unlock(&epoll_items_lock);
        }
        if (done || deadline == 0)
            return done;
        int error =
            wait_queue_sleep(&epoll->wait, has_listed, epoll, SLEEP_INTERRUPTIBLE, deadline);

        if (error)
            return error == -ETIMEDOUT ? 0 : -EINTR;
    }
}
