/* eventfd: counting, semaphores, the largest count, blocking, errors. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/wait.h>

#include "tap.h"
#include "waiting.h"

static int events(int file)
{
    struct pollfd list = {.fd = file, .events = POLLIN | POLLOUT};

    return poll(&list, 1, 0) < 0 ? -1 : list.revents;
}

static long long take(int file)
{
    uint64_t value = 0;

    return read(file, &value, 8) == 8 ? (long long)value : -errno;
}

static long long give(int file, uint64_t value)
{
    return write(file, &value, 8) == 8 ? 0 : -errno;
}

int main(void)
{
    int file = eventfd(3, EFD_NONBLOCK | EFD_CLOEXEC);
    char buffer[16] = {0};

    is_error(eventfd(0, 8), EINVAL, "an unknown flag");
    is_int(fcntl(file, F_GETFL), O_RDWR | O_NONBLOCK, "flags");
    is_int(fcntl(file, F_GETFD), FD_CLOEXEC, "EFD_CLOEXEC");
    is_int(events(file), POLLIN | POLLOUT, "readable and writable");
    is_int(take(file), 3, "the first count");
    is_int(take(file), -EAGAIN, "then none");
    is_int(events(file), POLLOUT, "not readable");
    is_int(give(file, 5), 0, "add 5");
    is_int(give(file, 7), 0, "add 7");
    is_int(take(file), 12, "the sum");
    is_int(give(file, 0), 0, "add nothing");
    is_int(events(file), POLLOUT, "is nothing");
    is_int(give(file, UINT64_MAX), -EINVAL, "the largest number cannot be added");
    is_int(give(file, UINT64_MAX - 1), 0, "the one below it can");
    is_int(events(file), POLLIN, "no more fits");
    is_int(give(file, 1), -EAGAIN, "not even 1");
    is_int(take(file), -2, "all of it");
    is_error(read(file, buffer, 7), EINVAL, "a short read");
    is_error(write(file, buffer, 7), EINVAL, "a short write");
    is_error(write(file, (void *)8, 8), EFAULT, "a bad address");
    is_int(lseek(file, 5, SEEK_SET), 0, "lseek does nothing");
    close(file);

    file = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK);
    is_int(take(file), 1, "a semaphore gives one");
    is_int(take(file), 1, "and one");
    is_int(take(file), -EAGAIN, "until there is none");
    close(file);

    file = eventfd(0, 0);
    pid_t parent = getpid(), child = fork();

    if (child == 0) {
        await_sleep(parent);
        _exit(give(file, 9) != 0);
    }
    is_int(take(file), 9, "a read waits");
    waitpid(child, NULL, 0);
    give(file, UINT64_MAX - 1);
    child = fork();
    if (child == 0)
        _exit(give(file, 4) != 0);
    await_sleep(child);
    is_int(take(file), -2, "a write waits");
    int status;

    waitpid(child, &status, 0);
    is_int(status, 0, "until it fits");
    is_int(take(file), 4, "and is added then");
    close(file);
    return tap_done();
}
