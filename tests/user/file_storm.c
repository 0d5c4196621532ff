/*
 * Many processes at once in the same directories: creating, renaming, exchanging, linking,
 * removing, reading. Nothing may be lost, seen twice, or left over.
 */
#include "file_tree.h"

#include <sys/file.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum { WORKERS = 6, ROUNDS = 150 };

static void run(const char *what, int workers, int (*work)(int self))
{
    int failed = 0, status;

    for (int i = 0; i < workers; i++)
        if (fork() == 0)
            _exit(work(i));
    for (int i = 0; i < workers; i++)
        failed += wait(&status) < 0 || status != 0;
    is_int(failed, 0, "%s: every worker ends well", what);
}

static int entries_of(const char *directory)
{
    DIR *stream = opendir(directory);
    int count = 0;

    while (stream && readdir(stream))
        count++;
    if (stream)
        closedir(stream);
    return count - 2;
}

static unsigned next_random(unsigned *state)
{
    *state = *state * 1103515245 + 12345;
    return *state >> 16;
}

/* One directory, few names: every call may fail, but only in ways that make sense. */
static int work_names(int self)
{
    unsigned state = (unsigned)self + 1;

    for (int i = 0; i < ROUNDS; i++) {
        char a[32], b[32];
        int file;

        snprintf(a, sizeof(a), "names/%u", next_random(&state) % 5);
        snprintf(b, sizeof(b), "names/%u", next_random(&state) % 5);
        errno = 0;
        switch (next_random(&state) % 7) {
        case 0:
            file = open(a, O_CREAT | O_RDWR, 0600);
            if (file < 0 && errno != EISDIR)
                return 1;
            close(file);
            break;
        case 1:
            if (unlink(a) && errno != ENOENT && errno != EISDIR)
                return 2;
            break;
        case 2:
            if (rename(a, b) && errno != ENOENT && errno != EISDIR && errno != ENOTDIR &&
                errno != ENOTEMPTY)
                return 3;
            break;
        case 3:
            if (link(a, b) && errno != ENOENT && errno != EEXIST && errno != EPERM)
                return 4;
            break;
        case 4:
            if (mkdir(a, 0700) && errno != EEXIST)
                return 5;
            break;
        case 5:
            if (rmdir(a) && errno != ENOENT && errno != ENOTDIR)
                return 6;
            break;
        case 6:
            if (syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, 2) && errno != ENOENT)
                return 7;
            break;
        }
    }
    return 0;
}

/* O_EXCL admits one: whoever creates the token may go on, and removes it. */
static int *inside;

static int work_exclusive(int self)
{
    (void)self;
    for (int won = 0; won < 40;) {
        int file = open("token", O_CREAT | O_EXCL | O_WRONLY, 0600);

        if (file < 0)
            continue;
        won++;
        close(file);
        if (__atomic_add_fetch(inside, 1, __ATOMIC_SEQ_CST) != 1)
            return 1;
        __atomic_sub_fetch(inside, 1, __ATOMIC_SEQ_CST);
        if (unlink("token"))
            return 2;
    }
    return 0;
}

/* A directory comes and goes all the time. Who got a name into it keeps it there, and so finds it.
 */
static int work_come_and_go(int self)
{
    char outside[32], inside[32];

    snprintf(outside, sizeof(outside), "outside%d", self);
    snprintf(inside, sizeof(inside), "brief/%d", self);
    tree_file(outside, "", 0600);
    for (int i = 0; i < 4 * ROUNDS; i++) {
        if (self % 3 == 0) {
            if (mkdir("brief", 0700) && errno != EEXIST)
                return 1;
            if (rmdir("brief") && errno != ENOENT && errno != ENOTEMPTY)
                return 2;
        } else if (self % 3 == 1) {
            int file = open(inside, O_CREAT | O_EXCL | O_WRONLY, 0600);

            if (file < 0 ? errno != ENOENT : close(file) || unlink(inside))
                return 3;
        } else {
            if (rename(outside, inside) ? errno != ENOENT : rename(inside, outside))
                return 4;
        }
    }
    return unlink(outside) ? 5 : 0;
}

/* The name is always there, whoever renames over it. */
static int work_replace(int self)
{
    char mine[32];

    snprintf(mine, sizeof(mine), "mine%d", self);
    for (int i = 0; i < ROUNDS; i++) {
        struct stat status;

        if (self % 2) {
            tree_file(mine, "complete", 0600);
            if (rename(mine, "always"))
                return 1;
        } else {
            char text[20] = "";
            int file = open("always", O_RDONLY);

            if (file < 0 || read(file, text, sizeof(text)) != 8 || stat("always", &status))
                return 2;
            close(file);
        }
    }
    return 0;
}

/* O_APPEND: nobody's line is torn or lost. */
static int work_append(int self)
{
    int file = open("log", O_WRONLY | O_APPEND);
    char line[100];

    memset(line, 'a' + self, sizeof(line));
    line[sizeof(line) - 1] = '\n';
    for (int i = 0; i < ROUNDS; i++)
        if (write(file, line, sizeof(line)) != sizeof(line))
            return 1;
    return 0;
}

static void check_log(void)
{
    FILE *log = fopen("log", "r");
    char line[200];
    int lines = 0, torn = 0;

    while (fgets(line, sizeof(line), log)) {
        lines++;
        for (int i = 1; i < 99; i++)
            torn += line[i] != line[0];
    }
    fclose(log);
    is_int(lines, WORKERS * ROUNDS, "lines in the log");
    is_int(torn, 0, "torn ones");
}

