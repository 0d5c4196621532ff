/* flock and fcntl locks: who excludes whom, ranges, inheritance, close, deadlock, waiting. */
#include "file_tree.h"

#include <sys/file.h>
#include <sys/wait.h>

#include "waiting.h"

static const char *const kinds[] = {[F_RDLCK] = "read", [F_WRLCK] = "write", [F_UNLCK] = "none"};

static int set(int file, int command, short type, off_t start, off_t length)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};

    return fcntl(file, command, &lock);
}

/* Runs in a child, whose locks go with it; says its result by its exit status. */
static int in_child(int (*function)(void))
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        errno = 0;
        _exit(function() < 0 ? errno : 0);
    }
    waitpid(child, &status, 0);
    return WEXITSTATUS(status);
}

/* --- flock --- */

static int flock_operation, flock_file;

static int child_flock_new(void)
{
    int file = open("locked", O_RDWR);

    return flock(file, flock_operation | LOCK_NB);
}

static int child_flock_inherited(void)
{
    return flock(flock_file, flock_operation | LOCK_NB);
}

static void test_flock(void)
{
    static const int operations[] = {LOCK_SH, LOCK_EX, LOCK_UN};
    static const char *const names[] = {"SH", "EX", "UN"};

    flock_file = open("locked", O_RDWR);
    for (int held = 0; held < 3; held++)
        for (int wanted = 0; wanted < 3; wanted++) {
            flock(flock_file, operations[held]);
            flock_operation = operations[wanted];
            ok(true, "flock held %s, wanted %s: %s", names[held], names[wanted],
               error_name(in_child(child_flock_new)));
            int inherited = in_child(child_flock_inherited);

            flock_operation = LOCK_SH;
            ok(true, "by the same description: %s; then another shares: %s", error_name(inherited),
               error_name(in_child(child_flock_new)));
        }
    flock(flock_file, LOCK_EX);
    int copy = dup(flock_file);

    close(flock_file);
    flock_operation = LOCK_EX;
    ok(true, "a dup keeps it: %s", error_name(in_child(child_flock_new)));
    close(copy);
    ok(true, "the last close drops it: %s", error_name(in_child(child_flock_new)));
    is_error(flock(99, LOCK_SH), EBADF, "flock(99)");
    flock_file = open("locked", O_RDONLY);
    is_error(flock(flock_file, 0), EINVAL, "flock(0)");
    is_error(flock(flock_file, LOCK_SH | LOCK_EX), EINVAL, "flock(SH|EX)");
    is_int(flock(flock_file, LOCK_EX), 0, "an exclusive lock on what is open for reading");
    close(flock_file);
}

/* --- fcntl --- */

static short query_type;
static off_t query_start, query_length;
static char query_text[100];

static int child_query(void)
{
    int file = open("locked", O_RDWR);
    struct flock lock = {.l_type = query_type, .l_start = query_start, .l_len = query_length};
    int result = fcntl(file, F_GETLK, &lock);

    if (result == 0 && lock.l_type == F_UNLCK)
        snprintf(query_text, sizeof(query_text), "free");
    else
        snprintf(query_text, sizeof(query_text), "%s %lld+%lld%s", kinds[lock.l_type],
                 (long long)lock.l_start, (long long)lock.l_len,
                 lock.l_pid == getppid() ? "" : " by somebody else");
    tap_line("# %lld+%lld %s: %s\n", (long long)query_start, (long long)query_length,
             kinds[query_type], query_text);
    return result;
}

static void show_ranges(const char *what)
{
    ok(true, "%s", what);
    query_type = F_WRLCK;
    query_length = 1;
    for (query_start = 0; query_start < 100; query_start += 7)
        in_child(child_query);
    query_type = F_RDLCK;
    query_start = 0;
    query_length = 0;
    in_child(child_query);
}

static void test_ranges(void)
{
    int file = open("locked", O_RDWR);

    show_ranges("nothing locked");
    set(file, F_SETLK, F_WRLCK, 10, 20);
    show_ranges("write 10-29");
    set(file, F_SETLK, F_RDLCK, 15, 5);
    show_ranges("read 15-19 inside");
    set(file, F_SETLK, F_WRLCK, 15, 5);
    show_ranges("write 15-19 again: one lock");
    set(file, F_SETLK, F_UNLCK, 18, 4);
    show_ranges("18-21 unlocked");
    set(file, F_SETLK, F_WRLCK, 18, 4);
    set(file, F_SETLK, F_WRLCK, 30, 0);
    show_ranges("write to the end");
    set(file, F_SETLK, F_UNLCK, 40, 10);
    show_ranges("40-49 unlocked");
    set(file, F_SETLK, F_RDLCK, 0, 0);
    show_ranges("read all");
    set(file, F_SETLK, F_UNLCK, 0, 0);
    show_ranges("unlocked");
    is_int(set(file, F_SETLK, F_WRLCK, 50, -10), 0, "40-49 by a negative length");
    show_ranges("write 40-49");
    is_error(set(file, F_SETLK, F_WRLCK, 5, -10), EINVAL, "before the start");
    is_error(set(file, F_SETLK, F_WRLCK, -1, 1), EINVAL, "a negative start");
    is_error(set(file, F_SETLK, 7, 0, 1), EINVAL, "an unknown kind");
    close(dup(file));
    show_ranges("any close drops the process's locks");
    close(file);
    file = open("locked", O_RDONLY);
    is_error(set(file, F_SETLK, F_WRLCK, 0, 1), EBADF, "a write lock needs writing");
    is_int(set(file, F_SETLK, F_RDLCK, 0, 1), 0, "a read lock does not");
    close(file);
}

