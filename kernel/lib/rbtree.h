/*
 * Red-black trees of nodes that live inside the things they order. The leftmost node is cached, so
 * that looking at the first is free. The owner of a tree names the lock that guards it.
 *
 * A node in no tree has itself as parent: removal checks it, and rb_node_is_linked() asks.
 */
#pragma once

#include <stdbool.h>

#include "lib/compiler.h"

struct rb_node {
    struct rb_node *parent; /* NULL at the root; itself while in no tree */
    struct rb_node *left;
    struct rb_node *right;
    bool is_red;
};

struct rb_tree {
    struct rb_node *root;
    struct rb_node *first; /* the leftmost, NULL in an empty tree */
};

#define RB_TREE_INITIALIZER                                                                        \
    {                                                                                              \
        .root = NULL, .first = NULL                                                                \
    }
#define rb_entry(node, type, member) container_of(node, type, member)

/* Does `a` stand strictly before `b`? */
typedef bool rb_before(const struct rb_node *a, const struct rb_node *b);

static inline void rb_tree_init(struct rb_tree *tree)
{
    tree->root = NULL;
    tree->first = NULL;
}

static inline void rb_node_init(struct rb_node *node)
{
    node->parent = node;
}

static inline bool rb_node_is_linked(const struct rb_node *node)
{
    return node->parent != node;
}

static inline bool rb_tree_is_empty(const struct rb_tree *tree)
{
    return tree->root == NULL;
}

static inline struct rb_node *rb_first(const struct rb_tree *tree)
{
    return tree->first;
}

/* The successor in order, NULL after the last. */
struct rb_node *rb_next(const struct rb_node *node);

/* Hangs an unlinked node under `parent` (NULL: as the root), in the empty place *link of it, and
 * restores the balance. rb_insert() finds the place. */
void rb_link(struct rb_tree *tree, struct rb_node *node, struct rb_node *parent,
             struct rb_node **link);

void rb_remove(struct rb_tree *tree, struct rb_node *node);

/* Among equals the newcomer comes last. O(log n). */
static inline void rb_insert(struct rb_tree *tree, struct rb_node *node, rb_before *before)
{
    struct rb_node **link = &tree->root;
    struct rb_node *parent = NULL;
    bool leftmost = true;

    while (*link) {
        parent = *link;
        if (before(node, parent)) {
            link = &parent->left;
        } else {
            link = &parent->right;
            leftmost = false;
        }
    }
    if (leftmost)
        tree->first = node;
    rb_link(tree, node, parent, link);
}
