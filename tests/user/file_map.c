/* Mapped files: what reads, writes and mappings see of each other; ends of files; running programs.
 */
#include "file_tree.h"

#include <setjmp.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define PAGE 4096

static sigjmp_buf back;

static void on_fault(int signal)
{
    siglongjmp(back, signal);
}

/* 0, or the signal that an access ended with. */
static int touch(volatile char *address, bool write)
{
    int signal = sigsetjmp(back, 1);

    if (signal)
        return signal;
    if (write)
        *address = 'T';
    else
        (void)*address;
    return 0;
}

static char *map(int file, size_t size, int protection, int flags, off_t offset)
{
    char *address = mmap(NULL, size, protection, flags, file, offset);

    if (address == MAP_FAILED)
        tap_bail_out("mmap");
    return address;
}

static void test_coherence(void)
{
    char text[10] = "";
    int file = open("mapped", O_RDWR | O_CREAT | O_TRUNC, 0600);

    ok(ftruncate(file, 3 * PAGE) == 0, "three pages of nothing");
    char *shared = map(file, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, 0);
    char *private = map(file, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, 0);
    char *reader = map(file, PAGE, PROT_READ, MAP_SHARED, PAGE);

    is_int(shared[100], 0, "a hole reads as zero");
    strcpy(shared + PAGE, "written");
    pread(file, text, 8, PAGE);
    is_string(text, "written", "read sees a write through a mapping");
    is_string(reader, "written", "so does another mapping");
    is_string(private + PAGE, "written", "and a private one that was not written");
    pwrite(file, "changed", 8, PAGE);
    is_string(shared + PAGE, "changed", "a mapping sees a write");
    strcpy(private + PAGE, "own");
    is_string(shared + PAGE, "changed", "a private write stays private");
    pwrite(file, "again", 6, PAGE);
    is_string(private + PAGE, "own", "and is no longer overwritten");
    is_string(reader, "again", "shared mappings follow");
    pid_t child = fork();

    if (child == 0) {
        strcpy(shared + 2 * PAGE, "child");
        strcpy(private, "child");
        _exit(0);
    }
    waitpid(child, NULL, 0);
    is_string(shared + 2 * PAGE, "child", "a child writes the same pages");
    is_string(private, "", "its private ones are its own");
    ok(unlink("mapped") == 0 && close(file) == 0, "closed and unlinked");
    is_string(shared + PAGE, "again", "the mapping keeps the file");
    munmap(shared, 3 * PAGE);
    is_string(reader, "again", "as long as one is left");
    munmap(reader, PAGE);
    munmap(private, 3 * PAGE);
}

static void test_ends(void)
{
    int file = open("short", O_RDWR | O_CREAT | O_TRUNC, 0600);

    pwrite(file, "short", 5, 0);
    char *shared = map(file, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, 0);

    is_int(touch(shared + 5, false), 0, "beyond the end, within the page");
    is_int(shared[5], 0, "is zero");
    is_int(touch(shared + PAGE, false), SIGBUS, "the next page");
    is_int(touch(shared + PAGE, true), SIGBUS, "written");
    ok(ftruncate(file, 2 * PAGE) == 0, "grown");
    is_int(touch(shared + PAGE, true), 0, "now it is there");
    is_int(touch(shared + 2 * PAGE, true), SIGBUS, "not the third");
    char *private = map(file, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, 2 * PAGE);

    is_int(touch(private, false), SIGBUS, "a private mapping beyond the end");
    munmap(private, PAGE);
    munmap(shared, 3 * PAGE);
    close(file);
}

