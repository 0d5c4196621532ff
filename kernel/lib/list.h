/*
 * Intrusive, circular, doubly linked lists. A list head and a link are the same type; a link that
 * is in no list points at itself, so removal is idempotent and "is it queued?" is list_is_linked().
 * The owner of a list names the lock that guards it.
 */
#pragma once

#include <stdbool.h>

#include "lib/compiler.h"

struct list {
    struct list *next;
    struct list *previous;
};

#define LIST_INITIALIZER(name)                                                                     \
    {                                                                                              \
        &(name), &(name)                                                                           \
    }
#define list_entry(link, type, member) container_of(link, type, member)
#define list_first(head, type, member) list_entry((head)->next, type, member)
#define list_last(head, type, member)  list_entry((head)->previous, type, member)
#define list_next(item, member)        list_entry((item)->member.next, __typeof__(*(item)), member)

#define list_for_each(item, head, member)                                                          \
    for ((item) = list_first(head, __typeof__(*(item)), member); &(item)->member != (head);        \
         (item) = list_next(item, member))

/* The item may be removed or freed in the body; its successor may not. */
#define list_for_each_safe(item, successor, head, member)                                          \
    for ((item) = list_first(head, __typeof__(*(item)), member),                                   \
        (successor) = list_next(item, member);                                                     \
         &(item)->member != (head);                                                                \
         (item) = (successor), (successor) = list_next(successor, member))

static inline void list_init(struct list *list)
{
    list->next = list;
    list->previous = list;
}

static inline bool list_is_empty(const struct list *head)
{
    return head->next == head;
}

static inline bool list_is_linked(const struct list *link)
{
    return link->next != link;
}

static inline void list_insert_between(struct list *link, struct list *previous, struct list *next)
{
    link->next = next;
    link->previous = previous;
    previous->next = link;
    next->previous = link;
}

static inline void list_push_front(struct list *head, struct list *link)
{
    list_insert_between(link, head, head->next);
}

static inline void list_push_back(struct list *head, struct list *link)
{
    list_insert_between(link, head->previous, head);
}

static inline void list_remove(struct list *link)
{
    link->previous->next = link->next;
    link->next->previous = link->previous;
    list_init(link);
}

/* Returns the removed first link, or NULL if the list is empty. */
static inline struct list *list_pop_front(struct list *head)
{
    struct list *link = head->next;

    if (link == head)
        return NULL;
    list_remove(link);
    return link;
}

/* Moves all of source to the back of head; source is empty afterwards. O(1). */
static inline void list_splice_back(struct list *head, struct list *source)
{
    if (list_is_empty(source))
        return;
    source->next->previous = head->previous;
    source->previous->next = head;
    head->previous->next = source->next;
    head->previous = source->previous;
    list_init(source);
}
