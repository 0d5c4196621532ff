/*
 * What the files of epoll share.
 *
 * An item is the interest of one epoll in one descriptor. Two locks, for all epolls together,
 * because epolls may watch one another: (M) epoll_items_lock, a mutex: which items exist, what they
 * ask for, and all asking of files; (R) epoll_ready_lock, a spinlock, rank POLL: which items have
 * news. Wake functions take it.
 *
 * A watched file is not held: epoll_file_closed() removes its items under M before it is gone, so
 * an item's file is valid to whoever holds M.
 *
 * News travel upward at once: an item that becomes ready wakes its epoll's waiters and makes the
 * items of epolls that watch that epoll ready, too. The depth is bounded by epoll_add(), and an
 * item that is listed already stops them, so the work is bounded by the number of items.
 */
#pragma once

#include "fs/epoll.h"
#include "fs/poll.h"
#include "lib/list.h"
#include "lib/rbtree.h"

#define QUEUES_MAX 3 /* wait queues of one file */

struct epoll {
    struct rb_tree items;    /* (M) by file and descriptor */
    struct list ready;       /* (R) items by ready_link */
    _Atomic size_t count;    /* (R to write) of ready */
    struct list outer_items; /* (R) items that watch this epoll, by outer_link */
    struct wait_queue wait;  /* rank POLL_QUEUE */
    uint64_t visit;          /* (M) of the last walk that came here: see epoll.c */
    unsigned depth;          /* (M) what that walk found */
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

extern struct mutex epoll_items_lock;
extern struct spinlock epoll_ready_lock;

/* --- epoll_ready.c --- */

/* Lists the item, unless it does not ask for any of the events (0: whatever they are), and wakes
 * who waits. Any context. */
void epoll_make_ready(struct epoll_item *item, uint64_t events);
void epoll_unlink_ready_locked(struct epoll_item *item) REQUIRES(epoll_ready_lock);
/* What the file is ready for now, of what the item asks for; adds to queues if table is not NULL.
 */
uint32_t epoll_ask_item(struct epoll_item *item, struct poll_table *table)
    REQUIRES(epoll_items_lock);
/* Is any item ready? Drops from the list what is not ready after all. */
bool epoll_has_news(struct epoll *epoll) REQUIRES(epoll_items_lock);
