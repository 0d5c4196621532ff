/* Directories: reading them while they change, link counts, getcwd, times, large ones, renames of
 * what is in use. */
#include "file_tree.h"

#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

struct entry {
    unsigned long number;
    long next;
    unsigned short size;
    unsigned char type;
    char name[];
};

static unsigned links_of(const char *name)
{
    struct stat status;

    return lstat(name, &status) ? 0 : (unsigned)status.st_nlink;
}

static void test_links(void)
{
    struct stat status;

    mkdir("top", 0755);
    is_int(links_of("top"), 2, "an empty directory");
    mkdir("top/a", 0755);
    mkdir("top/b", 0755);
    tree_file("top/file", "x", 0644);
    is_int(links_of("top"), 4, "two directories in it");
    rename("top/a", "top/b/a");
    is_int(links_of("top"), 3, "one has moved below the other");
    is_int(links_of("top/b"), 3, "which has it now");
    is_error(rename("top/b", "top/b/a/b"), EINVAL, "a directory into its own subdirectory");
    is_error(rename("top/b/a", "top/b"), ENOTEMPTY, "onto its own parent");
    mkdir("top/empty", 0755);
    is_int(rename("top/b", "top/empty"), 0, "onto an empty directory");
    is_int(links_of("top"), 3, "which is gone");
    is_int(links_of("top/empty/a"), 2, "what was below came along");
    link("top/file", "top/file2");
    is_int(links_of("top/file"), 2, "two names");
    is_int(rename("top/file", "top/file2"), 0, "rename of one to the other does nothing");
    is_int(links_of("top/file"), 2, "both are there");
    unlink("top/file");
    is_int(links_of("top/file2"), 1, "one name");
    int file = open("top/empty", O_RDONLY);

    rmdir("top/empty/a");
    rmdir("top/empty");
    fstat(file, &status);
    is_int(status.st_nlink, 0, "a removed directory that is open");
    is_error(openat(file, "new", O_CREAT | O_WRONLY, 0600), ENOENT, "creation in it");
    is_error(mkdirat(file, "new", 0700), ENOENT, "mkdir in it");
    is_int(openat(file, "..", O_RDONLY) >= 0, true, "its parent");
    char buffer[256];

    is_error(syscall(SYS_getdents64, file, buffer, sizeof(buffer)), ENOENT, "reading it");
    close(file);
}

static int compare_names(const void *left, const void *right)
{
    return strcmp(left, right);
}

/* Reads with a buffer of `size` bytes, and shows the names in order of the alphabet. */
static void show_entries(const char *directory, size_t size)
{
    static char names[64][32];
    char buffer[4096], text[2048] = "";
    int count = 0, file = open(directory, O_RDONLY | O_DIRECTORY);
    long got;

    while ((got = syscall(SYS_getdents64, file, buffer, size)) > 0)
        for (long at = 0; at < got && count < 64;) {
            struct entry *entry = (struct entry *)(buffer + at);

            snprintf(names[count++], sizeof(names[0]), "%.20s/%d", entry->name, entry->type);
            at += entry->size;
        }
    qsort(names, (size_t)count, sizeof(names[0]), compare_names);
    for (int i = 0; i < count; i++) {
        strcat(text, " ");
        strcat(text, names[i]);
    }
    ok(true, "%s by %zu bytes: %s:%s", directory, size, error_name(got < 0 ? errno : 0), text);
    close(file);
}

static void test_reading(void)
{
    mkdir("read", 0755);
    tree_file("read/file", "x", 0644);
    mkdir("read/directory", 0755);
    symlink("x", "read/link");
    mkfifo("read/fifo", 0600);
    mknod("read/null", S_IFCHR | 0600, 0x103);
    tree_file("read/a-much-longer-name", "x", 0644);
    show_entries("read", 4096);
    show_entries("read", 48);
    show_entries("read", 23);
    show_entries("read/directory", 4096);
    char buffer[64];
    int file = open("read/file", O_RDONLY), directory = open("read", O_RDONLY);

    is_error(syscall(SYS_getdents64, file, buffer, 64), ENOTDIR, "getdents64 of a file");
    is_error(syscall(SYS_getdents64, 99, buffer, 64), EBADF, "of nothing");
    is_error(syscall(SYS_getdents64, directory, 16, 64), EFAULT, "to nowhere");
    is_error(syscall(SYS_getdents64, directory, buffer, 0), EINVAL, "to no room");
    ok(syscall(SYS_getdents, directory, buffer, 64) > 0, "the old getdents");
    is_int(lseek(directory, 0, SEEK_SET), 0, "back to the start");
    ok(syscall(SYS_getdents64, directory, buffer, 64) > 0, "and again");
    close(file);
    close(directory);
}

#define MANY 3000

