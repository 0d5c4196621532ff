/*
 * Sparse arrays of pointers by a 64-bit index: 64-way radix trees. The owner names the lock that
 * guards one. Memory is proportional to what is stored; each call is O(height).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/compiler.h"

struct radix_node;

/* All zeros is an empty tree. */
struct radix_tree {
    struct radix_node *root;
    unsigned height; /* levels of nodes */
};

void *radix_get(const struct radix_tree *tree, uint64_t index);
/* The value is not NULL. Replaces what was there. -ENOMEM; then the tree is unchanged. */
int MUST_CHECK radix_set(struct radix_tree *tree, uint64_t index, void *value);
/* Returns what was there, or NULL. */
void *radix_remove(struct radix_tree *tree, uint64_t index);
/* The first value at or after *index, which is moved to it; NULL if there is none. */
void *radix_next(const struct radix_tree *tree, uint64_t *index);
