/* pipe(2) and pipe2(2). */
#include "fs/pipe.h"

#include <linux/fcntl.h>

#include "sys/syscall.h"

/* The numbers reach the program before the files reach the table: a bad address leaves nothing. */
static int64_t install_pair(struct file *ends[2], uintptr_t address, bool close_on_exec)
{
    int numbers[2];

    numbers[0] = file_reserve_descriptor(0, close_on_exec);
    if (numbers[0] < 0)
        return numbers[0];
    numbers[1] = file_reserve_descriptor(0, close_on_exec);
    if (numbers[1] < 0) {
        file_unreserve_descriptor(numbers[0]);
        return numbers[1];
    }
    if (copy_to_user(address, numbers, sizeof(numbers)) != 0) {
        file_unreserve_descriptor(numbers[0]);
        file_unreserve_descriptor(numbers[1]);
        return -EFAULT;
    }
    file_fill_descriptor(numbers[0], ends[0]);
    file_fill_descriptor(numbers[1], ends[1]);
    return 0;
}

static int64_t create_pipe(uintptr_t address, unsigned flags)
{
    struct file *ends[2];

    if (flags & ~(unsigned)(O_CLOEXEC | O_NONBLOCK | O_DIRECT))
        return -EINVAL;
    int64_t error = pipe_create_pair(ends, flags & (O_NONBLOCK | O_DIRECT));

    if (error)
        return error;
    error = install_pair(ends, address, flags & O_CLOEXEC);
    if (error) {
        file_put(ends[0]);
        file_put(ends[1]);
    }
    return error;
}

SYSCALL1(pipe, uintptr_t, address)
{
    return create_pipe(address, 0);
}

SYSCALL2(pipe2, uintptr_t, address, unsigned, flags)
{
    return create_pipe(address, flags);
}
