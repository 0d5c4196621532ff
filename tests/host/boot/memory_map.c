/* boot/memory_map.h, against an array with one element a page. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "boot/memory_map.h"

#define PAGE  4096ull
#define PAGES 300

static struct boot_info info;
static uint8_t model[PAGES];

static void check(void)
{
    uint8_t seen[PAGES] = {0};

    for (uint32_t i = 0; i < info.memory_count; i++) {
        const struct boot_memory *entry = &info.memory[i];

        assert_true(entry->size > 0 && entry->base % PAGE == 0 && entry->size % PAGE == 0);
        if (i > 0) {
            const struct boot_memory *before = entry - 1;

            assert_true(before->base + before->size <= entry->base);
            assert_false(before->base + before->size == entry->base && before->kind == entry->kind);
        }
        memset(seen + entry->base / PAGE, (int)entry->kind, entry->size / PAGE);
    }
    assert_memory_equal(seen, model, sizeof(seen));
}

/* Bytes, not pages: the kind decides which way the ends are rounded. */
static void set(uint64_t base, uint64_t size, enum boot_memory_kind kind)
{
    bool inward = kind == BOOT_MEMORY_USABLE;
    uint64_t first = (base + (inward ? PAGE - 1 : 0)) / PAGE;
    uint64_t end = (base + size + (inward ? 0 : PAGE - 1)) / PAGE;

    assert_true(boot_memory_set(&info, base, size, kind));
    for (uint64_t page = first; page < end; page++)
        model[page] = (uint8_t)kind;
    check();
}

static void reset(void)
{
    memset(&info, 0, sizeof(info));
    memset(model, 0, sizeof(model));
}

static void test_ends_are_rounded(void **state)
{
    (void)state;
    reset();
    set(100, 3 * PAGE, BOOT_MEMORY_USABLE);
    set(10 * PAGE + 100, 3 * PAGE, BOOT_MEMORY_RESERVED);
    set(20 * PAGE + 1, 100, BOOT_MEMORY_USABLE);
    set(20 * PAGE + 1, 0, BOOT_MEMORY_USABLE);
    set(30 * PAGE + 1, 1, BOOT_MEMORY_LOADER);
}

static void test_split_and_merge(void **state)
{
    (void)state;
    reset();
    set(0, 100 * PAGE, BOOT_MEMORY_USABLE);
    set(10 * PAGE, 10 * PAGE, BOOT_MEMORY_KERNEL);
    assert_int_equal(info.memory_count, 3);
    set(10 * PAGE, 10 * PAGE, BOOT_MEMORY_USABLE);
    assert_int_equal(info.memory_count, 1);
    set(0, 100 * PAGE, BOOT_MEMORY_RESERVED);
    assert_int_equal(info.memory_count, 1);
}

static void test_random_ranges(void **state)
{
    (void)state;
    srand(1);
    for (int run = 0; run < 200; run++) {
        reset();
        for (int i = 0; i < 60; i++) {
            uint64_t base = (uint64_t)rand() % ((PAGES - 50) * PAGE);

            set(base, (uint64_t)rand() % (50 * PAGE), 1 + (enum boot_memory_kind)(rand() % 5));
        }
    }
}

static void test_full_map_is_left_alone(void **state)
{
    static struct boot_info before;
    uint64_t base = 0;

    (void)state;
    reset();
    while (boot_memory_set(&info, base, PAGE, BOOT_MEMORY_USABLE))
        base += 2 * PAGE;
    assert_true(info.memory_count >= BOOT_MEMORY_MAX - 2);
    before = info;
    assert_false(boot_memory_set(&info, base + PAGE, PAGE, BOOT_MEMORY_KERNEL));
    assert_memory_equal(&info, &before, sizeof(info));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ends_are_rounded),
        cmocka_unit_test(test_split_and_merge),
        cmocka_unit_test(test_random_ranges),
        cmocka_unit_test(test_full_map_is_left_alone),
    };

    return cmocka_run_group_tests_name("memory map", tests, NULL, NULL);
}
