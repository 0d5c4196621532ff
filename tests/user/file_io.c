/* Reading, writing, seeking, sizes, holes: what the calls return, and what is in the file then. */
#include "file_tree.h"

#include <limits.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/uio.h>

static int file;
static char buffer[1 << 17];

static const char *outcome(long long result)
{
    static char text[64];

    if (result < 0)
        return error_name(errno);
    snprintf(text, sizeof(text), "%lld", result);
    return text;
}

/* One line: the call's text and its result. */
#define SHOW(call)                                                                                 \
    do {                                                                                           \
        errno = 0;                                                                                 \
        long long shown_result = (long long)(call);                                                \
        ok(true, "%s: %s", #call, outcome(shown_result));                                          \
    } while (0)

static int sync_range(int of, long offset, long length, unsigned flags)
{
    return (int)syscall(SYS_sync_file_range, of, offset, length, flags);
}

static unsigned checksum(int of)
{
    unsigned sum = 5381;
    off_t at = 0;
    ssize_t got;

    while ((got = pread(of, buffer, sizeof(buffer), at)) > 0) {
        for (ssize_t i = 0; i < got; i++)
            sum = sum * 33 + (unsigned char)buffer[i];
        at += got;
    }
    return sum;
}

static void show_file(const char *what)
{
    struct stat status;

    fstat(file, &status);
    ok(true, "%s: size %lld, sum %u, position %lld", what, (long long)status.st_size,
       checksum(file), (long long)lseek(file, 0, SEEK_CUR));
}

static void reopen(int flags)
{
    if (file > 0)
        close(file);
    file = open("data", flags, 0644);
    if (file < 0)
        tap_bail_out("data");
}

static void test_position(void)
{
    reopen(O_RDWR | O_CREAT | O_TRUNC);
    SHOW(read(file, buffer, 10));
    SHOW(write(file, "0123456789", 10));
    SHOW(read(file, buffer, 10));
    SHOW(lseek(file, 3, SEEK_SET));
    SHOW(read(file, buffer, 4));
    ok(!memcmp(buffer, "3456", 4), "the bytes at the position");
    SHOW(lseek(file, -2, SEEK_CUR));
    SHOW(lseek(file, -100, SEEK_CUR));
    SHOW(lseek(file, 5, SEEK_END));
    SHOW(lseek(file, -11, SEEK_END));
    SHOW(lseek(file, 0, 5));
    SHOW(lseek(file, 0, 99));
    SHOW(lseek(file, LLONG_MAX, SEEK_CUR));
    SHOW(lseek(file, 20, SEEK_SET));
    SHOW(write(file, "x", 1));
    show_file("after a gap");
    SHOW(pread(file, buffer, 5, 18));
    SHOW(pread(file, buffer, 5, 21));
    SHOW(pread(file, buffer, 5, -1));
    SHOW(pwrite(file, "ab", 2, -1));
    SHOW(pwrite(file, "ab", 2, 1));
    show_file("after pwrite");
    SHOW(write(file, "", 0));
    SHOW(read(file, buffer, 0));
    SHOW(syscall(SYS_write, file, NULL, 0));
    SHOW(syscall(SYS_write, file, 16, 1));
    SHOW(syscall(SYS_read, file, -4096L, 1));
    lseek(file, 0, SEEK_SET);
    SHOW(syscall(SYS_read, file, 16, 1));
    SHOW(lseek(file, 0, SEEK_CUR));
    SHOW(pwrite(file, "a", 1, LLONG_MAX));
}

static void test_modes(void)
{
    reopen(O_RDONLY);
    SHOW(write(file, "a", 1));
    SHOW(pwrite(file, "a", 1, 0));
    SHOW(ftruncate(file, 0));
    SHOW(fallocate(file, 0, 0, 10));
    reopen(O_WRONLY);
    SHOW(read(file, buffer, 1));
    SHOW(pread(file, buffer, 1, 0));
    SHOW(read(999, buffer, 1));
    SHOW(pread(999, buffer, 1, -1));
    SHOW(lseek(999, 0, 99));
    SHOW(read(-1, buffer, 1));
    close(file);
    file = open(".", O_RDONLY | O_DIRECTORY);
    SHOW(read(file, buffer, 1));
    SHOW(pread(file, buffer, 1, 0));
    SHOW(write(file, buffer, 1));
    SHOW(ftruncate(file, 0));
    SHOW(fsync(file));
    SHOW(lseek(file, 0, SEEK_SET));
    SHOW(fallocate(file, 0, 0, 10));
    close(file);
    file = open("data", O_PATH);
    SHOW(read(file, buffer, 1));
    SHOW(lseek(file, 0, SEEK_SET));
    SHOW(fchmod(file, 0600));
    SHOW(fchown(file, 0, 0));
    SHOW(ftruncate(file, 0));
    SHOW(ioctl(file, FIONREAD, buffer));
    SHOW(fsync(file));
    SHOW(fcntl(file, F_SETFL, 0));
}

static void test_append(void)
{
    reopen(O_RDWR | O_CREAT | O_TRUNC);
    SHOW(write(file, "start", 5));
    reopen(O_RDWR | O_APPEND);
    SHOW(lseek(file, 0, SEEK_CUR));
    SHOW(write(file, "+1", 2));
    show_file("after the first append");
    SHOW(lseek(file, 0, SEEK_SET));
    SHOW(write(file, "+2", 2));
    SHOW(pwrite(file, "+3", 2, 0));
    show_file("pwrite appends too");
    SHOW(fcntl(file, F_SETFL, 0));
    SHOW(pwrite(file, "S", 1, 0));
    show_file("without O_APPEND");
}

static void test_size(void)
{
    reopen(O_RDWR | O_CREAT | O_TRUNC);
    memset(buffer, 'z', sizeof(buffer));
    SHOW(write(file, buffer, 100000));
    SHOW(ftruncate(file, 5000));
    show_file("cut to 5000");
    SHOW(ftruncate(file, 9000));
    show_file("grown to 9000");
    SHOW(pread(file, buffer, 10, 4995));
    ok(!memcmp(buffer, "zzzzz\0\0\0\0\0", 10), "zeros after the old end");
    SHOW(ftruncate(file, -1));
    SHOW(ftruncate(file, 0));
    show_file("empty");
    SHOW(ftruncate(file, 1 << 20));
    show_file("one hole");
    SHOW(pwrite(file, "middle", 6, 500000));
    show_file("a hole, data, a hole");
    SHOW(lseek(file, 0, SEEK_DATA));
    SHOW(lseek(file, 0, SEEK_HOLE));
    SHOW(lseek(file, 500000, SEEK_HOLE));
    SHOW(lseek(file, 600000, SEEK_DATA));
    SHOW(lseek(file, 1 << 20, SEEK_DATA));
    SHOW(lseek(file, 1 << 20, SEEK_HOLE));
    SHOW(lseek(file, -1, SEEK_DATA));
    struct stat status;

    fstat(file, &status);
    ok(true, "blocks of a sparse file: %lld", (long long)status.st_blocks);
    SHOW(fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 499998, 4));
    show_file("punched");
    SHOW(fallocate(file, 0, 0, 0));
    SHOW(fallocate(file, 0, -1, 10));
    SHOW(fallocate(file, FALLOC_FL_PUNCH_HOLE, 0, 10));
    SHOW(fallocate(file, FALLOC_FL_KEEP_SIZE, 2 << 20, 10));
    show_file("kept its size");
    SHOW(fallocate(file, 0, 2 << 20, 10));
    show_file("allocated");
}

