/* Address spaces: what each kind of mapping shows, copies and costs. */
#include "machine.h"

#include <errno.h>
#include <string.h>

#include "mm/frame_table.h"
#include "mm/space.h"
#include "tests.h"

#include <linux/mman.h>

#define PAGES(n) ((n)*PAGE_SIZE)

/* A source of SOURCE_PAGES pages whose bytes are their page's number + 1. */
#define SOURCE_PAGES 40

static physical_t source_frames[SOURCE_PAGES];
static int source_references;

static int source_get_page(struct mapping_source *source, uint64_t index, bool write,
                           physical_t *frame)
{
    if (index >= SOURCE_PAGES)
        return -EIO;
    if (source_frames[index] == 0) {
        source_frames[index] = frame_alloc();
        memset(frame_pointer(source_frames[index]), (int)index + 1, PAGE_SIZE);
    }
    *frame = source_frames[index];
    frame_get(*frame);
    return 0;
}

static void source_peek_pages(struct mapping_source *source, uint64_t index, unsigned count,
                              physical_t *frames)
{
    for (unsigned i = 0; i < count; i++) {
        frames[i] = index + i < SOURCE_PAGES ? source_frames[index + i] : 0;
        if (frames[i])
            frame_get(frames[i]);
    }
}

static void source_get(struct mapping_source *source)
{
    source_references++;
}

static void source_put(struct mapping_source *source)
{
    source_references--;
}

static const struct mapping_source_operations source_operations = {
    .get_page = source_get_page,
    .peek_pages = source_peek_pages,
    .get = source_get,
    .put = source_put,
};
static struct mapping_source source = {&source_operations};

static void drop_source(void)
{
    assert_int_equal(source_references, 0);
    for (int i = 0; i < SOURCE_PAGES; i++) {
        if (source_frames[i]) {
            assert_int_equal(frame_references(source_frames[i]), 1);
            frame_put(source_frames[i]);
        }
        source_frames[i] = 0;
    }
}

static int64_t map(struct address_space *space, uintptr_t address, uint64_t pages, int protection,
                   int flags)
{
    struct mapping_request request = {
        .address = address,
        .length = PAGES(pages),
        .protection = protection,
        .flags = flags | MAP_ANONYMOUS,
        .source_length = UINT64_MAX,
    };

    return address_space_map(space, &request);
}

static int64_t map_source(struct address_space *space, uint64_t pages, int flags, uint64_t first,
                          uint64_t source_length)
{
    struct mapping_request request = {
        .length = PAGES(pages),
        .protection = PROT_READ | PROT_WRITE,
        .flags = flags,
        .source = &source,
        .offset = PAGES(first),
        .source_length = source_length,
    };

    return address_space_map(space, &request);
}

static int read_byte(struct address_space *space, uintptr_t address)
{
    unsigned char byte;
    int error = address_space_read(space, address, &byte, 1);

    return error ? error : byte;
}

static int write_byte(struct address_space *space, uintptr_t address, unsigned char byte)
{
    return address_space_write(space, address, &byte, 1);
}

static struct address_space *fork_space(struct address_space *space)
{
    int error;
    struct address_space *child = address_space_fork(space, &error);

    assert_non_null(child);
    return child;
}

