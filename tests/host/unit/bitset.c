/* lib/bitset.h: against an array of booleans. */
#include "lib/bitset.h"

#include "unit.h"

#define LIMIT 260

static bool model[LIMIT];

static size_t model_next(size_t size, size_t from, bool wanted)
{
    while (from < size && model[from] != wanted)
        from++;
    return from < size ? from : size;
}

static void check(const uint64_t *words, size_t size)
{
    size_t members = 0, last = size;

    for (size_t i = 0; i < size; i++) {
        assert_int_equal(bitset_has(words, i), model[i]);
        assert_int_equal(bitset_next(words, size, i), model_next(size, i, true));
        members += model[i];
        if (model[i])
            last = i;
    }
    assert_int_equal(bitset_count(words, size), members);
    assert_int_equal(bitset_last(words, size), last);
    assert_int_equal(bitset_next(words, size, size), size);
}

static void check_missing(uint64_t *words, size_t size)
{
    for (size_t i = size; i < BITSET_WORDS(size) * 64; i++)
        bitset_add(words, i);
    for (size_t i = 0; i <= size; i++)
        assert_int_equal(bitset_next_missing(words, size, i), model_next(size, i, false));
    for (size_t i = size; i < BITSET_WORDS(size) * 64; i++)
        bitset_remove(words, i);
}

static void test_random(void **state)
{
    static const size_t sizes[] = {1, 2, 63, 64, 65, 100, 127, 128, 129, 256, 257};

    (void)state;
    unit_random_seed(2);
    for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
        uint64_t words[BITSET_WORDS(LIMIT)] = {0};
        size_t size = sizes[s];

        memset(model, 0, sizeof(model));
        for (int i = 0; i < 60; i++) {
            size_t number = unit_random(size);

            if (model[number])
                bitset_remove(words, number);
            else
                bitset_add(words, number);
            model[number] = !model[number];
            check(words, size);
            check_missing(words, size);
        }
    }
}

static void test_full(void **state)
{
    uint64_t words[2] = {UINT64_MAX, UINT64_MAX};

    (void)state;
    assert_int_equal(bitset_next_missing(words, 100, 0), 100);
    assert_int_equal(bitset_next_missing(words, 128, 5), 128);
    assert_int_equal(bitset_count(words, 128), 128);
}

int run_bitset_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_full),
    };

    return cmocka_run_group_tests_name("bitset", tests, NULL, NULL);
}
