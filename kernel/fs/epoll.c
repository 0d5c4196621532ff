/*
 * epoll: which files are watched for what, and the epoll as a file itself. See epoll_internal.h for
 * the locks.
 */
#include "fs/epoll_internal.h"

#include "lib/errno.h"

#define DEPTH_MAX 5 /* epolls in a chain of watching */
#define EXCLUSIVE_BITS                                                                             \
    (EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE)

struct mutex epoll_items_lock = MUTEX_INITIALIZER(epoll_items_lock, LOCK_RANK_EPOLL);
static SLAB_CACHE(epoll_cache, struct epoll);
static SLAB_CACHE(epoll_item_cache, struct epoll_item);
static const struct file_operations epoll_operations;

bool file_is_epoll(const struct file *file)
{
    return file->operations == &epoll_operations;
}

static bool wake_item(struct wait_entry *wait, uint64_t key)
{
    epoll_make_ready(container_of(wait, struct item_wait, wait)->item, key);
    return true;
}

/* --- items --- */

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
    REQUIRES(epoll_items_lock)
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

static void destroy_item(struct epoll_item *item) REQUIRES(epoll_items_lock)
{
    struct epoll_item **link = &item->file->watchers;

    for (unsigned i = 0; i < item->wait_count; i++)
        wait_queue_remove(&item->waits[i].wait);
    irq_state_t state = spin_lock_irq_save(&epoll_ready_lock);

    epoll_unlink_ready_locked(item);
    list_remove(&item->outer_link);
    spin_unlock_irq_restore(&epoll_ready_lock, state);
    while (*link != item)
        link = &(*link)->next_watcher;
    *link = item->next_watcher;
    rb_remove(&item->epoll->items, &item->node);
    slab_free(&epoll_item_cache, item);
}

static struct epoll_item *create_item(struct epoll *epoll, struct file *file, int descriptor,
                                      const struct epoll_event *event) REQUIRES(epoll_items_lock)
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

static void watch_epoll(struct epoll_item *item) REQUIRES(epoll_items_lock)
{
    struct epoll *inner = item->file->private;
    irq_state_t state = spin_lock_irq_save(&epoll_ready_lock);

    list_push_back(&inner->outer_items, &item->outer_link);
    spin_unlock_irq_restore(&epoll_ready_lock, state);
}

/*
 * --- chains of epolls ---
 * Walks over all epolls below or above one. Each has a number, by which it recognises epolls that
 * it has been to: however they are knotted, a walk looks at each once.
 */

static uint64_t last_visit; /* (M) */

/* True the first time that the walk comes to the epoll. */
static bool visit(struct epoll *epoll) REQUIRES(epoll_items_lock)
{
    if (epoll->visit == last_visit)
        return false;
    epoll->visit = last_visit;
    return true;
}

/* Epolls in the longest chain from here down; that this is not watched by itself is known. */
static unsigned depth_below(struct epoll *epoll) REQUIRES(epoll_items_lock)
{
    if (!visit(epoll))
        return epoll->depth;
    epoll->depth = 1;
    for (struct rb_node *node = rb_first(&epoll->items); node; node = rb_next(node)) {
        struct epoll_item *item = rb_entry(node, struct epoll_item, node);

        if (file_is_epoll(item->file)) {
            unsigned depth = depth_below(item->file->private) + 1;

            epoll->depth = depth > epoll->depth ? depth : epoll->depth;
        }
    }
    return epoll->depth;
}

/* outer_items changes only under M, too. */
static unsigned depth_above(struct epoll *epoll) REQUIRES(epoll_items_lock)
{
    struct epoll_item *outer;

    if (!visit(epoll))
        return epoll->depth;
    epoll->depth = 1;
    list_for_each (outer, &epoll->outer_items, outer_link) {
        unsigned depth = depth_above(outer->epoll) + 1;

        epoll->depth = depth > epoll->depth ? depth : epoll->depth;
    }
    return epoll->depth;
}

static bool leads_to(struct epoll *from, const struct epoll *to) REQUIRES(epoll_items_lock)
{
    if (from == to)
        return true;
    if (!visit(from))
        return false;
    for (struct rb_node *node = rb_first(&from->items); node; node = rb_next(node)) {
        struct epoll_item *item = rb_entry(node, struct epoll_item, node);

        if (file_is_epoll(item->file) && leads_to(item->file->private, to))
            return true;
    }
    return false;
}

