/* Pipes: blocking, capacity, atomic writes, ends that go, packets, FIFOs, vectors. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "tap.h"
#include "waiting.h"

static volatile sig_atomic_t caught;
static char buffer[1 << 20];

static void note(int signal)
{
    caught = signal;
}

static void open_pipe(int ends[2], int flags)
{
    if (pipe2(ends, flags) != 0)
        tap_bail_out("pipe2");
}

static void close_pipe(const int ends[2])
{
    close(ends[0]);
    close(ends[1]);
}

static int available(int end)
{
    int count = -1;

    return ioctl(end, FIONREAD, &count) == 0 ? count : -1;
}

static int events(int end)
{
    struct pollfd list = {.fd = end, .events = POLLIN | POLLOUT | POLLPRI};

    return poll(&list, 1, 0) < 0 ? -1 : list.revents;
}

static void test_creation(void)
{
    int ends[2];
    struct stat status;

    is_error(pipe2(ends, 1), EINVAL, "pipe2 with an unknown flag");
    is_error(pipe((int *)8), EFAULT, "pipe with a bad address");
    open_pipe(ends, O_CLOEXEC | O_NONBLOCK);
    is_int(ends[1], ends[0] + 1, "a failed pipe leaves no descriptor behind");
    is_int(fcntl(ends[0], F_GETFD), FD_CLOEXEC, "O_CLOEXEC on the reading end");
    is_int(fcntl(ends[1], F_GETFL), O_WRONLY | O_NONBLOCK, "flags of the writing end");
    is_int(fcntl(ends[0], F_GETFL), O_RDONLY | O_NONBLOCK, "flags of the reading end");
    is_int(fstat(ends[0], &status), 0, "fstat");
    is_int(status.st_mode, S_IFIFO | 0600, "it is a FIFO");
    is_int(status.st_size, 0, "of size 0");
    is_error(lseek(ends[0], 0, SEEK_SET), ESPIPE, "lseek");
    is_error(pread(ends[0], buffer, 1, 0), ESPIPE, "pread");
    is_error(write(ends[0], "x", 1), EBADF, "write to the reading end");
    is_error(read(ends[1], buffer, 1), EBADF, "read from the writing end");
    is_error(ftruncate(ends[1], 0), EINVAL, "ftruncate");
    is_error(ioctl(ends[0], TIOCGWINSZ, buffer), ENOTTY, "not a terminal");
    close_pipe(ends);
}

static void test_transfer(void)
{
    int ends[2];

    open_pipe(ends, O_NONBLOCK);
    is_error(read(ends[0], buffer, 10), EAGAIN, "read from an empty pipe");
    is_int(read(ends[0], buffer, 0), 0, "read of nothing");
    is_int(write(ends[1], "hello", 5), 5, "write");
    is_int(write(ends[1], " world", 6), 6, "write more");
    is_int(available(ends[0]), 11, "FIONREAD");
    is_int(available(ends[1]), 11, "FIONREAD at the other end");
    is_int(read(ends[0], buffer, 3), 3, "a short read");
    is_int(read(ends[0], buffer, 100), 8, "reads join writes");
    ok(memcmp(buffer, "lo world", 8) == 0, "the bytes are in order");
    is_error(write(ends[1], (void *)8, 5), EFAULT, "write from a bad address");
    is_int(available(ends[0]), 0, "left nothing");
    is_int(write(ends[1], "abc", 3), 3, "write");
    is_error(read(ends[0], (void *)8, 3), EFAULT, "read to a bad address");
    is_int(available(ends[0]), 3, "lost nothing");
    close(ends[1]);
    is_int(read(ends[0], buffer, 10), 3, "what was written before the close");
    is_int(read(ends[0], buffer, 10), 0, "end of file");
    is_int(read(ends[0], buffer, 10), 0, "end of file, again");
    close(ends[0]);
}

static long fill(int end, size_t piece)
{
    long total = 0, count;

    while ((count = write(end, buffer, piece)) > 0)
        total += count;
    return total;
}

static void test_capacity(void)
{
    static const size_t pieces[] = {1, 7, 1000, 3000, 4095, 4096, 4097, 5000, 65536, 100000};
    int ends[2];

    for (unsigned i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        open_pipe(ends, O_NONBLOCK);
        long total = fill(ends[1], pieces[i]);

        tap_line("# pieces of %zu: %ld\n", pieces[i], total);
        is_int(available(ends[0]), total, "all of it is there");
        is_int(events(ends[1]), 0, "full is not writable");
        is_int(read(ends[0], buffer, 4096), total < 4096 ? total : 4096, "read a page");
        tap_line("# then writable: %d\n", (events(ends[1]) & POLLOUT) != 0);
        close_pipe(ends);
    }
    open_pipe(ends, O_NONBLOCK);
    is_int(fcntl(ends[0], F_GETPIPE_SZ), 65536, "F_GETPIPE_SZ");
    is_int(fcntl(ends[1], F_SETPIPE_SZ, 5000), 8192, "F_SETPIPE_SZ rounds up");
    is_int(fill(ends[1], 4096), 8192, "and holds that");
    is_error(fcntl(ends[0], F_SETPIPE_SZ, 4096), EBUSY, "too small for what is in it");
    is_int(fcntl(ends[0], F_SETPIPE_SZ, 131072), 131072, "larger");
    is_int(fill(ends[1], 4096), 131072 - 8192, "takes the rest");
    is_int(read(ends[0], buffer, sizeof(buffer)), 131072, "and gives all");
    is_int(fcntl(ends[0], F_SETPIPE_SZ, 0), 4096, "size 0 is a page");
    is_error(fcntl(0x7fff, F_GETPIPE_SZ), EBADF, "F_GETPIPE_SZ of nothing");
    close_pipe(ends);
}

/* PIPE_BUF bytes or none; more may be split. */
static void test_atomic(void)
{
    int ends[2];

    open_pipe(ends, O_NONBLOCK);
    fill(ends[1], 4096);
    read(ends[0], buffer, 100);
    is_error(write(ends[1], buffer, 4096), EAGAIN, "no room for a page: nothing");
    read(ends[0], buffer, 4096 - 100);
    is_int(write(ends[1], buffer, 10000), 4096, "more than PIPE_BUF: what fits");
    close_pipe(ends);
}

