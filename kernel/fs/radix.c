/* Radix trees: see radix.h. A node that becomes empty is freed at once, its parents with it. */
#include "fs/radix.h"

#include "lib/errno.h"
#include "mm/slab.h"

#define LEVEL_BITS 6
#define SLOTS      (1u << LEVEL_BITS)
#define MAX_HEIGHT ((64 + LEVEL_BITS - 1) / LEVEL_BITS)

struct radix_node {
    uint64_t used; /* bit per slot */
    void *slots[SLOTS];
};

static SLAB_CACHE(radix_node_cache, struct radix_node);

static unsigned slot_of(uint64_t index, unsigned level)
{
    return index >> level * LEVEL_BITS & (SLOTS - 1);
}

/* Can a tree of that height hold the index? */
static bool height_covers(unsigned height, uint64_t index)
{
    return height >= MAX_HEIGHT || index >> height * LEVEL_BITS == 0;
}

void *radix_get(const struct radix_tree *tree, uint64_t index)
{
    void *item = tree->root;

    if (!height_covers(tree->height, index))
        return NULL;
    for (unsigned level = tree->height; level-- > 0 && item;)
        item = ((struct radix_node *)item)->slots[slot_of(index, level)];
    return item;
}

/* The first index of another slot of the node that leads to `index`. */
static uint64_t slot_start(uint64_t index, unsigned level, unsigned slot)
{
    uint64_t above = index >> level * LEVEL_BITS & ~(uint64_t)(SLOTS - 1);

    return (above | slot) << level * LEVEL_BITS;
}

static struct radix_node *node_create(struct radix_node *parent, unsigned slot)
{
    struct radix_node *node = slab_alloc(&radix_node_cache);

    if (node && parent) {
        parent->slots[slot] = node;
        parent->used |= 1ull << slot;
    }
    return node;
}

/* Puts levels on top until the index fits. */
static int grow(struct radix_tree *tree, uint64_t index)
{
    while (tree->height == 0 || !height_covers(tree->height, index)) {
        struct radix_node *root = node_create(NULL, 0);

        if (!root)
            return -ENOMEM;
        if (tree->root) {
            root->slots[0] = tree->root;
            root->used = 1;
        }
        tree->root = root;
        tree->height++;
    }
    return 0;
}

int radix_set(struct radix_tree *tree, uint64_t index, void *value)
{
    if (grow(tree, index))
        goto failed;
    struct radix_node *node = tree->root;

    for (unsigned level = tree->height - 1; level > 0; level--) {
        unsigned slot = slot_of(index, level);
        struct radix_node *child = node->slots[slot];

        if (!child)
            child = node_create(node, slot);
        if (!child)
            goto failed;
        node = child;
    }
    node->slots[slot_of(index, 0)] = value;
    node->used |= 1ull << slot_of(index, 0);
    return 0;
failed:
    /* Frees the nodes that this call made and left empty. */
    radix_remove(tree, index);
    return -ENOMEM;
}

/* Takes levels off the top that lead to index 0 only. */
static void shrink(struct radix_tree *tree)
{
    while (tree->root && tree->root->used <= 1 && (tree->height > 1 || !tree->root->used)) {
        struct radix_node *root = tree->root;

        tree->root = root->slots[0];
        tree->height--;
        slab_free(&radix_node_cache, root);
    }
    if (!tree->root)
        tree->height = 0;
}

void *radix_remove(struct radix_tree *tree, uint64_t index)
{
    struct radix_node *path[MAX_HEIGHT];
    void *item = tree->root;
    unsigned level = tree->height;

    if (!height_covers(tree->height, index)) {
        shrink(tree);
        return NULL;
    }
    while (level > 0 && item) {
        path[--level] = item;
        item = path[level]->slots[slot_of(index, level)];
    }
    for (; level < tree->height; level++) {
        unsigned slot = slot_of(index, level);

        path[level]->slots[slot] = NULL;
        path[level]->used &= ~(1ull << slot);
        if (path[level]->used || level + 1 == tree->height)
            break;
        slab_free(&radix_node_cache, path[level]);
    }
    shrink(tree);
    return item;
}

void *radix_next(const struct radix_tree *tree, uint64_t *index)
{
    uint64_t at = *index;

    while (tree->root && height_covers(tree->height, at)) {
        struct radix_node *node = tree->root;
        unsigned level = tree->height - 1;

        for (;; level--) {
            unsigned slot = slot_of(at, level);
            uint64_t later = node->used & UINT64_MAX << slot;

            if (!later)
                break;
            unsigned found = __builtin_ctzll(later);

            if (found != slot)
                at = slot_start(at, level, found);
            if (level == 0) {
                *index = at;
                return node->slots[found];
            }
            node = node->slots[found];
        }
        /* Nothing more below this node: on with its right neighbour. */
        uint64_t step = (level + 1) * LEVEL_BITS >= 64 ? 0 : 1ull << (level + 1) * LEVEL_BITS;

        if (step == 0 || (at | (step - 1)) == UINT64_MAX)
            break;
        at = (at | (step - 1)) + 1;
    }
    return NULL;
}
