/* mmap and munmap: arguments, placement, replacement, holes. */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <sys/syscall.h>

#include "memory_probe.h"

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

#define ANONYMOUS (MAP_PRIVATE | MAP_ANONYMOUS)

/* An address far from everything. */
static char *const far_away = (char *)0x100000000000;

static long raw_map(unsigned long address, unsigned long length, long protection, long flags,
                    long descriptor, unsigned long offset)
{
    return syscall(SYS_mmap, address, length, protection, flags, descriptor, offset);
}

static void test_arguments(void)
{
    is_error(raw_map(0, 0, PROT_READ, ANONYMOUS, -1, 0), EINVAL, "length 0");
    is_error(raw_map(0, PAGE, PROT_READ, MAP_ANONYMOUS, -1, 0), EINVAL,
             "neither shared nor private");
    is_error(raw_map(0, PAGE, PROT_READ, MAP_ANONYMOUS | MAP_SHARED_VALIDATE, -1, 0), EINVAL,
             "MAP_SHARED_VALIDATE without a file");
    is_error(raw_map(0, PAGE, PROT_READ, ANONYMOUS, -1, 100), EINVAL, "offset inside a page");
    is_error(raw_map(0, -1ul, PROT_READ, ANONYMOUS, -1, 0), ENOMEM, "length that wraps around");
    is_error(raw_map(0, 1ul << 47, PROT_READ, ANONYMOUS, -1, 0), ENOMEM, "all of the space");
    is_error(raw_map(0, 1ul << 46, PROT_READ | PROT_WRITE, ANONYMOUS, -1, 0), ENOMEM,
             "more than there is memory");
    is_error(raw_map(0, PAGE, PROT_READ, MAP_PRIVATE, -1, 0), EBADF, "no such descriptor");
    is_error(raw_map(0x100001, PAGE, PROT_READ, ANONYMOUS | MAP_FIXED, -1, 0), EINVAL,
             "fixed, not aligned");
    is_error(raw_map(-4096ul, PAGE, PROT_READ, ANONYMOUS | MAP_FIXED, -1, 0), ENOMEM,
             "fixed, in the kernel's half");
    is_error(raw_map(0x7ffffffff000, PAGE, PROT_READ, ANONYMOUS | MAP_FIXED, -1, 0), ENOMEM,
             "fixed, at the very end");
    is_error(syscall(SYS_munmap, far_away + 1, PAGE), EINVAL, "munmap not aligned");
    is_error(syscall(SYS_munmap, far_away, 0), EINVAL, "munmap of nothing");
    is_error(syscall(SYS_munmap, far_away, -1ul), EINVAL, "munmap that wraps around");
    is_error(syscall(SYS_munmap, -4096ul, PAGE), EINVAL, "munmap in the kernel's half");
    is_int(syscall(SYS_munmap, far_away, PAGE), 0, "munmap where nothing is");
}

static void test_protections(void)
{
    static const struct {
        int protection;
        const char *expected;
    } table[] = {
        {PROT_NONE, "r- w- x-"},
        {PROT_READ, "r+ w- x-"},
        {PROT_WRITE, "r+ w+ x-"},
        {PROT_READ | PROT_WRITE, "r+ w+ x-"},
        {PROT_READ | PROT_EXEC, "r+ w- x+"},
        {PROT_EXEC, "r+ w- x+"},
        {PROT_READ | PROT_WRITE | PROT_EXEC, "r+ w+ x+"},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        unsigned char *page =
            mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        page[0] = 0xc3;
        mprotect(page, PAGE, table[i].protection);
        is_string(probe_all(page), table[i].expected, "protection %d", table[i].protection);
        munmap(page, PAGE);
    }
}

static void test_placement(void)
{
    char *a = mmap(far_away, 4 * PAGE, PROT_READ | PROT_WRITE, ANONYMOUS, -1, 0);
    char *b;

    ok(a == far_away, "a hint is followed where nothing is");
    b = mmap(far_away, PAGE, PROT_READ, ANONYMOUS, -1, 0);
    ok(b != MAP_FAILED && (b + PAGE <= a || b >= a + 4 * PAGE), "and not where something is");
    munmap(b, PAGE);
    is_error(raw_map((long)a, PAGE, PROT_READ, ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0), EEXIST,
             "MAP_FIXED_NOREPLACE does not replace");
    ok(mmap(a + 4 * PAGE, PAGE, PROT_READ, ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == a + 4 * PAGE,
       "but maps beside");
    munmap(a + 4 * PAGE, PAGE);
    memset(a, 'a', 4 * PAGE);
    ok(mmap(a + PAGE, PAGE, PROT_READ, ANONYMOUS | MAP_FIXED, -1, 0) == a + PAGE,
       "MAP_FIXED replaces");
    ok(a[0] == 'a' && a[PAGE] == 0 && a[2 * PAGE] == 'a', "just what it covers");
    is_string(probe(a + PAGE, 'w'), "no permission", "with its own protection");
    munmap(a, 4 * PAGE);
    a = mmap(NULL, 100, PROT_READ | PROT_WRITE, ANONYMOUS, -1, 0);
    ok(a != MAP_FAILED && a[PAGE - 1] == 0, "part of a page is a page");
    munmap(a, 1);
    is_string(probe(a, 'r'), "not mapped", "munmap of part of a page, too");
    a = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, ANONYMOUS | 0x40, -1, 0);
    ok(a != MAP_FAILED && (uintptr_t)a < 1ul << 31, "MAP_32BIT");
    munmap(a, PAGE);
}

