/*
 * epoll: see epoll.h.
 *
 * An item is the interest of one epoll in one descriptor. Two locks, for all epolls together,
 * because epolls may watch one another: (M) items_lock, a mutex: which items exist, what they ask
 * for, and all asking of files; (R) ready_lock, a spinlock, rank POLL: which items have news. Wake
 * functions take it. A watched file is not held: epoll_file_closed() removes its items under M
 * before it is gone, so an item's file is valid to whoever holds M.
 *
 * News travel upward at once: an item that becomes ready wakes its epoll's waiters and makes the
 * items of epolls that watch that epoll ready, too. The depth is bounded by epoll_add().
 */
#include "fs/epoll.h"

#include "fs/poll.h"
#include "lib/errno.h"
#include "lib/list.h"
#include "lib/rbtree.h"
#include "mm/user_copy.h"
#include "proc/signal.h"

#define DEPTH_MAX  5 /* epolls in a chain of watching */
#define QUEUES_MAX 3 /* wait queues of one file */
#define MODE_BITS  (EPOLLONESHOT | EPOLLET | EPOLLEXCLUSIVE | EPOLLWAKEUP)
#define EXCLUSIVE_BITS                                                                             \
    (EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE)

struct epoll {
    struct rb_tree items;    /* (M) by file and descriptor */
    struct list ready;       /* (R) items by ready_link */
    _Atomic size_t count;    /* (R to write) of ready */
    struct list outer_items; /* (R) items that watch this epoll, by outer_link */
    struct wait_queue wait;  /* rank POLL_QUEUE */
};

struct item_wait {
    struct wait_entry wait;
    struct epoll_item *item;
};

struct epoll_item {
    struct rb_node node;             /* (M) */
    struct epoll *epoll;             /* (const) */
    struct file *file;               /* (const) no reference: see above */
    int descriptor;                  /* (const) */
    struct epoll_event event;        /* (M to write, R too: wake functions read it) */
    struct epoll_item *next_watcher; /* (M) of the same file */
    struct list ready_link;          /* (R) */
    struct list outer_link;          /* (R) if the file is an epoll: in its outer_items */
    unsigned wait_count;
    struct item_wait waits[QUEUES_MAX]; /* in the file's queues */
};

static struct mutex items_lock = MUTEX_INITIALIZER(items_lock, LOCK_RANK_EPOLL);
static struct spinlock ready_lock = SPINLOCK_INITIALIZER(LOCK_RANK_POLL);
static SLAB_CACHE(epoll_cache, struct epoll);
static SLAB_CACHE(epoll_item_cache, struct epoll_item);
static const struct file_operations epoll_operations;

bool file_is_epoll(const struct file *file)
{
    return file->operations == &epoll_operations;
}

/* --- news --- */

static void make_ready_locked(struct epoll_item *item, uint64_t key) REQUIRES(ready_lock)
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

static void make_ready(struct epoll_item *item, uint64_t key)
{
    irq_state_t state = spin_lock_irq_save(&ready_lock);

    make_ready_locked(item, key);
    spin_unlock_irq_restore(&ready_lock, state);
}

static bool wake_item(struct wait_entry *wait, uint64_t key)
{
    make_ready(container_of(wait, struct item_wait, wait)->item, key);
    return true;
}

static void unlink_ready_locked(struct epoll_item *item) REQUIRES(ready_lock)
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
    irq_state_t state = spin_lock_irq_save(&ready_lock);

    if (!list_is_empty(&epoll->ready)) {
        item = list_first(&epoll->ready, struct epoll_item, ready_link);
        unlink_ready_locked(item);
    }
    spin_unlock_irq_restore(&ready_lock, state);
    return item;
}