/* Every name exactly once, though each is removed as soon as it has been seen. */
static void test_many(void)
{
    static char seen[MANY];
    char name[32];
    int count = 0, twice = 0;
    struct dirent *entry;

    mkdir("many", 0755);
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof(name), "many/%d", i);
        int file = open(name, O_CREAT | O_EXCL | O_WRONLY, 0600);

        if (file < 0)
            tap_bail_out(name);
        close(file);
    }
    DIR *stream = opendir("many");

    while ((entry = readdir(stream))) {
        if (entry->d_name[0] == '.')
            continue;
        int number = atoi(entry->d_name);

        twice += seen[number]++;
        count++;
        snprintf(name, sizeof(name), "many/%.20s", entry->d_name);
        if (unlink(name))
            tap_bail_out(name);
    }
    closedir(stream);
    is_int(count, MANY, "all names of a large directory");
    is_int(twice, 0, "none twice");
    is_int(rmdir("many"), 0, "nothing is left");
}

/* telldir and seekdir lead to the same entry, even after others went. */
static void test_positions(void)
{
    char names[20][32], name[64];
    long positions[20];
    int count = 0, wrong = 0;
    struct dirent *entry;

    mkdir("tell", 0755);
    for (int i = 0; i < 15; i++) {
        snprintf(name, sizeof(name), "tell/name%d", i);
        tree_file(name, "x", 0600);
    }
    DIR *stream = opendir("tell");

    for (positions[0] = telldir(stream); (entry = readdir(stream)) && count < 19;
         positions[++count] = telldir(stream))
        snprintf(names[count], sizeof(names[0]), "%.30s", entry->d_name);
    for (int i = count - 1; i >= 0; i--) {
        seekdir(stream, positions[i]);
        entry = readdir(stream);
        wrong += !entry || strcmp(entry->d_name, names[i]);
    }
    is_int(count, 17, "entries with . and ..");
    is_int(wrong, 0, "seekdir");
    closedir(stream);
}

static void test_getcwd(void)
{
    char text[600], deep[600] = "", *end;
    long length;

    mkdir("cwd", 0755);
    mkdir("cwd/inner", 0755);
    if (chdir("cwd/inner"))
        tap_bail_out("chdir");
    length = syscall(SYS_getcwd, text, sizeof(text));
    ok(length == (long)strlen(text) + 1, "the length counts the end");
    is_string(text + strlen(tree_top), "/cwd/inner", "getcwd");
    is_error(syscall(SYS_getcwd, text, length - 1), ERANGE, "no room for the end");
    is_int(syscall(SYS_getcwd, text, length) == length, true, "just enough room");
    is_error(syscall(SYS_getcwd, 16, 100), EFAULT, "nowhere");
    is_int(rename("../../cwd", "../../moved"), 0, "a directory above is renamed");
    is_string(getcwd(text, sizeof(text)) + strlen(tree_top), "/moved/inner", "getcwd follows");
    is_int(rmdir("../inner"), 0, "and removed");
    is_error(syscall(SYS_getcwd, text, sizeof(text)), ENOENT, "getcwd of what is gone");
    is_error(open("new", O_CREAT | O_WRONLY, 0600), ENOENT, "creation there");
    is_int(open(".", O_RDONLY) >= 0, true, "it is still itself");
    if (chdir(tree_top))
        tap_bail_out("chdir back");
    end = deep;
    for (int i = 0; i < 100; i++) {
        end += sprintf(end, "%sd%d", i ? "/" : "", i);
        if (mkdir(deep, 0755))
            tap_bail_out(deep);
    }
    if (chdir(deep))
        tap_bail_out("deep");
    is_string(getcwd(text, sizeof(text)) + strlen(tree_top) + 1, deep, "100 directories deep");
    is_int(chdir("/"), 0, "the root");
    is_string(getcwd(text, sizeof(text)), "/", "getcwd there");
    is_int(chdir("../.."), 0, "above the root is the root");
    is_string(getcwd(text, sizeof(text)), "/", "getcwd there");
    if (chdir(tree_top))
        tap_bail_out("chdir back");
}

/* The working directory of a process whose root lies elsewhere. */
static void test_unreachable(void)
{
    pid_t child;

    mkdir("outside", 0755);
    mkdir("root", 0755);
    mkdir("root/below", 0755);
    child = fork();
    if (child == 0) {
        char text[600];

        is_int(chdir("outside"), 0, "a directory");
        is_int(chroot("../root"), 0, "and a root beside it");
        long length = syscall(SYS_getcwd, text, sizeof(text));

        ok(length == (long)strlen(text) + 1 && strncmp(text, "(unreachable)/", 14) == 0 &&
               strcmp(text + length - 9, "/outside") == 0,
           "getcwd says so");
        is_int(chdir("/below"), 0, "into the new root");
        is_int(syscall(SYS_getcwd, text, sizeof(text)), 7, "getcwd there");
        is_string(text, "/below", "getcwd there");
        is_int(chdir("/"), 0, "the new root");
        is_string(getcwd(text, sizeof(text)), "/", "getcwd there");
        _exit(tap_failed);
    }
    int status = -1;

    waitpid(child, &status, 0);
    is_int(status, 0, "the process with another root");
}

/* --- Times --- */

static struct timespec accessed, modified, changed;

