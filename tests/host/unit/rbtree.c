/* lib/rbtree.h: against a sorted array, with the tree's own rules checked after each step. */
#include "lib/rbtree.h"

#include "unit.h"

#define ITEMS 200

struct item {
    unsigned key;
    unsigned serial; /* order of insertion among equals */
    struct rb_node node;
};

static struct item items[ITEMS];
static struct item *sorted[ITEMS];
static unsigned count, serials;

static bool before(const struct rb_node *a, const struct rb_node *b)
{
    return rb_entry(a, struct item, node)->key < rb_entry(b, struct item, node)->key;
}

/* Returns the black height. */
static unsigned check_node(const struct rb_node *node, const struct rb_node *parent)
{
    unsigned left, right;

    if (!node)
        return 1;
    assert_ptr_equal(node->parent, parent);
    if (node->is_red)
        assert_true(parent && !parent->is_red);
    left = check_node(node->left, node);
    right = check_node(node->right, node);
    assert_int_equal(left, right);
    return left + !node->is_red;
}

static void check_tree(const struct rb_tree *tree)
{
    struct rb_node *node = rb_first(tree);

    check_node(tree->root, NULL);
    for (unsigned i = 0; i < count; i++, node = rb_next(node))
        assert_ptr_equal(node, &sorted[i]->node);
    assert_null(node);
    assert_int_equal(rb_tree_is_empty(tree), count == 0);
}

static void insert(struct rb_tree *tree, struct item *item, unsigned key)
{
    unsigned place = count;

    item->key = key;
    item->serial = serials++;
    rb_insert(tree, &item->node, before);
    while (place > 0 && sorted[place - 1]->key > key) {
        sorted[place] = sorted[place - 1];
        place--;
    }
    sorted[place] = item;
    count++;
}

static void take_out(struct rb_tree *tree, struct item *item)
{
    unsigned place = 0;

    rb_remove(tree, &item->node);
    while (sorted[place] != item)
        place++;
    memmove(&sorted[place], &sorted[place + 1], (--count - place) * sizeof(sorted[0]));
}

static void test_random(void **state)
{
    struct rb_tree tree = RB_TREE_INITIALIZER;
    unsigned rounds = unit_rounds(20000);

    (void)state;
    unit_random_seed(1);
    count = 0;
    for (unsigned i = 0; i < ITEMS; i++)
        rb_node_init(&items[i].node);
    for (unsigned i = 0; i < rounds; i++) {
        struct item *item = &items[unit_random(ITEMS)];

        if (rb_node_is_linked(&item->node))
            take_out(&tree, item);
        else
            insert(&tree, item, unit_random(i % 3 ? 1000 : 5));
        if (i % 8 == 0)
            check_tree(&tree);
    }
    while (count)
        take_out(&tree, sorted[unit_random(count)]);
    check_tree(&tree);
}

static void test_in_order(void **state)
{
    struct rb_tree tree = RB_TREE_INITIALIZER;

    (void)state;
    count = 0;
    for (unsigned i = 0; i < ITEMS; i++) {
        rb_node_init(&items[i].node);
        insert(&tree, &items[i], i);
    }
    check_tree(&tree);
    while (count) {
        assert_ptr_equal(rb_first(&tree), &sorted[0]->node);
        take_out(&tree, sorted[0]);
        check_tree(&tree);
    }
}

static void test_unlinked(void **state)
{
    struct rb_tree tree = RB_TREE_INITIALIZER;
    struct item item;

    (void)state;
    count = 0;
    rb_node_init(&item.node);
    assert_false(rb_node_is_linked(&item.node));
    insert(&tree, &item, 1);
    assert_true(rb_node_is_linked(&item.node));
    take_out(&tree, &item);
    assert_false(rb_node_is_linked(&item.node));
}

int run_rbtree_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_in_order),
        cmocka_unit_test(test_unlinked),
    };

    return cmocka_run_group_tests_name("rbtree", tests, NULL, NULL);
}