static void push_ready(struct epoll_item *item, bool first)
{
    irq_state_t state = spin_lock_irq_save(&ready_lock);

    if (!list_is_linked(&item->ready_link)) {
        if (first)
            list_push_front(&item->epoll->ready, &item->ready_link);
        else
            list_push_back(&item->epoll->ready, &item->ready_link);
        atomic_fetch_add(&item->epoll->count, 1);
    }
    spin_unlock_irq_restore(&ready_lock, state);
}

/* --- asking files --- */

static bool epoll_has_news(struct epoll *epoll) REQUIRES(items_lock);

static uint32_t ask_item(struct epoll_item *item, struct poll_table *table) REQUIRES(items_lock)
{
    uint32_t events;

    if (file_is_epoll(item->file))
        events = epoll_has_news(item->file->private) ? POLLIN | POLLRDNORM : 0;
    else
        events = item->file->operations->poll(item->file, table);
    return events & item->event.events;
}

/* Drops from the ready list what is not ready after all. */
static bool epoll_has_news(struct epoll *epoll)
{
    size_t left = atomic_load(&epoll->count);

    while (left-- > 0) {
        struct epoll_item *item = pop_ready(epoll);

        if (!item)
            return false;
        if (ask_item(item, NULL)) {
            push_ready(item, true);
            return true;
        }
    }
    return false;
}

/* --- items --- */

struct item_key {
    const struct file *file;
    int descriptor;
};

static int compare(const struct epoll_item *item, const struct file *file, int descriptor)
{
    if (item->file != file)
        return item->file < file ? -1 : 1;
    return item->descriptor < descriptor ? -1 : item->descriptor > descriptor;
}

static bool item_before(const struct rb_node *a, const struct rb_node *b)
{
    const struct epoll_item *second = rb_entry(b, struct epoll_item, node);

    return compare(rb_entry(a, struct epoll_item, node), second->file, second->descriptor) < 0;
}

static struct epoll_item *find_item(struct epoll *epoll, const struct file *file, int descriptor)
    REQUIRES(items_lock)
{
    struct rb_node *node = epoll->items.root;

    while (node) {
        struct epoll_item *item = rb_entry(node, struct epoll_item, node);
        int order = compare(item, file, descriptor);

        if (order == 0)
            return item;
        node = order < 0 ? node->right : node->left;
    }
    return NULL;
}

struct item_table {
    struct poll_table table;
    struct epoll_item *item;
};

static void add_queue(struct poll_table *table, struct wait_queue *queue)
{
    struct epoll_item *item = container_of(table, struct item_table, table)->item;

    if (item->wait_count == QUEUES_MAX) {
        table->error = -ENOMEM;
        return;
    }
    struct item_wait *wait = &item->waits[item->wait_count++];

    wait->item = item;
    wait_entry_init(&wait->wait, wake_item);
    wait_queue_add(queue, &wait->wait);
}

static void destroy_item(struct epoll_item *item) REQUIRES(items_lock)
{
    struct epoll_item **link = &item->file->watchers;

    for (unsigned i = 0; i < item->wait_count; i++)
        wait_queue_remove(&item->waits[i].wait);
    irq_state_t state = spin_lock_irq_save(&ready_lock);

    unlink_ready_locked(item);
    list_remove(&item->outer_link);
    spin_unlock_irq_restore(&ready_lock, state);
    while (*link != item)
        link = &(*link)->next_watcher;
    *link = item->next_watcher;
    rb_remove(&item->epoll->items, &item->node);
    slab_free(&epoll_item_cache, item);
}

static struct epoll_item *create_item(struct epoll *epoll, struct file *file, int descriptor,
                                      const struct epoll_event *event) REQUIRES(items_lock)
{
    struct epoll_item *item = slab_alloc(&epoll_item_cache);

    if (!item)
        return NULL;
    item->epoll = epoll;
    item->file = file;
    item->descriptor = descriptor;
    item->event = *event;
    item->event.events |= EPOLLERR | EPOLLHUP;
    list_init(&item->ready_link);
    list_init(&item->outer_link);
    rb_node_init(&item->node);
    rb_insert(&epoll->items, &item->node, item_before);
    item->next_watcher = file->watchers;
    file->watchers = item;
    return item;
}