static void test_broken(void)
{
    int ends[2];
    struct sigaction action = {.sa_handler = note};

    sigaction(SIGPIPE, &action, NULL);
    open_pipe(ends, 0);
    is_int(events(ends[1]), POLLOUT, "writable");
    close(ends[0]);
    is_int(events(ends[1]), POLLOUT | POLLERR, "POLLERR without a reader");
    is_error(write(ends[1], "x", 1), EPIPE, "EPIPE");
    is_int(caught, SIGPIPE, "and SIGPIPE");
    caught = 0;
    is_int(write(ends[1], "x", 0), 0, "writing nothing is no error");
    is_int(caught, 0, "and raises nothing");
    close(ends[1]);
    signal(SIGPIPE, SIG_IGN);
    open_pipe(ends, 0);
    close(ends[0]);
    is_error(write(ends[1], "x", 1), EPIPE, "EPIPE with SIGPIPE ignored");
    close(ends[1]);
    open_pipe(ends, 0);
    is_int(events(ends[0]), 0, "nothing to read");
    close(ends[1]);
    is_int(events(ends[0]), POLLHUP, "POLLHUP without a writer");
    close(ends[0]);
    signal(SIGPIPE, SIG_DFL);
    pid_t child = fork();
    int status;

    if (child == 0) {
        open_pipe(ends, 0);
        close(ends[0]);
        write(ends[1], "x", 1);
        _exit(0);
    }
    waitpid(child, &status, 0);
    ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE, "killed by SIGPIPE");
}

/* A writer of more than fits sleeps; the reader gets all of it in order. */
static void test_blocking(void)
{
    int ends[2];
    long total = 0, count, wrong = 0;

    open_pipe(ends, 0);
    pid_t child = fork();

    if (child == 0) {
        close(ends[0]);
        for (size_t i = 0; i < sizeof(buffer); i++)
            buffer[i] = (char)(i % 251);
        count = write(ends[1], buffer, sizeof(buffer));
        _exit(count == (long)sizeof(buffer) ? 0 : 1);
    }
    close(ends[1]);
    while ((count = read(ends[0], buffer, 5000)) > 0) {
        for (long i = 0; i < count; i++)
            wrong += buffer[i] != (char)((total + i) % 251);
        total += count;
    }
    int status;

    waitpid(child, &status, 0);
    is_int(total, sizeof(buffer), "a megabyte passes");
    is_int(wrong, 0, "unharmed");
    is_int(status, 0, "in one write");
    close(ends[0]);
}

/* Lets the read that it has interrupted some times end. */
static int answering_end;

static void note_and_answer(int signal)
{
    (void)signal;
    if (++caught == 5)
        write(answering_end, "x", 1);
}