/* One description for all: each byte is read by exactly one. */
static int shared_file;
static unsigned char *seen;

static int work_read(int self)
{
    unsigned bytes[7];
    ssize_t got;

    (void)self;
    while ((got = read(shared_file, bytes, sizeof(bytes))) > 0)
        for (size_t i = 0; i < (size_t)got / sizeof(unsigned); i++)
            __atomic_add_fetch(&seen[bytes[i]], 1, __ATOMIC_SEQ_CST);
    return got ? 1 : 0;
}

/* Never over another: that would replace an empty directory. */
static void move(const char *from, const char *to)
{
    syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 1);
}

/* Directories that move into each other: no circle, nothing lost. */
static int work_move(int self)
{
    unsigned state = (unsigned)self + 77;
    char from[64], to[64];

    for (int i = 0; i < ROUNDS; i++) {
        unsigned a = next_random(&state) % 4, b = next_random(&state) % 4;

        snprintf(from, sizeof(from), "move/%u/x", a);
        snprintf(to, sizeof(to), "move/%u/x", b);
        move(from, to);
        snprintf(from, sizeof(from), "move/%u", a);
        snprintf(to, sizeof(to), "move/%u/y", b);
        move(from, to);
        move(to, from);
    }
    return 0;
}

static int directories_below(const char *directory)
{
    DIR *stream = opendir(directory);
    struct dirent *entry;
    int count = 0;

    while (stream && (entry = readdir(stream))) {
        char name[300];

        if (entry->d_name[0] == '.')
            continue;
        snprintf(name, sizeof(name), "%.200s/%.20s", directory, entry->d_name);
        count += 1 + directories_below(name);
    }
    if (stream)
        closedir(stream);
    return count;
}

static int work_locked_counter(int self)
{
    int file = open("counter", O_RDWR);

    (void)self;
    for (int i = 0; i < 50; i++) {
        int value = 0;

        if (flock(file, LOCK_EX) || pread(file, &value, sizeof(value), 0) != sizeof(value))
            return 1;
        value++;
        if (pwrite(file, &value, sizeof(value), 0) != sizeof(value) || flock(file, LOCK_UN))
            return 2;
    }
    return 0;
}

/* Writers, truncation and mappings of one file. */
static int work_pages(int self)
{
    int file = open("pages", O_RDWR);
    char *shared = mmap(NULL, 16 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    char block[5000];

    if (shared == MAP_FAILED)
        return 1;
    memset(block, self + 1, sizeof(block));
    for (int i = 0; i < ROUNDS; i++) {
        if (pwrite(file, block, sizeof(block), (i * 3000) % 60000) != sizeof(block))
            return 2;
        shared[(i * 777) % 65536] = (char)self;
        if (pread(file, block, sizeof(block), (i * 5000) % 60000) < 0)
            return 3;
        memset(block, self + 1, sizeof(block));
    }
    return 0;
}

static void *shared_memory(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED)
        tap_bail_out("mmap");
    return memory;
}

static void test_shared_position(void)
{
    enum { COUNT = 7000 };
    static unsigned numbers[COUNT];
    int wrong = 0;

    seen = shared_memory(COUNT);
    for (unsigned i = 0; i < COUNT; i++)
        numbers[i] = i;
    shared_file = open("numbers", O_RDWR | O_CREAT, 0600);
    if (write(shared_file, numbers, sizeof(numbers)) != sizeof(numbers))
        tap_bail_out("numbers");
    lseek(shared_file, 0, SEEK_SET);
    run("one position", WORKERS, work_read);
    for (int i = 0; i < COUNT; i++)
        wrong += seen[i] != 1;
    is_int(wrong, 0, "numbers not read exactly once");
}

static void test_moves(void)
{
    mkdir("move", 0700);
    for (int i = 0; i < 4; i++) {
        char name[32];

        snprintf(name, sizeof(name), "move/%d", i);
        mkdir(name, 0700);
    }
    mkdir("move/0/x", 0700);
    run("moving directories", WORKERS, work_move);
    is_int(directories_below("move"), 5, "all directories are still there");
}

int main(void)
{
    int value = 0;

    tree_begin();
    mkdir("names", 0700);
    run("few names", WORKERS, work_names);
    tree_clear("names");
    is_int(entries_of("names"), 0, "entries left");
    is_int(rmdir("names"), 0, "and the directory can go");
    inside = shared_memory(4096);
    run("O_EXCL", WORKERS, work_exclusive);
    run("a directory that comes and goes", WORKERS, work_come_and_go);
    is_int(rmdir("brief") && errno != ENOENT, 0, "it is empty in the end, if it is there");
    tree_file("always", "complete", 0600);
    run("replacing", WORKERS, work_replace);
    tree_file("log", "", 0600);
    run("appending", WORKERS, work_append);
    check_log();
    test_shared_position();
    test_moves();
    int file = open("counter", O_RDWR | O_CREAT, 0600);

    if (write(file, &value, sizeof(value)) != sizeof(value))
        tap_bail_out("counter");
    run("flock", WORKERS, work_locked_counter);
    pread(file, &value, sizeof(value), 0);
    is_int(value, WORKERS * 50, "the locked counter");
    file = open("pages", O_RDWR | O_CREAT, 0600);
    if (ftruncate(file, 16 * 4096))
        tap_bail_out("pages");
    run("pages", WORKERS, work_pages);
    tree_end();
    return tap_done();
}
