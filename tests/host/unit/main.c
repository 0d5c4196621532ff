/* The unit tests: everything in the kernel that is a pure function or data structure. */
#include "unit.h"

#include "lib/panic.h"

static uint64_t state = 1;

uint64_t unit_random(uint64_t bound)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return bound ? (state * 0x2545f4914f6cdd1dull >> 16) % bound : 0;
}

void unit_random_seed(uint64_t seed)
{
    state = seed * 0x9e3779b97f4a7c15ull | 1;
}

unsigned unit_rounds(unsigned rounds)
{
    const char *scale = getenv("KIN_SIM_SCALE");

    return scale ? (unsigned)(rounds * atof(scale)) : rounds;
}

void panic(const char *format, ...)
{
    char text[256];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    fail_msg("panic: %s", text);
    abort();
}

int main(void)
{
    static int (*const groups[])(void) = {
        run_list_tests, run_rbtree_tests, run_bitset_tests, run_printf_tests, run_cmdline_tests,
        run_elf_tests,  run_cpio_tests,   run_radix_tests,  run_string_tests,
    };
    int failed = 0;

    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
        failed += groups[i]();
    printf("unit: %d failed\n", failed);
    return failed ? 1 : 0;
}
