/*
 * Many processes on the same channels at once: nothing is lost, doubled, torn, or left asleep. Runs
 * at 1, 2 and 4 CPUs; a lost wake-up shows as a program that does not end.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "tap.h"

static void must(bool good, const char *what)
{
    if (!good)
        tap_bail_out(what);
}

/* All children ended with 0. */
static bool all_well(void)
{
    int status, bad = 0;

    while (wait(&status) > 0)
        bad += status != 0;
    return bad == 0;
}

/* Writers of records of PIPE_BUF bytes and fewer; readers of whole records, who find no torn one.
 */
static void test_records(void)
{
    enum { WRITERS = 6, READERS = 4, RECORDS = 200, SIZE = 512 };
    static unsigned char record[SIZE];
    int ends[2], totals[2];
    long count = 0;

    must(pipe(ends) == 0 && pipe(totals) == 0, "pipe");
    for (int w = 0; w < WRITERS; w++)
        if (fork() == 0) {
            close(ends[0]);
            for (int i = 0; i < RECORDS; i++) {
                memset(record, w * 40 + i % 40, SIZE);
                if (write(ends[1], record, SIZE) != SIZE)
                    _exit(1);
            }
            _exit(0);
        }
    close(ends[1]);
    for (int r = 0; r < READERS; r++)
        if (fork() == 0) {
            int mine = 0;

            while (read(ends[0], record, SIZE) == SIZE) {
                for (int i = 1; i < SIZE; i++)
                    if (record[i] != record[0])
                        _exit(2);
                mine++;
            }
            _exit(write(totals[1], &mine, sizeof(mine)) == sizeof(mine) ? 0 : 3);
        }
    close(ends[0]);
    close(totals[1]);
    for (int part; read(totals[0], &part, sizeof(part)) == sizeof(part);)
        count += part;
    close(totals[0]);
    ok(all_well(), "records of %d writers and %d readers are whole", WRITERS, READERS);
    is_int(count, WRITERS * RECORDS, "and none is lost");
}

/* A token goes around a ring of processes, each waiting in another way. */
static void test_ring(void)
{
    enum { MEMBERS = 12, ROUNDS = 100 };
    int links[MEMBERS][2];
    int token = 0;

    for (int i = 0; i < MEMBERS; i++)
        must(pipe(links[i]) == 0, "pipe");
    for (int i = 1; i < MEMBERS; i++)
        if (fork() == 0) {
            int in = links[i - 1][0], out = links[i][1], epoll = epoll_create1(0);
            struct pollfd list = {.fd = in, .events = POLLIN};
            struct epoll_event event = {.events = i % 2 ? EPOLLIN : EPOLLIN | EPOLLET};
            fd_set set;

            epoll_ctl(epoll, EPOLL_CTL_ADD, in, &event);
            for (int n = 0; n < ROUNDS; n++) {
                FD_ZERO(&set);
                FD_SET(in, &set);
                if (i % 4 == 1)
                    poll(&list, 1, -1);
                else if (i % 4 == 2)
                    epoll_wait(epoll, &event, 1, -1);
                else if (i % 4 == 3)
                    select(in + 1, &set, NULL, NULL, NULL);
                if (read(in, &token, sizeof(token)) != sizeof(token))
                    _exit(1);
                token++;
                if (write(out, &token, sizeof(token)) != sizeof(token))
                    _exit(2);
            }
            _exit(0);
        }
    for (int n = 0; n < ROUNDS; n++) {
        must(write(links[0][1], &token, sizeof(token)) == sizeof(token), "write");
        must(read(links[MEMBERS - 1][0], &token, sizeof(token)) == sizeof(token), "read");
    }
    ok(all_well(), "a ring that waits in every way");
    is_int(token, ROUNDS * (MEMBERS - 1), "handed on each time");
    for (int i = 0; i < MEMBERS; i++) {
        close(links[i][0]);
        close(links[i][1]);
    }
}

