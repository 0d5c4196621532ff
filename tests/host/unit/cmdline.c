/* lib/cmdline.h */
#include "lib/cmdline.h"

#include "unit.h"

static void expect(const char *line, const char *name, const char *value)
{
    char buffer[16] = "untouched";

    cmdline_set(line);
    assert_string_equal(cmdline_text(), line);
    assert_int_equal(cmdline_get(name, buffer, sizeof(buffer)), value != NULL);
    assert_int_equal(cmdline_get(name, NULL, 0), value != NULL);
    assert_string_equal(buffer, value ? value : "untouched");
}

static void test_words(void **state)
{
    (void)state;
    expect("", "smp", NULL);
    expect("smp=4", "smp", "4");
    expect("a smp=4 b", "smp", "4");
    expect("smp=4 smp=2", "smp", "2");
    expect("smp", "smp", "");
    expect("smp=", "smp", "");
    expect("xsmp=4", "smp", NULL);
    expect("smpx=4", "smp", NULL);
    expect("  smp=4  ", "smp", "4");
    expect("init=/bin/sh=x", "init", "/bin/sh=x");
    expect("long=abcdefghijklmnopqrstuvwxyz", "long", "abcdefghijklmno");
}

static void test_numbers(void **state)
{
    (void)state;
    cmdline_set("a=17 b c=0 d=18446744073709551615");
    assert_int_equal(cmdline_get_number("a", 5), 17);
    assert_int_equal(cmdline_get_number("c", 5), 0);
    assert_int_equal(cmdline_get_number("none", 5), 5);
    assert_true(cmdline_get_number("d", 5) == UINT64_MAX);
}

static void test_too_long(void **state)
{
    static char line[3 * CMDLINE_SIZE];

    (void)state;
    memset(line, 'x', sizeof(line) - 1);
    cmdline_set(line);
    assert_int_equal(strlen(cmdline_text()), CMDLINE_SIZE - 1);
}

int run_cmdline_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_too_long),
    };

    return cmocka_run_group_tests_name("cmdline", tests, NULL, NULL);
}
