/* Red-black trees: balance after insertion and removal. See rbtree.h; the caller guards the tree.
 */
#include "lib/rbtree.h"

static bool is_red(const struct rb_node *node)
{
    return node && node->is_red;
}

/* Puts `replacement` (may be NULL) where `node` hangs. */
static void replace_child(struct rb_tree *tree, struct rb_node *node, struct rb_node *replacement)
{
    struct rb_node *parent = node->parent;

    if (!parent)
        tree->root = replacement;
    else if (parent->left == node)
        parent->left = replacement;
    else
        parent->right = replacement;
    if (replacement)
        replacement->parent = parent;
}

static void rotate_left(struct rb_tree *tree, struct rb_node *node)
{
    struct rb_node *child = node->right;

    replace_child(tree, node, child);
    node->right = child->left;
    if (node->right)
        node->right->parent = node;
    child->left = node;
    node->parent = child;
}

static void rotate_right(struct rb_tree *tree, struct rb_node *node)
{
    struct rb_node *child = node->left;

    replace_child(tree, node, child);
    node->left = child->right;
    if (node->left)
        node->left->parent = node;
    child->right = node;
    node->parent = child;
}

static void rotate(struct rb_tree *tree, struct rb_node *node, bool to_left)
{
    if (to_left)
        rotate_left(tree, node);
    else
        rotate_right(tree, node);
}

void rb_link(struct rb_tree *tree, struct rb_node *node, struct rb_node *parent,
             struct rb_node **link)
{
    node->parent = parent;
    node->left = NULL;
    node->right = NULL;
    node->is_red = true;
    *link = node;

    /* Only a red node under a red parent can be wrong; each round moves that up or ends it. */
    while (is_red(parent = node->parent)) {
        struct rb_node *grandparent = parent->parent;
        bool on_left = parent == grandparent->left;
        struct rb_node *uncle = on_left ? grandparent->right : grandparent->left;

        if (is_red(uncle)) {
            parent->is_red = false;
            uncle->is_red = false;
            grandparent->is_red = true;
            node = grandparent;
            continue;
        }
        if (node == (on_left ? parent->right : parent->left)) {
            rotate(tree, parent, on_left);
            parent = node;
        }
        parent->is_red = false;
        grandparent->is_red = true;
        rotate(tree, grandparent, !on_left);
        break;
    }
    tree->root->is_red = false;
}

/* The paths through `node` (may be NULL), a child of `parent`, lack one black node. */
static void restore_black(struct rb_tree *tree, struct rb_node *node, struct rb_node *parent)
{
    while (parent && !is_red(node)) {
        bool on_left = node == parent->left;
        struct rb_node *sibling = on_left ? parent->right : parent->left;

        if (sibling->is_red) {
            sibling->is_red = false;
            parent->is_red = true;
            rotate(tree, parent, on_left);
            sibling = on_left ? parent->right : parent->left;
        }
        if (!is_red(sibling->left) && !is_red(sibling->right)) {
            sibling->is_red = true;
            node = parent;
            parent = node->parent;
            continue;
        }
        if (!is_red(on_left ? sibling->right : sibling->left)) {
            (on_left ? sibling->left : sibling->right)->is_red = false;
            sibling->is_red = true;
            rotate(tree, sibling, !on_left);
            sibling = on_left ? parent->right : parent->left;
        }
        sibling->is_red = parent->is_red;
        parent->is_red = false;
        (on_left ? sibling->right : sibling->left)->is_red = false;
        rotate(tree, parent, on_left);
        return;
    }
    if (node)
        node->is_red = false;
}

static struct rb_node *leftmost_of(struct rb_node *node)
{
    while (node->left)
        node = node->left;
    return node;
}

/* Takes the successor of a node with two children out of its place and puts it into the node's.
 * Returns the parent of the hole that it left. */
static struct rb_node *replace_by_successor(struct rb_tree *tree, struct rb_node *node,
                                            struct rb_node *successor)
{
    struct rb_node *hole_parent = successor->parent;

    if (hole_parent == node) {
        hole_parent = successor;
    } else {
        replace_child(tree, successor, successor->right);
        successor->right = node->right;
        successor->right->parent = successor;
    }
    replace_child(tree, node, successor);
    successor->left = node->left;
    successor->left->parent = successor;
    successor->is_red = node->is_red;
    return hole_parent;
}

void rb_remove(struct rb_tree *tree, struct rb_node *node)
{
    struct rb_node *child, *hole_parent;
    bool lost_red;

    if (tree->first == node)
        tree->first = rb_next(node);
    if (node->left && node->right) {
        struct rb_node *successor = leftmost_of(node->right);

        child = successor->right;
        lost_red = successor->is_red;
        hole_parent = replace_by_successor(tree, node, successor);
    } else {
        child = node->left ? node->left : node->right;
        lost_red = node->is_red;
        hole_parent = node->parent;
        replace_child(tree, node, child);
    }
    if (!lost_red)
        restore_black(tree, child, hole_parent);
    rb_node_init(node);
}

struct rb_node *rb_next(const struct rb_node *node)
{
    struct rb_node *parent;

    if (node->right)
        return leftmost_of(node->right);
    while ((parent = node->parent) && node == parent->right)
        node = parent;
    return parent;
}