/* Every third page of ten goes; then all of it, over the holes. */
static void test_holes(void)
{
    char *a = mmap(NULL, 10 * PAGE, PROT_READ | PROT_WRITE, ANONYMOUS, -1, 0);
    int good = 0;

    memset(a, 'h', 10 * PAGE);
    for (int i = 1; i < 10; i += 3)
        munmap(a + i * PAGE, PAGE);
    for (int i = 0; i < 10; i++)
        good += strcmp(probe(a + i * PAGE, 'r'), i % 3 == 1 ? "not mapped" : "fine") == 0;
    is_int(good, 10, "holes are where they were made");
    is_int(munmap(a, 10 * PAGE), 0, "unmapping over holes");
    is_string(probe(a + 9 * PAGE, 'r'), "not mapped", "and nothing is left");
    a = mmap(a, 10 * PAGE, PROT_READ | PROT_WRITE, ANONYMOUS | MAP_FIXED, -1, 0);
    good = 0;
    for (int i = 0; i < 10; i++)
        good += a[i * PAGE] == 0;
    is_int(good, 10, "new pages are zero");
    munmap(a, 10 * PAGE);
}

static void test_flags(void)
{
    static const struct {
        int flags;
        const char *name;
    } table[] = {
        {MAP_POPULATE, "MAP_POPULATE"},     {MAP_NORESERVE, "MAP_NORESERVE"},
        {MAP_STACK, "MAP_STACK"},           {MAP_DENYWRITE, "MAP_DENYWRITE"},
        {MAP_EXECUTABLE, "MAP_EXECUTABLE"}, {MAP_NONBLOCK, "MAP_NONBLOCK"},
    };
    char *a;

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        a = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, ANONYMOUS | table[i].flags, -1, 0);
        ok(a != MAP_FAILED && a[2 * PAGE] == 0 && (a[0] = 1), "%s", table[i].name);
        munmap(a, 3 * PAGE);
    }
    a = mmap(NULL, 1ul << 40, PROT_READ | PROT_WRITE, ANONYMOUS | MAP_NORESERVE, -1, 0);
    ok(a != MAP_FAILED && a[1ul << 39] == 0 && (a[(1ul << 40) - 1] = 1),
       "a terabyte with MAP_NORESERVE, hardly touched");
    is_int(munmap(a, 1ul << 40), 0, "and away");
    a = mmap(NULL, 1ul << 40, PROT_NONE, ANONYMOUS, -1, 0);
    ok(a != MAP_FAILED, "a terabyte of PROT_NONE");
    munmap(a, 1ul << 40);
}

/* Many regions that cannot merge, made and unmade in an order of their own. */
static void test_many(void)
{
    enum { COUNT = 2000 };
    char *a = mmap(NULL, 2 * COUNT * PAGE, PROT_NONE, ANONYMOUS, -1, 0);
    int made = 0, good = 0;

    for (int i = 0; i < COUNT; i++) {
        char *page = a + 2 * (i * 701 % COUNT) * PAGE;

        made += mprotect(page, PAGE, PROT_READ | PROT_WRITE) == 0;
        *(int *)page = i;
    }
    is_int(made, COUNT, "2000 islands");
    for (int i = 0; i < COUNT; i++)
        good += *(int *)(a + 2 * (i * 701 % COUNT) * PAGE) == i;
    is_int(good, COUNT, "each with its own contents");
    for (int i = 0; i < COUNT; i++)
        munmap(a + 2 * (i * 1301 % COUNT) * PAGE, 2 * PAGE);
    is_string(probe(a, 'r'), "not mapped", "and gone");
}

int main(void)
{
    test_arguments();
    test_protections();
    test_placement();
    test_holes();
    test_flags();
    test_many();
    return tap_done();
}
