/* fs/radix.h against a sorted array: the same answers, whatever the indices; nothing is left when
 * it is empty; a failed allocation changes nothing. */
#include "fs/radix.h"

#include <errno.h>

#include "unit.h"

#define ITEMS 200

/* The allocator under the tree. */
struct slab_cache;
void *slab_alloc(struct slab_cache *cache);
void slab_free(struct slab_cache *cache, void *object);

static int live_nodes, allocations_left;

#define NODE_SIZE 1024 /* at least struct radix_node */

void *slab_alloc(struct slab_cache *cache)
{
    if (allocations_left == 0)
        return NULL;
    allocations_left--;
    live_nodes++;
    return calloc(1, NODE_SIZE);
}

void slab_free(struct slab_cache *cache, void *object)
{
    live_nodes--;
    free(object);
}

struct model {
    uint64_t indices[ITEMS];
    void *values[ITEMS];
    size_t count;
};

static size_t place_of(const struct model *model, uint64_t index)
{
    size_t at = 0;

    while (at < model->count && model->indices[at] < index)
        at++;
    return at;
}

static bool model_has(const struct model *model, uint64_t index)
{
    size_t at = place_of(model, index);

    return at < model->count && model->indices[at] == index;
}

static void model_set(struct model *model, uint64_t index, void *value)
{
    size_t at = place_of(model, index);

    if (!model_has(model, index)) {
        for (size_t i = model->count++; i > at; i--) {
            model->indices[i] = model->indices[i - 1];
            model->values[i] = model->values[i - 1];
        }
        model->indices[at] = index;
    }
    model->values[at] = value;
}

static void model_remove(struct model *model, uint64_t index)
{
    size_t at = place_of(model, index);

    if (!model_has(model, index))
        return;
    model->count--;
    for (size_t i = at; i < model->count; i++) {
        model->indices[i] = model->indices[i + 1];
        model->values[i] = model->values[i + 1];
    }
}

/* Indices that are near each other, far apart, and at the very end. */
static uint64_t random_index(void)
{
    uint64_t index = unit_random(UINT64_MAX) >> unit_random(64);

    switch (unit_random(4)) {
    case 0:
        return index;
    case 1:
        return unit_random(100);
    case 2:
        return UINT64_MAX - unit_random(70);
    default:
        return unit_random(64) << (6 * unit_random(11));
    }
}

static void check_next(const struct radix_tree *tree, const struct model *model, uint64_t from)
{
    uint64_t index = from;
    void *value = radix_next(tree, &index);
    size_t at = place_of(model, from);

    if (at == model->count) {
        assert_null(value);
    } else {
        assert_ptr_equal(value, model->values[at]);
        assert_true(index == model->indices[at]);
    }
}

static void step(struct radix_tree *tree, struct model *model)
{
    uint64_t index = random_index();
    void *value = (void *)(uintptr_t)(unit_random(1 << 20) * 8 + 8);
    bool had = model_has(model, index);
    void *old = had ? model->values[place_of(model, index)] : NULL;

    assert_ptr_equal(radix_get(tree, index), old);
    check_next(tree, model, index);
    if (unit_random(5) < 2 || model->count == ITEMS) {
        if (model->count && unit_random(2)) {
            index = model->indices[unit_random(model->count)];
            old = model->values[place_of(model, index)];
        }
        assert_ptr_equal(radix_remove(tree, index), old);
        model_remove(model, index);
    } else {
        int nodes = live_nodes;

        allocations_left = unit_random(4) ? -1 : (int)unit_random(12);
        if (radix_set(tree, index, value) == 0) {
            model_set(model, index, value);
        } else {
            assert_int_equal(live_nodes, nodes);
            assert_ptr_equal(radix_get(tree, index), old);
        }
        allocations_left = -1;
    }
}

static void test_random(void **unused)
{
    for (unsigned round = 0; round < unit_rounds(200); round++) {
        struct radix_tree tree = {0};
        struct model model = {0};

        allocations_left = -1;
        for (int i = 0; i < 300; i++)
            step(&tree, &model);
        for (uint64_t index = 0; radix_next(&tree, &index);)
            radix_remove(&tree, index), model_remove(&model, index);
        assert_int_equal(model.count, 0);
        assert_null(tree.root);
        assert_int_equal(live_nodes, 0);
    }
}

static void test_dense(void **unused)
{
    struct radix_tree tree = {0};

    allocations_left = -1;
    for (uint64_t i = 0; i < 10000; i++)
        assert_int_equal(radix_set(&tree, i, (void *)(i + 1)), 0);
    /* A node for 64 values, and what leads to them. */
    assert_true(live_nodes <= 10000 / 64 + 8);
    for (uint64_t i = 0, at; i < 10000; i++) {
        at = i;
        assert_true(radix_next(&tree, &at) == (void *)(i + 1) && at == i);
    }
    for (uint64_t i = 0; i < 10000; i++)
        assert_ptr_equal(radix_remove(&tree, i), (void *)(i + 1));
    assert_int_equal(live_nodes, 0);
}

int run_radix_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_dense),
    };

    return cmocka_run_group_tests_name("radix", tests, NULL, NULL);
}