static void test_demand_zero(void **state)
{
    struct balance before = balance_now();
    struct address_space *space = address_space_create();
    uintptr_t a = map(space, 0, 4, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    uint64_t frames = frame_free_count();

    (void)state;
    assert_int_equal(read_byte(space, a + 5), 0);
    assert_int_equal(frame_free_count(), frames - 3); /* tables; the page is the zero frame */
    assert_int_equal(write_byte(space, a + 5, 7), 0);
    assert_int_equal(frame_free_count(), frames - 4);
    assert_int_equal(read_byte(space, a + 5), 7);
    assert_int_equal(read_byte(space, a + 4), 0);
    assert_int_equal(read_byte(space, a + PAGES(4)), -EFAULT);
    assert_int_equal(address_space_fault(space, a + PAGES(4), PORT_ACCESS_READ), -EFAULT);
    assert_int_equal(address_space_fault(space, a, PORT_ACCESS_EXECUTE), -EACCES);
    assert_int_equal(address_space_fault(space, UINTPTR_MAX, PORT_ACCESS_READ), -EFAULT);
    address_space_put(space);
    assert_balanced(before);
}

static void test_copy_on_write(void **state)
{
    struct balance before = balance_now();
    struct address_space *space = address_space_create();
    uintptr_t a = map(space, 0, 2, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    struct address_space *child;
    uint64_t frames;

    (void)state;
    write_byte(space, a, 1);
    child = fork_space(space);
    frames = frame_free_count();
    assert_int_equal(read_byte(child, a), 1);
    assert_int_equal(write_byte(space, a, 2), 0);
    assert_int_equal(frame_free_count(), frames - 1); /* one copy */
    assert_int_equal(read_byte(child, a), 1);
    assert_int_equal(write_byte(child, a, 3), 0);
    assert_int_equal(frame_free_count(), frames - 1); /* the child was the last owner */
    assert_int_equal(read_byte(space, a), 2);
    assert_int_equal(read_byte(child, a), 3);
    address_space_put(space);
    assert_int_equal(read_byte(child, a), 3);
    address_space_put(child);
    assert_balanced(before);
}

static void test_shared_anonymous(void **state)
{
    struct balance before = balance_now();
    struct address_space *space = address_space_create();
    uintptr_t a = map(space, 0, 600, PROT_READ | PROT_WRITE, MAP_SHARED);
    struct address_space *child = fork_space(space);
    uintptr_t b;

    (void)state;
    assert_int_equal(write_byte(child, a + PAGES(599), 9), 0);
    assert_int_equal(read_byte(space, a + PAGES(599)), 9);
    assert_int_equal(read_byte(space, a), 0);
    assert_int_equal(write_byte(space, a, 8), 0);
    assert_int_equal(read_byte(child, a), 8);
    /* Growth shows pages that the object does not have. */
    b = address_space_remap(space, a, PAGES(600), PAGES(601), MREMAP_MAYMOVE, 0);
    assert_int_equal(read_byte(space, b), 8);
    assert_int_equal(address_space_fault(space, b + PAGES(600), PORT_ACCESS_READ), -EIO);
    address_space_put(space);
    assert_int_equal(read_byte(child, a), 8);
    address_space_put(child);
    assert_balanced(before);
}

static void test_private_source(void **state)
{
    struct balance before = balance_now();
    struct address_space *space = address_space_create();
    uintptr_t a = map_source(space, 20, MAP_PRIVATE, 3, PAGES(10) + 100);
    struct address_space *child;

    (void)state;
    assert_int_equal(read_byte(space, a), 4);
    assert_int_equal(read_byte(space, a + PAGES(10) + 99), 14);
    assert_int_equal(read_byte(space, a + PAGES(10) + 100), 0);
    assert_int_equal(read_byte(space, a + PAGES(11)), 0);
    assert_int_equal(write_byte(space, a + PAGES(1), 99), 0);
    assert_int_equal(((char *)frame_pointer(source_frames[4]))[0], 5);
    child = fork_space(space);
    assert_int_equal(read_byte(child, a + PAGES(1)), 99);
    assert_int_equal(write_byte(child, a + PAGES(2), 98), 0);
    assert_int_equal(read_byte(space, a + PAGES(2)), 6);
    address_space_put(child);
    address_space_put(space);
    drop_source();
    assert_balanced(before);
}

static void test_shared_source(void **state)
{
    struct balance before = balance_now();
    struct address_space *space = address_space_create();
    uintptr_t a = map_source(space, 50, MAP_SHARED, 0, UINT64_MAX);
    struct address_space_usage usage;

    (void)state;
    for (int i = 0; i < 16; i++)
        assert_int_equal(read_byte(space, a + PAGES(i)), i + 1);
    assert_int_equal(write_byte(space, a, 77), 0);
    assert_int_equal(((char *)frame_pointer(source_frames[0]))[0], 77);
    assert_int_equal(address_space_fault(space, a + PAGES(SOURCE_PAGES), PORT_ACCESS_READ), -EIO);
    address_space_get_usage(space, &usage);
    assert_int_equal(usage.committed_pages, 0);
    assert_int_equal(usage.mapped_pages, 50);
    assert_int_equal(usage.resident_pages, 16);
    address_space_put(space);
    drop_source();
    assert_balanced(before);
}

/* Neighbours at hand come with a page, without a fault of their own. */
static void test_fault_around(void **state)
{
    struct balance before = balance_now();
    struct address_space *space = address_space_create();
    struct address_space_usage usage;
    physical_t frame;
    uintptr_t a;

    (void)state;
    for (int i = 0; i < SOURCE_PAGES; i++) {
        assert_int_equal(source_get_page(&source, i, false, &frame), 0);
        frame_put(frame);
    }
    a = map_source(space, SOURCE_PAGES, MAP_PRIVATE, 0, UINT64_MAX);
    assert_int_equal(read_byte(space, ALIGN_UP(a, PAGES(16)) + PAGES(3)),
                     ((ALIGN_UP(a, PAGES(16)) - a) >> PAGE_SHIFT) + 4);
    address_space_get_usage(space, &usage);
    assert_int_equal(usage.resident_pages, 16);
    address_space_put(space);
    drop_source();
    assert_balanced(before);
}

static void test_protect(void **state)
{
    struct balance before = balance_now();
    struct address_space *space = address_space_create();
    uintptr_t a = map(space, 0, 3, PROT_READ | PROT_WRITE, MAP_PRIVATE);

    (void)state;
    write_byte(space, a + PAGES(1), 5);
    assert_int_equal(address_space_protect(space, a + PAGES(1), PAGES(1), PROT_NONE), 0);
    assert_int_equal(space->map.count, 3);
    assert_int_equal(address_space_fault(space, a + PAGES(1), PORT_ACCESS_READ), -EACCES);
    assert_int_equal(address_space_protect(space, a + PAGES(1), PAGES(1), PROT_READ), 0);
    assert_int_equal(read_byte(space, a + PAGES(1)), 5);
    assert_int_equal(address_space_fault(space, a + PAGES(1), PORT_ACCESS_WRITE), -EACCES);
    assert_int_equal(address_space_protect(space, a + PAGES(1), PAGES(1), PROT_READ | PROT_WRITE),
                     0);
    assert_int_equal(space->map.count, 1);
    assert_int_equal(write_byte(space, a + PAGES(1), 6), 0);
    assert_int_equal(address_space_protect(space, a + 1, PAGES(1), PROT_READ), -EINVAL);
    assert_int_equal(address_space_protect(space, a, PAGES(4), PROT_READ), -ENOMEM);
    assert_int_equal(address_space_fault(space, a, PORT_ACCESS_WRITE), -EACCES);
    address_space_put(space);
    assert_balanced(before);
}

static void test_placement(void **state)
{
    struct address_space *space = address_space_create();
    uintptr_t a, b, top;

    (void)state;
    top = address_space_map_stack(space, 8ul << 20, false);
    a = map(space, 0, 1, PROT_READ, MAP_PRIVATE);
    assert_int_equal(a >> 21, (top - 1) >> 21); /* one lowest table serves both */
    b = map(space, 0, 1, PROT_READ, MAP_PRIVATE);
    assert_int_equal(b, a - PAGE_SIZE);
    assert_int_equal(map(space, 0, 100000, PROT_READ, MAP_PRIVATE),
                     USER_ADDRESS_END - PAGES(100000));
    assert_int_equal(map(space, a, 1, PROT_READ, MAP_PRIVATE), b - PAGE_SIZE);
    assert_int_equal(map(space, a, 1, PROT_READ, MAP_PRIVATE | MAP_FIXED), a);
    assert_int_equal(map(space, a, 1, PROT_READ, MAP_PRIVATE | MAP_FIXED_NOREPLACE), -EEXIST);
    assert_int_equal(map(space, a + 1, 1, PROT_READ, MAP_PRIVATE | MAP_FIXED), -EINVAL);
    assert_int_equal(map(space, 0, 1, PROT_READ, MAP_PRIVATE | MAP_FIXED), -EPERM);
    assert_int_equal(map(space, USER_ADDRESS_END, 1, PROT_READ, MAP_PRIVATE | MAP_FIXED), -ENOMEM);
    assert_int_equal(map(space, 0, MACHINE_FRAMES + 1, PROT_READ | PROT_WRITE, MAP_PRIVATE),
                     -ENOMEM);
    assert_in_range(
        map(space, 0, MACHINE_FRAMES + 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE), 1,
        USER_ADDRESS_END);
    address_space_put(space);
}

static void test_stack(void **state)
{
    struct balance before = balance_now();
    struct address_space *space = address_space_create();
    uintptr_t top = address_space_map_stack(space, 8ul << 20, false);

    (void)state;
    assert_int_equal(write_byte(space, top - 1, 1), 0);
    assert_int_equal(write_byte(space, top - (4 << 20), 1), 0);
    assert_int_equal(space->mapped_pages, (4 << 20) >> PAGE_SHIFT);
    /* A mapping below keeps its distance. */
    assert_int_equal(map(space, top - (6 << 20), 1, PROT_READ, MAP_PRIVATE), top - (6 << 20));
    assert_int_equal(write_byte(space, top - (5 << 20) + PAGE_SIZE, 1), 0);
    assert_int_equal(write_byte(space, top - (5 << 20) - 1, 1), -EFAULT);
    address_space_put(space);
    assert_balanced(before);
}

static void test_brk(void **state)
{
    struct balance before = balance_now();
    struct address_space *space = address_space_create();
    uintptr_t start = 0x500000;

    (void)state;
    address_space_set_brk_start(space, start + 10);
    assert_int_equal(address_space_brk(space, 0), start + 10);
    assert_int_equal(address_space_brk(space, start + 20000), start + 20000);
    assert_int_equal(write_byte(space, start + 19999, 3), 0);
    assert_int_equal(address_space_brk(space, start), start + 20000);
    assert_int_equal(address_space_brk(space, start + 100), start + 100);
    assert_int_equal(address_space_brk(space, start + 20000), start + 20000);
    assert_int_equal(read_byte(space, start + 19999), 0);
    assert_int_equal(map(space, 0x600000, 1, PROT_READ, MAP_PRIVATE | MAP_FIXED), 0x600000);
    assert_int_equal(address_space_brk(space, 0x600001), start + 20000);
    address_space_put(space);
    assert_balanced(before);
}

static void test_remap(void **state)
{
    struct balance before = balance_now();
    struct address_space *space = address_space_create();
    uintptr_t a = map(space, 0x10000000, 4, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    uintptr_t b;

    (void)state;
    for (int i = 0; i < 4; i++)
        write_byte(space, a + PAGES(i), i + 1);
    assert_int_equal(address_space_remap(space, a, PAGES(4), PAGES(5), 0, 0), a);
    assert_int_equal(map(space, a + PAGES(5), 1, PROT_READ, MAP_PRIVATE | MAP_FIXED), a + PAGES(5));
    assert_int_equal(address_space_remap(space, a, PAGES(5), PAGES(6), 0, 0), -ENOMEM);
    b = address_space_remap(space, a + PAGES(1), PAGES(2), PAGES(700), MREMAP_MAYMOVE, 0);
    assert_int_equal(read_byte(space, b), 2);
    assert_int_equal(read_byte(space, b + PAGES(1)), 3);
    assert_int_equal(read_byte(space, b + PAGES(699)), 0);
    assert_int_equal(read_byte(space, a + PAGES(1)), -EFAULT);
    assert_int_equal(read_byte(space, a + PAGES(3)), 4);
    assert_int_equal(address_space_remap(space, b, PAGES(700), PAGES(1), 0, 0), b);
    assert_int_equal(
        address_space_remap(space, b, PAGES(1), PAGES(2), MREMAP_MAYMOVE | MREMAP_FIXED, a), a);
    assert_int_equal(read_byte(space, a), 2);
    assert_int_equal(read_byte(space, a + PAGES(1)), 0);
    assert_int_equal(address_space_remap(space, a, 0, PAGES(2), MREMAP_MAYMOVE, 0), -EINVAL);
    assert_int_equal(address_space_remap(space, a, PAGES(9), PAGES(10), 0, 0), -EFAULT);
    assert_int_equal(address_space_remap(space, a, PAGES(1), PAGES(2), MREMAP_FIXED, b), -EINVAL);
    address_space_put(space);
    assert_balanced(before);
}

static void test_advice(void **state)
{
    struct balance before = balance_now();
    struct address_space *space = address_space_create();
    uintptr_t a = map(space, 0x10000000, 4, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    struct address_space *child;
    uint8_t bytes[4];

    (void)state;
    for (int i = 0; i < 4; i++)
        write_byte(space, a + PAGES(i), i + 1);
    assert_int_equal(address_space_advise(space, a, PAGES(1), MADV_DONTNEED), 0);
    assert_int_equal(address_space_residency(space, a, 4, bytes), 0);
    assert_memory_equal(bytes, "\0\1\1\1", 4);
    assert_int_equal(address_space_residency(space, a + PAGES(1), 4, bytes), -ENOMEM);
    assert_int_equal(read_byte(space, a), 0);
    assert_int_equal(address_space_advise(space, a + PAGES(1), PAGES(1), MADV_DONTFORK), 0);
    assert_int_equal(address_space_advise(space, a + PAGES(2), PAGES(1), MADV_WIPEONFORK), 0);
    child = fork_space(space);
    assert_int_equal(read_byte(child, a + PAGES(1)), -EFAULT);
    assert_int_equal(read_byte(child, a + PAGES(2)), 0);
    assert_int_equal(read_byte(child, a + PAGES(3)), 4);
    assert_int_equal(read_byte(space, a + PAGES(2)), 3);
    assert_int_equal(address_space_advise(space, a, PAGES(5), MADV_NORMAL), -ENOMEM);
    assert_int_equal(address_space_advise(space, a, PAGES(1), 9999), -EINVAL);
    assert_int_equal(address_space_advise(space, a, 0, MADV_DONTNEED), 0);
    address_space_put(child);
    address_space_put(space);
    assert_balanced(before);
}

/* Every allocation in turn fails: fork either works or leaves nothing behind. */
static void test_fork_without_memory(void **state)
{
    struct address_space *space = address_space_create();
    uintptr_t a = map(space, 0, 2000, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    bool worked = false;

    (void)state;
    for (int i = 0; i < 2000; i += 100)
        write_byte(space, a + PAGES(i), i / 100 + 1);
    for (uint64_t frames = 0; !worked; frames++) {
        struct balance before = balance_now();
        struct address_space *child;
        int error = 0;

        take_frames(frames);
        child = address_space_fork(space, &error);
        worked = child != NULL;
        if (child)
            address_space_put(child);
        else
            assert_int_equal(error, -ENOMEM);
        give_frames_back();
        assert_balanced(before);
        assert_true(frames < 100);
    }
    take_frames(0);
    assert_int_equal(write_byte(space, a + PAGES(1), 1), -ENOMEM);
    give_frames_back();
    for (int i = 0; i < 2000; i += 100)
        assert_int_equal(read_byte(space, a + PAGES(i)), i / 100 + 1);
    address_space_put(space);
}

static struct test_account {
    struct address_space_account account;
    uint64_t pages, limit;
    int references, refusals;
} account;

static int charge(struct address_space_account *a, uint64_t pages, uint64_t committed)
{
    assert_true(committed >= pages);
    if (account.pages + pages > account.limit)
        return -ENOMEM;
    account.pages += pages;
    return 0;
}

static void uncharge(struct address_space_account *a, uint64_t pages)
{
    account.pages -= pages;
}

static void refused(struct address_space_account *a, uint64_t pages)
{
    assert_true(account.pages + pages > account.limit);
    account.refusals++;
}

static void get_account(struct address_space_account *a)
{
    account.references++;
}

static void put_account(struct address_space_account *a)
{
    account.references--;
}

static void test_account(void **state)
{
    struct address_space *space = address_space_create();
    struct address_space *child;
    uintptr_t a;
    int error;

    (void)state;
    account.account =
        (struct address_space_account){charge, uncharge, refused, get_account, put_account};
    account.limit = 10;
    a = map(space, 0, 3, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    assert_int_equal(address_space_set_account(space, &account.account), 0);
    assert_int_equal(account.pages, 3);
    child = fork_space(space);
    assert_int_equal(account.pages, 6);
    assert_int_equal(map(space, 0, 5, PROT_READ | PROT_WRITE, MAP_PRIVATE), -ENOMEM);
    assert_int_equal(account.pages, 6);
    assert_int_equal(map(space, 0, 4, PROT_READ, MAP_PRIVATE), a - PAGES(4));
    assert_int_equal(account.pages, 6);
    assert_int_equal(address_space_protect(space, a - PAGES(4), PAGES(4), PROT_READ | PROT_WRITE),
                     0);
    assert_int_equal(account.pages, 10);
    assert_null(address_space_fork(space, &error));
    assert_int_equal(error, -ENOMEM);
    assert_int_equal(account.pages, 10);
    assert_int_equal(address_space_unmap(space, a - PAGES(2), PAGES(3)), 0);
    assert_int_equal(account.pages, 7);
    assert_int_equal(account.references, 2);
    assert_int_equal(account.refusals, 2);
    address_space_put(child);
    address_space_put(space);
    assert_int_equal(account.pages, 0);
    assert_int_equal(account.references, 0);
}

int test_spaces(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_demand_zero),
        cmocka_unit_test(test_copy_on_write),
        cmocka_unit_test(test_shared_anonymous),
        cmocka_unit_test(test_private_source),
        cmocka_unit_test(test_shared_source),
        cmocka_unit_test(test_fault_around),
        cmocka_unit_test(test_protect),
        cmocka_unit_test(test_placement),
        cmocka_unit_test(test_stack),
        cmocka_unit_test(test_brk),
        cmocka_unit_test(test_remap),
        cmocka_unit_test(test_advice),
        cmocka_unit_test(test_fork_without_memory),
        cmocka_unit_test(test_account),
    };

    return cmocka_run_group_tests_name("address spaces", tests, NULL, NULL);
}
