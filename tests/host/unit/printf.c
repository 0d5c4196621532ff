/* lib/printf.h: the host's snprintf knows what is right. */
#include "lib/printf.h"

#include "unit.h"

#pragma GCC diagnostic ignored "-Wformat"
#pragma GCC diagnostic ignored "-Wformat-extra-args"
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"

#define CHECK(...)                                                                                 \
    do {                                                                                           \
        char ours[300], theirs[300];                                                               \
        size_t our_length, their_length;                                                           \
        memset(ours, '!', sizeof(ours));                                                           \
        our_length = ksnprintf(ours, sizeof(ours), __VA_ARGS__);                                   \
        their_length = snprintf(theirs, sizeof(theirs), __VA_ARGS__);                              \
        assert_string_equal(ours, theirs);                                                         \
        assert_int_equal(our_length, their_length);                                                \
    } while (0)

static void test_plain(void **state)
{
    (void)state;
    CHECK("%s", "");
    CHECK("hello");
    CHECK("100%%");
    CHECK("%d %i %u %x %X %o", -1, 42, 42u, 0xbeefu, 0xbeefu, 8u);
    CHECK("%c%c", 'a', 'b');
    CHECK("%d %d", 0, -0);
    CHECK("%ld %lu %lld %llu", -(1l << 40), 1ul << 63, -1ll, ~0ull);
    CHECK("%zu %zd", (size_t)123456789012, (size_t)5);
    CHECK("%hd %hu %hhd %hhu", (short)-3, (unsigned short)65535, (signed char)-3,
          (unsigned char)255);
    CHECK("%d", -2147483647 - 1);
    CHECK("%lld", -9223372036854775807ll - 1);
    CHECK("%p", (void *)0x1234);
}

static void test_every_flag(void **state)
{
    static const char *const flags[] = {"",   "-",  "0",  "+",  " ",  "#",  "-0",
                                        "+0", " 0", "#0", "-#", "-+", "+ ", "-#+"};
    static const char *const widths[] = {"", "1", "5", "12"};
    static const char *const precisions[] = {"", ".", ".0", ".1", ".4", ".9"};
    static const char conversions[] = "diuxXo";
    static const int values[] = {0, 1, -1, 7, 255, -4096, 2147483647};

    (void)state;
    for (size_t f = 0; f < sizeof(flags) / sizeof(flags[0]); f++)
        for (size_t w = 0; w < sizeof(widths) / sizeof(widths[0]); w++)
            for (size_t p = 0; p < sizeof(precisions) / sizeof(precisions[0]); p++)
                for (size_t c = 0; c < sizeof(conversions) - 1; c++)
                    for (size_t v = 0; v < sizeof(values) / sizeof(values[0]); v++) {
                        char format[32];

                        snprintf(format, sizeof(format), "[%%%s%s%s%c]", flags[f], widths[w],
                                 precisions[p], conversions[c]);
                        CHECK(format, values[v]);
                    }
}

static void test_strings(void **state)
{
    static const char *const formats[] = {"[%s]",   "[%10s]",  "[%-10s]", "[%.2s]",
                                          "[%.0s]", "[%8.3s]", "[%-8.3s]"};
    char unterminated[3] = {'a', 'b', 'c'};

    (void)state;
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
        CHECK(formats[i], "kernel");
    CHECK("[%.3s]", unterminated);
    CHECK("[%*d|%-*d|%.*s]", 6, 42, 6, 42, 2, "xyz");
    CHECK("[%*d]", -6, 42);
    CHECK("[%5c|%-5c]", 'a', 'b');
}

static void test_truncation(void **state)
{
    (void)state;
    for (size_t size = 0; size < 12; size++) {
        char ours[16], theirs[16];

        memset(ours, '!', sizeof(ours));
        memset(theirs, '!', sizeof(theirs));
        assert_int_equal(ksnprintf(ours, size, "%s %d", "abcd", 1234), 9);
        assert_int_equal(snprintf(theirs, size, "%s %d", "abcd", 1234), 9);
        assert_memory_equal(ours, theirs, sizeof(ours));
    }
    assert_int_equal(ksnprintf(NULL, 0, "%d", 12345), 5);
}

int run_printf_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_every_flag),
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_truncation),
    };

    return cmocka_run_group_tests_name("printf", tests, NULL, NULL);
}