static void get_times(const char *name)
{
    struct stat status;

    if (lstat(name, &status))
        tap_bail_out(name);
    accessed = status.st_atim;
    modified = status.st_mtim;
    changed = status.st_ctim;
}

static bool is_after(struct timespec left, struct timespec right)
{
    return left.tv_sec > right.tv_sec ||
           (left.tv_sec == right.tv_sec && left.tv_nsec > right.tv_nsec);
}

static char moved_or_not(struct timespec now, struct timespec before)
{
    return is_after(now, before) ? '+' : '.';
}

/* Which of the times a call moves: access, modification, change. The host's clock of files is
 * coarse: it must be seen to tick first. */
#define MOVES(call, name)                                                                          \
    do {                                                                                           \
        struct timespec pause = {0, 20000000};                                                     \
        get_times(name);                                                                           \
        struct timespec a = accessed, m = modified, c = changed;                                   \
        nanosleep(&pause, NULL);                                                                   \
        int moves_result = (int)(call);                                                            \
        get_times(name);                                                                           \
        ok(true, "%s: %s, %s %c%c%c", #call, moves_result < 0 ? error_name(errno) : "done", name,  \
           moved_or_not(accessed, a), moved_or_not(modified, m), moved_or_not(changed, c));        \
    } while (0)

static long list_directory(const char *name, int flags)
{
    char entries[1000];
    int directory = open(name, O_RDONLY | O_DIRECTORY | flags);
    long result = syscall(SYS_getdents64, directory, entries, sizeof(entries));

    close(directory);
    return result;
}

static void test_times(void)
{
    char byte[4];
    struct timespec now_now[2] = {{0, UTIME_NOW}, {0, UTIME_NOW}};
    struct timespec fixed[2] = {{1000, 5}, {2000, 7}};
    struct timespec omit[2] = {{0, UTIME_OMIT}, {3000, 9}};
    struct timespec nothing[2] = {{0, UTIME_OMIT}, {0, UTIME_OMIT}};
    struct timespec bad[2] = {{0, 1000000000}, {0, 0}};
    struct timeval old[2] = {{4000, 5}, {6000, 7}};

    mkdir("t", 0755);
    tree_file("t/f", "text", 0644);
    int file = open("t/f", O_RDWR);

    MOVES(read(file, byte, 1), "t/f");
    MOVES(read(file, byte, 1), "t/f");
    MOVES(write(file, "x", 1), "t/f");
    MOVES(write(file, "x", 0), "t/f");
    MOVES(read(file, byte, 1), "t/f");
    MOVES(ftruncate(file, 2), "t/f");
    MOVES(ftruncate(file, 2), "t/f");
    MOVES(fchmod(file, 0600), "t/f");
    MOVES(fchown(file, -1, -1), "t/f");
    MOVES(link("t/f", "t/g"), "t/f");
    MOVES(unlink("t/g"), "t/f");
    MOVES(rename("t/f", "t/h"), "t");
    MOVES(rename("t/h", "t/f"), "t");
    MOVES(link("t/f", "t/g"), "t");
    MOVES(unlink("t/g"), "t");
    MOVES(mkdir("t/d", 0700), "t");
    MOVES(rmdir("t/d"), "t");
    MOVES(symlink("f", "t/l"), "t");
    MOVES(unlink("t/missing"), "t");
    MOVES(list_directory("t", O_NOATIME), "t");
    MOVES(list_directory("t", 0), "t");
    MOVES(open("t/f", O_RDONLY), "t/f");
    MOVES(open("t/f", O_WRONLY | O_TRUNC), "t/f");
    MOVES(utimensat(AT_FDCWD, "t/f", now_now, 0), "t/f");
    MOVES(utimensat(AT_FDCWD, "t/l", now_now, AT_SYMLINK_NOFOLLOW), "t/l");
    MOVES(utimensat(AT_FDCWD, "t/f", nothing, 0), "t/f");
    is_int(utimensat(AT_FDCWD, "t/f", fixed, 0), 0, "fixed times");
    get_times("t/f");
    ok(accessed.tv_sec == 1000 && accessed.tv_nsec == 5 && modified.tv_sec == 2000 &&
           modified.tv_nsec == 7,
       "are what was set");
    is_int(utimensat(AT_FDCWD, "t/f", omit, 0), 0, "one of them");
    get_times("t/f");
    ok(accessed.tv_sec == 1000 && modified.tv_sec == 3000, "the other stays");
    is_error(utimensat(AT_FDCWD, "t/f", bad, 0), EINVAL, "bad nanoseconds");
    is_int(utimes("t/f", old), 0, "utimes");
    get_times("t/f");
    ok(accessed.tv_sec == 4000 && accessed.tv_nsec == 5000 && modified.tv_nsec == 7000,
       "microseconds");
    is_int(utimensat(AT_FDCWD, "missing", nothing, 0), 0, "nothing to do needs no file");
    close(file);
}

int main(void)
{
    tree_begin();
    test_links();
    test_reading();
    test_many();
    test_positions();
    test_getcwd();
    test_unreachable();
    test_times();
    tree_end();
    return tap_done();
}
