/*
 * Address spaces against a model: random calls on a few spaces that fork from one another, over a
 * window of pages that crosses tables of every level. The model keeps a byte for each page.
 */
#include "machine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mm/space.h"
#include "tests.h"

#include <linux/mman.h>

#define SPACES     4
#define PAGE_COUNT 96
#define CELLS      4096
#define OPERATIONS 60000

/* The window: half of it on either side of a border of 512 GiB. */
#define BASE (0x8000000000ul - PAGE_COUNT / 2 * PAGE_SIZE)

struct model_page {
    bool is_mapped;
    int protection;
    unsigned char value;   /* of a private page */
    unsigned char *shared; /* where a shared page's value is; NULL: private */
};

static struct address_space *spaces[SPACES];
static struct model_page model[SPACES][PAGE_COUNT];
static unsigned char cells[CELLS];
static unsigned cell_count;
static bool
    is_short; /* memory may run out in the present operation, which then must change nothing */

static uintptr_t address_of(unsigned page)
{
    return BASE + page * PAGE_SIZE;
}

static unsigned char *value_of(struct model_page *page)
{
    return page->shared ? page->shared : &page->value;
}

/* The result is as expected, or memory has run out. */
static bool has_failed(int64_t result, int64_t expected)
{
    if (is_short && result == -ENOMEM)
        return true;
    assert_int_equal(result, expected);
    return false;
}

struct range {
    unsigned first, count;
};

static struct range random_range(void)
{
    struct range range;

    range.first = random_number(PAGE_COUNT);
    range.count = 1 + random_number(PAGE_COUNT - range.first < 12 ? PAGE_COUNT - range.first : 12);
    return range;
}

static int random_protection(void)
{
    static const int protections[] = {PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE,
                                      PROT_READ | PROT_WRITE, PROT_READ | PROT_EXEC};

    return protections[random_number(5)];
}

static void do_map(unsigned s)
{
    struct range range = random_range();
    bool is_shared = random_number(3) == 0 && cell_count + range.count <= CELLS;
    struct mapping_request request = {
        .address = address_of(range.first),
        .length = range.count * PAGE_SIZE,
        .protection = random_protection(),
        .flags = MAP_FIXED | MAP_ANONYMOUS | (is_shared ? MAP_SHARED : MAP_PRIVATE),
        .source_length = UINT64_MAX,
    };

    if (has_failed(address_space_map(spaces[s], &request), request.address))
        return;
    for (unsigned i = 0; i < range.count; i++) {
        struct model_page *page = &model[s][range.first + i];

        *page = (struct model_page){.is_mapped = true, .protection = request.protection};
        if (is_shared)
            page->shared = &cells[cell_count + i];
    }
    if (is_shared)
        cell_count += range.count;
}

static void do_unmap(unsigned s)
{
    struct range range = random_range();

    if (has_failed(address_space_unmap(spaces[s], address_of(range.first), range.count * PAGE_SIZE),
                   0))
        return;
    memset(&model[s][range.first], 0, range.count * sizeof(struct model_page));
}

static void do_protect(unsigned s)
{
    struct range range = random_range();
    int protection = random_protection();
    int expected = 0;

    for (unsigned i = range.first; i < range.first + range.count && expected == 0; i++) {
        if (model[s][i].is_mapped)
            model[s][i].protection = protection;
        else
            expected = -ENOMEM;
    }
    assert_int_equal(address_space_protect(spaces[s], address_of(range.first),
                                           range.count * PAGE_SIZE, protection),
                     expected);
}

static void do_write(unsigned s)
{
    unsigned n = random_number(PAGE_COUNT);
    struct model_page *page = &model[s][n];
    unsigned char value = 1 + random_number(255);
    bool works = page->is_mapped && (page->protection & PROT_WRITE);

    if (has_failed(address_space_write(spaces[s], address_of(n) + 77, &value, 1),
                   works ? 0 : -EFAULT))
        return;
    if (works)
        *value_of(page) = value;
}

static void do_read(unsigned s)
{
    unsigned n = random_number(PAGE_COUNT);
    struct model_page *page = &model[s][n];
    unsigned char value = 0;
    bool works = page->is_mapped && page->protection != PROT_NONE;

    if (has_failed(address_space_read(spaces[s], address_of(n) + 77, &value, 1),
                   works ? 0 : -EFAULT))
        return;
    if (works)
        assert_int_equal(value, *value_of(page));
}