static void test_arguments(void)
{
    int reading = open("short", O_RDONLY), writing = open("short", O_WRONLY);
    int directory = open(".", O_RDONLY), path = open("short", O_PATH), ends[2];
    int zero = open("/dev/zero", O_RDWR), null = open("/dev/null", O_RDWR);

    if (pipe(ends))
        tap_bail_out("pipe");
#define MAP(protection, flags, file, offset)                                                       \
    (mmap(NULL, PAGE, protection, flags, file, offset) == MAP_FAILED ? -1 : 0)
    is_int(MAP(PROT_READ, MAP_SHARED, reading, 0), 0, "read, shared");
    is_error(MAP(PROT_WRITE, MAP_SHARED, reading, 0), EACCES, "write, shared, not open for it");
    is_int(MAP(PROT_WRITE, MAP_PRIVATE, reading, 0), 0, "write, private");
    is_error(MAP(PROT_WRITE, MAP_SHARED, writing, 0), EACCES, "open for writing only");
    is_error(MAP(PROT_READ, MAP_PRIVATE, writing, 0), EACCES, "read of it");
    is_error(MAP(PROT_READ, MAP_SHARED, directory, 0), ENODEV, "a directory");
    is_error(MAP(PROT_READ, MAP_SHARED, ends[0], 0), ENODEV, "a pipe");
    is_error(MAP(PROT_READ, MAP_SHARED, null, 0), ENODEV, "/dev/null");
    is_error(MAP(PROT_READ, MAP_SHARED, path, 0), EBADF, "O_PATH");
    is_error(MAP(PROT_READ, MAP_SHARED, 99, 0), EBADF, "99");
    is_error(MAP(PROT_READ, 0, reading, 0), EINVAL, "neither shared nor private");
    is_error(MAP(PROT_READ, MAP_SHARED, reading, 100), EINVAL, "an offset within a page");
    char *zeros = map(zero, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, 0);

    is_int(zeros[7], 0, "/dev/zero");
    zeros[7] = 1;
    zeros = map(zero, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, 0);
    pid_t child = fork();

    if (child == 0) {
        zeros[1] = 42;
        _exit(0);
    }
    waitpid(child, NULL, 0);
    is_int(zeros[1], 42, "/dev/zero shared with a child");
    char *shared = map(reading, PAGE, PROT_READ, MAP_SHARED, 0);

    is_error(mprotect(shared, PAGE, PROT_READ | PROT_WRITE), EACCES, "mprotect of a read mapping");
}

/* A program that runs cannot be written; one that is open for writing cannot run. */
static void test_busy(const char *self)
{
    char *const sleeper[] = {(char *)"program", (char *)"wait", NULL};
    char *const nothing[] = {(char *)"program", (char *)"end", NULL};
    static char copy[1 << 22];
    int ends[2], input[2], status;
    char byte;

    int from = open(self, O_RDONLY), to = open("program", O_WRONLY | O_CREAT, 0755);
    ssize_t size = read(from, copy, sizeof(copy));

    if (size <= 0 || write(to, copy, (size_t)size) != size || pipe(ends) || pipe(input))
        tap_bail_out("a copy of the program");
    is_error(execv("program", nothing), ETXTBSY, "exec of a file open for writing");
    close(to);
    pid_t child = fork();

    if (child == 0) {
        dup2(ends[1], 1);
        dup2(input[0], 0);
        close(input[1]);
        execv("program", sleeper);
        _exit(9);
    }
    if (read(ends[0], &byte, 1) != 1)
        tap_bail_out("the program does not start");
    is_error(open("program", O_WRONLY), ETXTBSY, "open(O_WRONLY) of a running program");
    is_error(open("program", O_RDWR | O_TRUNC), ETXTBSY, "open(O_TRUNC)");
    is_error(truncate("program", 0), ETXTBSY, "truncate");
    is_int(open("program", O_RDONLY) >= 0, true, "reading it");
    is_int(rename("program", "renamed"), 0, "renaming it");
    is_int(unlink("renamed"), 0, "removing it");
    close(input[1]);
    waitpid(child, &status, 0);
    is_int(status, 0, "it ran on");
}

int main(int count, char **arguments)
{
    struct sigaction action = {.sa_handler = on_fault, .sa_flags = SA_NODEFER};
    char byte, self[4096];

    if (count > 1) {
        if (!strcmp(arguments[1], "wait") && write(1, "x", 1) == 1 && read(0, &byte, 1) == 0)
            return 0;
        return 1;
    }
    ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);

    if (length < 0)
        tap_bail_out("/proc/self/exe");
    self[length] = '\0';
    sigaction(SIGBUS, &action, NULL);
    sigaction(SIGSEGV, &action, NULL);
    tree_begin();
    test_coherence();
    test_ends();
    test_arguments();
    test_busy(self);
    tree_end();
    return tap_done();
}