static int child_try_write(void)
{
    return set(open("locked", O_RDWR), F_SETLK, F_WRLCK, 0, 1);
}

static int child_try_inherited(void)
{
    return set(flock_file, F_SETLK, F_WRLCK, 0, 1);
}

static int child_try_sixth(void)
{
    return set(open("locked", O_RDWR), F_SETLK, F_WRLCK, 5, 1);
}

static void test_owners(void)
{
    flock_file = open("locked", O_RDWR);
    set(flock_file, F_SETLK, F_WRLCK, 0, 1);
    ok(true, "another process: %s", error_name(in_child(child_try_write)));
    ok(true, "a child does not inherit: %s", error_name(in_child(child_try_inherited)));
    int second = open("locked", O_RDWR);

    is_int(set(second, F_SETLK, F_WRLCK, 0, 1), 0, "the same process by another description");
    is_error(set(second, F_OFD_SETLK, F_WRLCK, 0, 1), EAGAIN, "OFD against POSIX");
    set(flock_file, F_SETLK, F_UNLCK, 0, 0);
    is_int(set(second, F_OFD_SETLK, F_WRLCK, 0, 1), 0, "OFD");
    is_error(set(flock_file, F_OFD_SETLK, F_WRLCK, 0, 1), EAGAIN, "OFD against OFD");
    is_error(set(flock_file, F_SETLK, F_WRLCK, 0, 1), EAGAIN, "POSIX against OFD");
    close(open("locked", O_RDWR));
    is_error(set(flock_file, F_OFD_SETLK, F_WRLCK, 0, 1), EAGAIN, "OFD survives another close");
    set(flock_file, F_SETLK, F_WRLCK, 5, 1);
    ok(true, "POSIX lock of the sixth byte: %s", error_name(in_child(child_try_sixth)));
    close(open("locked", O_PATH));
    ok(true, "it survives the close of an O_PATH: %s", error_name(in_child(child_try_sixth)));
    close(open("locked", O_RDWR));
    ok(true, "but no other: %s", error_name(in_child(child_try_sixth)));
    close(second);
    is_int(set(flock_file, F_OFD_SETLK, F_WRLCK, 0, 1), 0, "not that of its description");
    close(flock_file);
}

/* --- Waiting --- */

static void on_alarm(int signal)
{
    (void)signal;
}

static void test_waiting(void)
{
    int file = open("locked", O_RDWR), turn[2], status;
    char byte;
    struct sigaction action = {.sa_handler = on_alarm};

    if (pipe(turn))
        tap_bail_out("pipe");
    set(file, F_SETLK, F_WRLCK, 0, 1);
    pid_t child = fork();

    if (child == 0) {
        if (write(turn[1], "x", 1) != 1)
            _exit(9);
        _exit(set(file, F_SETLKW, F_WRLCK, 0, 1) ? 1 : 0);
    }
    if (read(turn[0], &byte, 1) != 1)
        tap_bail_out("turn");
    await_sleep(child);
    set(file, F_SETLK, F_UNLCK, 0, 1);
    waitpid(child, &status, 0);
    is_int(status, 0, "a waiter gets the lock when it is given up");

    sigaction(SIGALRM, &action, NULL);
    flock(file, LOCK_EX);
    child = fork();
    if (child == 0) {
        int other = open("locked", O_RDWR);

        _exit(INTERRUPTED(flock(other, LOCK_SH)) ? errno : 0);
    }
    waitpid(child, &status, 0);
    ok(true, "a signal ends the wait: %s", error_name(WEXITSTATUS(status)));
    close(file);
    close(turn[0]);
    close(turn[1]);
}

/* Two processes hold one byte each and ask for the other's: one is told. */
static void test_deadlock(void)
{
    int file = open("locked", O_RDWR), ready[2], status;
    char byte;

    if (pipe(ready))
        tap_bail_out("pipe");
    set(file, F_SETLK, F_WRLCK, 0, 1);
    pid_t child = fork();

    if (child == 0) {
        set(file, F_SETLK, F_WRLCK, 1, 1);
        if (write(ready[1], "x", 1) != 1)
            _exit(9);
        int result = set(file, F_SETLKW, F_WRLCK, 0, 1);

        _exit(result ? errno : 0);
    }
    if (read(ready[0], &byte, 1) != 1)
        tap_bail_out("ready");
    int mine = set(file, F_SETLKW, F_WRLCK, 1, 1) ? errno : 0;

    if (mine == EDEADLK)
        set(file, F_SETLK, F_UNLCK, 0, 0);
    waitpid(child, &status, 0);
    int theirs = WEXITSTATUS(status);

    ok((mine == EDEADLK && theirs == 0) || (mine == 0 && theirs == EDEADLK),
       "one of two is told of the deadlock");
    close(file);
    close(ready[0]);
    close(ready[1]);
}

int main(void)
{
    tree_begin();
    tree_file("locked", "some text to be locked", 0600);
    test_flock();
    test_ranges();
    test_owners();
    test_waiting();
    test_deadlock();
    tree_end();
    return tap_done();
}