static void test_interrupted(void)
{
    int ends[2];
    struct sigaction action = {.sa_handler = note};

    open_pipe(ends, 0);
    sigaction(SIGALRM, &action, NULL);
    is_error(INTERRUPTED(read(ends[0], buffer, 1)), EINTR, "a signal ends a read");
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    fill(ends[1], 4096);
    fcntl(ends[1], F_SETFL, 0);
    is_error(INTERRUPTED(write(ends[1], buffer, 1)), EINTR, "and a write that did nothing");
    read(ends[0], buffer, 8192);
    is_int(INTERRUPTED(write(ends[1], buffer, 16384)), 8192,
           "one that did something tells how much");
    close_pipe(ends);
    open_pipe(ends, 0);
    answering_end = ends[1];
    action.sa_handler = note_and_answer;
    action.sa_flags = SA_RESTART;
    sigaction(SIGALRM, &action, NULL);
    caught = 0;
    is_int(INTERRUPTED(read(ends[0], buffer, 1)), 1, "with SA_RESTART the read goes on");
    ok(caught >= 5, "after the handler");
    close_pipe(ends);
}

static void test_packets(void)
{
    int ends[2];

    open_pipe(ends, O_DIRECT | O_NONBLOCK);
    write(ends[1], "one", 3);
    write(ends[1], "three", 5);
    is_int(read(ends[0], buffer, 100), 3, "a packet");
    is_int(read(ends[0], buffer, 2), 2, "a part of a packet");
    is_error(read(ends[0], buffer, 2), EAGAIN, "the rest is gone");
    is_int(write(ends[1], buffer, 5000), 5000, "a large write");
    is_int(read(ends[0], buffer, 8000), 4096, "is split by pages");
    is_int(read(ends[0], buffer, 8000), 904, "is split by pages: the rest");
    close_pipe(ends);
}

static void test_vectors(void)
{
    int ends[2];
    char first[3], second[10];
    struct iovec out[] = {{"ab", 2}, {"", 0}, {"cdef", 4}};
    struct iovec in[] = {{first, 3}, {second, 10}};

    open_pipe(ends, 0);
    is_int(writev(ends[1], out, 3), 6, "writev");
    is_int(readv(ends[0], in, 2), 6, "readv takes what is there and does not wait");
    ok(memcmp(first, "abc", 3) == 0 && memcmp(second, "def", 3) == 0, "in order");
    is_int(writev(ends[1], out, 3), 6, "writev");
    is_int(readv(ends[0], in, 1), 3, "readv of a part");
    is_error(readv(ends[0], in, -1), EINVAL, "readv with a negative count");
    is_error(readv(ends[0], in, 1025), EINVAL, "readv with too many segments");
    close_pipe(ends);
}

static void test_fifo(void)
{
    const char *name = "/tmp/kin-fifo";
    int reader, writer, status;
    struct stat file_status;

    unlink(name);
    is_int(mkfifo(name, 0600), 0, "mkfifo");
    is_error(mkfifo(name, 0600), EEXIST, "mkfifo again");
    is_error(open(name, O_WRONLY | O_NONBLOCK), ENXIO, "a writer without a reader");
    reader = open(name, O_RDONLY | O_NONBLOCK);
    ok(reader >= 0, "a reader without a writer");
    is_int(events(reader), 0, "which is not hung up");
    is_int(read(reader, buffer, 1), 0, "but at its end");
    writer = open(name, O_WRONLY | O_NONBLOCK);
    ok(writer >= 0, "now a writer");
    is_error(read(reader, buffer, 1), EAGAIN, "there is something to wait for");
    is_int(write(writer, "xy", 2), 2, "write");
    is_int(fstat(reader, &file_status), 0, "fstat");
    is_int(file_status.st_mode, S_IFIFO | 0600, "it is a FIFO");
    is_int(read(reader, buffer, 10), 2, "read");
    close(writer);
    is_int(events(reader), POLLHUP, "hung up after the writer");
    close(reader);
    pid_t child = fork();

    if (child == 0) {
        writer = open(name, O_WRONLY);
        _exit(write(writer, "hello", 5) == 5 ? 0 : 1);
    }
    reader = open(name, O_RDONLY);
    is_int(read(reader, buffer, 10), 5, "openers wait for one another");
    is_int(read(reader, buffer, 10), 0, "end of file");
    waitpid(child, &status, 0);
    is_int(status, 0, "the writer got through");
    close(reader);
    reader = open(name, O_RDWR | O_NONBLOCK);
    is_int(write(reader, "a", 1), 1, "O_RDWR writes");
    is_int(read(reader, buffer, 10), 1, "and reads");
    close(reader);
    unlink(name);
}

int main(void)
{
    test_creation();
    test_transfer();
    test_capacity();
    test_atomic();
    test_broken();
    test_blocking();
    test_interrupted();
    test_packets();
    test_vectors();
    test_fifo();
    return tap_done();
}
