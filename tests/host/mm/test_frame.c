/* Page frames and kernel objects: exact counts, no overlap, exhaustion. */
#include "machine.h"

#include <string.h>

#include "mm/frame_table.h"
#include "tests.h"

#define SLOTS 400

/* Blocks of random orders come and go; each is filled with its own pattern. */
static void test_random_blocks(void **state)
{
    static struct {
        physical_t block;
        unsigned order;
    } slots[SLOTS];
    struct balance before = balance_now();

    (void)state;
    for (int i = 0; i < 20000; i++) {
        uint64_t n = random_number(SLOTS);

        if (slots[n].block) {
            assert_int_equal(*(uint64_t *)frame_pointer(slots[n].block), n);
            frame_free_order(slots[n].block, slots[n].order);
            slots[n].block = 0;
            continue;
        }
        slots[n].order = random_number(6);
        slots[n].block = frame_alloc_order(slots[n].order);
        assert_int_equal(slots[n].block % (PAGE_SIZE << slots[n].order), 0);
        if (slots[n].block)
            *(uint64_t *)frame_pointer(slots[n].block) = n;
    }
    for (int n = 0; n < SLOTS; n++) {
        if (slots[n].block)
            frame_free_order(slots[n].block, slots[n].order);
        slots[n].block = 0;
    }
    assert_balanced(before);
}

static void test_exhaustion(void **state)
{
    struct balance before = balance_now();

    (void)state;
    take_frames(0);
    assert_int_equal(frame_free_count(), 0);
    assert_int_equal(frame_alloc(), 0);
    assert_int_equal(frame_alloc_zeroed(), 0);
    assert_int_equal(frame_alloc_order(3), 0);
    assert_null(kmalloc(100000));
    give_frames_back();
    assert_balanced(before);
    /* Merged again: the largest block can be had. */
    physical_t block = frame_alloc_order(10);
    assert_int_not_equal(block, 0);
    frame_free_order(block, 10);
    assert_int_equal(frame_alloc_order(11), 0);
}

static unsigned count_blocks(unsigned order)
{
    static physical_t blocks[MACHINE_FRAMES];
    unsigned count = 0;

    while ((blocks[count] = frame_alloc_order(order)) != 0)
        count++;
    for (unsigned i = 0; i < count; i++)
        frame_free_order(blocks[i], order);
    return count;
}

/* Single frames that come back in any order merge to what they were. */
static void test_merging(void **state)
{
    static physical_t frames[MACHINE_FRAMES];
    struct balance before = balance_now();
    unsigned blocks = count_blocks(8);

    (void)state;
    assert_true(blocks > 10);
    for (int round = 0; round < 5; round++) {
        unsigned count = 0;

        while ((frames[count] = frame_alloc()) != 0)
            count++;
        assert_int_equal(count, before.frames);
        while (count > 0) {
            /* Far apart, then neighbours, in turn. */
            unsigned pick = round % 2 ? count - 1 : random_number(count);

            frame_put(frames[pick]);
            frames[pick] = frames[--count];
        }
        assert_balanced(before);
        assert_int_equal(count_blocks(8), blocks);
    }
}

static void test_references(void **state)
{
    physical_t frame = frame_alloc_zeroed();
    struct balance after_alloc = balance_now();

    (void)state;
    frame_get(frame);
    assert_int_equal(frame_references(frame), 2);
    frame_put(frame);
    assert_int_equal(frame_references(frame), 1);
    assert_balanced(after_alloc);
    frame_put(frame);
    assert_int_equal(frame_free_count(), after_alloc.frames + 1);
}

static void test_pools(void **state)
{
    struct balance before = balance_now();
    physical_t frames[100];

    (void)state;
    for (int i = 0; i < 100; i++)
        frames[i] = frame_alloc_zeroed();
    for (int i = 0; i < 100; i++)
        frame_pool_give(FRAME_POOL_ZEROED, frames[i]);
    assert_balanced(before);
    frames[0] = frame_pool_take(FRAME_POOL_ZEROED);
    assert_int_not_equal(frames[0], 0);
    assert_int_equal(frame_references(frames[0]), 1);
    frame_put(frames[0]);
    take_frames(0); /* takes the pool's too */
    assert_int_equal(frame_pool_take(FRAME_POOL_ZEROED), 0);
    give_frames_back();
    assert_balanced(before);
}

struct odd {
    char bytes[1400];
};
static SLAB_CACHE(odd_cache, struct odd);

static bool is_zero(const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

static void test_slab(void **state)
{
    static struct odd *objects[500];
    struct balance before = balance_now();

    (void)state;
    for (int round = 0; round < 20000; round++) {
        uint64_t n = random_number(500);

        if (objects[n]) {
            assert_int_equal(objects[n]->bytes[0], (char)n);
            assert_int_equal(objects[n]->bytes[1399], (char)n);
            slab_free(&odd_cache, objects[n]);
            objects[n] = NULL;
        } else {
            objects[n] = slab_alloc(&odd_cache);
            assert_true(is_zero(objects[n]->bytes, sizeof(struct odd)));
            memset(objects[n]->bytes, (char)n, sizeof(struct odd));
        }
    }
    for (int n = 0; n < 500; n++) {
        if (objects[n])
            slab_free(&odd_cache, objects[n]);
        objects[n] = NULL;
    }
    assert_int_equal(odd_cache.live, 0);
    assert_balanced(before);
    assert_true(odd_cache.capacity * 1400 * 8 >= (PAGE_SIZE << odd_cache.order) * 7);
}

static void test_kmalloc(void **state)
{
    static char *blocks[300];
    static size_t sizes[300];
    struct balance before = balance_now();

    (void)state;
    kfree(NULL);
    for (int round = 0; round < 20000; round++) {
        uint64_t n = random_number(300);

        if (blocks[n]) {
            assert_int_equal(blocks[n][0], (char)n);
            assert_int_equal(blocks[n][sizes[n] - 1], (char)n);
            kfree(blocks[n]);
            blocks[n] = NULL;
        } else {
            sizes[n] = 1 + random_number(random_number(10) ? 2100 : 30000);
            blocks[n] = kmalloc(sizes[n]);
            assert_int_equal((uintptr_t)blocks[n] % 16, 0);
            assert_true(is_zero(blocks[n], sizes[n]));
            memset(blocks[n], (char)n, sizes[n]);
        }
    }
    for (int n = 0; n < 300; n++) {
        kfree(blocks[n]);
        blocks[n] = NULL;
    }
    assert_balanced(before);
    assert_null(kmalloc(PAGE_SIZE << 11));
}

int test_frames(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_blocks), cmocka_unit_test(test_exhaustion),
        cmocka_unit_test(test_merging),       cmocka_unit_test(test_references),
        cmocka_unit_test(test_pools),         cmocka_unit_test(test_slab),
        cmocka_unit_test(test_kmalloc),
    };

    return cmocka_run_group_tests_name("frames and objects", tests, NULL, NULL);
}
