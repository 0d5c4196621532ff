/* fs/cpio.h: archives as cpio(1) makes them, several in a row, and thousands of broken ones. The
 * bytes lie at the very end of their allocation, so that the sanitizer sees any overrun. */
#include "fs/cpio.h"

#include <errno.h>

#include "unit.h"

struct archive {
    uint8_t *data;
    size_t size;
};

static void put(struct archive *archive, const void *bytes, size_t size)
{
    archive->data = realloc(archive->data, archive->size + size);
    memcpy(archive->data + archive->size, bytes, size);
    archive->size += size;
}

static void pad(struct archive *archive, size_t start)
{
    while ((archive->size - start) % 4)
        put(archive, "", 1);
}

static void put_entry(struct archive *archive, const char *name, unsigned mode, unsigned inode,
                      unsigned links, const char *data)
{
    char header[111];
    size_t start = archive->size;

    snprintf(header, sizeof(header), "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X",
             inode, mode, 1000, 100, links, 77, (unsigned)strlen(data), 8, 1, 4, 64,
             (unsigned)strlen(name) + 1, 0);
    put(archive, header, 110);
    put(archive, name, strlen(name) + 1);
    pad(archive, start);
    put(archive, data, strlen(data));
    pad(archive, start);
}

static struct archive make_archive(void)
{
    struct archive archive = {0};

    put_entry(&archive, ".", 040755, 1, 2, "");
    put_entry(&archive, "a", 0100644, 2, 1, "some text");
    put_entry(&archive, "abc/def", 0120777, 3, 1, "target");
    put_entry(&archive, "TRAILER!!!", 0, 0, 1, "");
    return archive;
}

/* The same bytes in an allocation of just their size. */
static uint8_t *exact(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);

    memcpy(copy, data, size);
    return copy;
}

static void test_good(void **unused)
{
    struct archive archive = make_archive();
    uint8_t *data = exact(archive.data, archive.size);
    struct cpio_reader reader;
    struct cpio_entry entry;

    cpio_open(&reader, data, archive.size);
    assert_int_equal(cpio_next(&reader, &entry), 1);
    assert_string_equal(entry.name, ".");
    assert_int_equal(entry.size, 0);
    assert_int_equal(cpio_next(&reader, &entry), 1);
    assert_string_equal(entry.name, "a");
    assert_int_equal(entry.name_length, 1);
    assert_int_equal(entry.mode, 0100644);
    assert_int_equal(entry.uid, 1000);
    assert_int_equal(entry.gid, 100);
    assert_int_equal(entry.inode, 2);
    assert_int_equal(entry.links, 1);
    assert_int_equal(entry.modify_time, 77);
    assert_int_equal(entry.device_major, 4);
    assert_int_equal(entry.device_minor, 64);
    assert_int_equal(entry.size, 9);
    assert_memory_equal(entry.data, "some text", 9);
    assert_int_equal(cpio_next(&reader, &entry), 1);
    assert_string_equal(entry.name, "abc/def");
    assert_memory_equal(entry.data, "target", 6);
    assert_int_equal(reader.archive, 0);
    assert_int_equal(cpio_next(&reader, &entry), 0);
    assert_int_equal(reader.archive, 1);
    assert_int_equal(cpio_next(&reader, &entry), 0);
    free(data);
    free(archive.data);
}

static void test_several(void **unused)
{
    struct archive archive = make_archive(), second = make_archive();
    static const uint8_t zeros[1024];
    struct cpio_reader reader;
    struct cpio_entry entry;
    int count = 0;

    put(&archive, zeros, 509);
    put(&archive, second.data, second.size);
    put(&archive, zeros, sizeof(zeros));
    cpio_open(&reader, archive.data, archive.size);
    while (cpio_next(&reader, &entry) == 1)
        count++;
    assert_int_equal(count, 6);
    assert_int_equal(reader.archive, 2);
    cpio_open(&reader, zeros, sizeof(zeros));
    assert_int_equal(cpio_next(&reader, &entry), 0);
    cpio_open(&reader, zeros, 0);
    assert_int_equal(cpio_next(&reader, &entry), 0);
    free(archive.data);
    free(second.data);
}

/* Every entry lies within the archive, whatever the bytes are; and reading it comes to an end. */
static void read_all(const uint8_t *bytes, size_t size)
{
    uint8_t *data = exact(bytes, size);
    struct cpio_reader reader;
    struct cpio_entry entry;
    int result, count = 0;

    cpio_open(&reader, data, size);
    while ((result = cpio_next(&reader, &entry)) == 1) {
        assert_true((const uint8_t *)entry.name >= data);
        assert_true((const uint8_t *)entry.name + entry.name_length < data + size);
        assert_int_equal(entry.name[entry.name_length], 0);
        assert_true(entry.data >= data && entry.data + entry.size <= data + size);
        assert_true(++count <= 100);
    }
    assert_true(result == 0 || result == -EINVAL);
    free(data);
}

static void test_every_length(void **unused)
{
    struct archive archive = make_archive();

    for (size_t size = 0; size <= archive.size; size++)
        read_all(archive.data, size);
    free(archive.data);
}

static void test_every_field_broken(void **unused)
{
    static const char *const values[] = {"FFFFFFFF", "00000000", "7FFFFFFF", "80000000",
                                         "G0000000", "        ", "0000006E", "00001001"};
    struct archive archive = make_archive();

    for (size_t at = 6; at < 110; at += 8)
        for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
            uint8_t *copy = exact(archive.data, archive.size);

            memcpy(copy + at, values[i], 8);
            read_all(copy, archive.size);
            free(copy);
        }
    free(archive.data);
}

static void test_random_damage(void **unused)
{
    struct archive archive = make_archive();

    for (unsigned round = 0; round < unit_rounds(20000); round++) {
        size_t size = archive.size - unit_random(8) * unit_random(archive.size / 8);
        uint8_t *copy = exact(archive.data, size);

        for (unsigned i = unit_random(6) + 1; i > 0; i--)
            copy[unit_random(size)] = "0123456789ABCDEFGf\0/"[unit_random(20)];
        read_all(copy, size);
        free(copy);
    }
    free(archive.data);
}

int run_cpio_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),          cmocka_unit_test(test_several),
        cmocka_unit_test(test_every_length),  cmocka_unit_test(test_every_field_broken),
        cmocka_unit_test(test_random_damage),
    };

    return cmocka_run_group_tests_name("cpio", tests, NULL, NULL);
}