static void test_large_pieces(void)
{
    reopen(O_RDWR | O_CREAT | O_TRUNC);
    for (size_t i = 0; i < sizeof(buffer); i++)
        buffer[i] = (char)(i * 7 + i / 251);
    for (int size = 1; size < 20000; size = size * 3 + 1)
        SHOW(write(file, buffer + size, (size_t)size));
    show_file("pieces of many sizes");
    for (int at = 0; at < 28000; at += 4097) {
        ssize_t got = pread(file, buffer, 3000, at);
        unsigned sum = 0;

        for (ssize_t i = 0; i < got; i++)
            sum = sum * 31 + (unsigned char)buffer[i];
        ok(true, "3000 bytes at %d: %zd, sum %u", at, got, sum);
    }
    /* The end of the buffer is not mapped: what fits is read. */
    SHOW(pread(file, (void *)((((unsigned long)buffer + sizeof(buffer)) & ~4095ul) - 10), 10, 0));
}

static void test_vectors(void)
{
    char a[3], b[5], c[100];
    struct iovec in[] = {{a, sizeof(a)}, {NULL, 0}, {b, sizeof(b)}, {c, sizeof(c)}};
    struct iovec out[] = {{(void *)"one", 3}, {(void *)"", 0}, {(void *)"three", 5}};
    struct iovec bad[] = {{(void *)"four", 4}, {(void *)16, 4}};
    struct iovec negative[] = {{a, 1}, {b, (size_t)-1}};
    static struct iovec many[1025];

    reopen(O_RDWR | O_CREAT | O_TRUNC);
    SHOW(writev(file, out, 3));
    SHOW(writev(file, bad, 2));
    show_file("after a bad segment");
    SHOW(pwritev(file, out, 3, 20));
    SHOW(pwritev(file, out, 3, -1));
    SHOW(lseek(file, 0, SEEK_SET));
    SHOW(readv(file, in, 4));
    ok(!memcmp(a, "one", 3) && !memcmp(b, "three", 5) && !memcmp(c, "four", 4), "scattered");
    SHOW(preadv(file, in, 4, 20));
    SHOW(readv(file, negative, 2));
    SHOW(readv(file, many, 1025));
    SHOW(readv(file, many, 1024));
    SHOW(readv(file, many, 0));
    SHOW(syscall(SYS_readv, file, 16, 1));
    SHOW(syscall(SYS_readv, 999, 16, 1));
    SHOW(syscall(SYS_preadv2, file, in, 1, 0L, 0L, 0));
    SHOW(syscall(SYS_preadv2, file, in, 1, -1L, 0L, 0x1000));
}

