/* mremap: every flag, every error, and where the contents go. */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <sys/syscall.h>

#include "memory_probe.h"

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif
#define RW (PROT_READ | PROT_WRITE)

/* `pages` pages at a place with room around it, each filled with its number. */
static char *make(int pages, int flags)
{
    static uintptr_t next = 0x200000000000;
    char *a = mmap((void *)next, pages * PAGE, RW, flags | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

    next += 1ul << 30;
    for (int i = 0; i < pages; i++)
        memset(a + i * PAGE, i + 1, PAGE);
    return a;
}

static int count_good(const char *a, int first, int pages)
{
    int good = 0;

    for (int i = 0; i < pages; i++)
        good += a[i * PAGE] == first + i && a[i * PAGE + PAGE - 1] == first + i;
    return good;
}

static long remap(void *a, unsigned long from, unsigned long to, int flags, void *new_address)
{
    return syscall(SYS_mremap, a, from, to, flags, new_address);
}

static void test_errors(void)
{
    char *a = make(4, MAP_PRIVATE);
    char *b = make(4, MAP_PRIVATE);

    is_error(remap(a + 1, PAGE, PAGE, 0, 0), EINVAL, "not aligned");
    is_error(remap(a, PAGE, 0, 0, 0), EINVAL, "new length 0");
    is_error(remap(a, PAGE, PAGE, 64, 0), EINVAL, "unknown flag");
    is_error(remap(a, PAGE, PAGE, MREMAP_FIXED, b), EINVAL, "fixed without may-move");
    is_error(remap(a, PAGE, PAGE, MREMAP_FIXED | MREMAP_MAYMOVE, b + 1), EINVAL,
             "fixed, not aligned");
    is_error(remap(a, PAGE, PAGE, MREMAP_FIXED | MREMAP_MAYMOVE, (void *)-PAGE), EINVAL,
             "fixed, in the kernel's half");
    is_error(remap(a, 2 * PAGE, 2 * PAGE, MREMAP_FIXED | MREMAP_MAYMOVE, a + PAGE), EINVAL,
             "fixed, over itself");
    is_error(remap(a, 2 * PAGE, PAGE, MREMAP_DONTUNMAP | MREMAP_MAYMOVE, 0), EINVAL,
             "keeping the old one, with another size");
    is_error(remap(a, PAGE, PAGE, MREMAP_DONTUNMAP, 0), EINVAL, "keeping without may-move");
    is_error(remap(a, 0, PAGE, MREMAP_MAYMOVE, 0), EINVAL, "a second mapping of private memory");
    is_error(remap(a, 5 * PAGE, 6 * PAGE, MREMAP_MAYMOVE, 0), EFAULT, "growing more than there is");
    is_error(remap(a + (1 << 20), PAGE, 2 * PAGE, MREMAP_MAYMOVE, 0), EFAULT, "where nothing is");
    is_error(remap(a, PAGE, 2 * PAGE, 0, 0), ENOMEM, "growing in the middle");
    is_error(remap(a, 4 * PAGE, 1ul << 46, MREMAP_MAYMOVE, 0), ENOMEM, "growing beyond all memory");
    is_int(count_good(a, 1, 4), 4, "after all this nothing has changed");
    mprotect(a + 2 * PAGE, PAGE, PROT_READ);
    is_error(remap(a, 4 * PAGE, 5 * PAGE, MREMAP_MAYMOVE, 0), EFAULT, "two mappings at once");
    munmap(a, 4 * PAGE);
    munmap(b, 4 * PAGE);
}

static void test_in_place(void)
{
    char *a = make(4, MAP_PRIVATE);

    ok(remap(a, 4 * PAGE, 4 * PAGE, 0, 0) == (long)a, "the same size");
    ok(remap(a, 4 * PAGE, 2 * PAGE, 0, 0) == (long)a, "shrinks");
    is_string(probe(a + 2 * PAGE, 'r'), "not mapped", "what it gave up is gone");
    ok(remap(a, 2 * PAGE, 6 * PAGE, 0, 0) == (long)a, "grows where there is room");
    is_int(count_good(a, 1, 2), 2, "keeps its contents");
    is_int(a[2 * PAGE] + a[5 * PAGE], 0, "with zeroes behind");
    is_string(probe(a + 5 * PAGE, 'w'), "fine", "may be written");
    munmap(a, 6 * PAGE);
}

static void test_moves(void)
{
    char *a = make(6, MAP_PRIVATE);
    char *b = make(1, MAP_PRIVATE);
    char *c;

    mmap(a + 6 * PAGE, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    c = (char *)remap(a + PAGE, 3 * PAGE, 700 * PAGE, MREMAP_MAYMOVE, 0);
    ok(c != MAP_FAILED && c != a + PAGE, "moves from the middle");
    is_int(count_good(c, 2, 3), 3, "with its contents");
    is_int(c[3 * PAGE] + c[699 * PAGE], 0, "zeroes behind");
    is_string(probe(a + PAGE, 'r'), "not mapped", "the old place is empty");
    is_int(count_good(a, 1, 1) + count_good(a + 4 * PAGE, 5, 2), 3, "its neighbours stay");
    ok(remap(c, 700 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, b) == (long)b,
       "moves to a fixed place, and shrinks");
    is_int(count_good(b, 2, 2), 2, "with the contents, instead of what was there");
    is_string(probe(c + 2 * PAGE, 'r'), "not mapped", "the rest is gone");
    ok(remap(b, PAGE, 3 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, a + (1 << 20)) ==
           (long)a + (1 << 20),
       "moves to a fixed place, and grows");
    is_int(count_good(a + (1 << 20), 2, 1) + a[(1 << 20) + 2 * PAGE], 1, "contents and zeroes");
    munmap(a, 2 << 20);
    munmap(b, PAGE * 2);
}

static void test_keeping(void)
{
    char *a = make(3, MAP_PRIVATE);
    char *b = (char *)remap(a, 3 * PAGE, 3 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0);

    ok(b != MAP_FAILED && b != a, "MREMAP_DONTUNMAP moves");
    is_int(count_good(b, 1, 3), 3, "the contents");
    is_int(a[0] + a[2 * PAGE], 0, "and leaves zeroes");
    munmap(a, 3 * PAGE);
    munmap(b, 3 * PAGE);
}

static void test_shared(void)
{
    char *a = make(3, MAP_SHARED);
    char *b = (char *)remap(a, 0, 3 * PAGE, MREMAP_MAYMOVE, 0);

    ok(b != MAP_FAILED && b != a, "length 0: shared memory gets a second place");
    is_int(count_good(b, 1, 3), 3, "with the same contents");
    a[PAGE] = 99;
    is_int(b[PAGE], 99, "at any time");
    munmap(a, 3 * PAGE);
    is_int(b[PAGE], 99, "and outlives the first");
    a = (char *)remap(b, 3 * PAGE, 5 * PAGE, MREMAP_MAYMOVE, 0);
    is_string(probe(a + 2 * PAGE, 'w'), "fine", "it can be made longer");
    is_string(probe(a + 4 * PAGE, 'r'), "SIGBUS", "but there is nothing behind its end");
    munmap(a, 5 * PAGE);
}

int main(void)
{
    test_errors();
    test_in_place();
    test_moves();
    test_keeping();
    test_shared();
    return tap_done();
}
