/* Mappings of files: private and shared, what they see, ends of files, permissions. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "memory_probe.h"

#define RW        (PROT_READ | PROT_WRITE)
#define FILE_NAME "/tmp/memory_file.test"

/* A file of `size` bytes, each its page's number + 'A'; open for both. */
static int make_file(size_t size)
{
    int file = open(FILE_NAME, O_RDWR | O_CREAT | O_TRUNC, 0600);

    for (size_t i = 0; i < size; i += PAGE) {
        char page[PAGE];

        memset(page, 'A' + (int)(i / PAGE), PAGE);
        if (write(file, page, size - i < PAGE ? size - i : PAGE) < 0)
            tap_bail_out("write");
    }
    return file;
}

static int byte_in_file(int file, off_t offset)
{
    unsigned char byte;

    return pread(file, &byte, 1, offset) == 1 ? byte : -1;
}

static void test_contents(void)
{
    int file = make_file(40 * PAGE + 100);
    char *private = mmap(NULL, 42 * PAGE, RW, MAP_PRIVATE, file, 0);
    char *shared = mmap(NULL, 42 * PAGE, RW, MAP_SHARED, file, 0);
    char *part = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, file, 7 * PAGE);
    int good = 0;

    for (int i = 0; i < 40; i++)
        good += private[i * PAGE + i] == 'A' + i && shared[i * PAGE + i] == 'A' + i;
    is_int(good, 40, "both kinds show the file");
    is_int(part[0], 'H', "from an offset");
    ok(shared[40 * PAGE + 99] == 'A' + 40 && shared[40 * PAGE + 100] == 0, "zeroes behind the end");
    is_string(probe(shared + 41 * PAGE, 'r'), "SIGBUS", "but no pages");
    is_string(probe(private + 41 * PAGE, 'w'), "SIGBUS", "for either kind");
    private[7 * PAGE] = '1';
    is_int(byte_in_file(file, 7 * PAGE), 'H', "private writing stays private");
    shared[7 * PAGE] = '2';
    is_int(byte_in_file(file, 7 * PAGE), '2', "shared writing is the file's");
    is_int(part[0], '2', "and seen by other mappings");
    is_int(private[7 * PAGE], '1', "not by a page that was copied");
    if (pwrite(file, "3", 1, 8 * PAGE) != 1)
        tap_bail_out("pwrite");
    is_int(shared[8 * PAGE], '3', "write(2) is seen in shared mappings");
    if (ftruncate(file, 42 * PAGE))
        tap_bail_out("ftruncate");
    is_string(probe(shared + 41 * PAGE, 'w'), "fine", "a file that grew");
    close(file);
    is_int(shared[9 * PAGE], 'J', "the mapping outlives the descriptor");
    unlink(FILE_NAME);
    is_int(shared[10 * PAGE], 'K', "and the name");
    munmap(private, 42 * PAGE);
    munmap(shared, 42 * PAGE);
    munmap(part, PAGE);
}

static void test_permissions(void)
{
    static const struct {
        int open_flags, protection, map_flags, expected;
    } table[] = {
        {O_RDONLY, PROT_READ, MAP_PRIVATE, 0},
        {O_RDONLY, RW, MAP_PRIVATE, 0},
        {O_RDONLY, PROT_READ, MAP_SHARED, 0},
        {O_RDONLY, RW, MAP_SHARED, EACCES},
        {O_RDONLY, PROT_WRITE, MAP_SHARED, EACCES},
        {O_WRONLY, PROT_READ, MAP_PRIVATE, EACCES},
        {O_WRONLY, PROT_WRITE, MAP_SHARED, EACCES},
        {O_WRONLY, PROT_NONE, MAP_PRIVATE, EACCES},
        {O_RDWR, RW, MAP_SHARED, 0},
        {O_RDWR, RW, MAP_PRIVATE, 0},
        {O_PATH, PROT_READ, MAP_PRIVATE, EBADF},
    };

    close(make_file(2 * PAGE));
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        int file = open(FILE_NAME, table[i].open_flags);
        char *a = mmap(NULL, PAGE, table[i].protection, table[i].map_flags, file, 0);

        is_string(error_name(a == MAP_FAILED ? errno : 0), error_name(table[i].expected),
                  "open flags %#o, protection %d, map flags %d", (unsigned)table[i].open_flags,
                  table[i].protection, table[i].map_flags);
        if (a != MAP_FAILED)
            munmap(a, PAGE);
        close(file);
    }
    unlink(FILE_NAME);
}

