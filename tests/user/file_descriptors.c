/* Descriptors: which number a call gives, what dup shares, fcntl, close_range, limits, exec. */
#include "file_tree.h"

#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static const char *outcome(long long result)
{
    static char text[64];

    if (result < 0)
        return error_name(errno);
    snprintf(text, sizeof(text), "%lld", result);
    return text;
}

#define SHOW(call)                                                                                 \
    do {                                                                                           \
        errno = 0;                                                                                 \
        long long shown_result = (long long)(call);                                                \
        ok(true, "%s: %s", #call, outcome(shown_result));                                          \
    } while (0)

static int close_all(unsigned first)
{
    return (int)syscall(SYS_close_range, first, ~0u, 0);
}

/* Which of the first 80 numbers are open, with + for close-on-exec. */
static void show_open(const char *what)
{
    char text[400] = "";
    size_t used = 0;

    for (int i = 3; i < 300; i++) {
        int flags = fcntl(i, F_GETFD);

        if (flags >= 0 && used < sizeof(text) - 10)
            used +=
                (size_t)snprintf(text + used, sizeof(text) - used, " %d%s", i, flags ? "+" : "");
    }
    ok(true, "%s:%s", what, text);
}

static void test_numbers(void)
{
    close_all(3);
    SHOW(open("/dev/null", O_RDONLY));
    SHOW(open("/dev/null", O_RDONLY | O_CLOEXEC));
    SHOW(dup(3));
    SHOW(dup2(4, 10));
    SHOW(dup2(4, 4));
    SHOW(dup2(99, 99));
    SHOW(dup2(99, 5));
    SHOW(dup2(3, -1));
    SHOW(dup2(3, 1 << 30));
    SHOW(syscall(SYS_dup3, 3, 3, 0));
    SHOW(syscall(SYS_dup3, 3, 11, O_CLOEXEC));
    SHOW(syscall(SYS_dup3, 3, 11, 1));
    SHOW(syscall(SYS_dup3, 99, 11, 0));
    SHOW(fcntl(3, F_DUPFD, 8));
    SHOW(fcntl(3, F_DUPFD_CLOEXEC, 8));
    SHOW(fcntl(3, F_DUPFD, -1));
    SHOW(fcntl(3, F_DUPFD, 1 << 30));
    show_open("open");
    SHOW(close(5));
    SHOW(close(5));
    SHOW(close(-1));
    SHOW(dup(3));
    SHOW(dup2(3, 200));
    SHOW(fcntl(3, F_DUPFD, 64));
    SHOW(fcntl(3, F_DUPFD, 200));
    show_open("after growth");
    SHOW(syscall(SYS_close_range, 9, 70, 4));
    show_open("9 to 70 marked");
    SHOW(syscall(SYS_close_range, 9, 70, 0));
    show_open("9 to 70 closed");
    SHOW(syscall(SYS_close_range, 9, 8, 0));
    SHOW(syscall(SYS_close_range, 9, 10, 8));
    SHOW(syscall(SYS_close_range, 201, ~0u, 2));
    SHOW(syscall(SYS_close_range, 5, ~0u, 0));
    show_open("from 5 closed");
    SHOW(dup(3));
}

static void test_flags(void)
{
    close_all(3);
    SHOW(open("flags", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    SHOW(fcntl(3, F_GETFD));
    SHOW(fcntl(3, F_SETFD, 0));
    SHOW(fcntl(3, F_GETFD));
    ok(true, "F_GETFL: %#o", fcntl(3, F_GETFL));
    SHOW(fcntl(3, F_SETFL, O_APPEND | O_NONBLOCK | O_RDONLY | O_CREAT));
    ok(true, "F_GETFL: %#o", fcntl(3, F_GETFL));
    SHOW(fcntl(3, F_SETFL, 0));
    ok(true, "F_GETFL: %#o", fcntl(3, F_GETFL));
    int on = 1;

    SHOW(ioctl(3, FIONBIO, &on));
    ok(true, "F_GETFL: %#o", fcntl(3, F_GETFL));
    SHOW(ioctl(3, FIOCLEX));
    SHOW(fcntl(3, F_GETFD));
    SHOW(ioctl(3, FIONBIO, 16));
    SHOW(ioctl(3, TCGETS, &on));
    SHOW(ioctl(3, 0x12345, 0));
    SHOW(ioctl(99, FIOCLEX));
    SHOW(fcntl(3, 9999, 0));
    SHOW(fcntl(99, F_GETFD));
    SHOW(fcntl(3, F_GETPIPE_SZ));
    SHOW(open("flags", O_PATH));
    ok(true, "F_GETFL of O_PATH: %#o", fcntl(4, F_GETFL));
    SHOW(fcntl(4, F_GETFD));
    SHOW(dup(4));
    SHOW(fcntl(4, F_SETFL, 0));
    SHOW(ioctl(4, FIOCLEX));
    SHOW(fcntl(4, F_GETLK, &on));
    SHOW(open(".", O_RDONLY | O_DIRECTORY | O_APPEND));
    ok(true, "F_GETFL of a directory: %#o", fcntl(6, F_GETFL));
}

static void test_sharing(void)
{
    char text[10] = "";

    close_all(3);
    tree_file("shared", "abcdefgh", 0600);
    SHOW(open("shared", O_RDWR));
    SHOW(dup(3));
    SHOW(open("shared", O_RDWR));
    SHOW(read(3, text, 2));
    SHOW(lseek(4, 0, SEEK_CUR));
    SHOW(lseek(5, 0, SEEK_CUR));
    SHOW(fcntl(4, F_SETFL, O_APPEND));
    ok(fcntl(3, F_GETFL) & O_APPEND, "the flags are shared by dup");
    ok(!(fcntl(5, F_GETFL) & O_APPEND), "but not by a second open");
    pid_t child = fork();

    if (child == 0) {
        lseek(3, 5, SEEK_SET);
        close(4);
        _exit(0);
    }
    waitpid(child, NULL, 0);
    SHOW(lseek(3, 0, SEEK_CUR));
    SHOW(lseek(4, 0, SEEK_CUR));
}

static void test_limit(void)
{
    struct rlimit limit, low = {10, 10};
    int ends[2];

    close_all(3);
    getrlimit(RLIMIT_NOFILE, &limit);
    low.rlim_max = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &low);
    for (int i = 3; i < 11; i++)
        SHOW(open("/dev/null", O_RDONLY));
    SHOW(dup(3));
    SHOW(dup2(3, 10));
    SHOW(dup2(3, 9));
    SHOW(fcntl(3, F_DUPFD, 9));
    SHOW(fcntl(3, F_DUPFD, 10));
    SHOW(pipe(ends));
    close(9);
    SHOW(pipe(ends));
    SHOW(open("missing", O_RDONLY));
    SHOW(dup(3));
    SHOW(open("missing", O_RDONLY));
    SHOW(open("", O_RDONLY));
    SHOW(syscall(SYS_openat, AT_FDCWD, 16, O_RDONLY));
    setrlimit(RLIMIT_NOFILE, &limit);
    SHOW(dup(3));
    close_all(3);
}

/* The child reports what it has open after exec: this program, given an argument. */
static void test_exec(char *self)
{
    char *const arguments[] = {self, (char *)"inherited", NULL};
    int status;

    close_all(3);
    SHOW(open("/dev/null", O_RDONLY));
    SHOW(open("/dev/null", O_RDONLY | O_CLOEXEC));
    SHOW(dup2(3, 77));
    SHOW(dup2(3, 78));
    SHOW(fcntl(78, F_SETFD, FD_CLOEXEC));
    pid_t child = fork();

    if (child == 0) {
        execv(self, arguments);
        _exit(99);
    }
    waitpid(child, &status, 0);
    ok(true, "the child ended with %#x", status);
}

static int count_open(void)
{
    int count = 0;

    for (int i = 3; i < 300; i++)
        count += fcntl(i, F_GETFD) >= 0;
    return count;
}

/* What a child finds: so many open, this number the lowest free one, and room for more. */
static int outcome_in_child(int open_count, int lowest)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        if (count_open() != open_count)
            _exit(1);
        if (dup(3) != lowest)
            _exit(2);
        _exit(dup2(3, 200) == 200 && count_open() == open_count + 2 ? 0 : 3);
    }
    waitpid(child, &status, 0);
    return WEXITSTATUS(status);
}