static void watch_epoll(struct epoll_item *item) REQUIRES(items_lock)
{
    struct epoll *inner = item->file->private;
    irq_state_t state = spin_lock_irq_save(&ready_lock);

    list_push_back(&inner->outer_items, &item->outer_link);
    spin_unlock_irq_restore(&ready_lock, state);
}

/* --- chains of epolls --- */

static unsigned depth_below(struct epoll *epoll) REQUIRES(items_lock)
{
    unsigned deepest = 0;

    for (struct rb_node *node = rb_first(&epoll->items); node; node = rb_next(node)) {
        struct epoll_item *item = rb_entry(node, struct epoll_item, node);

        if (file_is_epoll(item->file)) {
            unsigned depth = depth_below(item->file->private);

            deepest = depth > deepest ? depth : deepest;
        }
    }
    return deepest + 1;
}

/* outer_items changes only under M, too. */
static unsigned depth_above(struct epoll *epoll) REQUIRES(items_lock)
{
    unsigned highest = 0;
    struct epoll_item *outer;

    list_for_each (outer, &epoll->outer_items, outer_link) {
        unsigned depth = depth_above(outer->epoll);

        highest = depth > highest ? depth : highest;
    }
    return highest + 1;
}

static bool leads_to(struct epoll *from, const struct epoll *to) REQUIRES(items_lock)
{
    if (from == to)
        return true;
    for (struct rb_node *node = rb_first(&from->items); node; node = rb_next(node)) {
        struct epoll_item *item = rb_entry(node, struct epoll_item, node);

        if (file_is_epoll(item->file) && leads_to(item->file->private, to))
            return true;
    }
    return false;
}

static int check_nesting(struct epoll *epoll, struct file *file, const struct epoll_event *event)
    REQUIRES(items_lock)
{
    if (!file_is_epoll(file))
        return 0;
    if (event->events & EPOLLEXCLUSIVE)
        return -EINVAL;
    if (leads_to(file->private, epoll) ||
        depth_above(epoll) + depth_below(file->private) > DEPTH_MAX)
        return -ELOOP;
    return 0;
}

/* --- epoll_ctl --- */

static int add_locked(struct epoll *epoll, struct file *file, int descriptor,
                      const struct epoll_event *event) REQUIRES(items_lock)
{
    int error = check_nesting(epoll, file, event);

    if (error)
        return error;
    if (find_item(epoll, file, descriptor))
        return -EEXIST;
    struct epoll_item *item = create_item(epoll, file, descriptor, event);

    if (!item)
        return -ENOMEM;
    struct item_table table = {.table.add = add_queue, .item = item};

    if (file_is_epoll(file))
        watch_epoll(item);
    uint32_t events = ask_item(item, &table.table);

    if (table.table.error)
        destroy_item(item);
    else if (events)
        make_ready(item, 0);
    return table.table.error;
}

int epoll_add(struct file *epoll, struct file *file, int descriptor,
              const struct epoll_event *event)
{
    if (!file->operations->poll)
        return -EPERM;
    if ((event->events & EPOLLEXCLUSIVE) && (event->events & ~EXCLUSIVE_BITS))
        return -EINVAL;
    mutex_lock(&items_lock);
    int error = add_locked(epoll->private, file, descriptor, event);

    mutex_unlock(&items_lock);
    return error;
}

static int modify_locked(struct epoll *epoll, struct file *file, int descriptor,
                         const struct epoll_event *event) REQUIRES(items_lock)
{
    struct epoll_item *item = find_item(epoll, file, descriptor);

    if (!item)
        return -ENOENT;
    if (item->event.events & EPOLLEXCLUSIVE)
        return -EINVAL;
    irq_state_t state = spin_lock_irq_save(&ready_lock);

    item->event = *event;
    item->event.events |= EPOLLERR | EPOLLHUP;
    spin_unlock_irq_restore(&ready_lock, state);
    if (ask_item(item, NULL))
        make_ready(item, 0);
    return 0;
}

