/* brk: growing, shrinking, what stands in the way. */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "memory_probe.h"

static char *set_brk(char *end)
{
    return (char *)syscall(SYS_brk, end);
}

static void test_moves(void)
{
    char *start = set_brk(NULL);
    char *base = (char *)(((uintptr_t)start + PAGE - 1) & -PAGE);

    ok(set_brk(base + 10 * PAGE) == base + 10 * PAGE, "grows");
    memset(base, 'b', 10 * PAGE);
    ok(set_brk(base + 10 * PAGE - 1) == base + 10 * PAGE - 1, "shrinks by a byte");
    is_string(probe(base + 10 * PAGE - 1, 'r'), "fine", "which takes no page away");
    ok(set_brk(base + 5 * PAGE + 1) == base + 5 * PAGE + 1, "shrinks");
    is_string(probe(base + 6 * PAGE - 1, 'r'), "fine", "the last page is whole");
    is_string(probe(base + 6 * PAGE, 'r'), "not mapped", "what is above is gone");
    ok(set_brk(base + 10 * PAGE) == base + 10 * PAGE, "grows again");
    ok(base[5 * PAGE + 1] == 'b' && base[6 * PAGE] == 0, "with zeroes in new pages");
    ok(set_brk((char *)PAGE) == base + 10 * PAGE, "below its start nothing happens");
    ok(set_brk((char *)-PAGE) == base + 10 * PAGE, "nor in the kernel's half");
    is_string(probe(base, 'x'), "no permission", "is not executable");
    ok(set_brk(start) == start, "goes back to where it was");
}

static void test_obstacle(void)
{
    char *start = set_brk(NULL);
    char *base = (char *)(((uintptr_t)start + PAGE - 1) & -PAGE);
    char *obstacle =
        mmap(base + 4 * PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

    ok(obstacle == base + 4 * PAGE, "a mapping in the way");
    ok(set_brk(base + 8 * PAGE) == start, "stops brk");
    is_string(probe(base, 'r'), "not mapped", "which does nothing then");
    ok(set_brk(base + 4 * PAGE) == start, "a page before it, too");
    ok(set_brk(base + 3 * PAGE) == base + 3 * PAGE, "up to there, there is room");
    munmap(obstacle, PAGE);
    ok(set_brk(base + 8 * PAGE) == base + 8 * PAGE, "without it, more");
    set_brk(start);
}

static void test_limit(void)
{
    struct rlimit limit;
    int status;
    pid_t child = fork();

    if (child == 0) {
        char *start = set_brk(NULL);

        getrlimit(RLIMIT_DATA, &limit);
        limit.rlim_cur = 1 << 20;
        setrlimit(RLIMIT_DATA, &limit);
        _exit((set_brk(start + (2 << 20)) == start) * 2 +
              (mmap(NULL, 2 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
               MAP_FAILED) *
                  4 +
              (mmap(NULL, 2 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED) *
                  8);
    }
    waitpid(child, &status, 0);
    is_int(status >> 8, 14, "RLIMIT_DATA stops brk and writable memory, nothing else");
    child = fork();
    if (child == 0) {
        getrlimit(RLIMIT_AS, &limit);
        limit.rlim_cur = 64 << 20;
        setrlimit(RLIMIT_AS, &limit);
        _exit((mmap(NULL, 65 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED &&
               errno == ENOMEM) *
                  2 +
              (mmap(NULL, 1 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED) *
                  4);
    }
    waitpid(child, &status, 0);
    is_int(status >> 8, 6, "RLIMIT_AS stops every mapping");
}

static void test_fork(void)
{
    char *start = set_brk(NULL);
    char *base = (char *)(((uintptr_t)start + PAGE - 1) & -PAGE);
    int status;
    pid_t child;

    set_brk(base + PAGE);
    base[0] = 'p';
    child = fork();
    if (child == 0) {
        bool inherited = set_brk(NULL) == base + PAGE && base[0] == 'p';

        set_brk(base);
        _exit(inherited);
    }
    waitpid(child, &status, 0);
    is_int(status >> 8, 1, "a child inherits the heap");
    is_int(base[0], 'p', "and gives up its own only");
    set_brk(start);
}

int main(void)
{
    test_moves();
    test_obstacle();
    test_limit();
    test_fork();
    return tap_done();
}