/* One counter for all: the sum taken is the sum given. */
static void test_counter(void)
{
    enum { GIVERS = 5, TAKERS = 3, TIMES = 400 };
    int counter = eventfd(0, EFD_SEMAPHORE), totals[2];
    int mine, count = 0;

    must(pipe(totals) == 0, "pipe");
    for (int g = 0; g < GIVERS; g++)
        if (fork() == 0) {
            for (int i = 0; i < TIMES; i++)
                if (eventfd_write(counter, 1) != 0)
                    _exit(1);
            _exit(0);
        }
    for (int t = 0; t < TAKERS; t++)
        if (fork() == 0) {
            eventfd_t value;

            for (mine = 0; mine < GIVERS * TIMES / TAKERS; mine++)
                if (eventfd_read(counter, &value) != 0 || value != 1)
                    _exit(1);
            _exit(write(totals[1], &mine, sizeof(mine)) == sizeof(mine) ? 0 : 3);
        }
    close(totals[1]);
    while (read(totals[0], &mine, sizeof(mine)) == sizeof(mine))
        count += mine;
    ok(all_well(), "%d givers and %d takers of one counter", GIVERS, TAKERS);
    is_int(count, GIVERS * TIMES / TAKERS * TAKERS, "what was given was taken");
    close(counter);
    close(totals[0]);
}

/* One waiter on many sockets, whose other ends talk and leave. */
static void test_server(void)
{
    enum { CLIENTS = 24, REQUESTS = 20 };
    int epoll = epoll_create1(0), open_clients = CLIENTS, answered = 0;

    for (int c = 0; c < CLIENTS; c++) {
        int ends[2];

        must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0, "socketpair");
        if (fork() == 0) {
            char byte = (char)c;

            close(ends[0]);
            for (int i = 0; i < REQUESTS; i++)
                if (write(ends[1], &byte, 1) != 1 || read(ends[1], &byte, 1) != 1 || byte != c)
                    _exit(1);
            _exit(0);
        }
        close(ends[1]);
        struct epoll_event event = {.events = EPOLLIN, .data.fd = ends[0]};

        must(epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event) == 0, "epoll_ctl");
    }
    while (open_clients > 0) {
        struct epoll_event events[8];
        int count = epoll_wait(epoll, events, 8, -1);

        must(count > 0, "epoll_wait");
        for (int i = 0; i < count; i++) {
            char bytes[64];
            int file = events[i].data.fd;
            ssize_t size = read(file, bytes, sizeof(bytes));

            if (size <= 0) {
                epoll_ctl(epoll, EPOLL_CTL_DEL, file, NULL);
                close(file);
                open_clients--;
            } else {
                answered += (int)size;
                must(write(file, bytes, (size_t)size) == size, "answer");
            }
        }
    }
    ok(all_well(), "%d clients of one server", CLIENTS);
    is_int(answered, CLIENTS * REQUESTS, "were answered each time");
    close(epoll);
}

/* Children that block on a channel are killed at random; the channel works on. */
static void test_killed_waiters(void)
{
    enum { WAITERS = 40 };
    int ends[2];
    pid_t waiters[WAITERS];
    char byte = 'x';

    must(pipe(ends) == 0, "pipe");
    for (int i = 0; i < WAITERS; i++) {
        waiters[i] = fork();
        if (waiters[i] == 0) {
            struct pollfd list = {.fd = ends[0], .events = POLLIN};

            if (i % 2)
                poll(&list, 1, -1);
            while (read(ends[0], &byte, 1) == 1)
                continue;
            _exit(0);
        }
    }
    for (int i = 0; i < WAITERS; i++) {
        kill(waiters[i], SIGKILL);
        must(write(ends[1], &byte, 1) == 1, "write");
    }
    while (wait(NULL) > 0)
        continue;
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    while (read(ends[0], &byte, 1) == 1)
        continue;
    is_int(write(ends[1], "y", 1), 1, "a pipe whose readers were killed takes a byte");
    is_int(read(ends[0], &byte, 1), 1, "and gives it");
    is_int(byte, 'y', "unharmed");
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    test_records();
    test_ring();
    test_counter();
    test_server();
    test_killed_waiters();
    return tap_done();
}