static void test_pipes_have_no_position(void)
{
    int ends[2];
    char a;
    struct iovec in = {&a, 1};

    if (pipe(ends))
        tap_bail_out("pipe");
    SHOW(lseek(ends[0], 0, SEEK_CUR));
    SHOW(lseek(ends[0], 0, 99));
    SHOW(pread(ends[0], buffer, 1, 0));
    SHOW(pwrite(ends[1], buffer, 1, 0));
    SHOW(preadv(ends[0], &in, 1, 0));
    SHOW(pread(ends[1], buffer, 1, 0));
    SHOW(read(ends[1], buffer, 1));
    SHOW(write(ends[0], buffer, 1));
    SHOW(ftruncate(ends[1], 0));
    SHOW(fallocate(ends[1], 0, 0, 1));
    SHOW(fsync(ends[1]));
    SHOW(posix_fadvise(ends[0], 0, 0, 0));
    SHOW(sync_range(ends[1], 0, 10, 0));
    close(ends[0]);
    close(ends[1]);
}

static void test_sync_range(void)
{
    int directory = open(".", O_RDONLY);

    file = open("synced", O_CREAT | O_RDWR, 0600);
    SHOW(sync_range(file, 0, 0, 7));
    SHOW(sync_range(file, 100, 100, 0));
    SHOW(sync_range(file, 0, 0, 8));
    SHOW(sync_range(file, -1, 0, 0));
    SHOW(sync_range(file, 0, -1, 0));
    SHOW(sync_range(file, LONG_MAX, 1, 0));
    SHOW(sync_range(directory, 0, 0, 2));
    SHOW(sync_range(-1, 0, 0, 8));
    close(file);
    close(directory);
    unlink("synced");
}

static void test_devices(void)
{
    int null = open("/dev/null", O_RDWR), zero = open("/dev/zero", O_RDWR);
    int full = open("/dev/full", O_RDWR), random = open("/dev/urandom", O_RDONLY);

    SHOW(read(null, buffer, 10));
    SHOW(write(null, buffer, 10));
    SHOW(write(null, NULL, 10));
    SHOW(lseek(null, 100, SEEK_SET));
    SHOW(pread(null, buffer, 10, 5));
    SHOW(ftruncate(null, 0));
    SHOW(fsync(null));
    memset(buffer, 1, 100);
    SHOW(read(zero, buffer, 100));
    ok(buffer[0] == 0 && buffer[99] == 0, "zeros");
    SHOW(read(zero, (void *)16, 100));
    SHOW(write(zero, buffer, 100));
    SHOW(read(full, buffer, 10));
    SHOW(write(full, buffer, 10));
    SHOW(read(random, buffer, 1000));
    SHOW(write(random, buffer, 10));
    SHOW(ioctl(null, TIOCGWINSZ, buffer));
    struct stat status;

    fstat(zero, &status);
    ok(S_ISCHR(status.st_mode) && status.st_rdev == 0x105, "the number of /dev/zero");
    SHOW(mknod("mynull", S_IFCHR | 0666, 0x103));
    SHOW(write(open("mynull", O_WRONLY), "abc", 3));
    SHOW(mknod("nothing", S_IFCHR | 0666, 0xc8f7));
    SHOW(open("nothing", O_RDONLY));
    close(null);
    close(zero);
    close(full);
    close(random);
}