/* Would the new item close a loop, or make a chain too long? */
static bool is_knotted(struct epoll *epoll, struct epoll *watched) REQUIRES(epoll_items_lock)
{
    last_visit++;
    if (leads_to(watched, epoll))
        return true;
    last_visit++;
    unsigned depth = depth_below(watched);

    last_visit++;
    return depth + depth_above(epoll) > DEPTH_MAX;
}

static int check_nesting(struct epoll *epoll, struct file *file, const struct epoll_event *event)
    REQUIRES(epoll_items_lock)
{
    if (!file_is_epoll(file))
        return 0;
    if (event->events & EPOLLEXCLUSIVE)
        return -EINVAL;
    return is_knotted(epoll, file->private) ? -ELOOP : 0;
}

/* --- epoll_ctl --- */

static int add_locked(struct epoll *epoll, struct file *file, int descriptor,
                      const struct epoll_event *event) REQUIRES(epoll_items_lock)
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
    uint32_t events = epoll_ask_item(item, &table.table);

    if (table.table.error)
        destroy_item(item);
    else if (events)
        epoll_make_ready(item, 0);
    return table.table.error;
}

int epoll_add(struct file *epoll, struct file *file, int descriptor,
              const struct epoll_event *event)
{
    if (!file->operations->poll)
        return -EPERM;
    if ((event->events & EPOLLEXCLUSIVE) && (event->events & ~EXCLUSIVE_BITS))
        return -EINVAL;
    mutex_lock(&epoll_items_lock);
    int error = add_locked(epoll->private, file, descriptor, event);

    mutex_unlock(&epoll_items_lock);
    return error;
}

static int modify_locked(struct epoll *epoll, struct file *file, int descriptor,
                         const struct epoll_event *event) REQUIRES(epoll_items_lock)
{
    struct epoll_item *item = find_item(epoll, file, descriptor);

    if (!item)
        return -ENOENT;
    if (item->event.events & EPOLLEXCLUSIVE)
        return -EINVAL;
    irq_state_t state = spin_lock_irq_save(&epoll_ready_lock);

    item->event = *event;
    item->event.events |= EPOLLERR | EPOLLHUP;
    spin_unlock_irq_restore(&epoll_ready_lock, state);
    if (epoll_ask_item(item, NULL))
        epoll_make_ready(item, 0);
    return 0;
}

int epoll_modify(struct file *epoll, struct file *file, int descriptor,
                 const struct epoll_event *event)
{
    if (!file->operations->poll)
        return -EPERM;
    if (event->events & EPOLLEXCLUSIVE)
        return -EINVAL;
    mutex_lock(&epoll_items_lock);
    int error = modify_locked(epoll->private, file, descriptor, event);

    mutex_unlock(&epoll_items_lock);
    return error;
}

int epoll_remove(struct file *epoll, struct file *file, int descriptor)
{
    if (!file->operations->poll)
        return -EPERM;
    mutex_lock(&epoll_items_lock);
    struct epoll_item *item = find_item(epoll->private, file, descriptor);

    if (item)
        destroy_item(item);
    mutex_unlock(&epoll_items_lock);
    return item ? 0 : -ENOENT;
}

void epoll_file_closed(struct file *file)
{
    mutex_lock(&epoll_items_lock);
    while (file->watchers)
        destroy_item(file->watchers);
    mutex_unlock(&epoll_items_lock);
}

/* --- the file --- */

static uint32_t epoll_poll(struct file *file, struct poll_table *table)
{
    struct epoll *epoll = file->private;

    poll_wait(table, &epoll->wait);
    mutex_lock(&epoll_items_lock);
    bool news = epoll_has_news(epoll);

    mutex_unlock(&epoll_items_lock);
    return news ? POLLIN | POLLRDNORM : 0;
}

static void epoll_release(struct file *file)
{
    struct epoll *epoll = file->private;

    mutex_lock(&epoll_items_lock);
    while (!rb_tree_is_empty(&epoll->items))
        destroy_item(rb_entry(rb_first(&epoll->items), struct epoll_item, node));
    mutex_unlock(&epoll_items_lock);
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
