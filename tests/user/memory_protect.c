/* mprotect: arguments, parts of mappings, what is kept. */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "memory_probe.h"

#define RW (PROT_READ | PROT_WRITE)

static char *map(size_t pages, int protection)
{
    return mmap(NULL, pages * PAGE, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void test_arguments(void)
{
    char *a = map(3, RW);

    is_error(syscall(SYS_mprotect, a + 1, PAGE, PROT_READ), EINVAL, "not aligned");
    is_int(syscall(SYS_mprotect, a, 0, PROT_READ), 0, "length 0");
    is_error(syscall(SYS_mprotect, a, PAGE, 0x100), EINVAL, "unknown protection");
    is_error(syscall(SYS_mprotect, a, PAGE, 0x3000000 | PROT_READ), EINVAL, "growing both ways");
    is_error(syscall(SYS_mprotect, a, -1ul, PROT_READ), ENOMEM, "length that wraps around");
    munmap(a + PAGE, PAGE);
    is_error(mprotect(a, 3 * PAGE, PROT_READ), ENOMEM, "over a hole");
    is_string(probe(a, 'w'), "no permission", "what is before the hole is changed");
    is_string(probe(a + 2 * PAGE, 'w'), "fine", "what is behind it is not");
    is_error(mprotect(a + PAGE, PAGE, PROT_READ), ENOMEM, "where nothing is");
    munmap(a, 3 * PAGE);
}

/* Each page of five in turn, and all back. */
static void test_parts(void)
{
    char *a = map(5, RW);
    int good = 0;

    for (int i = 0; i < 5; i++)
        a[i * PAGE] = 'p' + i;
    for (int i = 0; i < 5; i++) {
        mprotect(a + i * PAGE, PAGE, PROT_READ);
        for (int j = 0; j < 5; j++)
            good += strcmp(probe(a + j * PAGE, 'w'), i == j ? "no permission" : "fine") == 0;
        mprotect(a + i * PAGE, PAGE, RW);
    }
    is_int(good, 25, "one page of five read-only");
    mprotect(a + PAGE, 3 * PAGE, PROT_NONE);
    is_string(probe(a, 'r'), "fine", "before PROT_NONE");
    is_string(probe(a + 2 * PAGE, 'r'), "no permission", "in PROT_NONE");
    is_string(probe(a + 4 * PAGE, 'r'), "fine", "behind PROT_NONE");
    mprotect(a, 5 * PAGE, RW);
    good = 0;
    for (int i = 0; i < 5; i++)
        good += a[i * PAGE] == 'p' + i;
    is_int(good, 5, "the contents survive PROT_NONE");
    munmap(a, 5 * PAGE);
}

static void test_execution(void)
{
    unsigned char *a = (unsigned char *)map(1, RW);

    a[0] = 0xc3;
    is_string(probe(a, 'x'), "no permission", "data is not code");
    mprotect(a, PAGE, PROT_READ | PROT_EXEC);
    is_string(probe(a, 'x'), "fine", "until it is made so");
    is_string(probe(a, 'w'), "no permission", "then it is not data");
    mprotect(a, PAGE, RW);
    is_string(probe(a, 'x'), "no permission", "and back");
    is_string(probe((void *)(uintptr_t)probe_all, 'w'), "no permission", "the program's code");
    munmap(a, PAGE);
}

/* What fork shares stays apart, whatever mprotect says meanwhile. */
static void test_fork(void)
{
    char *a = map(1, RW);
    int status;
    pid_t child;

    a[0] = 'o';
    child = fork();
    if (child == 0) {
        mprotect(a, PAGE, PROT_READ);
        mprotect(a, PAGE, RW);
        a[0] = 'c';
        _exit(a[0]);
    }
    waitpid(child, &status, 0);
    is_int(WEXITSTATUS(status), 'c', "a child writes after mprotect");
    is_int(a[0], 'o', "to its own copy");
    mprotect(a, PAGE, PROT_NONE);
    child = fork();
    if (child == 0) {
        mprotect(a, PAGE, RW);
        _exit(a[0]++);
    }
    waitpid(child, &status, 0);
    is_int(WEXITSTATUS(status), 'o', "contents under PROT_NONE are inherited");
    mprotect(a, PAGE, PROT_READ);
    is_int(a[0], 'o', "and stay the parent's");
    munmap(a, PAGE);
}

/* The kernel's own accesses obey as well. */
static void test_calls(void)
{
    char *a = map(2, RW);
    int ends[2];

    if (pipe(ends))
        tap_bail_out("pipe");
    mprotect(a + PAGE, PAGE, PROT_READ);
    is_int(write(ends[1], a + PAGE, 10), 10, "write from read-only memory");
    is_error(read(ends[0], a + PAGE, 10), EFAULT, "read into read-only memory");
    is_int(read(ends[0], a, 10), 10, "read into untouched memory");
    mprotect(a, PAGE, PROT_NONE);
    is_error(write(ends[1], a, 10), EFAULT, "write from PROT_NONE");
    munmap(a, 2 * PAGE);
    is_error(write(ends[1], a, 10), EFAULT, "write from nowhere");
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    test_arguments();
    test_parts();
    test_execution();
    test_fork();
    test_calls();
    return tap_done();
}