static void test_later_permissions(void)
{
    int file = make_file(PAGE);
    int reader = open(FILE_NAME, O_RDONLY);
    char *a = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, reader, 0);
    char *b = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, reader, 0);

    is_error(mprotect(a, PAGE, RW), EACCES, "a shared mapping of what is open for reading");
    is_int(mprotect(b, PAGE, RW), 0, "a private one may be made writable");
    b[0] = 'z';
    is_int(a[0], 'A', "which is its own affair");
    munmap(a, PAGE);
    munmap(b, PAGE);
    close(reader);
    close(file);
    unlink(FILE_NAME);
}

static void test_errors(void)
{
    int ends[2];
    int directory = open("/tmp", O_RDONLY);
    int null = open("/dev/null", O_RDWR);
    int zero = open("/dev/zero", O_RDWR);
    int file = make_file(PAGE);
    char *a;

    if (pipe(ends))
        tap_bail_out("pipe");
    is_error((long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, directory, 0), ENODEV, "a directory");
    is_error((long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, ends[0], 0), ENODEV, "a pipe");
    is_error((long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, null, 0), ENODEV, "/dev/null");
    a = mmap(NULL, 2 * PAGE, RW, MAP_PRIVATE, zero, 0);
    ok(a != MAP_FAILED && a[PAGE] == 0 && (a[0] = 1), "/dev/zero");
    munmap(a, 2 * PAGE);
    is_error(syscall(SYS_mmap, 0, PAGE, PROT_READ, MAP_PRIVATE, file, 1ul << 63), EOVERFLOW,
             "an offset beyond all files");
    is_error(syscall(SYS_mmap, 0, 2 * PAGE, PROT_READ, MAP_PRIVATE, file, (1ul << 63) - PAGE),
             EOVERFLOW, "a length beyond all files");
    close(file);
    unlink(FILE_NAME);
    close(ends[0]);
    close(ends[1]);
    close(directory);
    close(null);
    close(zero);
}

/* Both kinds across fork; private pages before and after writing. */
static void test_fork(void)
{
    int file = make_file(300 * PAGE);
    char *private = mmap(NULL, 300 * PAGE, RW, MAP_PRIVATE, file, 0);
    char *shared = mmap(NULL, 300 * PAGE, RW, MAP_SHARED, file, 0);
    int status;
    pid_t child;

    private[PAGE] = 'p';
    child = fork();
    if (child == 0) {
        bool good = private[PAGE] == 'p' && private[200 * PAGE] == (char)('A' + 200);

        private[PAGE] = 'c';
        private[2 * PAGE] = 'c';
        shared[3 * PAGE] = 'c';
        _exit(good);
    }
    waitpid(child, &status, 0);
    is_int(status >> 8, 1, "a child sees what its parent wrote, and the file");
    ok(private[PAGE] == 'p' && private[2 * PAGE] == 'C', "what it writes is its own");
    ok(shared[3 * PAGE] == 'c' && private[3 * PAGE] == 'c', "but for shared mappings");
    munmap(private, 300 * PAGE);
    munmap(shared, 300 * PAGE);
    close(file);
    unlink(FILE_NAME);
}

/* A call's buffer in a mapping of the very file that is read. */
static void test_self(void)
{
    int file = make_file(4 * PAGE);
    char *a = mmap(NULL, 4 * PAGE, RW, MAP_SHARED, file, 0);

    is_int(pread(file, a, PAGE, PAGE), (long)PAGE, "a file read into its own mapping");
    is_int(a[0], 'B', "is copied");
    is_int(pwrite(file, a + 2 * PAGE, PAGE, 3 * PAGE), (long)PAGE, "written from it");
    is_int(a[3 * PAGE + 5], 'C', "as well");
    is_error(pread(file, a, 8 * PAGE, -1), EINVAL, "and errors are errors");
    munmap(a, 4 * PAGE);
    close(file);
    unlink(FILE_NAME);
}

int main(void)
{
    test_contents();
    test_permissions();
    test_later_permissions();
    test_errors();
    test_fork();
    test_self();
    return tap_done();
}
