/* The kernel's memory and string functions give what the C library's give, for every small size and
 * overlap. */
#include "unit.h"

void *kernel_memcpy(void *destination, const void *source, size_t size);
void *kernel_memmove(void *destination, const void *source, size_t size);
void *kernel_memset(void *destination, int byte, size_t size);
int kernel_memcmp(const void *left, const void *right, size_t size);
void *kernel_memchr(const void *memory, int byte, size_t size);
size_t kernel_strlen(const char *string);
size_t kernel_strnlen(const char *string, size_t limit);
int kernel_strcmp(const char *left, const char *right);
int kernel_strncmp(const char *left, const char *right, size_t limit);
char *kernel_strchr(const char *string, int byte);
char *kernel_strrchr(const char *string, int byte);

#define SIZE_MAX_TRIED 300
#define AREA           (2 * SIZE_MAX_TRIED)

static void fill(unsigned char *memory, size_t size)
{
    for (size_t i = 0; i < size; i++)
        memory[i] = (unsigned char)unit_random(256);
}

static int sign(int value)
{
    return (value > 0) - (value < 0);
}

static void test_copy_and_set(void **unused)
{
    for (size_t size = 0; size <= SIZE_MAX_TRIED; size++) {
        /* Blocks of just that size, so that the sanitizer sees an access beside them. */
        unsigned char *from = malloc(size), *to = malloc(size);

        fill(from, size);
        assert_ptr_equal(kernel_memcpy(to, from, size), to);
        assert_memory_equal(to, from, size);
        assert_ptr_equal(kernel_memset(to, 0x1a5, size), to);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(to[i], 0xa5);
        free(from);
        free(to);
    }
}

static void test_overlapping_move(void **unused)
{
    unsigned char start[AREA], expected[AREA], got[AREA];

    fill(start, AREA);
    for (unsigned round = 0; round < unit_rounds(20000); round++) {
        size_t size = unit_random(SIZE_MAX_TRIED);
        size_t from = unit_random(AREA - size), to = unit_random(AREA - size);

        memcpy(expected, start, AREA);
        memcpy(got, start, AREA);
        memmove(expected + to, expected + from, size);
        assert_ptr_equal(kernel_memmove(got + to, got + from, size), got + to);
        assert_memory_equal(got, expected, AREA);
    }
}

static void test_compare_and_find(void **unused)
{
    for (unsigned round = 0; round < unit_rounds(20000); round++) {
        size_t size = unit_random(40);
        unsigned char *left = malloc(size + 1), *right = malloc(size + 1);
        int byte = (int)unit_random(256);

        fill(left, size);
        memcpy(right, left, size);
        if (size && unit_random(2))
            right[unit_random(size)] ^= (unsigned char)(1 << unit_random(8));
        assert_int_equal(sign(kernel_memcmp(left, right, size)), sign(memcmp(left, right, size)));
        assert_ptr_equal(kernel_memchr(left, byte, size), memchr(left, byte, size));
        free(left);
        free(right);
    }
}

/* Of few letters, so that prefixes and repetitions are common. */
static void make_string(char *string, size_t length)
{
    for (size_t i = 0; i < length; i++)
        string[i] = "ab\xff"[unit_random(3)];
    string[length] = '\0';
}

static void test_strings(void **unused)
{
    for (unsigned round = 0; round < unit_rounds(20000); round++) {
        char left[8], right[8];
        size_t limit = unit_random(10);
        int byte = "ab\xff\0c"[unit_random(5)];

        make_string(left, unit_random(7));
        make_string(right, unit_random(7));
        assert_int_equal(kernel_strlen(left), strlen(left));
        assert_int_equal(kernel_strnlen(left, limit), strnlen(left, limit));
        assert_int_equal(sign(kernel_strcmp(left, right)), sign(strcmp(left, right)));
        assert_int_equal(sign(kernel_strncmp(left, right, limit)),
                         sign(strncmp(left, right, limit)));
        assert_ptr_equal(kernel_strchr(left, byte), strchr(left, byte));
        assert_ptr_equal(kernel_strrchr(left, byte), strrchr(left, byte));
    }
}

int run_string_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_copy_and_set),
        cmocka_unit_test(test_overlapping_move),
        cmocka_unit_test(test_compare_and_find),
        cmocka_unit_test(test_strings),
    };

    return cmocka_run_group_tests_name("string", tests, NULL, NULL);
}