/* Tables that are filled up to a number, with a hole and without, in parent and child. */
static void test_growth(void)
{
    static const int ends[] = {5, 31, 32, 33, 63, 64, 65, 127, 128, 129};

    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        int end = ends[i];
        bool in_order = true;

        close_all(3);
        for (int number = 3; number < end; number++)
            in_order &= (number == 3 ? open("/dev/null", O_RDONLY) : dup(3)) == number;
        ok(in_order, "%d descriptors: in order", end);
        is_int(outcome_in_child(end - 3, end), 0, "%d descriptors: a child has them", end);
        close(end - 1);
        close(4);
        is_int(outcome_in_child(end == 5 ? 1 : end - 5, 4), 0, "with two closed");
        is_int(dup(3), 4, "the lower is taken");
        is_int(dup(3), end == 5 ? 5 : end - 1, "then the upper");
        close_all(6);
        is_int(outcome_in_child(3, 6), 0, "a child of few again");
    }
    close_all(3);
}

/* Everything that openat's descriptor can be. */
static void test_at(void)
{
    int directory, path, file, ends[2];

    close_all(3);
    if (mkdir("sub", 0700) || pipe(ends))
        tap_bail_out("sub");
    tree_file("sub/inside", "x", 0600);
    directory = open("sub", O_RDONLY);
    path = open("sub", O_PATH);
    file = open("sub/inside", O_RDONLY);
    SHOW(openat(directory, "inside", O_RDONLY));
    SHOW(openat(path, "inside", O_RDONLY));
    SHOW(openat(file, "inside", O_RDONLY));
    SHOW(openat(ends[0], "inside", O_RDONLY));
    SHOW(openat(999, "inside", O_RDONLY));
    SHOW(openat(-1, "inside", O_RDONLY));
    SHOW(openat(999, "/dev/null", O_RDONLY));
    SHOW(openat(directory, "", O_RDONLY));
    SHOW(openat(directory, ".", O_RDONLY));
    SHOW(mkdirat(directory, "made", 0700));
    SHOW(unlinkat(directory, "made", 0));
    SHOW(unlinkat(directory, "made", AT_REMOVEDIR));
    SHOW(unlinkat(directory, "made", 1));
    SHOW(linkat(directory, "inside", AT_FDCWD, "linked", 0));
    SHOW(linkat(file, "", AT_FDCWD, "linked2", AT_EMPTY_PATH));
    SHOW(linkat(file, "", AT_FDCWD, "linked3", 0));
    SHOW(linkat(file, "", AT_FDCWD, "linked3", 1));
    SHOW(renameat(directory, "inside", directory, "renamed"));
    SHOW(symlinkat("renamed", directory, "link"));
    struct stat status;

    SHOW(fstatat(directory, "link", &status, AT_SYMLINK_NOFOLLOW));
    SHOW(fstatat(directory, "link", &status, 0x8000000));
    SHOW(fstatat(file, "", &status, AT_EMPTY_PATH));
    SHOW(fstatat(ends[0], "", &status, AT_EMPTY_PATH));
    SHOW(fstatat(AT_FDCWD, "", &status, AT_EMPTY_PATH));
    SHOW(fstatat(file, "", &status, 0));
    SHOW(fstatat(999, "", &status, AT_EMPTY_PATH));
    SHOW(fchdir(path));
    SHOW(fchdir(file));
    SHOW(fchdir(ends[0]));
    char text[20] = "";

    SHOW(readlinkat(directory, "link", text, sizeof(text)));
    SHOW(readlinkat(directory, "link", text, 3));
    SHOW(readlinkat(directory, "link", text, 0));
    SHOW(readlinkat(directory, "", text, 3));
    SHOW(readlinkat(openat(directory, "link", O_PATH | O_NOFOLLOW), "", text, 3));
    SHOW(syscall(SYS_utimensat, file, NULL, NULL, 0));
    SHOW(syscall(SYS_utimensat, AT_FDCWD, NULL, NULL, 0));
    if (chdir(".."))
        tap_bail_out("chdir");
    close_all(3);
}

int main(int count, char **arguments)
{
    char self[4096];
    ssize_t length;

    if (count > 1) {
        show_open("after exec");
        return 7;
    }
    length = readlink("/proc/self/exe", self, sizeof(self) - 1);
    if (length < 0)
        tap_bail_out("/proc/self/exe");
    self[length] = '\0';
    tree_begin();
    test_numbers();
    test_growth();
    test_flags();
    test_sharing();
    test_limit();
    test_exec(self);
    test_at();
    tree_end();
    return tap_done();
}