int epoll_modify(struct file *epoll, struct file *file, int descriptor,
                 const struct epoll_event *event)
{
    if (!file->operations->poll)
        return -EPERM;
    if (event->events & EPOLLEXCLUSIVE)
        return -EINVAL;
    mutex_lock(&items_lock);
    int error = modify_locked(epoll->private, file, descriptor, event);

    mutex_unlock(&items_lock);
    return error;
}

int epoll_remove(struct file *epoll, struct file *file, int descriptor)
{
    if (!file->operations->poll)
        return -EPERM;
    mutex_lock(&items_lock);
    struct epoll_item *item = find_item(epoll->private, file, descriptor);

    if (item)
        destroy_item(item);
    mutex_unlock(&items_lock);
    return item ? 0 : -ENOENT;
}

void epoll_file_closed(struct file *file)
{
    mutex_lock(&items_lock);
    while (file->watchers)
        destroy_item(file->watchers);
    mutex_unlock(&items_lock);
}

/* --- epoll_wait --- */

/* After the item was reported: one-shot items go to sleep, level-triggered ones are looked at again
 * next time. */
static void settle_item(struct epoll_item *item) REQUIRES(items_lock)
{
    if (item->event.events & EPOLLONESHOT)
        item->event.events &= MODE_BITS;
    else if (!(item->event.events & EPOLLET))
        push_ready(item, false);
}

/* Reports what has news: each listed item is asked once. */
static int collect_locked(struct epoll *epoll, uintptr_t events, int count) REQUIRES(items_lock)
{
    size_t left = atomic_load(&epoll->count);
    int done = 0;

    while (done < count && left-- > 0) {
        struct epoll_item *item = pop_ready(epoll);

        if (!item)
            break;
        struct epoll_event event = {.events = ask_item(item, NULL), .data = item->event.data};

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
            mutex_lock(&items_lock);
            done = collect_locked(epoll, events, count);
            mutex_unlock(&items_lock);
        }
        if (done || deadline == 0)
            return done;
        int error =
            wait_queue_sleep(&epoll->wait, has_listed, epoll, SLEEP_INTERRUPTIBLE, deadline);

        if (error)
            return error == -ETIMEDOUT ? 0 : -EINTR;
    }
}

/* --- the file --- */

static uint32_t epoll_poll(struct file *file, struct poll_table *table)
{
    struct epoll *epoll = file->private;

    poll_wait(table, &epoll->wait);
    mutex_lock(&items_lock);
    bool news = epoll_has_news(epoll);

    mutex_unlock(&items_lock);
    return news ? POLLIN | POLLRDNORM : 0;
}

static void epoll_release(struct file *file)
{
    struct epoll *epoll = file->private;

    mutex_lock(&items_lock);
    while (!rb_tree_is_empty(&epoll->items))
        destroy_item(rb_entry(rb_first(&epoll->items), struct epoll_item, node));
    mutex_unlock(&items_lock);
    slab_free(&epoll_cache, epoll);
}

static const struct file_operations epoll_operations = {
    .name = "anon_inode:[eventpoll]",
    .poll = epoll_poll,
    .seek = file_seek_nowhere,
    .ignores_position = true,
    .release = epoll_release,
};

struct file *epoll_create(void)
{
    struct epoll *epoll = slab_alloc(&epoll_cache);

    if (!epoll)
        return NULL;
    rb_tree_init(&epoll->items);
    list_init(&epoll->ready);
    list_init(&epoll->outer_items);
    wait_queue_init(&epoll->wait);
    spin_init(&epoll->wait.lock, LOCK_RANK_POLL_QUEUE);
    struct file *file = file_create(&epoll_operations, epoll, O_RDWR);

    if (!file)
        slab_free(&epoll_cache, epoll);
    return file;
}
