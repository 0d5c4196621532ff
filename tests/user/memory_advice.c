/* madvise, mincore, msync, mlock. */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "memory_probe.h"

#define RW (PROT_READ | PROT_WRITE)

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ  22
#define MADV_POPULATE_WRITE 23
#endif

static char *map(size_t pages, int type)
{
    return mmap(NULL, pages * PAGE, RW, type | MAP_ANONYMOUS, -1, 0);
}

/* "101": which of the pages are in memory. */
static const char *residency(char *a, int pages)
{
    static char text[64];
    unsigned char bytes[64];

    if (mincore(a, pages * PAGE, bytes))
        return error_name(errno);
    for (int i = 0; i < pages; i++)
        text[i] = bytes[i] & 1 ? '1' : '0';
    text[pages] = 0;
    return text;
}

static void test_residency(void)
{
    char *a = map(4, MAP_PRIVATE);
    unsigned char byte;

    is_string(residency(a, 4), "0000", "nothing touched");
    a[PAGE] = 1;
    is_string(residency(a, 4), "0100", "one page written");
    (void)*(volatile char *)(a + 3 * PAGE);
    is_string(residency(a, 4), "0101", "another one read");
    is_error(mincore(a + 1, PAGE, &byte), EINVAL, "mincore not aligned");
    is_int(mincore(a, 0, &byte), 0, "mincore of nothing");
    is_error(mincore(a, PAGE, (unsigned char *)8), EFAULT, "mincore with a bad pointer");
    munmap(a + 2 * PAGE, PAGE);
    is_string(residency(a, 4), "ENOMEM", "mincore over a hole");
    munmap(a, 4 * PAGE);
    a = mmap(NULL, 4 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    is_string(residency(a, 4), "1111", "MAP_POPULATE");
    munmap(a, 4 * PAGE);
}

static void test_dropping(void)
{
    char *a = map(4, MAP_PRIVATE);
    char *shared = map(2, MAP_SHARED);

    memset(a, 'd', 4 * PAGE);
    is_int(madvise(a + PAGE, 2 * PAGE - 1, MADV_DONTNEED), 0, "MADV_DONTNEED");
    is_string(residency(a, 4), "1001", "drops whole pages");
    ok(a[0] == 'd' && a[PAGE] == 0 && a[3 * PAGE - 1] == 0 && a[3 * PAGE] == 'd',
       "which are zero then");
    shared[0] = 's';
    is_int(madvise(shared, 2 * PAGE, MADV_DONTNEED), 0, "for shared memory");
    is_int(shared[0], 's', "nothing is lost");
    munmap(a + PAGE, PAGE);
    is_error(madvise(a, 4 * PAGE, MADV_DONTNEED), ENOMEM, "over a hole");
    is_int(a[3 * PAGE], 0, "it is done on both sides all the same");
    is_int(madvise(a, PAGE, MADV_FREE), 0, "MADV_FREE");
    is_error(madvise(shared, PAGE, MADV_FREE), EINVAL, "MADV_FREE of shared memory");
    munmap(a, 4 * PAGE);
    munmap(shared, 2 * PAGE);
}

static void test_arguments(void)
{
    static const int accepted[] = {MADV_NORMAL,   MADV_RANDOM,     MADV_SEQUENTIAL,
                                   MADV_WILLNEED, MADV_DONTDUMP,   MADV_DODUMP,
                                   MADV_DOFORK,   MADV_KEEPONFORK, MADV_COLD};
    char *a = map(2, MAP_PRIVATE);

    is_error(syscall(SYS_madvise, a + 1, PAGE, MADV_NORMAL), EINVAL, "not aligned");
    is_error(syscall(SYS_madvise, a, PAGE, 9999), EINVAL, "unknown advice");
    is_error(syscall(SYS_madvise, a, PAGE, -1), EINVAL, "negative advice");
    is_error(syscall(SYS_madvise, a, -1ul, MADV_NORMAL), EINVAL, "length that wraps around");
    is_int(syscall(SYS_madvise, a, 0, MADV_DONTNEED), 0, "length 0");
    for (size_t i = 0; i < sizeof(accepted) / sizeof(accepted[0]); i++)
        is_int(madvise(a, 2 * PAGE, accepted[i]), 0, "advice %d", accepted[i]);
    munmap(a, 2 * PAGE);
    is_error(madvise(a, 2 * PAGE, MADV_NORMAL), ENOMEM, "where nothing is");
}

static void test_fork_advice(void)
{
    char *a = map(4, MAP_PRIVATE);
    int status;
    pid_t child;

    for (int i = 0; i < 4; i++)
        a[i * PAGE] = 'f';
    is_int(madvise(a + PAGE, PAGE, MADV_DONTFORK), 0, "MADV_DONTFORK");
    is_int(madvise(a + 2 * PAGE, PAGE, MADV_WIPEONFORK), 0, "MADV_WIPEONFORK");
    child = fork();
    if (child == 0)
        _exit((a[0] == 'f') + 2 * (strcmp(probe(a + PAGE, 'r'), "not mapped") == 0) +
              4 * (a[2 * PAGE] == 0) + 8 * (a[3 * PAGE] == 'f'));
    waitpid(child, &status, 0);
    is_int(status >> 8, 15, "in the child: kept, not there, wiped, kept");
    is_int(madvise(a, 4 * PAGE, MADV_DOFORK), 0, "MADV_DOFORK");
    is_int(madvise(a, 4 * PAGE, MADV_KEEPONFORK), 0, "MADV_KEEPONFORK");
    child = fork();
    if (child == 0)
        _exit(a[0] == 'f' && a[PAGE] == 'f' && a[2 * PAGE] == 'f');
    waitpid(child, &status, 0);
    is_int(status >> 8, 1, "as if nothing had been");
    munmap(a, 4 * PAGE);
    a = map(1, MAP_SHARED);
    is_error(madvise(a, PAGE, MADV_WIPEONFORK), EINVAL, "MADV_WIPEONFORK of shared memory");
    munmap(a, PAGE);
}

static void test_populate(void)
{
    char *a = map(4, MAP_PRIVATE);

    is_int(madvise(a, 2 * PAGE, MADV_POPULATE_READ), 0, "MADV_POPULATE_READ");
    is_int(madvise(a + 2 * PAGE, PAGE, MADV_POPULATE_WRITE), 0, "MADV_POPULATE_WRITE");
    is_string(residency(a, 4), "1110", "are there");
    mprotect(a, 4 * PAGE, PROT_READ);
    is_error(madvise(a, 4 * PAGE, MADV_POPULATE_WRITE), EINVAL, "for writing to read-only memory");
    munmap(a, 4 * PAGE);
}

static void test_msync(void)
{
    char *a = map(3, MAP_SHARED);

    is_int(msync(a, 3 * PAGE, MS_SYNC), 0, "MS_SYNC");
    is_int(msync(a, 3 * PAGE, MS_ASYNC | MS_INVALIDATE), 0, "MS_ASYNC | MS_INVALIDATE");
    is_int(syscall(SYS_msync, a, 3 * PAGE, 0), 0, "no flags");
    is_error(syscall(SYS_msync, a, PAGE, MS_SYNC | MS_ASYNC), EINVAL, "both ways");
    is_error(syscall(SYS_msync, a, PAGE, 8), EINVAL, "unknown flag");
    is_error(syscall(SYS_msync, a + 1, PAGE, MS_SYNC), EINVAL, "msync not aligned");
    munmap(a + PAGE, PAGE);
    is_error(syscall(SYS_msync, a, 3 * PAGE, MS_SYNC), ENOMEM, "msync over a hole");
    munmap(a, 3 * PAGE);
}

static void try_locks(const char *who, rlim_t limit)
{
    struct rlimit limits = {limit, limit};
    char *a = map(4, MAP_PRIVATE);

    setrlimit(RLIMIT_MEMLOCK, &limits);
    ok(true, "%s, %lu bytes: %s", who, (unsigned long)limit,
       error_name(mlock(a, 2 * PAGE) ? errno : 0));
    ok(true, "one page: %s", error_name(mlock(a + 10, 10) ? errno : 0));
    ok(true, "nothing: %s", error_name(mlock(a, 0) ? errno : 0));
    munlock(a, 4 * PAGE);
    ok(true, "all that is mapped: %s", error_name(mlockall(MCL_CURRENT) ? errno : 0));
    munlockall();
    ok(true, "what will be mapped: %s", error_name(mlockall(MCL_FUTURE) ? errno : 0));
    munlockall();
    munmap(a, 4 * PAGE);
}

/* RLIMIT_MEMLOCK binds all but root. */
static void test_lock_limit(void)
{
    pid_t child = fork();

    if (child == 0) {
        try_locks("root", PAGE);
        if (setuid(65534))
            tap_bail_out("setuid");
        try_locks("nobody", PAGE);
        try_locks("nobody", 0);
        _exit(tap_failed);
    }
    int status = -1;

    waitpid(child, &status, 0);
    is_int(status, 0, "the process with limits");
}

static void test_locks(void)
{
    char *a = map(4, MAP_PRIVATE);

    is_int(mlock(a + 10, 2 * PAGE), 0, "mlock");
    is_string(residency(a, 4), "1110", "brings the pages in");
    is_int(munlock(a, 4 * PAGE), 0, "munlock");
    is_int(mlock(a, 0), 0, "mlock of nothing");
    munmap(a + PAGE, PAGE);
    is_error(mlock(a, 3 * PAGE), ENOMEM, "mlock over a hole");
    is_error(munlock(a, 3 * PAGE), ENOMEM, "munlock over a hole");
    is_error(syscall(SYS_mlock2, a, PAGE, 8), EINVAL, "mlock2 with an unknown flag");
    is_int(syscall(SYS_mlock2, a, PAGE, 1), 0, "mlock2 on fault");
    is_error(syscall(SYS_mlockall, 0), EINVAL, "mlockall of nothing");
    is_error(syscall(SYS_mlockall, 8), EINVAL, "mlockall with an unknown flag");
    is_error(syscall(SYS_mlockall, 4), EINVAL, "mlockall on fault, of nothing");
    is_int(munlockall(), 0, "munlockall");
    munmap(a, 4 * PAGE);
}

int main(void)
{
    test_residency();
    test_dropping();
    test_arguments();
    test_fork_advice();
    test_populate();
    test_msync();
    test_locks();
    test_lock_limit();
    return tap_done();
}