static void test_size_limit(void)
{
    struct rlimit limit = {200000, RLIM_INFINITY};

    reopen(O_RDWR | O_CREAT | O_TRUNC);
    memset(buffer, 'l', sizeof(buffer));
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    SHOW(write(file, buffer, 120000));
    SHOW(write(file, buffer, 120000));
    SHOW(write(file, buffer, 120000));
    SHOW(write(file, buffer, 0));
    SHOW(pwrite(file, buffer, 10, 199999));
    SHOW(pwrite(file, buffer, 10, 300000));
    SHOW(ftruncate(file, 200001));
    SHOW(ftruncate(file, 500));
    SHOW(fallocate(file, 0, 0, 200001));
    limit.rlim_cur = RLIM_INFINITY;
    setrlimit(RLIMIT_FSIZE, &limit);
    show_file("within the limit");
}

static void test_copies(void)
{
    int other;
    off_t at = 2;
    long long in_at = 1, out_at = 30;

    reopen(O_RDWR | O_CREAT | O_TRUNC);
    for (int i = 0; i < 9000; i++)
        buffer[i] = (char)(i % 253);
    SHOW(write(file, buffer, 9000));
    other = open("other", O_RDWR | O_CREAT | O_TRUNC, 0600);
    SHOW(sendfile(other, file, &at, 20000));
    ok(at == 9000, "the offset moved");
    SHOW(lseek(other, 0, SEEK_CUR));
    SHOW(sendfile(other, file, NULL, 5));
    SHOW(lseek(file, 100, SEEK_SET));
    SHOW(sendfile(other, file, NULL, 5));
    SHOW(lseek(file, 0, SEEK_CUR));
    SHOW(sendfile(999, file, NULL, 5));
    SHOW(syscall(SYS_copy_file_range, file, &in_at, other, &out_at, 4000, 0));
    ok(in_at == 4001 && out_at == 4030, "both offsets moved");
    SHOW(syscall(SYS_copy_file_range, file, NULL, other, NULL, 4000, 1));
    SHOW(syscall(SYS_copy_file_range, file, NULL, 999, NULL, 4000, 0));
    SHOW(syscall(SYS_copy_file_range, file, &in_at, file, &out_at, 4000, 0));
    in_at = 0;
    out_at = 100;
    SHOW(syscall(SYS_copy_file_range, file, &in_at, file, &out_at, 100, 0));
    show_file("the source");
    close(file);
    file = other;
    show_file("the copy");
    int ends[2];

    if (pipe(ends))
        tap_bail_out("pipe");
    at = 0;
    SHOW(sendfile(ends[1], file, &at, 100));
    SHOW(read(ends[0], buffer, 200));
    SHOW(sendfile(file, ends[0], NULL, 10));
    SHOW(syscall(SYS_copy_file_range, file, NULL, ends[1], NULL, 10, 0));
    close(ends[0]);
    close(ends[1]);
}

static void test_unlinked(void)
{
    struct stat status;

    reopen(O_RDWR | O_CREAT | O_TRUNC);
    SHOW(write(file, "still here", 10));
    SHOW(unlink("data"));
    SHOW(open("data", O_RDONLY));
    SHOW(pread(file, buffer, 20, 0));
    SHOW(write(file, "!", 1));
    fstat(file, &status);
    ok(status.st_nlink == 0 && status.st_size == 11, "no links, 11 bytes");
    int unnamed = open(".", O_TMPFILE | O_RDWR, 0600);

    SHOW(write(unnamed, "unnamed", 7));
    SHOW(lseek(unnamed, 0, SEEK_END));
    fstat(unnamed, &status);
    ok(status.st_nlink == 0, "O_TMPFILE has no link");
    SHOW(linkat(unnamed, "", AT_FDCWD, "named", AT_EMPTY_PATH));
    fstat(unnamed, &status);
    ok(status.st_nlink == 1, "until it is given a name");
    SHOW(open("named", O_RDONLY));
    int hidden = open(".", O_TMPFILE | O_RDWR | O_EXCL, 0600);

    SHOW(linkat(hidden, "", AT_FDCWD, "named2", AT_EMPTY_PATH));
    SHOW(linkat(file, "", AT_FDCWD, "named2", AT_EMPTY_PATH));
    SHOW(open(".", O_TMPFILE | O_RDONLY, 0600));
    int memory = (int)syscall(SYS_memfd_create, "name", 1);

    SHOW(write(memory, "memory", 6));
    SHOW(fcntl(memory, F_GETFD));
    SHOW(syscall(SYS_memfd_create, "name", 0x8000));
    close(unnamed);
    close(memory);
}

int main(void)
{
    tree_begin();
    test_position();
    test_modes();
    test_append();
    test_size();
    test_large_pieces();
    test_vectors();
    test_pipes_have_no_position();
    test_sync_range();
    test_devices();
    test_size_limit();
    test_copies();
    test_unlinked();
    tree_end();
    return tap_done();
}