static void do_fork(unsigned s)
{
    unsigned child = random_number(SPACES);
    struct address_space *space;
    int error;

    if (child == s)
        return;
    space = address_space_fork(spaces[s], &error);
    if (has_failed(space ? 0 : error, 0))
        return;
    address_space_put(spaces[child]);
    spaces[child] = space;
    memcpy(model[child], model[s], sizeof(model[s]));
}

static void do_forget(unsigned s)
{
    struct range range = random_range();
    int expected = 0;

    for (unsigned i = range.first; i < range.first + range.count; i++) {
        if (!model[s][i].is_mapped)
            expected = -ENOMEM;
        model[s][i].value = 0;
    }
    assert_int_equal(address_space_advise(spaces[s], address_of(range.first),
                                          range.count * PAGE_SIZE, MADV_DONTNEED),
                     expected);
}

static void do_move(unsigned s)
{
    struct range from = random_range();
    struct range to = random_range();
    struct region *region = region_find(&spaces[s]->map, address_of(from.first));
    struct model_page pages[PAGE_COUNT];
    int64_t result;

    to.count = from.count;
    if (to.first + to.count > PAGE_COUNT || !region ||
        region->end < address_of(from.first + from.count) ||
        (to.first < from.first + from.count && from.first < to.first + to.count))
        return;
    result = address_space_remap(spaces[s], address_of(from.first), from.count * PAGE_SIZE,
                                 from.count * PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED,
                                 address_of(to.first));
    assert_int_equal(result, address_of(to.first));
    memcpy(pages, &model[s][from.first], from.count * sizeof(pages[0]));
    memset(&model[s][from.first], 0, from.count * sizeof(pages[0]));
    memcpy(&model[s][to.first], pages, from.count * sizeof(pages[0]));
}

/* The regions are in order, apart, merged where they can be, and add up. */
static void check_map(struct address_space *space)
{
    struct region *region = region_find_from(&space->map, 0);
    struct rb_node *node = rb_first(&space->map.tree);
    uint64_t mapped = 0, data = 0;
    uint32_t count = 0;
    uintptr_t end = 0;

    for (; region; region = region_next(&space->map, region), node = rb_next(node)) {
        assert_ptr_equal(node, &region->node);
        assert_true(region->start >= end && region->start < region->end);
        end = region->end;
        mapped += region_pages(region);
        if (region_is_data(region))
            data += region_pages(region);
        count++;
    }
    assert_null(node);
    assert_int_equal(count, space->map.count);
    assert_int_equal(mapped, space->mapped_pages);
    assert_int_equal(data, space->data_pages);
}

/* Entries lie in regions, and are as many as are counted. */
static void check_pages(struct address_space *space)
{
    uint64_t resident = 0;

    for (unsigned i = 0; i < PAGE_COUNT; i++) {
        uint64_t *place = page_table_find(&space->table, address_of(i));

        if (place && *place) {
            resident++;
            assert_non_null(region_find(&space->map, address_of(i)));
        }
    }
    assert_int_equal(resident, space->resident_pages);
}

static void (*const operations[])(unsigned) = {
    do_map,
    do_unmap,
    do_write,
    do_read,
    do_fork,
    do_map,
    do_write,
    do_write,
    do_read,
    /* These may do a part of it before memory runs out. */
    do_protect,
    do_forget,
    do_move,
};
#define ALL_OR_NOTHING 9

/* One operation in fifty with hardly a frame left. */
static void do_something(unsigned s)
{
    is_short = random_number(50) == 0;
    if (is_short) {
        take_frames(random_number(8));
        operations[random_number(ALL_OR_NOTHING)](s);
        give_frames_back();
    } else {
        operations[random_number(sizeof(operations) / sizeof(operations[0]))](s);
    }
}

static void test_model(void **state)
{
    struct balance before = balance_now();

    (void)state;
    for (unsigned s = 0; s < SPACES; s++)
        spaces[s] = address_space_create();
    for (unsigned i = 0; i < OPERATIONS; i++) {
        unsigned s = random_number(SPACES);

        do_something(s);
        if (i % 64 == 0) {
            check_map(spaces[s]);
            check_pages(spaces[s]);
        }
    }
    for (unsigned s = 0; s < SPACES; s++)
        address_space_put(spaces[s]);
    assert_balanced(before);
}

int test_space_model(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_model)};

    return cmocka_run_group_tests_name("address spaces against a model", tests, NULL, NULL);
}
